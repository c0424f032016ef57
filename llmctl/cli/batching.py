"""One run of a job, from its flags to its exit code."""

import time
from contextlib import ExitStack
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from llmctl import settings
from llmctl.cli.batch_asked import BatchAsked
from llmctl.cli.batch_first import check_first, has_begun
from llmctl.cli.batch_job import Job
from llmctl.cli.batch_prepared import Prepared, prepare
from llmctl.cli.batch_session import Session
from llmctl.cli.loop import run_async
from llmctl.errors import LlmctlError
from llmctl.messages import _
from llmctl.output.terminal import detect
from llmctl.types import Notice

if TYPE_CHECKING:
    pass


def ran(asked: BatchAsked) -> None:
    """Do what was asked; raises LlmctlError for whatever keeps it from being done, and for what the
    job amounts to."""
    asked.check()
    terminal = detect(no_color=asked.no_color)
    loaded = settings.load(asked.settings_flags(), asked.profile, asked.spelt())
    prepared = prepare(asked, loaded, terminal)
    check_first(asked, prepared.maker, loaded, begun=has_begun(asked))
    if asked.engine is not None and not asked.dry_run:
        from llmctl.cli.batch_ray import ran_on_ray

        ran_on_ray(prepared)
        return
    if asked.dry_run:
        from llmctl.cli.batch_what_if import show_what_if

        show_what_if(prepared)
        return
    assert asked.output is not None  # noqa: S101  `check` refuses that
    if asked.output != "-":
        error = _ran(prepared, asked.output, to_stdout=False)
    else:
        with TemporaryDirectory(prefix="llmctl-") as folder:
            error = _ran(prepared, f"{folder}/out.jsonl", to_stdout=True)
    if error is not None:
        raise error


def _ran(prepared: Prepared, output: str, *, to_stdout: bool) -> LlmctlError | None:
    from llmctl.cli.batch_end import ended

    asked, begun = prepared.asked, time.monotonic()
    with ExitStack() as held:
        job = held.enter_context(Job(asked, prepared.loaded, prepared.maker, output))
        session = Session(prepared, job, to_stdout=to_stdout)
        if to_stdout:
            session.note(
                Notice("stdout", _("the answers go to standard output, so this job cannot be"
                                   " resumed; name a file for that: --output out.jsonl"))
            )  # fmt: skip
        try:
            run_async(session.run())
        finally:
            session.close()
        seconds = time.monotonic() - begun
        return ended(prepared, job, session.running, seconds, recorded_s=session.recorded_s)
