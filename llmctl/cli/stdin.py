"""Standard input as a part of the prompt."""

import math
import os
import select
import stat
import sys
import time

from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.output.streams import decode_input, err

NOTICE_SECONDS = 2.0
# For how long a pipe may give nothing.
SILENT_SECONDS = 120.0
# Bytes of what is attached from a pipe, which is held while it is sent.
LARGEST_PIPED = 32 * 2**20
BLOCK = 1 << 16
EXAMPLE = 'llmctl "Why is the sky blue?"'


def piped() -> bool:
    """Whether standard input is a pipe, a socket or a file: something with an end."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def read_stdin(encoding: str | None, *, quiet: bool) -> str:
    """All of standard input as text; says what is awaited after two silent seconds."""
    return decode_input(read_stdin_bytes(quiet=quiet), encoding)


def read_stdin_bytes(*, quiet: bool, limit: int | None = None) -> bytes:
    """The same as it came; raises UsageError for more than `limit` bytes."""
    data = bytearray()
    tell_if_silent(quiet=quiet)
    while True:
        block = _block()
        if not block:
            return bytes(data)
        data += block
        if limit is not None and len(data) > limit:
            raise _endless(_("standard input"), limit)


def tell_if_silent(*, quiet: bool) -> None:
    """Wait until there is something to read, two seconds at most, and say so if there is not."""
    if not quiet and not _ready(NOTICE_SECONDS):
        err(_("Waiting for the end of standard input (skip it with --no-stdin).") + "\n")


def read_pipe(path: str, *, quiet: bool, timeout: float | None = None) -> bytes:
    """All that comes through a named pipe, or from `<(command)` of a shell, within `timeout`
    seconds. Raises UsageError for more than is held, and where nothing comes for long or the end
    does not come in time, OSError for one that cannot be opened."""
    until = math.inf if timeout is None else time.monotonic() + timeout
    opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        data, told = bytearray(), quiet
        while True:
            left = until - time.monotonic()
            if not told and not _comes(opened, min(NOTICE_SECONDS, left)):
                told = True
                err(_("Waiting for the end of {path}.", path=path) + "\n")
                continue
            if left <= 0 or not _comes(opened, min(SILENT_SECONDS, left)):
                raise _unended(path, timeout if left < SILENT_SECONDS else None)
            block = os.read(opened, BLOCK)
            if not block:
                return bytes(data)
            data += block
            if len(data) > LARGEST_PIPED:
                raise _endless(path, LARGEST_PIPED)
    finally:
        os.close(opened)


def _comes(opened: int, seconds: float) -> bool:
    """Whether something comes through a pipe, its end included."""
    waiting = select.poll()
    waiting.register(opened, select.POLLIN | select.POLLHUP)
    return bool(waiting.poll(max(0.0, seconds) * 1000))


def _unended(path: str, timeout: float | None) -> UsageError:
    if timeout is not None:
        return UsageError(
            _("{path} did not come to its end within {seconds:g} s", path=path, seconds=timeout),
            hint=_("allow more with --timeout SECONDS"),
            reason="timeout",
        )
    return UsageError(
        _("nothing came from {path} for {seconds:g} s", path=path, seconds=SILENT_SECONDS),
        hint=_("is it a pipe that somebody writes to?"),
    )


def _endless(name: str, limit: int) -> UsageError:
    return UsageError(
        _("more than {limit} MB come from {name}", limit=limit >> 20, name=name),
        hint=_("put it into a file and attach that: files may be larger"),
    )


def _block() -> bytes:
    try:
        return os.read(0, BLOCK)
    except OSError as error:  # it is closed, or a folder
        raise UsageError(
            _("standard input cannot be read: {cause}", cause=error.strerror),
            hint=_("leave it alone with --no-stdin, and give the prompt as an argument"),
        ) from None


def _ready(seconds: float) -> bool:
    if sys.platform == "win32":  # select there knows sockets only
        return True
    try:
        return bool(select.select([0], [], [], seconds)[0])
    except OSError:  # it is closed, which reading says
        return True


def joined(
    prompt: str | None,
    *,
    read: bool,
    encoding: str | None,
    quiet: bool,
    example: str = EXAMPLE,
) -> "Prompt":
    """The parts of the prompt: what standard input gave, and the argument. `example` is what is to
    be typed where there is none."""
    wanted = prompt == "-"
    text = read_stdin(encoding, quiet=quiet) if wanted or (read and piped()) else None
    return Prompt(text if text and text.strip() else None, None if wanted else prompt, example)


class Prompt:
    """`input` is standard input, `argument` the PROMPT; None where there is none."""

    def __init__(self, given: str | None, argument: str | None, example: str = EXAMPLE) -> None:
        self._example = example
        self.input = given
        self.argument = argument if argument and argument.strip() else None

    def text(self) -> str:
        """Standard input first, then the argument; raises UsageError where both are missing."""
        parts = [part for part in (self.input, self.argument) if part]
        if not parts:
            raise UsageError(
                _("there is no prompt"),
                hint=_("give one: {example}, or see llmctl --help", example=self._example),
            )
        return "\n\n".join(part.rstrip("\n") if part is self.input else part for part in parts)
