"""Files of the user's own, which a job writes: whole, with the modes that their umask gives."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from llmctl import files
from llmctl.errors import UsageError
from llmctl.messages import _

BINARY = getattr(os, "O_BINARY", 0)
READABLE = 0o666  # less what the umask takes away


def write(fd: int, data: bytes) -> None:
    """All of it; a disk that fills up takes a part, and refuses the next."""
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]


def replace(path: Path, fresh: Path, lines: Iterable[bytes]) -> None:
    """Write `lines` to the new file `fresh`, which then takes the place of `path`."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY
    try:
        with open(os.open(fresh, flags, READABLE), "wb") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    files.sync_folder(path.parent)


def check_kind(path: Path) -> None:
    """Refuse (UsageError) what rows cannot be appended to."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # not there yet; whatever else it is, opening it will tell
    if stat.S_ISDIR(mode):
        raise UsageError(
            _("{path} is a directory", path=path),
            hint=_("name a file in it: {path}", path=path / "out.jsonl"),
        )
    if not stat.S_ISREG(mode):
        raise UsageError(
            _("{path} is a device or a pipe, in which no job can be resumed", path=path),
            hint=_("write to standard output with --output -"),
        )


def check_empty(path: Path, header: bytes) -> None:
    """Refuse a file with anything in it but a header that a job began with, and no more."""
    if not path.is_file() or not path.stat().st_size:
        return
    with files.saying(path), open(path, "rb") as file:
        found = file.read(len(header) + 1)
    if not header.startswith(found):
        raise UsageError(
            _("{path} has something in it that is not of this job", path=path),
            hint=_("name another file after --output, or write this one anew with --restart"),
            reason="not-ours",
        )
