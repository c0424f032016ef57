"""The end of a run: the output in its final form, the summary, the record, the exit code."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from llmctl.batch.running import Running
from llmctl.batch.shape import JobSummary
from llmctl.batch.tally import Sum, Tally
from llmctl.cli.batch_asked import BatchAsked
from llmctl.cli.batch_files import resume_command
from llmctl.cli.batch_job import Job
from llmctl.cli.kept import kept_by, open_ledger
from llmctl.engine.meter import call_id
from llmctl.errors import BudgetRefused, IoFailed, LlmctlError, Partial
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.batch_rows import line_json
from llmctl.output.batch_summary import summary_json
from llmctl.output.terminal import detect
from llmctl.store.journal import Journal
from llmctl.types import Chat, Cost, CostKind, Json, Latency, Receipt, Usage
from llmctl.types.amounts import plain

if TYPE_CHECKING:
    from llmctl.cli.batch_prepared import Prepared
    from llmctl.settings import Loaded


def ended(
    prepared: "Prepared",
    job: Job,
    running: Running,
    seconds: float,
    *,
    recorded_s: float = 0.0,
) -> LlmctlError | None:
    """Make of the run what is to be left of it; the error that the job amounts to. `recorded_s` of
    its seconds are in the ledger already."""
    asked = prepared.asked
    # First what was paid for: the rest may fail, since it writes files of the user's.
    rest = seconds - recorded_s
    record(asked, prepared.loaded, running.tally, rest, job=job.id, output=job.paths.output)
    finish(job)
    summary = summed(job, running, seconds)
    error = outcome(summary, running.stopped)
    code = error.exit_code if error is not None else 0
    with suppress(LlmctlError):  # a full disk was told already
        job.journal.note("last", summary_json(summary, exit_code=code))
    again = None if asked.output == "-" else resume_command()
    if isinstance(error, BudgetRefused) and error.reason == "over-budget":
        error.hint = budget_hint(error)
        again = None if again is None or "--max-cost" in error.message else again
    show(asked, summary, error, again)
    if asked.quiet and running.stopped is not None and error is running.stopped and again:
        # With a summary, that has it.
        error.hint = error.hint or _("go on with: {command}", command=again)
    return error


def budget_hint(error: LlmctlError) -> str:
    """What to do about a budget that was reached. Shorter answers, which are the advice for a
    single call, would make another job of it."""
    if "--max-cost" in error.message:  # the same command would end at once, in the same way
        return _("give the same command with more for --max-cost, which is for all its runs")
    return _("what stands under each budget: llmctl cost budgets")


def finish(job: Job) -> None:
    """The output in the order of its input, or as a table, out of what rows were written to."""
    if not job.paths.working:
        return
    from llmctl.output.batch_final import write_ordered, write_parquet, write_table

    asked, source, goal = job.asked, job.paths.rows, job.paths.output
    job.results.sync()
    places = _places(job)
    match asked.shown_as:
        case "parquet":
            write_parquet(source, places, goal, asked.carried)
        case "csv" | "tsv" as form:
            write_table(source, places, goal, asked.carried, tabs=form == "tsv")
        case _:
            write_ordered(source, places, goal)


def _places(job: Job) -> Iterator[tuple[int, int]]:
    for place in job.journal.in_order():
        yield place.start, place.length


def summed(job: Job, running: Running, seconds: float) -> JobSummary:
    """The job by its journal, and what this run did."""
    counts, tally = job.journal.counts(), running.tally
    whole = job.journal.job or {}
    known = whole.get("registered") is True
    return JobSummary(
        job=job.id,
        output=job.asked.output or "-",
        errors=near(job.paths.errors),
        input=job.asked.source,
        started_at=job.started_at,
        rows=counts.total if known else None,
        done=counts.done,
        failed=counts.failed,
        waiting=counts.waiting if known else None,
        causes=counts.causes,
        reasons=reasons(job.journal),
        ended=tally.ended,
        failed_now=tally.failed,
        reused=tally.reused,
        cached=tally.cached,
        total=tally.all.total(),
        models={name: one.total() for name, one in tally.models.items()},
        latency=tally.latency.spread(),
        waited=tally.waited.spread(),
        seconds=seconds,
        most_at_once=tally.most_at_once,
        stopped=running.stopped.code if running.stopped else None,
    )


def reasons(journal: Journal) -> dict[str, str]:
    """By the code of each cause, what the first row that failed with it was told."""
    found = {code: line_json(data) for code, data in journal.first_failures().items()}
    return {
        code: str(error["message"])
        for code, line in found.items()
        if line is not None and isinstance(error := line.get("error"), dict) and error["message"]
    }


def near(path: Path) -> str:
    """A path as one types it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def outcome(summary: JobSummary, stopped: LlmctlError | None) -> LlmctlError | None:
    """The error that a job amounts to, None where every row has its answer."""
    if stopped is not None:
        return stopped
    if not summary.failed:
        return _unasked(summary.waiting)
    rows = summary.done + summary.failed
    if summary.output == "-":
        said = _("{failed} of {rows} rows failed", failed=summary.failed, rows=rows)
    else:
        said = _("{failed} of {rows} rows failed; they stand in {errors}", failed=summary.failed,
                 rows=rows, errors=summary.errors)  # fmt: skip
    kind: type[LlmctlError] = Partial
    if not summary.done and len(summary.causes) == 1:
        code = next(iter(summary.causes))
        kind = next((one for one in LlmctlError.__subclasses__() if one.code == code), Partial)
    return kind(said, retryable=False)


