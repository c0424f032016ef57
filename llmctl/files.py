"""Files and folders that only their owner may read: created 0600 in 0700 folders, and repaired.

Prompts, answers and keys live here. On Windows the profile's own access rules do this work, so
modes are left alone there.
"""

import errno
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from llmctl.errors import IoFailed, UsageError
from llmctl.messages import _

FOLDER = 0o700
FILE = 0o600
OTHERS = 0o077  # every bit that lets somebody else in
WRITABLE_BY_OTHERS = 0o022
POSIX = os.name == "posix"

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

# How long a waiting process sleeps between two tries at a lock.
LOCK_POLL_S = 0.02


def private_dir(path: Path) -> Path:
    """`path` as a folder that only we can enter: made with its parents, or its mode repaired.

    Raises IoFailed where it cannot be made, belongs to somebody else, or is a place that others
    need to enter too (a home, a shared folder), whose mode is not ours to change.
    """
    try:
        if not path.is_dir():
            _make(path)
        if POSIX:
            _check_link(path)
            _repair_folder(path)
    except OSError as error:
        raise io_failed(error, path) from error
    return path


def _make(path: Path) -> None:
    missing = [path]
    while not missing[-1].parent.exists():
        missing.append(missing[-1].parent)
    for folder in reversed(missing):
        with suppress(FileExistsError):  # another process was faster
            folder.mkdir(FOLDER)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def _check_link(path: Path) -> None:
    """Refuse a symbolic link laid by somebody else: it leads our text to a place of theirs."""
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode) and found.st_uid not in (os.geteuid(), 0):
        raise IoFailed(
            _("{path} is a link that belongs to another user", path=path),
            hint=_("remove it, or set LLMCTL_DATA_DIR and LLMCTL_CONFIG_DIR to folders of yours"),
            reason="not-ours",
        )


def _repair_folder(path: Path) -> None:
    mode = path.stat().st_mode
    if not mode & OTHERS:
        return
    if mode & stat.S_ISVTX or path.resolve() in (Path("/"), Path.home().resolve()):
        raise IoFailed(
            _("{path} is a place that is not for llmctl alone", path=path),
            hint=_("name a folder inside it: {path}", path=path / "llmctl"),
            reason="shared-folder",
        )
    path.chmod(stat.S_IMODE(mode) & ~OTHERS)  # one that its owner may only read stays so


def repair_file(path: Path) -> None:
    """Take a file away from everybody else; a file that is not there is fine.

    Opens nothing: closing any descriptor of a database would drop the locks SQLite holds on it.
    """
    if not POSIX:
        return
    with suppress(FileNotFoundError):
        _check_link(path)
        if (mode := path.stat().st_mode) & OTHERS:
            path.chmod(stat.S_IMODE(mode) & ~OTHERS)


def create_private(path: Path) -> bool:
    """Make an empty file of ours unless there is one; whether it was made. Raises IoFailed."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE))
    except FileExistsError:
        return False
    except OSError as error:
        raise io_failed(error, path) from error
    return True


def write_private(path: Path, data: bytes, *, own_folder: bool = True) -> None:
    """Put `data` at `path`, whole or not at all: readers see the old file or the new one.

    A link of ours is followed, so that a configuration kept elsewhere stays there. A folder that is
    not our own (`own_folder`) is left as it is. Raises IoFailed.
    """
    folder = private_dir(path.parent) if own_folder else path.parent
    try:
        if POSIX and path.is_symlink():
            _check_link(path)
            path = path.resolve()
            folder = path.parent
        fresh = folder / f".{path.name}.{os.urandom(8).hex()}"
        try:
            _write_synced(fresh, data)
            fresh.replace(path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        sync_folder(folder)
    except OSError as error:
        raise io_failed(error, path) from error


def _write_synced(path: Path, data: bytes) -> None:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags, FILE), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where folders can be synced at all."""
    if not POSIX:
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(fd)
    finally:
        os.close(fd)


def read_own(path: Path) -> bytes:
    """The bytes of a file that nobody but us can have written; raises PermissionError for others.

    What is taken from a cache without a second look must not come from somebody else.
    """
    with open(path, "rb") as file:
        found = os.fstat(file.fileno())
        if POSIX and (found.st_uid != os.geteuid() or found.st_mode & WRITABLE_BY_OTHERS):
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(path))
        return file.read()


@contextmanager
def saying(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses about `path` into IoFailed."""
    try:
        yield
    except OSError as error:
        raise io_failed(error, path) from error


def io_failed(error: OSError, path: Path) -> IoFailed:
    """What the operating system refused, in words."""
    if error.errno in FULL:
        return IoFailed(
            _("no space is left for {path}", path=path),
            hint=_("free some space on that disk, then run the command again"),
            reason="full",
        )
    return IoFailed(
        _("cannot use {path}: {cause}", path=path, cause=error.strerror or type(error).__name__),
        hint=_("check who owns it and whether it can be written"),
        reason="not-usable",
    )


def unreadable(error: OSError, path: object, hint: str) -> UsageError:
    """The error for a file that was named on the command line and cannot be read."""
    return UsageError(
        _("cannot read {path}: {why}", path=path, why=error.strerror or type(error).__name__),
        hint=hint,
    )


@contextmanager
def lock(path: Path, timeout: float, *, own_folder: bool = True) -> Iterator[None]:
    """Hold the lock file `path` against other processes and other threads.

    Waits up to `timeout` seconds (0 tries once), then raises IoFailed with reason "locked". The
    file stays; only its holder may remove it: whoever waited for it then holds the new one. The
    operating system frees it when its holder dies. A folder that is not our own (`own_folder`) is
    left as it is.
    """
    if own_folder:
        private_dir(path.parent)
    fd = _held(path, time.monotonic() + timeout)
    try:
        yield
    finally:
        try:
            _release(fd)
        finally:
            os.close(fd)


def _held(path: Path, deadline: float) -> int:
    """The lock file, held. One that was removed meanwhile would be held by nobody else."""
    while True:
        try:
            fd = os.open(path, os.O_CREAT | os.O_RDWR, FILE)
        except OSError as error:
            raise io_failed(error, path) from error
        try:
            _wait_for(fd, path, deadline)
            if _stands_at(path, fd):
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)


def _stands_at(path: Path, fd: int) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except OSError:
        return False


def _wait_for(fd: int, path: Path, deadline: float) -> None:
    while True:
        try:
            _take(fd)
        except (BlockingIOError, PermissionError):
            if time.monotonic() >= deadline:
                raise IoFailed(
                    _("another llmctl holds {path}", path=path),
                    hint=_("wait until it is done, then run the command again"),
                    reason="locked",
                    retryable=True,
                ) from None
            time.sleep(LOCK_POLL_S)
        except OSError as error:
            raise io_failed(error, path) from error
        else:
            return


if sys.platform == "win32":
    import msvcrt

    def _take(fd: int) -> None:
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)

    def _release(fd: int) -> None:
        os.lseek(fd, 0, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _release(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)
