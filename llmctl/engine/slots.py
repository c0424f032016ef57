"""The requests an account may have under way at a time, shared by the processes of one machine.

One lock file a slot: the operating system frees it when its holder ends, however that happens. A
process that finds none locks the file `wanted` with others who wait, and whoever has used a slot
for a second looks there and leaves it to them: so each holds about as many as the others.
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from llmctl import files

# How often a process that waits looks for a free slot.
POLL_S = 0.03
# A slot is used for so long before others who wait have it, and is then left to them for so long.
TURN_S = 1.0
LEAVE_S = 0.1


class Slots:
    """`count` slots in `folder`; used by one event loop. Raises IoFailed where no file can be
    made."""

    def __init__(
        self, folder: Path, count: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._files: list[int] = []
        self._held = [False] * count
        self._since = [0.0] * count  # when this process began to use it
        self._given = [float("-inf")] * count
        self._not_before = [float("-inf")] * count
        self._waits = False
        files.private_dir(folder)
        try:
            for name in (*map(str, range(count)), "wanted"):
                path = folder / f"{name}.lock"
                self._files.append(os.open(path, os.O_CREAT | os.O_RDWR | CLOSE, files.FILE))
        except OSError as error:
            self.close()
            raise files.io_failed(error, folder) from error

    def close(self) -> None:
        """Every slot is free again."""
        for file in self._files:
            os.close(file)
        self._files = []

    def take(self) -> int | None:
        """A slot to be given back, or None: try again after `POLL_S`."""
        now = self._clock()
        for number, held in enumerate(self._held):
            if held or now < self._not_before[number] or not _lock(self._files[number]):
                continue
            self._held[number] = True
            if now - self._given[number] > LEAVE_S:
                self._since[number] = now
            if self._waits:
                self.wait_no_more()
            return number
        if not self._waits:
            self._waits = _lock(self._files[-1], shared=True)
        return None

    def wait_no_more(self) -> None:
        """Nobody here waits for a slot any more."""
        if self._waits:
            self._waits = False
            _unlock(self._files[-1])

    def give(self, number: int) -> None:
        """The slot is free."""
        now = self._clock()
        self._held[number] = False
        self._given[number] = now
        _unlock(self._files[number])
        if now - self._since[number] >= TURN_S:
            self._since[number] = now
            if self._others_wait():
                self._not_before[number] = now + LEAVE_S

    def _others_wait(self) -> bool:
        wanted = self._files[-1]
        if alone := _lock(wanted):
            _unlock(wanted)
        if self._waits:  # whether we had it alone or not, ours is gone
            self._waits = _lock(wanted, shared=True)
        return not alone


if sys.platform == "win32":
    import msvcrt

    CLOSE = os.O_NOINHERIT

    def _lock(file: int, *, shared: bool = False) -> bool:
        if shared:
            return False  # there are none: who waits is served by chance
        os.lseek(file, 0, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: int) -> None:
        os.lseek(file, 0, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    CLOSE = os.O_CLOEXEC

    def _lock(file: int, *, shared: bool = False) -> bool:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return not shared  # a file system without locks: everybody is free to go
        return True

    def _unlock(file: int) -> None:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)
