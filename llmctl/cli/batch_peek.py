"""A look at the beginning of an input, before what an earlier job has written is thrown away."""

import os
import select
import stat
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from llmctl.errors import LlmctlError, UsageError
from llmctl.messages import _
from llmctl.rows import BadRow, Row


async def check_usable(
    rows: AsyncGenerator[Row | BadRow, None], make: Callable[[Row], object], source: str | None
) -> None:
    """Read up to the first row that can be asked, usually the first; raises UsageError where there
    is none, and what an input as a whole may raise."""
    first: LlmctlError | None = None
    async with aclosing(rows) as every:
        async for row in every:
            try:
                if isinstance(row, BadRow):
                    raise UsageError(row.why)
                make(row)
            except LlmctlError as error:
                first = first or error
            else:
                return
    if first is None:
        raise no_rows(source)
    raise UsageError(
        _("no row of {source} can be asked; the first: {why}", source=named(source),
          why=first.message),
        hint=first.hint,
    )  # fmt: skip


def check_comes() -> None:
    """Wait until something comes through standard input, which stays there to be read; raises
    UsageError where it ends with nothing. What cannot tell is taken to have something."""
    try:
        fd = sys.stdin.fileno()
        found = os.fstat(fd)
        if stat.S_ISREG(found.st_mode):
            empty = os.lseek(fd, 0, os.SEEK_CUR) >= found.st_size
        elif stat.S_ISFIFO(found.st_mode) and hasattr(select, "poll"):
            poll = select.poll()
            poll.register(fd, select.POLLIN)
            empty = not any(event & select.POLLIN for _fd, event in poll.poll())
        else:
            return
    except (OSError, ValueError):
        return
    if empty:
        raise no_rows(None)


def no_rows(source: str | None) -> UsageError:
    return UsageError(_("{source} has no rows", source=named(source)))


def named(source: str | None) -> str:
    return source or _("standard input")
