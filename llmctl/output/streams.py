"""Standard output and standard error, written at once and with defined ends.

A reader that goes away is `PipeClosed`, any other trouble `IoFailed`. Bytes go straight to the
file descriptor: a token is seen when it is written, and nothing waits in a buffer that the
interpreter would complain about at its exit.
"""

import errno
import os
import select
import sys
from typing import IO

from llmctl.errors import IoFailed, LlmctlError, PipeClosed
from llmctl.messages import _
from llmctl.output.decoding import decode_input as decode_input
from llmctl.output.encoding import Encoder, known

_GONE = {errno.EPIPE, errno.ESHUTDOWN, errno.EBADF, errno.ECONNRESET}


class Channel:
    """One of the two standard streams, found under `sys` by its name at each write."""

    def __init__(self, name: str, missing: str) -> None:
        self._name = name
        self._missing = missing
        self._asked: str | None = None
        self._stream: object = self  # what was found there last; at first nothing was
        self._fd: int | None = None
        self._encoder = Encoder("utf-8")
        self._told = False

    @property
    def encoder(self) -> Encoder:
        """That of the present stream; raises PipeClosed where there is none."""
        if getattr(sys, self._name) is not self._stream:
            self._adopt()
        return self._encoder

    def use(self, encoding: str | None) -> None:
        """Write `encoding` from now on where the stream is not a terminal."""
        self._asked = encoding and known(encoding)
        self._stream = self

    def write(self, text: str) -> None:
        """Write all of `text` now; raises PipeClosed or IoFailed."""
        if getattr(sys, self._name) is not self._stream:
            self._adopt()
        self._write(text, self._encoder.encode(text))
        if self._encoder.lossy and not self._told:
            self._told = True
            tell_lossy(self._encoder.name)

    def put(self, data: bytes) -> None:
        """Write bytes that are no text, in the same way."""
        if getattr(sys, self._name) is not self._stream:
            self._adopt()
        self._write("", data)

    def _write(self, text: str, data: bytes) -> None:
        try:
            if self._fd is None:
                _hand_over(getattr(sys, self._name), text, data)
            elif (written := os.write(self._fd, data)) < len(data):
                self._rest(self._fd, data[written:])
        except BlockingIOError:
            self._rest(self._fd, data)
        except (OSError, ValueError) as error:
            raise self._failed(error) from None

    def flush(self) -> None:
        """Flush what other code left in the stream's own buffer; raises as `write` does."""
        stream: IO[str] | None = getattr(sys, self._name)
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError) as error:
            self._adopt()
            raise self._failed(error) from None

    def _adopt(self) -> None:
        stream: IO[str] | None = getattr(sys, self._name)
        if stream is None:
            raise PipeClosed(_("{stream} is closed", stream=self._name))
        is_tty = False
        try:
            self._fd = stream.fileno()
            is_tty = stream.isatty()
        except (OSError, ValueError):  # a stand-in without a file, or closed
            self._fd = None
        else:
            self._flush_others(stream)
        encoding = None if is_tty else self._asked
        self._encoder = Encoder(
            encoding or getattr(stream, "encoding", None) or "utf-8", self._missing
        )
        self._stream = stream

    def _flush_others(self, stream: IO[str]) -> None:
        """What was printed before by other means comes before."""
        try:
            stream.flush()
        except OSError as error:
            raise self._failed(error) from None

    def _rest(self, fd: int | None, data: bytes) -> None:
        """What one write left, waiting where the pipe is full and was made not to block."""
        assert fd is not None  # noqa: S101  only files take a part
        rest = memoryview(data)
        try:
            while rest:
                try:
                    rest = rest[os.write(fd, rest) :]
                except BlockingIOError:
                    select.select([], [fd], [])
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError | ValueError) -> LlmctlError:
        """The error to raise; the descriptor leads nowhere from then on, so that whatever is still
        written to it, by us or by the interpreter at its exit, vanishes quietly."""
        if self._fd is not None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._fd)
            os.close(nowhere)
        number = error.errno if isinstance(error, OSError) else errno.EBADF
        if number in _GONE:
            return PipeClosed(_("{stream} is closed", stream=self._name))
        return write_failed(self._name, error)


def _hand_over(stream: IO[str], text: str, data: bytes) -> None:
    """Write to a stand-in for a stream, such as one in memory."""
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        stream.write(text)
    else:
        buffer.write(data)
    stream.flush()


def write_failed(name: str, error: OSError | ValueError) -> IoFailed:
    """An OSError at writing `name`, as the error the user sees."""
    number = error.errno if isinstance(error, OSError) else None
    cause = os.strerror(number) if number else str(error)
    full = number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    hint = _("write elsewhere with --output FILE")
    if full:
        hint = _("make room there, or write elsewhere with --output FILE")
    elif number == errno.ENOENT and (folder := os.path.dirname(name)):
        hint = _("make its folder first: mkdir -p {folder}", folder=folder)
    return IoFailed(
        _("cannot write {name}: {cause}", name=name, cause=cause),
        reason="full" if full else None,
        hint=hint,
    )


stdout = Channel("stdout", "replace")
stderr = Channel("stderr", "backslashreplace")


def out(text: str) -> None:
    """Write `text` to standard output now. What its encoding cannot express becomes `?`, with one
    note on standard error."""
    stdout.write(text)


def err(text: str) -> None:
    """Write `text` to standard error now; into nothing where there is none."""
    if sys.stderr is not None:
        stderr.write(text)


def use_encoding(name: str | None) -> None:
    """Write standard output in the encoding `name` where it is a pipe or a file; None: as the
    locale has it. Raises UsageError for an unknown name."""
    stdout.use(name)


def tell_lossy(encoding: str) -> None:
    """The note that some characters could not be written."""
    err(
        _(
            "llmctl: {encoding} lacks some characters of the answer; they became ?"
            " (for all of them: --encoding utf-8)",
            encoding=encoding,
        )
        + "\n"
    )
