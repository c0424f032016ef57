"""Jobs that are there: how far one is, its failures once more, its report."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llmctl import files
from llmctl.batch.shape import JobSummary
from llmctl.cli.batch_apart import check_not_own
from llmctl.cli.batch_asked import repeated
from llmctl.cli.batch_end import near, reasons
from llmctl.cli.batch_files import Paths, place_of_output
from llmctl.errors import ConfigError, IoFailed, UsageError
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.terminal import detect
from llmctl.store.journal import Journal
from llmctl.types import Json


def show_status(output: str, *, json: bool) -> None:
    """`batch status`."""
    if Path(output).is_dir():
        from llmctl.cli.batch_folder import show_folder

        show_folder(output, json=json)
        return
    from llmctl.output.batch_summary import status_text, summary_json

    paths, job, summary = known(output)
    running = is_running(paths)
    if json:
        from llmctl.output.envelope import document

        last = job.get("last")
        run = last.get("run") if isinstance(last, Mapping) else None  # None: no run has ended yet
        document({**summary_json(summary, running=running), "run": run})
        return
    again = None
    command = job.get("command")
    if isinstance(command, str) and not running:
        again = command
    width = detect().stdout.width
    streams.out(status_text(summary, again=again, running=running, width=width))


def known(output: str) -> tuple[Paths, Mapping[str, Json], JobSummary]:
    """A job by its output: its files, what its journal says it is, and how far it is."""
    paths = Paths(place_of_output(output), working=False)
    with Journal(paths.journal, make=False) as journal:
        job, counts, why = journal.job, journal.counts(), reasons(journal)
    if job is None:
        raise UsageError(_("there is no job in {path}", path=paths.journal))
    paths = Paths(paths.output, job.get("working") is True)
    registered = job.get("registered") is True
    source = job.get("input")
    return paths, job, JobSummary(
        job=str(job.get("id")),
        output=output,
        errors=near(paths.errors),
        input=source.get("path") if isinstance(source, Mapping) else None,
        started_at=str(job.get("started_at")),
        rows=counts.total if registered else None,
        done=counts.done,
        failed=counts.failed,
        waiting=counts.waiting if registered else None,
        causes=counts.causes,
        reasons=why,
    )  # fmt: skip


def is_running(paths: Paths) -> bool:
    """Whether a process works on the job at this moment."""
    if not paths.lock.exists():
        return False
    try:
        with files.lock(paths.lock, 0, own_folder=False):
            return False
    except IoFailed as held:
        return held.reason == "locked"


def retried(output: str, causes: Sequence[str] | None, **given: Any) -> None:
    """`batch retry`: put failed rows back, and carry the job on as it was begun."""
    if Path(output).is_dir():
        from llmctl.cli.batch_folder import retry_folder

        retry_folder(output, causes)
        return
    from llmctl.cli.batching import ran

    paths, job, summary = known(output)
    saved, source = job.get("asked"), job.get("input")
    if not (isinstance(saved, Mapping) and isinstance(source, Mapping)):
        raise ConfigError(_("{path} does not say what the job asked", path=paths.journal))
    if source.get("path") is None:
        raise UsageError(
            _("the rows of this job came through a pipe, and are not there any more"),
            hint=_("send them once more to the command that began it"),
        )
    unknown = [one for one in causes or () if one not in summary.causes]
    if unknown:
        raise UsageError(
            _("no row failed with {cause}", cause=unknown[0]),
            hint=_("causes: {causes}", causes=", ".join(summary.causes) or _("none")),
        )
    if not summary.failed:
        streams.err("llmctl: " + _("no row of this job has failed") + "\n")
        return
    if is_running(paths):
        raise IoFailed(
            _("another llmctl is working on {path}", path=output),
            hint=_("wait until it is done"),
            reason="locked",
        )
    kept = {name: value for name, value in given.items() if value not in (None, False)}
    ran(repeated(saved, **{**kept, "input": source["path"], "output": output,
                            "causes": tuple(causes or ())}))  # fmt: skip


def reported(output: str, page: str) -> None:
    """`batch report`."""
    from llmctl.output.batch_rows_read import read_all
    from llmctl.output.report.batch import batch_page

    if Path(output).is_dir():
        from llmctl.cli.batch_folder import parts_of

        summary, parts = parts_of(output)
    else:
        paths, _job, summary = known(output)
        parts = [paths]
    for one in parts:
        check_not_own(page, one, "--output")
    answers, failures = read_all(one.rows for one in parts), read_all(one.errors for one in parts)
    text = batch_page(summary, answers, failures)
    if page == "-":
        streams.out(text)
        return
    try:
        Path(page).write_text(text, encoding="utf-8")
    except OSError as error:
        raise files.io_failed(error, Path(page)) from None
    streams.err("llmctl: " + _("the report stands in {path}", path=page) + "\n")
