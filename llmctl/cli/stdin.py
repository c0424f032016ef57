"""Standard input as a part of the prompt."""

import os
import select
import stat
import sys

from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.output.streams import decode_input, err

NOTICE_SECONDS = 2.0
# For how long a pipe may give nothing.
SILENT_SECONDS = 120.0
# Bytes of what is attached from a pipe, which is held while it is sent.
LARGEST_PIPED = 32 * 2**20
BLOCK = 1 << 16


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
    told = quiet
    while True:
        if not told and not data and not _ready(NOTICE_SECONDS):
            told = True
            err(_("Waiting for the end of standard input (skip it with --no-stdin).") + "\n")
        block = _block()
        if not block:
            return bytes(data)
        data += block
        if limit is not None and len(data) > limit:
            raise _endless(_("standard input"), limit)


def read_pipe(path: str, *, quiet: bool) -> bytes:
    """All that comes through a named pipe, or from `<(command)` of a shell. Raises UsageError for
    more than is held, and where nothing comes for long, OSError for one that cannot be opened."""
    opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        waiting = select.poll()
        waiting.register(opened, select.POLLIN | select.POLLHUP)
        data, told = bytearray(), quiet
        while True:
            if not told and not waiting.poll(NOTICE_SECONDS * 1000):
                told = True
                err(_("Waiting for the end of {path}.", path=path) + "\n")
            if not waiting.poll(SILENT_SECONDS * 1000):
                raise UsageError(
                    _("nothing came from {path} for {seconds:g} s", path=path,
                      seconds=SILENT_SECONDS),
                    hint=_("is it a pipe that somebody writes to?"),
                )  # fmt: skip
            block = os.read(opened, BLOCK)
            if not block:
                return bytes(data)
            data += block
            if len(data) > LARGEST_PIPED:
                raise _endless(path, LARGEST_PIPED)
    finally:
        os.close(opened)


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
    return bool(select.select([0], [], [], seconds)[0])


def joined(prompt: str | None, *, read: bool, encoding: str | None, quiet: bool) -> "Prompt":
    """The parts of the prompt: what standard input gave, and the argument."""
    wanted = prompt == "-"
    text = read_stdin(encoding, quiet=quiet) if wanted or (read and piped()) else None
    return Prompt(text if text and text.strip() else None, None if wanted else prompt)


class Prompt:
    """`input` is standard input, `argument` the PROMPT; None where there is none."""

    def __init__(self, given: str | None, argument: str | None) -> None:
        self.input = given
        self.argument = argument if argument and argument.strip() else None

    def text(self) -> str:
        """Standard input first, then the argument; raises UsageError where both are missing."""
        parts = [part for part in (self.input, self.argument) if part]
        if not parts:
            raise UsageError(
                _("there is no prompt"),
                hint=_('give one: llmctl "Why is the sky blue?", or llmctl --help'),
            )
        return "\n\n".join(part.rstrip("\n") if part is self.input else part for part in parts)
