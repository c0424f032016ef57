"""Where an answer goes: standard output, or the file of `--output`."""

import contextlib
import os
import stat
from typing import Protocol

from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.encoding import Encoder


class Sink(Protocol):
    """Takes text as it comes, then hears how it ended."""

    def write(self, text: str) -> None:
        """Raises PipeClosed or IoFailed."""

    def put(self, data: bytes) -> None:
        """The same for what is no text."""

    def keep(self) -> None:
        """The answer is whole."""

    def abandon(self) -> None:
        """The answer broke off; what was written stays somewhere."""

    @property
    def unicode(self) -> bool:
        """Whether every character can be written."""


class StandardOutput:
    def __init__(self) -> None:
        self.write = streams.out
        self.put = streams.stdout.put

    def keep(self) -> None:
        pass

    def abandon(self) -> None:
        pass

    @property
    def unicode(self) -> bool:
        return streams.stdout.encoder.unicode


class OutputFile:
    """A file that appears under its name only when it is whole.

    Until then it is a hidden neighbour; when the answer breaks off, what came stays as
    `NAME.part`. An existing file keeps its mode, a link stays a link, and what is no regular file
    (a device, a named pipe) is written in place.
    """

    def __init__(self, path: str, encoding: str | None = None) -> None:
        """Opens the file, so that one that cannot be written is known before anything is sent;
        raises IoFailed."""
        self.path = path
        self._target = os.path.realpath(os.path.expanduser(path))
        self._encoder = Encoder(encoding or "utf-8")
        self._wrote = False
        try:
            self._temporary, self._fd = self._open()
        except OSError as error:
            raise streams.write_failed(path, error) from None

    @property
    def unicode(self) -> bool:
        return self._encoder.unicode

    def write(self, text: str) -> None:
        self.put(self._encoder.encode(text))

    def put(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._fd, data) :]
                self._wrote = True
        except OSError as error:
            raise streams.write_failed(self.path, error) from None

    def begin_with(self, data: bytes) -> None:
        """Put `data` over what the file begins with; raises IoFailed, too, for what is no file."""
        try:
            os.lseek(self._fd, 0, os.SEEK_SET)
            os.write(self._fd, data)
            os.lseek(self._fd, 0, os.SEEK_END)
        except OSError as error:
            raise streams.write_failed(self.path, error) from None

    def keep(self) -> None:
        """Raises IoFailed where the last bytes do not reach the disk or the name is refused."""
        try:
            if self._temporary is not None:
                os.fsync(self._fd)
            os.close(self._fd)
            if self._temporary is not None:
                os.replace(self._temporary, self._target)
        except OSError as error:
            self._drop()
            raise streams.write_failed(self.path, error) from None
        if self._encoder.lossy:
            streams.tell_lossy(self._encoder.name)

    def abandon(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._fd)
        if self._temporary is None:
            return
        if not self._wrote:
            self._drop()
            return
        part = self._target + ".part"
        with contextlib.suppress(OSError):
            os.replace(self._temporary, part)
            streams.err(_("llmctl: what came is in {part}", part=self.path + ".part") + "\n")

    def _open(self) -> tuple[str | None, int]:
        try:
            before = os.stat(self._target)
        except FileNotFoundError:
            mode = None
        else:
            if stat.S_ISDIR(before.st_mode):
                raise IsADirectoryError(21, os.strerror(21))
            if not stat.S_ISREG(before.st_mode):
                return None, os.open(self._target, os.O_WRONLY)
            if not os.access(self._target, os.W_OK):
                raise PermissionError(13, os.strerror(13))
            mode = stat.S_IMODE(before.st_mode)
        folder, name = os.path.split(self._target)
        temporary = os.path.join(folder, f".{name}.{os.getpid()}.part")
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666)
        if mode is not None:
            os.fchmod(fd, mode)
        return temporary, fd

    def _drop(self) -> None:
        if self._temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._temporary)


def sink_to(path: str | None, encoding: str | None = None) -> Sink:
    """The sink for `--output PATH`; None and `-` are standard output."""
    if path is None or path == "-":
        return StandardOutput()
    if not path:
        raise UsageError(_("--output needs the name of a file"))
    return OutputFile(path, encoding)
