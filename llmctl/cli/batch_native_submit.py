"""`llmctl batch submit`: rows of a file, in sets, to a provider."""

from contextlib import aclosing
from typing import TYPE_CHECKING

from llmctl import settings
from llmctl.batch.native import NativeFiles, NativeJob
from llmctl.batch.native_fetching import covered, recovered
from llmctl.batch.native_handing import Handing, Ready, Store, Unfit
from llmctl.batch.native_operations import BeginningOneByOne
from llmctl.batch.shape import Ended
from llmctl.batch.work import unsent
from llmctl.cli.batch_asked import BatchAsked
from llmctl.cli.batch_calls import Maker
from llmctl.cli.batch_first import check_first, has_begun
from llmctl.cli.batch_job import Job
from llmctl.cli.batch_keeper import Kept
from llmctl.cli.batch_native_place import Place, Teller, remember
from llmctl.cli.loop import run_async
from llmctl.cost.caps import is_limited
from llmctl.cost.together import bounded
from llmctl.dialects.batches import Batches, OneByOne
from llmctl.engine.clearance import checked
from llmctl.engine.meter import call_id
from llmctl.engine.offered import by_batch, offered, settings_for
from llmctl.engine.operations import Operations
from llmctl.engine.route import Route
from llmctl.errors import LlmctlError, UsageError
from llmctl.messages import _
from llmctl.output.numbers import grouped
from llmctl.output.terminal import detect
from llmctl.rows import BadRow, Row
from llmctl.store.journal import Lines
from llmctl.types import Chat, Complete, Json
from llmctl.values import NOTHING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmctl.cost.estimate import Estimate
    from llmctl.engine.batches import Exchanging
    from llmctl.output.terminal import Terminal
    from llmctl.settings import Loaded


def submitted(asked: BatchAsked) -> None:
    """Do what was asked; raises LlmctlError for whatever kept it from being done, or all of it."""
    asked.check(documents=True)
    terminal = detect(no_color=asked.no_color)
    loaded = settings.load(asked.settings_flags(), asked.profile, asked.spelt())
    place, maker = _place(asked, loaded, terminal)
    if asked.dry_run:
        from llmctl.cli.batch_native_what_if import show_what_if

        show_what_if(asked, place, maker)
        return
    assert asked.output is not None  # noqa: S101  `check` refuses that
    if asked.output == "-" or asked.shown_as != "jsonl":
        raise UsageError(
            _("the answers of batches come as lines of JSON, into a file"),
            hint=_("such as --output out.jsonl"),
        )
    check_first(asked, maker, place.loaded, begun=has_begun(asked))
    with HandedInJob(asked, place.loaded, maker, asked.output) as job:
        held = NativeFiles(job.paths.output)
        store = Store(held, _state(held.read(), job, place, asked))
        remember(held.output)
        submitting = Submitting(asked, place, maker, job, store)
        try:
            run_async(submitting.run())
        except LlmctlError as error:
            error.hint = error.hint or _("the rest is handed in by the same command")
            submitting.tell(whole=False)
            raise
        submitting.tell()


def _place(asked: BatchAsked, loaded: "Loaded", terminal: "Terminal") -> tuple[Place, Maker]:
    """Where the rows go, and who makes calls of them under the settings that hold there."""
    maker = Maker(asked, loaded, terminal)
    if not maker.model:
        raise UsageError(
            _("which model is to answer?"), hint=_("name it with -m: a batch is for one provider")
        )
    first = maker.route(maker.model)
    batches = offered(first)
    fitting = settings_for(batches, first.provider, loaded)
    if fitting is not loaded:
        maker = Maker(asked, fitting, terminal)
    route = by_batch(maker.route(maker.model), batches)
    return Place(route=route, batches=batches, loaded=fitting), maker


def _state(
    before: NativeJob | None, job: "HandedInJob", place: Place, asked: BatchAsked
) -> NativeJob:
    """The state of the job as it stands beside the output, or that of a new one."""
    if before is not None and before.id == job.id:
        return before
    if before is not None and before.open:
        raise UsageError(
            _("batches of an earlier job for {path} are still at {host}", path=asked.output,
              host=before.host),
            hint=_("name another file after --output, or cancel them: llmctl batch cancel {path}",
                   path=asked.output),
        )  # fmt: skip
    return NativeJob(
        id=job.id,
        provider=place.route.provider,
        host=place.route.host,
        model=place.route.requested,
        input=asked.source,
        output=str(job.paths.output),
        run=f"batch-{job.id}",
        started_at=job.started_at,
    )


class HandedInJob(Job):
    """A job of which no row may be sent by itself, as `batch run` would."""

    def __init__(self, asked: BatchAsked, loaded: "Loaded", maker: Maker, output: str) -> None:
        super().__init__(asked, loaded, maker, output)
        self.what: Mapping[str, Json] = {**self.what, "way": "batches of the provider"}


