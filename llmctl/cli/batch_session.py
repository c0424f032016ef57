"""What one run of a job holds open, and what it tells meanwhile."""

import asyncio
import time
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from llmctl import settings
from llmctl.batch.deciding import Deciding
from llmctl.batch.running import Running
from llmctl.batch.shape import Ended
from llmctl.batch.trying import Trying
from llmctl.cli.batch_asked import BatchAsked
from llmctl.cli.batch_job import Job
from llmctl.cli.batch_keeper import Kept
from llmctl.cli.batch_prepared import Prepared
from llmctl.cli.kept import kept_by
from llmctl.cli.loop import stopped
from llmctl.cost.lease import Lease
from llmctl.engine.give_up import GiveUp
from llmctl.engine.pacing import account_of, pace_for
from llmctl.engine.route import Route
from llmctl.errors import LlmctlError, UsageError
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.batch_progress import Progress
from llmctl.output.terminal import safe_line
from llmctl.types import Notice

if TYPE_CHECKING:
    from llmctl.cli.batch_part import Workers
    from llmctl.engine.pace import Pace
    from llmctl.settings import Loaded
    from llmctl.store.answers import Answers

# Seconds between two looks at how far it is, and between two at the money.
OFTEN, FLUSH_S = 0.1, 1.0
RECORD_S = 60.0  # between two records in the ledger


