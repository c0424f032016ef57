"""A lock between processes that an event loop waits for without standing still."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

from llmctl.errors import IoFailed
from llmctl.files import LOCK_POLL_S, lock

# Those who wait long look less often.
SLOWEST_POLL_S = 0.1
# Longer than any token server takes; one process that is stopped must not hold up all others.
PATIENCE_S = 20.0


async def tries(path: Path, held: ExitStack) -> AsyncIterator[float]:
    """Yields the seconds waited so far each time others hold the lock file `path`, processes or
    tasks of this one, and ends when it is held; it is given back with `held`.

    Waits for as long as it takes. Raises IoFailed where there can be no lock file.
    """
    loop = asyncio.get_running_loop()
    begun = loop.time()
    pause = LOCK_POLL_S
    while True:
        try:
            held.enter_context(lock(path, 0))
        except IoFailed as error:
            if error.reason != "locked":
                raise
        else:
            return
        yield loop.time() - begun
        await asyncio.sleep(pause)
        pause = min(SLOWEST_POLL_S, pause * 1.2)


@asynccontextmanager
async def turn(path: Path, patience: float = PATIENCE_S) -> AsyncIterator[None]:
    """Hold the lock file `path` against other processes and other tasks of this one; where no file
    can be locked, or its holder stands still for so many seconds, everybody goes on at once."""
    with ExitStack() as held:
        with suppress(IoFailed):
            async for waited in tries(path, held):
                if waited > patience:
                    break
        yield
