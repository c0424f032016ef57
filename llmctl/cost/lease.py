"""Budgets at full speed: money is taken from the state file in blocks, and spent in memory.

    with Lease(loaded) as lease:
        ready = reserved(route, screened, loaded, run=run, store=lease)   # any number of rows
        ... ready.reservation.settle(cost)
        lease.flush()                                                     # every second or so

A lease stands for `Reservations` where `admit` takes its `store`. One durable transaction takes a
block, under all scopes of a call, of what the next rows need: as many as before, or twice as many
where those went through in a second, `ROWS` at most, and never more than a quarter of what is left
under any cap. So processes share what is left, and the last rows go one by one, a transaction each,
as without a lease. The same transaction settles what was spent meanwhile. For everybody else the
whole block counts as reserved, so spent and reserved together pass no cap, whatever number of
leases there is.

What a process leaves that is killed: its blocks, that is the worst cases of the rows under way and
of at most `ROWS` more, beside what it spent since the last transaction. All of it stays counted as
reserved until a lease is opened on the same file, by whatever process. That one sees by a witness
(`llmctl.store.leased`) that the other is gone, counts as spent what it had spent and the worst
cases of its rows under way, and gives back the rest. After a restart of the machine nobody can tell
what of a block was spent, and all of it counts.

For one thread. Whoever refuses a row for want of money may wait for one of `under_way` to end,
which gives back what it did not cost.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Self

from llmctl import settings
from llmctl.cost.caps import stand_of
from llmctl.cost.purse import Purse, View
from llmctl.cost.rules import Rules
from llmctl.errors import BudgetRefused, IoFailed
from llmctl.store.leased import Leased, Witness
from llmctl.store.reservations import ZERO, Decide, Standing
from llmctl.types.amounts import EXACT
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.settings import Loaded

# Of what is left under a cap, a block takes one part of so many.
SHARE = 4

# What each block holds after a transaction; None for one that is over.
Plan = Mapping[Purse, Decimal | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a row wants: `scopes` that it counts under, `decide` how much."""

    scopes: tuple[str, ...]
    decide: Decide
    at: datetime
    provider: str
    model: str


