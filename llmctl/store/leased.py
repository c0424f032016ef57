"""Reservations of a changing size: money that a process has taken in blocks, to spend by itself.

A block is a row of `reservations` like that of one call, so everybody counts it. What its process
has done with it since the last transaction stands in a *witness*, a small file beside the state
file that is written without waiting for the disk: it outlives the process, not the machine. A lock
held on it shows that the process lives; once it is free, anybody may settle what is left.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from llmctl import files
from llmctl.errors import IoFailed
from llmctl.store.reservations import ZERO, Reservations, Total
from llmctl.types import Json
from llmctl.values import dataclass

FOLDER, LOCK = "leases", ".lock"
BOOT = Path("/proc/sys/kernel/random/boot_id")


class Leased(Reservations):
    """The state file with blocks. `changing` is one transaction around any of the others."""

    @contextmanager
    def changing(self) -> Iterator[None]:
        with self._changing():
            yield

    def take(
        self, scopes: Sequence[str], currency: str, *, at: datetime, provider: str, model: str
    ) -> int:
        """The number of a new block, of nothing yet."""
        if not self.standing(scopes):
            self._forget(at)  # the first of a day, as in `reserve`
        return self._insert(scopes, ZERO, currency, at=at, provider=provider, model=model)

    def move(
        self, number: int, held: Decimal | None, spent: Mapping[str, Decimal], *, at: datetime
    ) -> None:
        """Make a block `held` large (None: it is over), and count under its scopes what was
        `spent`, by currency."""
        if (found := self._find(number)) is None:
            return  # of a window that is long over
        scopes, before, currency = found
        if held is None:
            self._connection.execute("DELETE FROM reservations WHERE number = ?", (number,))
        else:
            self._connection.execute(
                "UPDATE reservations SET amount = ? WHERE number = ?", (f"{held:f}", number)
            )
        self._add(scopes, currency, Total(reserved=(held or ZERO) - before), at)
        for name, amount in spent.items():
            self._add(scopes, name, Total(spent=amount), at)

    def settle_dead(self, at: datetime) -> None:
        """End the blocks of processes that are gone. What they had spent and what they had under
        way counts as spent, all else is given back; what nobody can tell any more, since the
        machine was started anew meanwhile, counts whole."""
        with ExitStack() as locks:
            witnesses = []
            for lock in sorted((self._path.parent / FOLDER).glob(f"*{LOCK}")):
                with suppress(IoFailed):  # it lives, or another process is at it already
                    locks.enter_context(files.lock(lock, 0))
                    witnesses.append(lock.with_name(lock.name.removesuffix(LOCK)))
            if not witnesses:
                return
            with self._changing():
                for witness in witnesses:
                    self._end(_read(witness), at)
            for witness in witnesses:
                _remove(witness)

    def _end(self, blocks: "Mapping[int, Used | None]", at: datetime) -> None:
        for number, used in blocks.items():
            if (found := self._find(number)) is not None:
                _scopes, held, currency = found
                amount = held if used is None else min(used.of(held), held)
                self.move(number, None, {currency: amount}, at=at)


@dataclass(frozen=True, slots=True)
class Used:
    """What a process knew of a block of the amount `held`: what was `flying` for calls under way,
    and what it had `spent` since the last transaction."""

    held: Decimal
    flying: Decimal
    spent: Decimal

    def of(self, held: Decimal) -> Decimal:
        """What may be spent of the block that is there: where it has another size, a transaction
        has gone through after this was said, which has settled what was spent."""
        return self.flying + (self.spent if held == self.held else ZERO)


def _read(witness: Path) -> dict[int, Used | None]:
    """What is known of each block of a dead process; None of one of which nobody can tell."""
    try:
        boot, blocks = json.loads(files.read_own(witness))
        alike = bool(boot) and boot == boot_id()
        return {int(number): _used(said) if alike else None for number, said in blocks.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _used(said: Json) -> Used | None:
    with suppress(InvalidOperation, TypeError, ValueError):
        held, flying, spent = (Decimal(one) for one in said)
        if all(one.is_finite() and one >= 0 for one in (held, flying, spent)):
            return Used(held, flying, spent)
    return None


def _remove(witness: Path) -> None:
    for one in (witness, witness.with_name(witness.name + LOCK)):
        with suppress(OSError):
            one.unlink()


def boot_id() -> str:
    """The same until the machine is started anew; empty where it does not say so."""
    try:
        return BOOT.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


class Witness:
    """The file that says what of this process's blocks is used. Raises IoFailed."""

    def __init__(self, path: Path) -> None:
        folder = files.private_dir(path.parent / FOLDER)
        name = f"{os.getpid()}-{os.urandom(6).hex()}"
        self._file, self._lock = folder / name, folder / f"{name}{LOCK}"
        self._boot = json.dumps(boot_id())
        self._held = ExitStack()
        self._held.enter_context(files.lock(self._lock, 0))
        self._width = 0
        try:
            self._fd = os.open(self._file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, files.FILE)
        except OSError as error:
            self._held.close()
            raise files.io_failed(error, self._file) from error

    def say(self, used: Iterable[tuple[int, Decimal, Decimal, Decimal]]) -> None:
        """The number of each block and what `Used` has of it."""
        blocks = ", ".join(
            f'"{number}": ["{held:f}", "{flying:f}", "{spent:f}"]'
            for number, held, flying, spent in used
        )
        text = f"[{self._boot}, {{{blocks}}}]".ljust(self._width)
        self._width = len(text)
        try:
            # One short write at one place: a kill leaves the old text or the new one.
            os.lseek(self._fd, 0, os.SEEK_SET)
            os.write(self._fd, text.encode())
        except OSError as error:
            raise files.io_failed(error, self._file) from error

    def close(self, *, keep: bool = False) -> None:
        """There is nothing to say any more, or only to whoever comes next (`keep`)."""
        os.close(self._fd)
        if not keep:
            _remove(self._file)
        self._held.close()
