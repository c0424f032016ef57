"""Rows that are operations of their own: begun one after the other, each written down before its
request and after the answer to it."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from llmctl.batch.native import Part, Stage
from llmctl.batch.native_handing import Ready, Store, Unfit
from llmctl.batch.native_rows import RowsFile, documents, opened, sent_of, shape_of
from llmctl.cost.together import Worst
from llmctl.engine.operations import Operations, never_began
from llmctl.errors import AuthFailed, LlmctlError, NotFound, Rejected, UsageError
from llmctl.settings import Loaded
from llmctl.types import Notice
from llmctl.values import dataclass, replace

# Rows whose money is set aside together.
TOGETHER = 50
# Operations in a row of which nobody knows whether they began, until no more are tried.
TROUBLES = 3


@dataclass(frozen=True, slots=True)
class Begun:
    """A row whose request went out. `job` is the operation, None where that is not known; `void`
    says that the provider refused it."""

    line: int
    job: str | None = None
    void: bool = False


class BeginningOneByOne:
    """Rows of one job, begun in sets of `TOGETHER`. `failed` is told of rows that were refused."""

    def __init__(
        self,
        store: Store,
        operations: Operations,
        loaded: Loaded,
        *,
        new: Callable[[], str],
        tell: Callable[[Notice], object],
        failed: Callable[[Ready, LlmctlError], object],
    ) -> None:
        self._store = store
        self._operations = operations
        self._loaded = loaded
        self._new = new
        self._tell = tell
        self._failed = failed
        self._waiting: list[Ready] = []
        self._troubles = 0

    async def add(self, ready: Ready) -> None:
        """Take a row in. Raises Unfit, and whatever ends the beginning of a full set."""
        try:
            ready.route.dialect.encode(ready.call, ready.route.quirks)
        except LlmctlError as error:
            raise Unfit(error) from None
        self._waiting.append(ready)
        if len(self._waiting) >= TOGETHER:
            await self.finish()

    def close(self) -> None:
        """Rows that were not begun wait."""
        self._waiting.clear()

    async def finish(self) -> None:
        """Begin what is left."""
        rows, self._waiting = self._waiting, []
        if not rows:
            return
        store, worst = self._store, Worst()
        for one in rows:
            if one.estimate is not None:
                worst.add(one.call, one.estimate)
        number, notes = worst.reserve(self._loaded, provider=store.job.provider, run=store.job.run)
        for note in notes:
            self._tell(note)
        part = Part(key=self._new(), requested=rows[0].route.requested, kind="", rows=len(rows),
                    reserved=number, stage=Stage.PREPARED, since=time.time())  # fmt: skip
        _write_rows(store.files.rows(part.key), rows)
        store.put(part)
        part = replace(part, stage=Stage.INTENDED)
        store.put(part)
        try:
            await self._begin(rows, store.files.operations(part.key))
        finally:
            store.put(replace(part, stage=Stage.HANDED_IN))

    async def _begin(self, rows: list[Ready], path: Path) -> None:
        with opened(path, anew=False) as file:

            def note(begun: Begun) -> None:
                told = {"line": begun.line, "job": begun.job, "void": begun.void}
                file.write(json.dumps(told).encode() + b"\n")
                file.flush()

            for one in rows:
                http = replace(one.route.dialect.encode(one.call, one.route.quirks), once=True)
                note(Begun(one.line))
                try:
                    note(Begun(one.line, await self._operations.begun(http)))
                    self._troubles = 0
                except LlmctlError as error:
                    if never_began(error) or isinstance(error, AuthFailed | NotFound):
                        note(Begun(one.line, void=True))
                        raise
                    if isinstance(error, Rejected | UsageError):
                        note(Begun(one.line, void=True))
                        self._failed(one, error)
                        continue
                    self._troubles += 1
                    if self._troubles >= TROUBLES:
                        raise


def _write_rows(path: Path, rows: list[Ready]) -> None:
    file = RowsFile(path)
    for one in rows:
        number = file.shape(
            shape_of(one.route.requested, one.call, one.screened, one.route.verdict)
        )
        file.add(sent_of(one.line, one.id, number, one.screened, one.columns))
    file.sync()
    file.close()


def begun_in(path: Path) -> Iterator[Begun]:
    """The rows of a set whose requests went out, the last word on each."""
    if not path.exists():
        return
    found: dict[int, Begun] = {}
    for told in documents(path):
        found[told["line"]] = Begun(told["line"], told["job"], told["void"])
    yield from (one for one in found.values() if not one.void)
