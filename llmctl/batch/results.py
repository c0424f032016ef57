"""The output of a job: whole lines of rows that are done, and beside it the lines of the failed.

Bytes only: who made a line knows what is in it. The bytes of a group of rows reach the output by
one write, and after that the journal says in one transaction where each line ends. A process that
is killed in between leaves lines that the journal does not know, which the next one takes over, or
a torn one, which it cuts off. Every second at most the disk is waited for (`SYNC_S`): a power cut
costs the rows since then, never more.
"""

import os
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from llmctl import files
from llmctl.batch import plain_files, recovery
from llmctl.batch.plain_files import BINARY, READABLE
from llmctl.errors import IoFailed, LlmctlError
from llmctl.messages import _
from llmctl.store.journal import End, Journal, State
from llmctl.values import Json

SYNC_S = 1.0
WORKING = ".part"  # what the working file's name has behind the output's


class Written(NamedTuple):
    """A row that ended: its line (from 1), and either its line in the output, or the code of its
    error and its line in the errors file. Both end with a line feed."""

    line: int
    data: bytes | None = None
    error: bytes | None = None
    code: str | None = None


class Results:
    """The files of one job, held against other processes until they are closed.

    `open`, then either `begin` or `resume`, then any number of `append`. Several threads may use
    it, one at a time.
    """

    def __init__(
        self,
        output: Path,
        journal: Journal,
        *,
        working: bool,
        header: bytes,
        errors: Path,
        adopt: Callable[[bytes], int | None] | None,
    ) -> None:
        self.output = output
        self.path = output.with_name(output.name + WORKING) if working else output
        self.errors = errors
        self._journal = journal
        self._header = header
        self._adopt = adopt
        self._held = ExitStack()
        self._fd: int | None = None
        self._errors_fd: int | None = None
        self._ready = False
        self._size = 0
        self._synced_at = time.monotonic()
        self._unsynced = False

    @classmethod
    def open(
        cls,
        output: Path,
        journal: Journal,
        *,
        working: bool = False,
        header: bytes = b"",
        errors: Path,
        adopt: Callable[[bytes], int | None] | None,
    ) -> "Results":
        """Hold the job of `output`; nothing is written or read of it yet.

        With `working` the lines go to `OUT.part`, which is all that this class touches. `header` is
        what the file begins with. `adopt` says which row of the job a line (with its line feed)
        belongs to, None when it is no line of the job; without it lines that the journal does not
        know are cut off. Raises IoFailed while another process works on the job, UsageError where
        `output` or `errors` is a folder or no file.
        """
        made = cls(output, journal, working=working, header=header, errors=errors, adopt=adopt)
        for path in (output, made.path, errors):
            plain_files.check_kind(path)
        lock = journal.path.with_name(journal.path.name + ".lock")
        try:
            made._held.enter_context(files.lock(lock, 0, own_folder=False))
        except IoFailed as error:
            if error.reason == "locked":
                raise _held_by_another(output) from error
            raise
        if not journal.in_place:  # whoever held it until now has removed it
            made._held.close()
            raise _held_by_another(output)
        return made

    def __enter__(self) -> "Results":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        if kind is None:
            self.close()
            return
        with suppress(LlmctlError):  # what happened before is what is to be told
            self.close()

    # ---- beginning ------------------------------------------------------------------------------

    def begin(self, job: Mapping[str, Json], *, restart: bool = False) -> None:
        """Begin this job with an empty output; what the journal knew is forgotten.

        Files that have something in them are refused (UsageError), unless this is a `restart`: then
        they are emptied, not kept elsewhere, since that is what was asked for.
        """
        if not restart:
            for path in (self.output, self.path, self.errors):
                plain_files.check_empty(path, self._header)
        with files.saying(self.path):
            fd = self._opened()
            # In this order: should it end in between, the journal has rows that are not there,
            # which is refused, and never a new job that takes over the answers of the old one.
            os.ftruncate(fd, 0)
            plain_files.write(fd, self._header)
            os.fsync(fd)
            files.sync_folder(self.path.parent)
        self._journal.begin(job, len(self._header))
        self._size = len(self._header)
        self._ready = True
        self.rewrite_errors()

    def resume(self) -> recovery.Recovered:
        """Go on with the job of the journal: bring the output and the journal to agree, and write
        the errors file anew. Rows that are to be tried again are put back to waiting before.

        Raises UsageError for an output that is not, or not any more, what this job wrote.
        """
        with files.saying(self.path):
            fd = self._opened()
            found = recovery.recover(fd, self.path, self._journal, self._header, self._adopt)
            self._size = found.size
        self._ready = self._unsynced = True
        self.sync()
        self.rewrite_errors()
        return found

    def _opened(self) -> int:
        """The output, made where there is none."""
        if self._fd is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | BINARY
            self._fd = os.open(self.path, flags, READABLE)
            self._held.callback(os.close, self._fd)
        return self._fd

    # ---- rows -----------------------------------------------------------------------------------

    def append(self, rows: Sequence[Written]) -> None:
        """Write rows that ended, and take them down in the journal; both, or neither.

        Raises IoFailed, with the reason "full" where no space is left; the output then ends with
        the last line that was taken down before.
        """
        ends, lines, failed, size = [], [], [], self._size
        for line, data, error, code in rows:
            if data is None:
                ends.append(End(line, State.FAILED, code=code, error=error))
                failed.append(error or b"")
            else:
                size += len(data)
                ends.append(End(line, State.DONE, size, len(data), zlib.crc32(data)))
                lines.append(data)
        fd = self._untouched()
        try:
            with files.saying(self.path):
                plain_files.write(fd, b"".join(lines))
            if failed:
                self._append_errors(b"".join(failed))
            self._journal.finish(ends)
        except Exception:
            # Anything else (a signal) may have come when the rows were taken down already: the
            # bytes stay, and the next start sees whose they are.
            with suppress(OSError):
                os.ftruncate(fd, self._size)
            raise
        self._size = size
        self._unsynced = True
        if time.monotonic() - self._synced_at >= SYNC_S:
            self.sync()

    def sync(self) -> None:
        """Wait until all rows so far outlive a power cut."""
        if self._fd is not None and self._unsynced:
            with files.saying(self.path):
                os.fsync(self._fd)
            self._journal.mark(self._size)
            self._unsynced = False
        self._synced_at = time.monotonic()

    def read(self, line: int) -> bytes | None:
        """The line of a done row as it stands in the output; None for any other row."""
        place = self._journal.place(line)
        if place is None or self._fd is None:
            return None
        with files.saying(self.path):
            return recovery.read_at(self._fd, place.start, place.length)

    def _untouched(self) -> int:
        """The output, to which nobody but us may write: behind the lines of others ours would not
        stand where the journal says."""
        if self._fd is None or not self._ready:
            raise RuntimeError("neither begun nor resumed")
        found = os.fstat(self._fd)
        if found.st_size != self._size or not found.st_nlink:
            raise IoFailed(
                _("{path} was changed or removed by another program meanwhile", path=self.path),
                hint=_("put it back as it was and run the command again, or begin with --restart"),
                reason="changed",
            )
        return self._fd

    # ---- errors ---------------------------------------------------------------------------------

    def _append_errors(self, data: bytes) -> None:
        with files.saying(self.errors):
            if self._errors_fd is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | BINARY
                self._errors_fd = os.open(self.errors, flags, READABLE)
            plain_files.write(self._errors_fd, data)

    def rewrite_errors(self) -> None:
        """Make the errors file what the journal says: the failed rows in order of line, and no file
        where none failed. Readers see the old file or the new one."""
        self._close_errors()
        lines = self._journal.failures()
        first = next(lines, None)
        with files.saying(self.errors):
            path = self.errors.resolve()  # a link to another place stays one
            fresh = path.with_name(f".{path.name}.new")
            fresh.unlink(missing_ok=True)  # of a process that was killed right here
            if first is None:
                path.unlink(missing_ok=True)
            else:
                plain_files.replace(path, fresh, chain([first], lines))

    def _close_errors(self) -> None:
        if self._errors_fd is not None:
            fd, self._errors_fd = self._errors_fd, None
            os.close(fd)

    # ---- ending ---------------------------------------------------------------------------------

    def close(self) -> None:
        """Make all durable, write the errors file anew, and let go of the job."""
        with self._held:
            ready, self._ready = self._ready, False
            try:
                if ready:
                    self.sync()
                    self.rewrite_errors()
            finally:
                self._close_errors()
                self._fd = None


def _held_by_another(output: Path) -> IoFailed:
    return IoFailed(
        _("another llmctl is working on {path}", path=output),
        hint=_("wait until it is done, or name another file after --output"),
        reason="locked",
        retryable=True,
    )