class Submitting:
    """One run of `submit`."""

    def __init__(
        self, asked: BatchAsked, place: Place, maker: Maker, job: Job, store: Store
    ) -> None:
        self._asked = asked
        self._place = place
        self._maker = maker
        self._job = job
        self._store = store
        self._kept = Kept(job.results, job.journal, dedupes=False)
        self._note = Teller(quiet=asked.quiet)
        self._bounded = is_limited(place.loaded, place.route.provider)
        self._number = len(store.job.parts)
        self._routes: dict[str, tuple[Route, Route]] = {}
        self.failed = 0
        self._earlier = {one.key for one in store.job.parts}

    async def run(self) -> None:
        """Every row that waits and is not at the provider."""
        place, store = self._place, self._store
        async with place.exchanging() as exchanging:
            await recovered(store, place.batching(store, exchanging))
            taken = Lines()
            for line in covered(store, place.batches):
                taken.add(line)
            await self._job.look(self._kept, lambda _count: None)
            handing = self._handing(exchanging)
            try:
                async with aclosing(self._job.waiting(self._kept)) as rows:
                    async for row in rows:
                        if row.line not in taken:
                            await self._take(row, handing)
                await handing.finish()
            finally:
                handing.close()
        if self._job.gone is not None:
            raise self._job.gone

    def _handing(self, exchanging: "Exchanging") -> "Handing | BeginningOneByOne":
        place, store = self._place, self._store
        if isinstance(place.batches, OneByOne):
            per_second = place.route.card.limits.batch_per_second
            operations = Operations(place.batches, exchanging, per_second)
            return BeginningOneByOne(
                store, operations, place.loaded, new=self._new, tell=self._note,
                failed=lambda ready, error: self._fail(ready.line, ready.id, ready.route, error),
            )  # fmt: skip
        assert isinstance(place.batches, Batches)  # noqa: S101  there are two kinds
        batching = place.batching(store, exchanging)
        assert batching is not None  # noqa: S101  it has sets
        return Handing(store, place.batches, batching, place.loaded, new=self._new, tell=self._note)

    def _new(self) -> str:
        """A name for a set: ids of rows begin with it, so it is short and of plain letters."""
        self._number += 1
        return f"{call_id()}-{self._number}"

    async def _take(self, row: Row | BadRow, handing: "Handing | BeginningOneByOne") -> None:
        name = row.id or str(row.line)
        if isinstance(row, BadRow):
            self._fail(row.line, name, None, UsageError(row.why))
            return
        route: Route | None = None
        try:
            made = self._maker.make(row)
            route = self._batched(made.route)
            ready = self._ready(row, name, route, made.call)
        except LlmctlError as error:
            self._fail(row.line, name, route, error)
            return
        try:
            await handing.add(ready)
        except Unfit as unfit:
            self._fail(row.line, name, route, unfit.error)

    def _batched(self, route: Route) -> Route:
        """The route by batch, the same one for the same route: verdicts are remembered by it."""
        found = self._routes.get(route.requested)
        if found is None or found[0] is not route:
            found = self._routes[route.requested] = route, by_batch(route, self._place.batches)
        return found[1]

    def _ready(self, row: Row, name: str, route: Route, call: object) -> Ready:
        """The row as it may leave; raises LlmctlError."""
        place = self._place
        if not isinstance(call, Chat | Complete):
            raise UsageError(_("such a call cannot be one of a batch"))
        if route.provider != place.route.provider:
            raise UsageError(
                _("a batch is for one provider: this row is for {other}", other=route.provider),
                hint=_("hand it in apart, with an output of its own"),
            )
        screened, route = checked(route, call, place.loaded)
        for note in screened.notes:
            self._note(note)
        leaving = screened.call
        assert isinstance(leaving, Chat | Complete)  # noqa: S101  screening keeps the kind
        estimate: Estimate | None = None
        if self._bounded:
            from datetime import UTC, datetime

            from llmctl.cost.estimate import estimated

            estimate = estimated(
                route.card, route.model_card, leaving, at=datetime.now(UTC), mode=route.mode,
                terms=route.terms(leaving), exact=True, careful=True,
            )  # fmt: skip
            limited = bounded(leaving, estimate)
            assert isinstance(limited, Chat | Complete)  # noqa: S101  the same
            leaving = limited
        carried = {one: row.values[one] for one in self._asked.carried if one in row.values}
        return Ready(
            line=row.line, id=name, route=route, call=leaving, screened=screened,
            estimate=estimate, columns=carried or NOTHING,
        )  # fmt: skip

    def _fail(self, line: int, name: str, route: Route | None, error: LlmctlError) -> None:
        """A row of which nothing was sent."""
        self._kept.keep([Ended(line=line, id=name, receipt=unsent(route, error))])
        self.failed += 1

    def tell(self, *, whole: bool = True) -> None:
        """What was handed in, for people; with `--json` for programs. Not `whole`: an error ended
        it, which is told apart."""
        job = self._store.job
        fresh = [one for one in job.parts if one.key not in self._earlier]
        rows = sum(one.rows for one in fresh)
        if self._asked.json and whole:
            from llmctl.cli.batch_native_jobs import job_json
            from llmctl.output.envelope import document

            document({"version": 1, "rows": rows, "failed": self.failed, **job_json(job)})
        if self._asked.quiet:
            return
        if not fresh and whole:
            self._note.say(_("nothing is left to be handed in"))
        elif fresh:
            self._note.say(
                _("handed in at {host}: rows {rows} · batches {parts}", host=job.host,
                  rows=grouped(rows), parts=grouped(len(fresh)))
            )  # fmt: skip
        if self.failed:
            self._note.say(
                _("rows that could not be handed in: {count}; they stand in {path}",
                  count=grouped(self.failed), path=self._job.paths.errors.name)
            )  # fmt: skip
        if job.open:
            self._note.say(_("the answers: llmctl batch fetch {path} --wait",
                             path=self._asked.output))  # fmt: skip
