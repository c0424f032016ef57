"""Rows into sets, and sets to the provider: each as large as it takes them, paid from the budget
before it leaves, and written down before the request that makes it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, BinaryIO

from llmctl.batch.native import NativeFiles, NativeJob, Part, Stage
from llmctl.batch.native_rows import RowsFile, opened, sent_of, shape_of
from llmctl.cost.together import Worst, settle
from llmctl.dialects.batches import Batches
from llmctl.engine.batches import Batching, InDoubt, Intent
from llmctl.engine.route import Route
from llmctl.errors import LlmctlError, UsageError
from llmctl.messages import _
from llmctl.transport.exchange import encoded
from llmctl.types import Chat, Complete, Json, Media, Notice
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from llmctl.cost.estimate import Estimate
    from llmctl.privacy.screening import Screened
    from llmctl.settings import Loaded

# Of a set where the card does not say.
MOST_ROWS, MOST_BYTES = 50_000, 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A row that may leave: `call` as it goes out, with a limit of its own under a budget. There is
    an estimate where a budget holds."""

    line: int
    id: str
    route: Route
    call: Chat | Complete
    screened: "Screened"
    estimate: "Estimate | None" = None
    columns: Mapping[str, Json]


class Unfit(Exception):
    """A row that goes into no set; nothing of it was kept. `error` says why."""

    def __init__(self, error: LlmctlError) -> None:
        super().__init__(error.message)
        self.error = error


class Store:
    """The state of a job on disk, which all who hand in or fetch change in one place."""

    def __init__(self, files: NativeFiles, job: NativeJob) -> None:
        self.files = files
        self.job = job

    def put(self, part: Part) -> None:
        self.job = self.job.with_part(part)
        self.files.write(self.job)

    def drop(self, part: Part) -> None:
        """A set that was never made: its money is given back, its rows wait."""
        if part.reserved is not None:
            settle(part.reserved, {})
        self.job = self.job.without(part.key)
        self.files.write(self.job)
        self.files.drop(part.key)


class OpenSet:
    """Rows that are collected for one set. The file of requests is as it will be sent."""

    def __init__(self, key: str, route: Route, kind: str, batches: Batches, files: NativeFiles):
        self.part = Part(key=key, requested=route.requested, kind=kind, rows=0)
        self.worst = Worst()
        self.size = len(batches.tail)
        self._batches = batches
        self._path = files.requests(key)
        self._rows = RowsFile(files.rows(key))
        self._requests: BinaryIO = opened(self._path)
        self._put(batches.head)

    def add(self, ready: Ready, data: bytes) -> None:
        shape = shape_of(ready.route.requested, ready.call, ready.screened, ready.route.verdict)
        number = self._rows.shape(shape)
        self._rows.add(sent_of(ready.line, ready.id, number, ready.screened, ready.columns))
        self._put(self._batches.joint + data if self.part.rows else data)
        self.part = replace(self.part, rows=self.part.rows + 1)
        if ready.estimate is not None:
            self.worst.add(ready.call, ready.estimate)

    def _put(self, data: bytes) -> None:
        self._requests.write(data)
        self.size += len(data)

    def file(self) -> Media:
        """All of it, whole and on disk."""
        self._requests.write(self._batches.tail)
        self._requests.close()
        self._rows.sync()
        self._rows.close()
        return Media(
            "application/jsonl", path=str(self._path), size=self._path.stat().st_size,
            name=self._path.name,
        )  # fmt: skip

    def close(self) -> None:
        self._requests.close()
        self._rows.close()


class Handing:
    """Rows of one job on their way in sets of lines; `tell` gets what the user should know, `new`
    makes the name of a set."""

    def __init__(
        self,
        store: Store,
        batches: Batches,
        batching: Batching,
        loaded: "Loaded",
        *,
        new: Callable[[], str],
        tell: Callable[[Notice], object],
    ) -> None:
        self._store = store
        self._batches = batches
        self._batching = batching
        self._loaded = loaded
        self._new = new
        self._tell = tell
        self._open: dict[tuple[str, str], OpenSet] = {}

    async def add(self, ready: Ready) -> None:
        """Take a row in. Raises Unfit, and whatever ends the handing in of a set that is full."""
        limits = ready.route.card.limits
        most, room = limits.batch_rows or MOST_ROWS, limits.batch_bytes or MOST_BYTES
        try:
            kind = self._batches.kind(ready.call, ready.route.quirks)
            name = (ready.route.requested, kind)
            found = self._set(name, ready)
            data = await self._line(ready, found)
            if len(data) + len(self._batches.head + self._batches.tail) > room:
                raise UsageError(
                    _("the row takes {size} bytes, and a batch of {provider} holds {most}",
                      size=len(data), provider=ready.route.card.name, most=room)
                )  # fmt: skip
        except LlmctlError as error:
            raise Unfit(error) from None
        if found.part.rows >= most or found.size + len(data) + 1 > room:
            await self._hand_in(self._open.pop(name))
            found = self._set(name, ready)
            data = await self._line(ready, found)
        found.add(ready, data)

    def _set(self, name: tuple[str, str], ready: Ready) -> OpenSet:
        """The set that takes rows of this kind now."""
        if name not in self._open:
            made = OpenSet(self._new(), ready.route, name[1], self._batches, self._store.files)
            self._open[name] = made
        return self._open[name]

    async def _line(self, ready: Ready, found: OpenSet) -> bytes:
        entry = self._batches.entry(found.part.row_id(ready.line), ready.call, ready.route.quirks)
        made = encoded(entry)
        if isinstance(made, bytes):
            return made
        return b"".join([block async for block in made])  # there are files in it

    async def finish(self) -> None:
        """Hand in what is left."""
        for name in list(self._open):
            await self._hand_in(self._open.pop(name))

    def close(self) -> None:
        """Rows that were not handed in wait."""
        for found in self._open.values():
            found.close()
            self._store.files.drop(found.part.key)
        self._open.clear()

    async def _hand_in(self, found: OpenSet) -> None:
        store, part = self._store, found.part
        file = found.file()
        if not part.rows:  # the one row for it did not fit
            store.files.drop(part.key)
            return
        try:
            number, notes = found.worst.reserve(
                self._loaded, provider=store.job.provider, run=store.job.run
            )
        except BaseException:
            store.files.drop(part.key)
            raise
        for note in notes:
            self._tell(note)
        part = replace(part, reserved=number, stage=Stage.PREPARED)
        store.put(part)

        def intend(intent: Intent) -> None:
            nonlocal part
            part = replace(part, stage=Stage.INTENDED, since=intent.since)
            store.put(part)

        try:
            job = await self._batching.handed_in(file, part.kind, part.key, part.rows, intend)
        except InDoubt:
            store.files.requests(part.key).unlink(missing_ok=True)
            raise
        except LlmctlError:
            store.drop(part)
            raise
        store.put(replace(part, stage=Stage.HANDED_IN, job=job))
        store.files.requests(part.key).unlink(missing_ok=True)
