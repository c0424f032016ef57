"""An iterator that may block, read in a thread of its own: a slow pipe holds nothing up."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

# What is handed over at a time, and how often the thread may be ahead of who takes it.
PIECE = 64
AHEAD = 2


async def from_thread(values: Iterator[T]) -> AsyncGenerator[T, None]:
    """The values in order. The thread ends with the process: whatever a pipe does, Ctrl-C is not
    kept waiting."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[list[T] | BaseException] = asyncio.Queue()
    room = threading.Semaphore(AHEAD)
    over = threading.Event()

    def read() -> None:
        try:
            while True:
                room.acquire()
                if over.is_set():
                    return
                piece = list(islice(values, PIECE))
                loop.call_soon_threadsafe(pieces.put_nowait, piece)
                if not piece:
                    return
        except RuntimeError:  # the loop is closed: nobody wants more
            return
        except BaseException as error:
            loop.call_soon_threadsafe(pieces.put_nowait, error)

    threading.Thread(target=read, name="rows", daemon=True).start()
    try:
        while piece := await pieces.get():
            if isinstance(piece, BaseException):
                raise piece
            for value in piece:
                yield value
            room.release()
    finally:
        over.set()
        room.release()
