"""A line on standard error when something takes longer than people wait without wondering."""

from collections.abc import Iterator
from contextlib import contextmanager

from llmctl.errors import LlmctlError
from llmctl.output import streams
from llmctl.output.terminal import Terminal, detect

NOTICE_SECONDS = 2.0


@contextmanager
def told_if_long(
    text: str,
    *,
    quiet: bool = False,
    terminal: Terminal | None = None,
    seconds: float = NOTICE_SECONDS,
) -> Iterator[None]:
    """Says `text` on a terminal when the body has run for so many seconds, and nothing else."""
    if quiet or not (terminal or detect()).stderr.is_tty:
        yield
        return
    from contextlib import suppress
    from threading import Timer

    def tell() -> None:
        with suppress(LlmctlError):  # the terminal is gone: the command itself will find out
            streams.err(f"llmctl: {text}\n")

    timer = Timer(seconds, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
