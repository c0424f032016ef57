"""Writes rows that are through: all that end in one turn of the loop together."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from llmctl.batch.shape import Ended
from llmctl.batch.tally import Tally
from llmctl.batch.work import Work
from llmctl.errors import LlmctlError
from llmctl.types import Notice


class Keeper(Protocol):
    """Where rows go."""

    def keep(self, ended: Sequence[Ended]) -> None:
        """Write them; they are safe when this is over. Raises IoFailed."""

    def known(self, work: Work) -> Ended | None:
        """The row as it is known already: from an identical row, or from an earlier job."""


class Watcher(Protocol):
    """Hears what happens, while it happens."""

    def note(self, note: Notice) -> None: ...

    def ended(self, ended: Ended) -> None: ...


class Writing:
    """`through` hears which rows were written, `stop` of trouble that ends the job, `fail` of an
    error that nobody expected."""

    def __init__(
        self,
        keeper: Keeper,
        watcher: Watcher,
        tally: Tally,
        *,
        through: Callable[[Sequence[Work]], None],
        stop: Callable[[LlmctlError], None],
        fail: Callable[[Exception], None],
    ) -> None:
        self._keeper = keeper
        self._watcher = watcher
        self._tally = tally
        self._through = through
        self._stop = stop
        self._fail = fail
        self._ended: list[tuple[Ended, Work, asyncio.Future[None]]] = []

    def keep(self, ended: Ended, work: Work) -> "asyncio.Future[None]":
        """Write a row with all others that are through at this moment; done when it is safe, or
        cannot be."""
        loop = asyncio.get_running_loop()
        safe = loop.create_future()
        if not self._ended:
            loop.call_soon(self._flush)
        self._ended.append((ended, work, safe))
        return safe

    def _flush(self) -> None:
        waiting, self._ended = self._ended, []
        together = [ended for ended, _work, _safe in waiting]
        if not self._tried(lambda: self._keeper.keep(together)):
            together = []
        for ended in together:
            self._tally.row(ended)
            self._tried(lambda row=ended: self._watcher.ended(row))  # type: ignore[misc]
        for _ended, _work, safe in waiting:
            if not safe.done():
                safe.set_result(None)
        self._through([work for _ended, work, _safe in waiting] if together else [])

    def _tried(self, what: Callable[[], None]) -> bool:
        """Whether it went well. No lane would hear of an error here, and wait for ever."""
        try:
            what()
        except LlmctlError as error:
            self._stop(error)
        except Exception as error:
            self._fail(error)
        else:
            return True
        return False