class Session:
    """What one run holds open, and what it tells meanwhile."""

    def __init__(
        self,
        prepared: Prepared,
        job: Job,
        *,
        to_stdout: bool,
        together: "Workers | None" = None,
    ) -> None:
        asked = prepared.asked
        self._prepared = prepared
        self._job = job
        self._progress: Progress | None = None
        self._together = together
        self._lease = Lease(prepared.loaded, file=together.till if together else None)
        self._paces: dict[str, Pace] = {}
        self.recorded_s = 0.0
        self._records = together is None  # else whoever brings the parts together does
        self._patience: dict[str, GiveUp] = {}
        self._slots: dict[str, int] = {}
        self._kept = Kept(
            job.results,
            job.journal,
            dedupes=not asked.no_dedupe,
            answers=_answers(asked, prepared.loaded),
            tee=_to_stdout if to_stdout else None,
        )
        self._deciding = Deciding(
            prepared.loaded,
            give_up=self._give_up,
            default=prepared.maker.model or None,
            fallbacks=prepared.fallbacks,
            private=prepared.private,
            dedupes=not asked.no_dedupe,
        )
        self.running = Running(
            Trying(
                prepared.loaded,
                run=together.run if together else f"batch-{job.id}",
                store=self._lease,
                tell=self.note,
            ),
            self._deciding,
            self._kept,
            self,
            make=prepared.maker.make,
            pace=self._pace,
            columns=asked.carried,
            lanes=together.share(prepared.lanes) if together else prepared.lanes,
            grace=asked.grace,
        )

    async def run(self) -> None:
        """All rows that are waiting, or as many as there is use in."""
        job = self._job
        await job.look(self._kept, self._looking)
        if not job.has_twins():  # then nothing is gained by looking for them at each row
            self._kept.dedupes = self._deciding.dedupes = False
        counts = job.journal.counts()
        if counts.waiting or job.is_stream:
            self._warn()
        await self._ask_for_slots()
        await self._estimate(counts.waiting)
        total = None if job.is_stream else counts.total
        self._progress = Progress(
            self._prepared.terminal,
            self._prepared.asked.quiet,
            total,
            counts.total - counts.waiting,
            at_first=self._first_load(),
        )
        self._progress.tick()  # loading a model holds the loop for seconds
        ticking = asyncio.create_task(self._tick())
        try:
            async with aclosing(job.waiting(self._kept)) as rows:
                await self.running.run(rows, self._signalled)
            self.running.stopped = self.running.stopped or job.gone
        finally:
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking

    def _warn(self) -> None:
        """What is to be known of the models before the first row goes out."""
        from llmctl.cli.aged import aged
        from llmctl.cli.attempt import warned

        maker, quiet = self._prepared.maker, self._prepared.asked.quiet
        routes = [maker.route(maker.model)] if maker.model else []
        for route in (*routes, *self._prepared.fallbacks):
            for note in (*warned(route), *(() if quiet else aged(route))):
                self.note(note)

    def _first_load(self) -> str | None:
        """What takes its time before the first answer of a model inside the process."""
        maker = self._prepared.maker
        route = maker.route(maker.model) if maker.model else None
        if route is None or route.target.weights is None:
            return None
        return _("the model is loaded for the first rows")

    async def _ask_for_slots(self) -> None:
        """A server of one's own that serves fewer at a time would let the others wait, until they
        take it for dead."""
        maker = self._prepared.maker
        route = maker.route(maker.model) if maker.model else None
        if route is None or route.card.kind == "api" or route.target.weights is not None:
            return
        from llmctl.engine.parallel import server_slots
        from llmctl.transport.exchange import Lane

        async with Lane(route.target) as lane:
            slots = await server_slots(route, lane)
        if slots is not None:
            self._slots[account_of(route)] = slots

    async def _estimate(self, waiting: int) -> None:
        """Say what is going to be asked, and what it may cost. Of a pipe nothing is known. The rows
        by which that is estimated are not held any longer."""
        job, asked = self._job, self._prepared.asked
        sample = job.looked.sample if job.looked else None
        if job.looked:
            job.looked.sample = []
        if asked.quiet or job.is_stream or not waiting:
            return
        from llmctl.cli.batch_what_if import estimated_with, known_pace
        from llmctl.output.batch_estimate import estimate_text

        if sample is None:
            sample = await job.some_waiting()
        pace = known_pace(asked, job.last_pace)
        found, unmade = estimated_with(self._prepared, sample, waiting, pace)
        some = bool(unmade) and len(sample) < waiting
        text = estimate_text(found, bad=len(unmade), at_least=some)
        streams.err(self._clear() + text)

    def _clear(self) -> str:
        return "\r\x1b[K" if self._prepared.terminal.stderr.cursor else ""

    def close(self) -> None:
        """Let go of what other processes wait for."""
        if self._progress is not None:
            self._progress.close()
        for pace in self._paces.values():
            pace.close()
        self._lease.close()

    # ---- while it runs

    def note(self, note: Notice) -> None:
        """Something the user should know."""
        if self._progress is not None:
            self._progress.note(note.text)
        elif not self._prepared.asked.quiet:
            streams.err(f"llmctl: {safe_line(note.text)}\n")

    def ended(self, ended: Ended) -> None:
        """A row is through."""
        if self._progress is not None:
            self._progress.ended(ended)

    def _looking(self, rows: int) -> None:
        screen = self._prepared.terminal.stderr
        if screen.cursor and not self._prepared.asked.quiet:
            streams.err("\r\x1b[K" + _("Reading the rows: {count}", count=rows))

    def _signalled(self) -> LlmctlError:
        if self._progress is not None:
            self._progress.note(
                _("no more rows are begun; those under way have {seconds:g} s to end (once more to"
                  " leave at once)", seconds=self._prepared.asked.grace),
                insists=True,
            )  # fmt: skip
        return stopped()

    async def _tick(self) -> None:
        flushed = recorded = time.monotonic()
        while True:
            await asyncio.sleep(OFTEN)
            assert self._progress is not None  # noqa: S101  it was made before
            slowest = max(self._paces.values(), key=_held, default=None)
            if slowest is not None:
                self._progress.pace(
                    slowest.limit, slowest.under_way, slowest.why, slowest.hold_left()
                )
            if time.monotonic() - flushed >= FLUSH_S:
                flushed = time.monotonic()
                self._lease.flush()
            if self._records and time.monotonic() - recorded >= RECORD_S:
                passed = time.monotonic() - recorded
                recorded += passed
                self.recorded_s += passed
                self._record(passed)

    def _record(self, seconds: float) -> None:
        """Into the ledger what was paid by now: a run that is killed tells nothing any more."""
        from llmctl.cli.batch_end import record

        job, prepared = self._job, self._prepared
        record(
            prepared.asked,
            prepared.loaded,
            self.running.tally,
            seconds,
            job=job.id,
            output=job.paths.output,
        )

    def _pace(self, route: Route) -> "Pace":
        account = account_of(route)
        if account not in self._paces:
            asked = self._prepared.asked
            self._paces[account] = pace_for(
                route,
                self._prepared.loaded,
                min(self._prepared.lanes, self._slots.get(account, self._prepared.lanes)),
                requests_per_minute=asked.requests_per_minute,
                tokens_per_minute=asked.tokens_per_minute,
                told=self.note,
                together=self._together,
            )
        return self._paces[account]

    def _give_up(self, route: Route) -> GiveUp:
        name = route.requested
        return self._patience.setdefault(name, GiveUp(self._prepared.asked.give_up))


def _held(pace: "Pace") -> tuple[float, int]:
    return pace.hold_left(), pace.under_way


def _answers(asked: BatchAsked, loaded: "Loaded") -> "Answers | None":
    """The cache of earlier answers, where it is asked for; raises UsageError where nothing is to be
    kept."""
    if not asked.cache:
        return None
    if kept_by(loaded)[0] != "full":
        raise UsageError(
            _("--cache keeps whole answers, and log.mode or policy says that they are not kept"),
            hint=_("leave one of the two out; what stands: llmctl config show log.mode"),
        )
    from llmctl.store.answers import Answers

    return Answers(settings.paths().data / "answers.db")


def _to_stdout(data: bytes) -> None:
    if data:
        streams.out(data.decode())
