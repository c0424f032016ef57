"""Jobs of `batch run` without a server: settings of their own, rows as calls."""

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from llmctl import settings
from llmctl.batch.shape import Ended
from llmctl.batch.work import Made
from llmctl.cli.batch_asked import BatchAsked
from llmctl.cli.batch_calls import Maker
from llmctl.cli.batch_job import Job
from llmctl.cli.batch_keeper import Kept
from llmctl.errors import UsageError
from llmctl.output.terminal import Terminal
from llmctl.rows import BadRow, Row
from llmctl.settings import Loaded
from llmctl.types import Cost, FinishReason, Json, Latency, Receipt, Usage

MODEL = "ollama/tiny"


def asked(**flags: Any) -> BatchAsked:
    plain = {"model": MODEL, "output": "out.jsonl", "quiet": True, **flags}
    made = BatchAsked(**plain)
    made.check()
    return made


def loaded_for(one: BatchAsked) -> Loaded:
    return settings.load(one.settings_flags(), one.profile, one.spelt())


def maker(**flags: Any) -> Maker:
    one = asked(**flags)
    return Maker(one, loaded_for(one), Terminal())


def made(values: dict[str, Json], **flags: Any) -> Made:
    return maker(**flags).make(Row(1, values))


def call(values: dict[str, Json], **flags: Any) -> Any:
    return made(values, **flags).call


def answered(row: Row, text: str = "Blue.") -> Ended:
    receipt = Receipt(
        id=f"{row.line:020x}", started_at="2026-11-25T12:00:00Z", requested=MODEL,
        provider="ollama", text=text, finish_reason=FinishReason.STOP, usage=Usage(10, 2),
        cost=Cost("0.01", "USD"), latency=Latency(total_s=1.0), attempts=1,
    )  # fmt: skip
    return Ended(line=row.line, id=row.name, receipt=receipt)


class Run:
    """What one run of a job found: the rows that were to be asked, by line, and how the journal
    stood at its end. `answer` says which of them are answered."""

    def __init__(
        self, one: BatchAsked, answer: Callable[[Row | BadRow], bool] = lambda _row: True
    ) -> None:
        loaded = loaded_for(one)
        self.asked: dict[int, Row | BadRow] = {}
        assert one.output is not None
        with Job(one, loaded, Maker(one, loaded, Terminal()), one.output) as job:
            kept = Kept(job.results, job.journal, dedupes=not one.no_dedupe)
            asyncio.run(self._all(job, kept, answer))
            self.job = job.journal.job or {}
            self.counts = job.journal.counts()
            self.looked = job.looked
            self.gone = job.gone

    async def _all(self, job: Job, kept: Kept, answer: Callable[[Row | BadRow], bool]) -> None:
        await job.look(kept, lambda _rows: None)
        async with aclosing(job.waiting(kept)) as found:
            async for row in found:
                self.asked[row.line] = row
                if isinstance(row, Row) and answer(row):
                    kept.keep([answered(row)])

    @property
    def lines(self) -> list[int]:
        return sorted(self.asked)


def write(*texts: str, first: str = "") -> None:
    """in.jsonl, of these prompts, with `first` before them."""
    rows = "".join(json.dumps({"prompt": text}) + "\n" for text in texts)
    Path("in.jsonl").write_text(first + rows)


def run(answer: Callable[[Row | BadRow], bool] = lambda _row: True, **flags: Any) -> Run:
    return Run(asked(**{"input": "in.jsonl", **flags}), answer)


def refused(**flags: Any) -> UsageError:
    """Why the job is another one; its files stay as they were."""
    before = {path.name: path.read_bytes() for path in Path.cwd().glob("out*jsonl")}
    with pytest.raises(UsageError) as caught:
        run(**flags)
    assert {path.name: path.read_bytes() for path in Path.cwd().glob("out*jsonl")} == before
    assert caught.value.reason == "changed"
    return caught.value


def written() -> list[int]:
    """The lines of the rows in the output, as they stand there."""
    found = Path("out.jsonl").read_text().splitlines()
    return [json.loads(line)["row"]["line"] for line in found]


def left(folder: Path) -> set[str]:
    """The files of a folder."""
    return {path.name for path in folder.iterdir() if path.is_file()}
