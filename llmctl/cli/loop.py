"""The one place where an event loop runs, with signals that cancel instead of killing."""

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

from llmctl.errors import Interrupted, LlmctlError, Terminated
from llmctl.messages import _

# Objects made and not yet freed between two looks for rubbish, once the loop runs.
GC_THRESHOLD = 20_000

T = TypeVar("T")

_caught: list[int] = []


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end. SIGINT, SIGTERM and a terminal that goes away cancel it, so that
    sockets close and what came is kept; raises `stopped()` then, unless `work` itself ends in
    another way. A second signal leaves at once."""

    async def guarded() -> T:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  inside asyncio.run there always is one

        def cancel(number: int) -> None:
            if _caught:
                _leave()
            _caught.append(number)
            task.cancel()

        for number in caught_signals():
            with contextlib.suppress(NotImplementedError):  # Windows loops know no signals
                loop.add_signal_handler(number, cancel, number)
        return await work

    gc.freeze()  # what is loaded lives to the end: looks from here on pass over it
    gc.set_threshold(GC_THRESHOLD)
    handlers = [(number, signal.getsignal(number)) for number in caught_signals()]
    try:
        return asyncio.run(guarded())
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise stopped() from None
    finally:
        # The loop leaves Python's defaults behind, under which SIGTERM says and keeps nothing.
        for number, handler in handlers:
            signal.signal(number, handler)


def _leave() -> NoReturn:
    """Leave at once. What a second signal keeps from being tidied up is told."""
    if "llmctl.engine.uploads" in sys.modules:
        said = _("left at once; an uploaded file may still be at the provider")
        with contextlib.suppress(OSError):
            os.write(2, f"llmctl: {said}\n".encode())
    os._exit(stopped().exit_code)


def caught_signals() -> tuple[signal.Signals, ...]:
    """Those that cancel; SIGHUP only where nobody, such as nohup, has it ignored."""
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is None or signal.getsignal(hangup) is signal.SIG_IGN:
        return signal.SIGINT, signal.SIGTERM
    return signal.SIGINT, signal.SIGTERM, hangup


def stopped() -> LlmctlError:
    """The error that the signal which cancelled the work stands for."""
    if any(number != signal.SIGINT for number in _caught):
        return Terminated(_("terminated"))
    return Interrupted(_("interrupted"))
