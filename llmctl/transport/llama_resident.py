"""The model of llama.cpp in memory: loaded once for all who ask for the same, and how many of their
requests it serves at a time.

Only those who say how many share it (`parallel`): a comparison gives each candidate a model of its
own, since a prompt that one has read would be a shorter one for the next.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from llmctl.transport.llama_model import LlamaModel, restore_signals, slots_wanted
from llmctl.types import Json

Loaded = TypeVar("Loaded")
Key = tuple[asyncio.AbstractEventLoop, str, str]

SHARED: dict[Key, "Resident"] = {}


def resident(path: str, options: Mapping[str, Json]) -> "Resident":
    """The model for one more transport of the running event loop, to be given back by `close`."""
    if "parallel" not in options:
        return Resident(path, options)
    key = asyncio.get_running_loop(), path, json.dumps(dict(options), sort_keys=True, default=str)
    found = SHARED.setdefault(key, Resident(path, options, key))
    found.users += 1
    return found


class Resident:
    """A model, loaded when it is first wanted and freed when its last user has closed it."""

    def __init__(self, path: str, options: Mapping[str, Json], key: Key | None = None) -> None:
        self.users = 0 if key else 1
        self._path = Path(path)
        self._options = options
        self._key = key
        self._places = asyncio.Semaphore(slots_wanted(options))
        self._busy = 0
        self._loading: Future[LlamaModel] | None = None
        self._vectors = False

    async def model(self, *, vectors: bool) -> tuple[LlamaModel, float | None]:
        """The model, and the seconds it was waited for, None where it was there. One that was
        loaded for answers alone is loaded anew for `vectors`; what it is at is made to its end.
        Raises NotFound and ConfigError where it cannot be loaded; the next to ask tries again."""
        begun = time.monotonic()
        fresh = self._loading is None or vectors > self._vectors
        if fresh:
            self._drop()
            self._vectors = vectors
            options = {**self._options, "vectors": True} if vectors else self._options
            self._loading = begin(lambda: LlamaModel(self._path, options))
        loading = self._loading
        assert loading is not None  # noqa: S101  it has just been begun
        if not fresh and loading.done() and loading.exception() is None:
            return loading.result(), None
        try:
            model = await asyncio.wrap_future(loading)
        except Exception:
            if self._loading is loading:
                self._loading = None
            raise
        restore_signals()
        return model, time.monotonic() - begun

    async def enter(self) -> None:
        """Wait for a place; `leave` gives it back. The library would wait as well, but in a thread
        that nobody could stop."""
        await self._places.acquire()
        self._busy += 1

    def leave(self) -> None:
        self._busy -= 1
        self._places.release()

    def close(self) -> None:
        """One user less; after the last the memory is free, or as soon as a thread that is still
        in the middle of a prompt is through."""
        self.users -= 1
        if self.users:
            return
        if self._key is not None:
            SHARED.pop(self._key, None)
        self._drop()

    def _drop(self) -> None:
        loading, self._loading = self._loading, None
        if loading is None or not loading.done() or loading.exception() is not None:
            return
        if not self._busy:
            loading.result().close()


def begin(work: Callable[[], Loaded]) -> "Future[Loaded]":
    """`work` in a thread of its own, so that a signal is heard meanwhile; asyncio's own threads
    would be waited for at the end even when nobody wants their result any more."""
    result: Future[Loaded] = Future()
    result.set_running_or_notify_cancel()  # from here on nobody can cancel it

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:
            result.set_exception(error)

    threading.Thread(target=run, name="llama-load").start()
    return result


async def in_thread(work: Callable[[], Loaded]) -> Loaded:
    """The result of `work` in a thread of its own."""
    return await asyncio.wrap_future(begin(work))