class Lease:
    """`loaded` has the caps. The state file is opened by the first call that a cap holds for;
    ConfigError and IoFailed are raised as `Reservations` does, at any call but `close`.
    `transactions` is how many there were. A `file` that is given is used in place of the one at
    `path`, and nobody is left a witness: whoever keeps it knows who lives."""

    def __init__(
        self, loaded: "Loaded", *, path: Path | None = None, file: Leased | None = None
    ) -> None:
        self.transactions = 0
        self._loaded = loaded
        self._path = path or settings.paths().data / "state.db"
        self._file = file
        self._witness: Witness | None = None
        self._rules: dict[tuple[str, str, str], Rules] = {}
        self._by_scopes: dict[tuple[str, ...], Rules] = {}
        self._purses: dict[tuple[tuple[str, ...], str], Purse] = {}
        # Scopes of which enough is left for rows that do not look into the file.
        self._roomy: set[tuple[str, ...]] = set()
        self._rows: dict[int, tuple[Purse, Decimal]] = {}
        self._last = 0
        self._seen: Standing = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @property
    def under_way(self) -> int:
        """How many calls are reserved and not settled."""
        return len(self._rows)

    def rules(self, provider: str, run: str, at: datetime) -> Rules:
        """The caps for a call, the same object for all of a day."""
        key = provider, run, at.astimezone(UTC).date().isoformat()
        if (found := self._rules.get(key)) is None:
            found = self._rules[key] = Rules(self._loaded, provider, run, at)
            self._by_scopes[found.scopes] = found
        return found

    def reserve(
        self, scopes: Sequence[str], decide: Decide, *, at: datetime, provider: str, model: str
    ) -> int:
        """Set aside what `decide` says; the number of the reservation. `scopes` are those of
        `rules`. What `decide` raises of the state file as it stands now is passed on."""
        with localcontext(EXACT):
            purse, amount = self._taken(Asked(tuple(scopes), decide, at, provider, model))
            try:
                self._testify()
            except IoFailed:
                purse.land(amount, ZERO)
                raise
            self._last += 1
            self._rows[self._last] = purse, amount
            return self._last

    def repeat(self, number: int, decide: Decide, *, at: datetime) -> None:
        """Count what is reserved as spent, and reserve again under the same number; all or
        nothing, as in `reserve`."""
        purse, amount = self._rows[number]
        with localcontext(EXACT):
            purse.land(amount, amount)
            try:
                asked = Asked(purse.scopes, decide, at, purse.provider, purse.model)
                self._rows[number] = self._taken(asked)
            except BaseException:
                purse.take_back(amount)
                raise
            self._testify()

    def settle(
        self, number: int, spent: tuple[Decimal, str] | None = None, *, at: datetime
    ) -> None:
        """End a reservation: `spent` is what the call cost, None counts what was reserved. A cost
        that its block does not cover goes to the file at once."""
        if number not in self._rows:
            return
        purse, amount = self._rows.pop(number)
        with localcontext(EXACT):
            cost, currency = spent or (amount, purse.currency)
            if not cost or currency == purse.currency:
                purse.land(amount, cost)
            else:
                purse.land(amount, ZERO)
                purse.free -= amount  # given back to the file, where the cost counts instead
                purse.spend(cost, currency)
            if purse.is_covered:
                self._testify()
            else:
                self._write(at, {one: one.kept for one in self._purses.values()})

    def standing(self, scopes: Iterable[str]) -> Standing:
        """What is spent and reserved under each of `scopes` by now, where what is free in blocks of
        our own is not counted as reserved."""
        wanted = list(scopes)
        with localcontext(EXACT):
            self._look(self._opened(datetime.now(UTC)), wanted)
            view = self._view()
            return {scope: view[scope] for scope in wanted if scope in self._seen}

    def flush(self, at: datetime | None = None) -> bool:
        """Settle what was spent, and give back what nobody takes any more: to be called every
        second or so. Whether there was anything to write, which takes a durable transaction."""
        now = monotonic()
        plan: dict[Purse, Decimal | None] = {}
        with localcontext(EXACT):
            for one in self._purses.values():
                if one.is_over(now):
                    plan[one] = None
                elif one.spent or one.wanted(now) != one.free:
                    plan[one] = one.flying + one.wanted(now)
            if plan:
                self._write(at or datetime.now(UTC), plan)
        return bool(plan)

    def close(self) -> None:
        """Settle everything and give the rest back; what is under way counts at its worst case. If
        the file cannot be written, the witness stays for the next lease."""
        if self._file is None:
            return
        try:
            with suppress(IoFailed), localcontext(EXACT):
                for number in list(self._rows):
                    purse, amount = self._rows.pop(number)
                    purse.land(amount, amount)
                self._write(datetime.now(UTC), dict.fromkeys(self._purses.values()))
        finally:
            if self._witness is not None:
                self._witness.close(keep=bool(self._purses))
            self._file.close()
            self._file = self._witness = None
            self._purses.clear()
            self._roomy.clear()

    # ---- the fast way and the slow one ---------------------------------------------------------

    def _taken(self, asked: Asked) -> tuple[Purse, Decimal]:
        """A block, and what was set aside in it."""
        if asked.scopes in self._roomy:
            try:
                amount, currency = asked.decide(self._view())
            except BudgetRefused:
                pass  # others may have given something back since
            else:
                purse = self._purses.get((asked.scopes, currency))
                if purse is not None and amount <= purse.free:
                    purse.take(amount, monotonic())
                    return purse, amount
        return self._refilled(asked)

    def _refilled(self, asked: Asked) -> tuple[Purse, Decimal]:
        file = self._opened(asked.at)
        now = monotonic()
        with file.changing():
            self._look(file, asked.scopes)
            amount, currency = asked.decide(self._view())
            purse = self._purses.get((asked.scopes, currency))
            if purse is None:
                made = self._empty(file, asked, currency)
            else:
                mean, wanted = purse.mean(amount), purse.next_rows(now)
                rows, all_give_back = self._room(purse, amount, mean, wanted)
                plan: dict[Purse, Decimal | None] = {
                    one: one.flying if all_give_back else one.kept for one in self._purses.values()
                }
                held = purse.flying + amount + rows * mean
                if held == purse.held and rows:
                    rows -= 1  # by its size a witness tells the block from the one before
                    held -= mean
                plan[purse] = held
                self._move(file, plan, asked.at)
                self._look(file, asked.scopes)
        if purse is None:
            self._purses[asked.scopes, currency] = made
            self._testify()
            return self._refilled(asked)
        self._apply(plan)
        if all_give_back:
            self._roomy.clear()
        if rows or not mean:
            self._roomy.add(asked.scopes)
        purse.refilled(wanted, mean, now)
        purse.take(amount, now)
        return purse, amount

    def _empty(self, file: Leased, asked: Asked, currency: str) -> Purse:
        """A block of nothing, to be named by our witness before there is money in it: its number is
        not ours before the transaction is through."""
        number = file.take(
            asked.scopes, currency, at=asked.at, provider=asked.provider, model=asked.model
        )
        return Purse(number, asked.scopes, currency, asked.provider, asked.model)

    def _room(self, purse: Purse, amount: Decimal, mean: Decimal, rows: int) -> tuple[int, bool]:
        """How many rows more than this one a block may hold, of `rows`; and whether so little is
        left that all others have to give back what they have for rows to come."""
        if not mean:
            return 0, False
        rules = self._by_scopes[purse.scopes]
        for opened in ((purse,), None):
            view = self._view(opened)
            stands = (stand_of(cap, view, rules.exchange) for cap in rules.caps)
            left = min(rules.exchange.left(stand, purse.currency) for stand in stands)
            if (fits := int((left - amount) / mean) // SHARE) > 0:
                return min(fits, rows), opened is None
        return 0, True

    def _view(self, opened: tuple[Purse, ...] | None = None) -> View:
        """With what is free in these blocks given back, all if none are named."""
        purses = self._purses.values()
        return View(self._seen, purses, purses if opened is None else opened)

    # ---- the file ------------------------------------------------------------------------------

    def _opened(self, at: datetime) -> Leased:
        if self._file is None:
            file = Leased(self._path)
            try:
                file.settle_dead(at)
                self._witness = Witness(self._path)
            except BaseException:
                file.close()
                raise
            self._file = file
        return self._file

    def _look(self, file: Leased, more: Iterable[str]) -> None:
        scopes = {scope for purse in self._purses.values() for scope in purse.scopes}
        self._seen = file.standing(scopes.union(more))

    def _write(self, at: datetime, plan: Plan) -> None:
        file = self._opened(at)
        with file.changing():
            self._move(file, plan, at)
            self._look(file, ())
        self._apply(plan)
        self._testify()

    def _move(self, file: Leased, plan: Plan, at: datetime) -> None:
        """Write the blocks; nothing changes here before the transaction is through."""
        for purse, held in plan.items():
            file.move(purse.number, held, purse.spent, at=at)

    def _apply(self, plan: Plan) -> None:
        self.transactions += 1
        for purse, held in plan.items():
            if held is None:
                del self._purses[purse.scopes, purse.currency]
                self._roomy.discard(purse.scopes)
            else:
                purse.held = held
                purse.free = held - purse.flying
                purse.spent = {}

    def _testify(self) -> None:
        """Say what of each block is used by now, which outlives us."""
        if self._witness is not None:
            self._witness.say(one.used for one in self._purses.values())