def _unasked(waiting: int | None) -> LlmctlError | None:
    """Rows of an earlier run that this one has not come to, as with a smaller `--limit`."""
    if not waiting:
        return None
    return Partial(
        _("rows of this job that were not asked: {count}", count=waiting),
        hint=_("ask them, too, without --limit; how far it is: llmctl batch status OUT"),
    )


def show(
    asked: BatchAsked, summary: JobSummary, error: LlmctlError | None, again: str | None = None
) -> None:
    """Say what the job has come to, and write it where `--summary` wants it. Raises IoFailed."""
    from llmctl.output.batch_summary import summary_json, summary_text

    if not asked.quiet:
        width = detect().stderr.width
        streams.err(summary_text(summary, again=again, width=width))
    code = error.exit_code if error is not None else 0
    if asked.summary is not None:
        from llmctl.output.envelope import json_text

        text = json_text(summary_json(summary, exit_code=code)) + "\n"
        try:
            Path(asked.summary).write_text(text, encoding="utf-8")
        except OSError as failed:
            raise IoFailed(
                _("cannot write {path}: {why}", path=asked.summary,
                  why=failed.strerror or type(failed).__name__),
            ) from None  # fmt: skip


def record(
    asked: BatchAsked,
    loaded: "Loaded",
    tally: Tally,
    seconds: float | None,
    *,
    job: str,
    output: Path,
) -> None:
    """Keep in the ledger what each model took since the last time: a line a model, not one a
    row."""
    mode, by = kept_by(loaded)
    models = tally.news()
    if mode == "off" or not models:
        return
    from llmctl.cli.one import tags
    from llmctl.store.shape import MODE_BY

    names = {**tags(asked.tag), MODE_BY: by}
    with open_ledger(loaded) as ledger:
        for model, taken in models.items():
            call = Chat(model=model, messages=())
            details: dict[str, Json] = {"job": job, "rows": taken.rows, "output": str(output)}
            warning = ledger.record(
                _receipt(model, taken, details, seconds), call, mode="meta", tags=names
            )
            if warning and not asked.quiet:
                streams.err(f"llmctl: {warning}\n")
                return


def _receipt(model: str, taken: Sum, details: Mapping[str, Json], seconds: float | None) -> Receipt:
    """All requests of a run to one model, as one. A cost is told where all of it is known, and in
    one currency."""
    cost = Cost(why="several")
    if len(taken.costs) == 1 and not taken.unpriced:
        currency, amount = next(iter(taken.costs.items()))
        cost = Cost(plain(amount), currency, CostKind.COMPUTED)
    return Receipt(
        id=call_id(),
        started_at=taken.started_at,
        requested=model,
        provider=taken.provider,
        usage=Usage(
            input_tokens=taken.input,
            output_tokens=taken.output,
            cached_tokens=taken.cached,
            reasoning_tokens=taken.reasoning,
        ),
        cost=cost,
        latency=Latency(total_s=seconds),
        verdict=taken.verdict,
        attempts=taken.requests,
        details={"batch": details},
    )
