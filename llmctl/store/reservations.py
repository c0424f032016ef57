"""Money set aside for calls under way, so that any number of processes together keep to a cap.

One transaction, which holds the write lock from its start, reads what is spent and reserved, lets
the caller decide, and reserves; nobody can do the same in between. What is reserved stays so until
it is settled or released: a process that is killed leaves its worst case counted.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation, localcontext
from pathlib import Path
from typing import TYPE_CHECKING, Self

from llmctl.store import database
from llmctl.store.state import open_state
from llmctl.types.amounts import EXACT
from llmctl.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

ZERO = Decimal(0)
# How long other processes are waited for; each holds the lock for some milliseconds.
PATIENCE_MS = 20_000
# Scopes of single commands, which nothing asks for any more once those have ended.
SHORT_LIVED = "run call-"
# A day after the longest month and the one before it: no window that ended earlier is asked for.
KEEP_DAYS = 63


@dataclass(frozen=True, slots=True)
class Total:
    """What is spent and what is reserved, in one currency."""

    spent: Decimal = ZERO
    reserved: Decimal = ZERO


# Totals by scope, then by currency; what is not there is nothing.
Standing = Mapping[str, Mapping[str, Total]]
# What shall be reserved, amount and currency; raises to reserve nothing.
Decide = Callable[[Standing], tuple[Decimal, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A reservation that was not settled. `made_at` is UTC (RFC 3339), `process` who made it."""

    number: int
    made_at: str
    provider: str
    model: str
    amount: Decimal
    currency: str
    process: int


class Reservations:
    """The state file, open. For one thread; raises ConfigError and IoFailed as `open_state` does,
    at any call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = open_state(path)
        self._connection.execute(f"PRAGMA busy_timeout={PATIENCE_MS}").close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def reserve(
        self, scopes: Sequence[str], decide: Decide, *, at: datetime, provider: str, model: str
    ) -> int:
        """Reserve what `decide` says under all `scopes`; the number of the reservation. What
        `decide` raises is passed on, and nothing has changed then."""
        with self._changing():
            standing = self.standing(scopes)
            amount, currency = decide(standing)
            if not standing:
                self._forget(at)  # the first of a day: no scope of it is there yet
            return self._insert(scopes, amount, currency, at=at, provider=provider, model=model)

    def repeat(self, number: int, decide: Decide, *, at: datetime) -> None:
        """Count what is reserved as spent, and reserve again under the same number; all or
        nothing, as in `reserve`."""
        with self._changing():
            scopes, amount, currency = self._pending(number)
            self._add(scopes, currency, Total(amount, -amount), at)
            amount, currency = decide(self.standing(scopes))
            self._connection.execute(
                "UPDATE reservations SET amount = ?, currency = ? WHERE number = ?",
                (f"{amount:f}", currency, number),
            )
            self._add(scopes, currency, Total(reserved=amount), at)

    def settle(
        self, number: int, spent: tuple[Decimal, str] | None = None, *, at: datetime
    ) -> None:
        """End a reservation: `spent` is what the call cost, None counts what was reserved."""
        with self._changing():
            if (found := self._find(number)) is None:
                return  # of a window that is long over
            scopes, amount, currency = found
            self._connection.execute("DELETE FROM reservations WHERE number = ?", (number,))
            self._add(scopes, currency, Total(reserved=-amount), at)
            cost, currency = spent or (amount, currency)
            self._add(scopes, currency, Total(spent=cost), at)

    def standing(self, scopes: Iterable[str]) -> Standing:
        """What is spent and reserved under each of `scopes` that has anything."""
        found: dict[str, dict[str, Total]] = {}
        for scope in scopes:
            rows = self._connection.execute(
                "SELECT currency, spent, reserved FROM totals WHERE scope = ?", (scope,)
            )
            for currency, spent, reserved in rows:
                total = Total(self._amount(spent), self._amount(reserved))
                found.setdefault(scope, {})[currency] = total
        return found

    def seen(self, scopes: Iterable[str]) -> tuple[Standing, list[Pending]]:
        """The totals, and every reservation that was not settled, oldest first; of one moment."""
        with database.said_plainly(self._path), database.snapshot(self._connection):
            rows = self._connection.execute(
                "SELECT number, made_at, provider, model, amount, currency, process"
                " FROM reservations ORDER BY number"
            ).fetchall()
            names = ("number", "made_at", "provider", "model", "amount", "currency", "process")
            pending = [dict(zip(names, row, strict=True)) for row in rows]
            return self.standing(scopes), [
                Pending(**{**one, "amount": self._amount(one["amount"])}) for one in pending
            ]

    def _insert(
        self,
        scopes: Sequence[str],
        amount: Decimal,
        currency: str,
        *,
        at: datetime,
        provider: str,
        model: str,
    ) -> int:
        row = (_moment(at), json.dumps(scopes), provider, model, f"{amount:f}", currency)
        cursor = self._connection.execute(
            "INSERT INTO reservations (made_at, scopes, provider, model, amount, currency,"
            " process) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*row, os.getpid()),
        )
        self._add(scopes, currency, Total(reserved=amount), at)
        assert cursor.lastrowid is not None  # noqa: S101  an INSERT that did not raise has one
        return cursor.lastrowid

    @contextmanager
    def _changing(self) -> "Iterator[None]":
        with (
            database.said_plainly(self._path),
            database.transaction(self._connection),
            localcontext(EXACT),
        ):
            yield

    def _pending(self, number: int) -> tuple[list[str], Decimal, str]:
        found = self._find(number)
        assert found is not None, "a reservation is repeated before it is settled"  # noqa: S101
        return found

    def _find(self, number: int) -> tuple[list[str], Decimal, str] | None:
        row = self._connection.execute(
            "SELECT scopes, amount, currency FROM reservations WHERE number = ?", (number,)
        ).fetchone()
        return None if row is None else (json.loads(row[0]), self._amount(row[1]), row[2])

    def _amount(self, stored: str) -> Decimal:
        """Raises IoFailed for what only somebody else can have written here."""
        try:
            amount = Decimal(stored)
        except (InvalidOperation, TypeError, ValueError):
            raise database.damaged(self._path) from None
        if not amount.is_finite() or abs(amount.adjusted()) > EXACT.prec:
            raise database.damaged(self._path)
        return amount

    def _add(self, scopes: Iterable[str], currency: str, more: Total, at: datetime) -> None:
        if not (more.spent or more.reserved):
            return
        for scope in scopes:
            before = self.standing([scope]).get(scope, {}).get(currency, Total())
            spent, reserved = before.spent + more.spent, before.reserved + more.reserved
            self._connection.execute(
                "INSERT OR REPLACE INTO totals VALUES (?, ?, ?, ?, ?)",
                (scope, currency, f"{spent:f}", f"{reserved:f}", _moment(at)),
            )

    def _forget(self, at: datetime) -> None:
        """Windows that are over, looked for when a new one begins."""
        oldest = (_moment(at - timedelta(days=KEEP_DAYS)),)
        self._connection.execute("DELETE FROM totals WHERE touched < ?", oldest)
        self._connection.execute("DELETE FROM reservations WHERE made_at < ?", oldest)
        self._connection.execute(
            "DELETE FROM totals WHERE scope GLOB ? AND touched < ?",
            (f"{SHORT_LIVED}*", _moment(at - timedelta(days=1))),
        )


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
