"""An iterator that may block, read in a thread of its own: a slow pipe holds nothing up."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")

# What is handed over at a time, and how often the thread may be ahead of who takes it.
PIECE = 64
PIECE_BYTES = 1 << 20
AHEAD = 2

# Seconds for which a value from a pipe may wait for others to go with it.
GATHER = 0.005


def nothing() -> int:
    return 0


async def from_thread(
    values: Iterator[T], *, taken: Callable[[], int] = nothing, live: bool = False
) -> AsyncGenerator[T, None]:
    """The values in order. `taken` is how many bytes of the source they have cost so far, since few
    that are large are handed over at a time. `live` values are handed over as they come, and not
    when there are enough. The thread ends with the process: whatever a pipe does, Ctrl-C is not
    kept waiting."""
    reading = _Reading(values, taken, live, asyncio.get_running_loop())
    threading.Thread(target=reading.run, name="rows", daemon=True).start()
    ready, piece, over = reading.ready, reading.PIECE_ENDS, reading.OVER
    try:
        while True:
            try:
                value = ready.popleft()
            except IndexError:
                await reading.more()
                continue
            if value is piece:
                reading.room.release()
                await asyncio.sleep(0)  # others have their turn
            elif value is over:
                if reading.error is not None:
                    raise reading.error
                return
            else:
                yield value  # type: ignore[misc]  # neither of the marks
    finally:
        reading.given_up = True
        reading.room.release()


class _Reading(Generic[T]):
    """What the thread and the loop share. Only the thread puts into `ready`, only the loop takes
    out of it."""

    PIECE_ENDS = object()
    OVER = object()

    def __init__(
        self,
        values: Iterator[T],
        taken: Callable[[], int],
        live: bool,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.ready: deque[T | object] = deque()
        self.room = threading.Semaphore(AHEAD)
        self.given_up = False
        self.error: BaseException | None = None
        self._values, self._taken, self._live = values, taken, live
        self._loop = loop
        self._arrived = asyncio.Event()
        self._called = False

    async def more(self) -> None:
        """Until something may be in `ready`."""
        self._arrived.clear()
        if not self.ready:
            await self._arrived.wait()

    def run(self) -> None:
        """In the thread: pieces as long as there is room for them."""
        try:
            while True:
                self.room.acquire()
                if self.given_up or not self._piece():
                    break
        except BaseException as error:
            self.error = error
        self.ready.append(self.OVER)
        self._call(self._arrived.set)

    def _piece(self) -> bool:
        """Whether there may be more after this piece."""
        begun = self._taken()
        put, taken, live = self.ready.append, self._taken, self._live
        for count, value in enumerate(self._values, 1):
            put(value)
            if count == PIECE or taken() - begun >= PIECE_BYTES:
                put(self.PIECE_ENDS)
                self._call(self._arrived.set)
                return True
            if live and not self._called:
                self._called = True
                self._call(self._soon)
        return False

    def _soon(self) -> None:
        self._loop.call_later(GATHER, self._come)

    def _come(self) -> None:
        self._called = False
        self._arrived.set()

    def _call(self, what: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody wants more
            self._loop.call_soon_threadsafe(what)
