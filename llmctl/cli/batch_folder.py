"""Jobs whose output is a folder of parts: how far one is, its files, its failures once more."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from llmctl import files
from llmctl.batch.shape import JobSummary
from llmctl.cli.batch_blocks import PLAN, Plan, read_plan
from llmctl.cli.batch_files import Paths
from llmctl.cli.batch_part import errors_glob, part_path
from llmctl.errors import IoFailed, UsageError
from llmctl.messages import _
from llmctl.output import streams
from llmctl.store.journal import Counts, Journal


def show_folder(output: str, *, json: bool) -> None:
    """`batch status` of such a job. Parts that are worked on keep everybody out, so of them nothing
    is counted but that they are not through."""
    from llmctl.output.batch_summary import status_text, summary_json

    folder = Path(output).absolute()
    plan = _plan(folder)
    running = _is_running(folder)
    summary = _summary(output, folder, plan)
    if json:
        from llmctl.output.envelope import document

        document(summary_json(summary, running=running))
        return
    streams.out(status_text(summary, running=running))


def parts_of(output: str) -> tuple[JobSummary, list[Paths]]:
    """How far such a job is, and the files of its parts in the order of the input."""
    folder = Path(output).absolute()
    plan = _plan(folder)
    parts = [Paths(part_path(folder, one.number), working=False) for one in plan.blocks]
    return _summary(str(Path(output)), folder, plan), parts


def retry_folder(output: str, causes: Sequence[str] | None) -> None:
    """Put failed rows of all parts back to waiting, and say how to go on: whoever typed `batch
    retry` may not be where the cluster is."""
    folder = Path(output).absolute()
    plan = _plan(folder)
    if _is_running(folder):
        raise IoFailed(
            _("another llmctl is working on {path}", path=output),
            hint=_("wait until it is done"),
            reason="locked",
        )
    count = 0
    for path in _journals(folder, plan):
        with Journal(path, alone=True) as journal:
            count += journal.wait(causes)
    if not count:
        said = _("no row of this job has failed") if causes is None else _(
            "no row failed with {cause}", cause=", ".join(causes)
        )  # fmt: skip
        streams.err(f"llmctl: {said}\n")
        return
    said = _("rows that wait again: {count}; ask for them by the command that began the job",
             count=count)  # fmt: skip
    streams.err(f"llmctl: {said}\n")


def _plan(folder: Path) -> Plan:
    found = read_plan(folder / PLAN)
    if found is None:
        raise UsageError(
            _("there is no job in {path}", path=folder),
            hint=_("name the output of a job as it was given to `batch run --output`"),
        )
    return found


def _is_running(folder: Path) -> bool:
    try:
        with files.lock(folder / f"{PLAN}.lock", 0, own_folder=False):
            return False
    except IoFailed as held:
        if held.reason != "locked":
            raise
        return True


def _journals(folder: Path, plan: Plan) -> Iterator[Path]:
    for one in plan.blocks:
        path = Paths(part_path(folder, one.number), working=False).journal
        if path.is_file():
            yield path


def _summary(output: str, folder: Path, plan: Plan) -> JobSummary:
    """The sums over parts. How many rows there are is known when all parts are."""
    causes: Counter[str] = Counter()
    rows = done = failed = waiting = known = 0
    for path in _journals(folder, plan):
        if (counts := _counts(path)) is None:
            continue
        known += 1
        rows, done, failed = rows + counts.total, done + counts.done, failed + counts.failed
        waiting += counts.waiting
        causes.update(counts.causes)
    whole = known == len(plan.blocks)
    return JobSummary(
        job=plan.run,
        output=output,
        errors=errors_glob(folder),
        input=str(plan.source["path"]),
        started_at=plan.started_at,
        rows=rows if whole else None,
        done=done,
        failed=failed,
        waiting=waiting if whole else None,
        causes=causes,
    )


def _counts(path: Path) -> Counts | None:
    """None of a part whose rows were not all taken down yet, or that is worked on."""
    if _is_held(path):
        return None
    with Journal(path, make=False, alone=True) as journal:
        job = journal.job
        return journal.counts() if job and job.get("registered") is True else None


def _is_held(journal: Path) -> bool:
    lock = journal.with_name(f"{journal.name}.lock")
    try:
        with files.lock(lock, 0, own_folder=False):
            return False
    except IoFailed as held:
        return held.reason == "locked"
