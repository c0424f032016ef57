"""What a job is going to take: `--dry-run`, and the first thing that a run says."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmctl.batch.estimating import Estimated, Sample, estimated_job
from llmctl.batch.registering import SAMPLE, Looked, length
from llmctl.batch.sharding import Shard
from llmctl.cli.batch_peek import no_rows
from llmctl.cli.loop import run_async
from llmctl.errors import LlmctlError
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.terminal import safe_line
from llmctl.rows import BadRow, Row, open_rows

if TYPE_CHECKING:
    from llmctl.cli.batch_asked import BatchAsked
    from llmctl.cli.batch_prepared import Prepared


def show_what_if(prepared: "Prepared") -> None:
    """Read the rows, and say what they would take; nothing is sent or written."""
    looked, odd = run_async(_looked(prepared))
    asked = prepared.asked
    rows = looked.rows - looked.bad
    found, unmade = estimated_with(prepared, looked.sample, rows, known_pace(asked))
    if prepared.asked.json:
        from llmctl.output.batch_estimate import job_estimate_json
        from llmctl.output.envelope import document

        document({**job_estimate_json(found), "bad_rows": looked.bad})
        return
    from llmctl.output.batch_estimate import estimate_text

    bad = looked.bad + len(unmade)
    some = bool(unmade) and len(looked.sample) < rows
    streams.out(estimate_text(found, bad=bad, at_least=some, only_told=True))
    _say_unusable({**odd, **unmade})


async def _looked(prepared: "Prepared") -> tuple[Looked, Mapping[int, str]]:
    """All rows of the input, and why some cannot be sent."""
    import random

    from llmctl.rows.names import Names, repeated

    asked, looked, odd = prepared.asked, Looked(), dict[int, str]()
    shard = None if asked.shard is None else Shard.read(asked.shard)
    names, draw = Names(), random.Random(0)
    rows = open_rows(
        asked.source,
        format=asked.input_format,
        limit=asked.limit,
        encoding=prepared.loaded.settings.output.encoding,
        loaded=prepared.loaded,
    )
    async with aclosing(rows) as found:
        async for row in found:
            if shard is not None and not shard.has(row.id or str(row.line)):
                continue
            looked.rows += 1
            bad = row if isinstance(row, BadRow) else repeated(row, names)
            if bad is not None:
                looked.bad += 1
                odd.setdefault(bad.line, bad.why) if len(odd) < SAMPLE else None
            elif isinstance(row, Row):
                looked.draw(row, draw)
    if not looked.rows:
        raise no_rows(asked.source)
    return looked, odd


def _say_unusable(why: Mapping[int, str]) -> None:
    """Tell people of the first row that makes no call, where there is one."""
    if why:
        line = min(why)
        said = _("line {line} cannot be sent: {why}", line=line, why=why[line])
        streams.err(f"llmctl: {safe_line(said)}\n")


def estimated(
    prepared: "Prepared", sample: Sequence[Row], rows: int, pace: float | None = None
) -> Estimated:
    """What `rows` like those of the sample will take, at a pace of so many a second where one is
    known."""
    return estimated_with(prepared, sample, rows, pace)[0]


def estimated_with(
    prepared: "Prepared", sample: Sequence[Row], rows: int, pace: float | None = None
) -> tuple[Estimated, dict[int, str]]:
    """The same, and why some rows of the sample make no call, by their lines; they are not among
    those that are estimated."""
    samples: list[Sample] = []
    unmade: dict[int, str] = {}
    for row in sample:
        try:
            made = prepared.maker.make(row)
        except LlmctlError as error:  # it will be among the failures
            unmade[row.line] = error.message
            continue
        samples.append(Sample(made.route, made.call, length(row)))
    shares = Counter(one.route.requested for one in samples)
    left = _shared_out(shares, rows - len(unmade))
    return estimated_job(samples, left, at=datetime.now(UTC), pace=pace), unmade


def known_pace(asked: "BatchAsked", last: float | None = None) -> float | None:
    """Rows a second: what the last run of the job made, and no more than `--rpm` allows; None where
    neither is known."""
    limit = asked.requests_per_minute
    rates = [rate for rate in (last, limit / 60 if limit else None) if rate]
    return min(rates, default=None)


def _shared_out(shares: Mapping[str, int], rows: int) -> dict[str, int]:
    """The rows by model, as many of each as the sample has it."""
    drawn = sum(shares.values())
    if not drawn:
        return {}
    found = {name: rows * count // drawn for name, count in shares.items()}
    most = max(shares, key=lambda name: shares[name])
    found[most] += rows - sum(found.values())
    return found
