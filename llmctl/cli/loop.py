"""The one place where an event loop runs, with signals that cancel instead of killing."""

import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from llmctl.errors import Interrupted, LlmctlError, Terminated
from llmctl.messages import _

# Objects made and not yet freed between two looks for rubbish, once the loop runs.
GC_THRESHOLD = 20_000

T = TypeVar("T")

_caught: list[int] = []


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end. SIGINT and SIGTERM cancel it, so that sockets close and what came is
    kept; raises `stopped()` then, unless `work` itself ends in another way. A second signal leaves
    at once."""

    async def guarded() -> T:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  inside asyncio.run there always is one

        def cancel(number: int) -> None:
            if _caught:
                os._exit(stopped().exit_code)
            _caught.append(number)
            task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows loops know no signals
                loop.add_signal_handler(number, cancel, number)
        return await work

    gc.freeze()  # what is loaded lives to the end: looks from here on pass over it
    gc.set_threshold(GC_THRESHOLD)
    handlers = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        return asyncio.run(guarded())
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise stopped() from None
    finally:
        # The loop leaves Python's defaults behind, under which SIGTERM says and keeps nothing.
        for number, handler in handlers:
            signal.signal(number, handler)


def stopped() -> LlmctlError:
    """The error that the signal which cancelled the work stands for."""
    if signal.SIGTERM in _caught:
        return Terminated(_("terminated"))
    return Interrupted(_("interrupted"))
