"""`llmctl batch fetch`: the answers of a job that was handed in."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from llmctl import settings
from llmctl.batch.native import NativeFiles, NativeJob
from llmctl.batch.native_fetching import Fetching
from llmctl.batch.native_handing import Store
from llmctl.batch.results import Results
from llmctl.batch.shape import Ended, JobSummary
from llmctl.batch.tally import Tally
from llmctl.cli.batch_apart import check_apart
from llmctl.cli.batch_asked import BatchAsked
from llmctl.cli.batch_end import outcome, reasons, record, show
from llmctl.cli.batch_files import Paths, adopts
from llmctl.cli.batch_keeper import Kept
from llmctl.cli.batch_native_place import Place, Teller, place_of, remember, state_of
from llmctl.cli.loop import run_async
from llmctl.errors import Incomplete, LlmctlError, UsageError
from llmctl.messages import _
from llmctl.output.numbers import grouped
from llmctl.output.terminal import detect
from llmctl.store.journal import Journal, State
from llmctl.types import Notice

if TYPE_CHECKING:
    pass

# Looks in a row that may fail, with --wait, until it is given up.
PATIENCE = 20


def fetched(asked: BatchAsked, *, wait: bool, every: float) -> None:
    """Bring what is there; raises LlmctlError for what kept it from that, for rows that failed, and
    Incomplete while sets are under way."""
    detect(no_color=asked.no_color)
    loaded = settings.load(asked.settings_flags(), asked.profile, asked.spelt())
    assert asked.output is not None  # noqa: S101  it is an argument
    held, state = state_of(asked.output)
    check_apart(asked, Paths(held.output, working=False), state.input)
    place = place_of(state, loaded)
    begun = time.monotonic()
    with HeldJob(held, state) as job:
        bringing = Bringing(asked, place, job, wait=wait, every=every)
        try:
            run_async(bringing.run())
        finally:
            summary = job.summary(bringing.tally, time.monotonic() - begun, bringing.stopped)
            record(
                asked,
                loaded,
                bringing.tally,
                None,
                job=job.store.job.id,
                output=job.paths.output,
            )
        error = bringing.stopped or _under_way(job, asked) or outcome(summary, None)
    show(asked, summary, error)
    if not job.store.job.open:
        remember(held.output, gone=True)
    if error is not None:
        raise error


class HeldJob:
    """The files of a job, held against other processes; its input is not looked at any more."""

    def __init__(self, files: NativeFiles, state: NativeJob) -> None:
        self.store = Store(files, state)
        self.paths = Paths(files.output, working=False)
        self._held = ExitStack()

    def __enter__(self) -> "HeldJob":
        with ExitStack() as held:
            self.journal = held.enter_context(Journal(self.paths.journal, make=False))
            self.results = held.enter_context(
                Results.open(
                    self.paths.output,
                    self.journal,
                    errors=self.paths.errors,
                    adopt=adopts(self.journal),
                )
            )
            # As it is now that nobody else changes it.
            _files, state = state_of(str(self.paths.output))
            if (self.journal.job or {}).get("id") != state.id:
                raise _of_another(self.store.files)
            self.store = Store(self.store.files, state)
            self.results.resume()
            self._held = held.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._held.__exit__(*error)  # type: ignore[arg-type]

    def summary(self, tally: Tally, seconds: float, stopped: LlmctlError | None) -> JobSummary:
        counts, state = self.journal.counts(), self.store.job
        return JobSummary(
            job=state.id,
            output=str(self.paths.output),
            errors=self.paths.errors.name,
            input=state.input,
            started_at=state.started_at,
            rows=counts.total,
            done=counts.done,
            failed=counts.failed,
            waiting=counts.waiting,
            causes=counts.causes,
            reasons=reasons(self.journal),
            ended=tally.ended,
            failed_now=tally.failed,
            total=tally.all.total(),
            models={name: one.total() for name, one in tally.models.items()},
            seconds=seconds,
            stopped=stopped.code if stopped else None,
        )


class Bringing:
    """One run of `fetch`. `stopped` is the error that ended it."""

    def __init__(
        self, asked: BatchAsked, place: Place, job: HeldJob, *, wait: bool, every: float
    ) -> None:
        self.tally = Tally()
        self.stopped: LlmctlError | None = None
        self._asked = asked
        self._place = place
        self._job = job
        self._kept = Kept(job.results, job.journal, dedupes=False)
        self._note = Teller(quiet=asked.quiet)
        self._wait = wait
        self._every = every

    async def run(self) -> None:
        try:
            await self._run()
        except LlmctlError as error:
            self.stopped = error

    async def _run(self) -> None:
        place, job = self._place, self._job
        async with place.exchanging() as exchanging:
            fetching = Fetching(
                job.store,
                place.batches,
                exchanging,
                route=place.routes(),
                write=self._write,
                waits=lambda line: job.journal.state(line) is State.WAITING,
                tell=self._note,
                keep=self._asked.keep,
            )
            failed = 0
            while True:
                try:
                    await fetching.recover()
                    if await fetching.round() or not self._wait:
                        return
                    failed = 0
                except LlmctlError as error:
                    failed += 1
                    if not (self._wait and error.retryable) or failed >= PATIENCE:
                        raise
                    self._note(Notice("waiting", error.message))
                await asyncio.sleep(self._every)

    def _write(self, rows: Sequence[Ended]) -> None:
        self._kept.keep(rows)
        for one in rows:
            self.tally.began()
            self.tally.tried(one.receipt.requested, one.receipt)
            self.tally.row(one)


def _of_another(held: NativeFiles) -> UsageError:
    """Its answers would stand beside other rows."""
    return UsageError(
        _("{path} belongs to another job than the one that was handed in", path=held.output),
        hint=_("to have forgotten what was handed in, remove {path}", path=held.state),
        reason="changed",
    )


def _under_way(job: HeldJob, asked: BatchAsked) -> LlmctlError | None:
    still = job.store.job.open
    if not still:
        return None
    return Incomplete(
        _("still at {host}: rows {rows} · batches {parts}", host=job.store.job.host,
          rows=grouped(sum(one.rows for one in still)), parts=grouped(len(still))),
        hint=_("look again later, or wait for them: llmctl batch fetch {path} --wait",
               path=asked.output),
        reason="under-way",
        retryable=True,
    )  # fmt: skip
