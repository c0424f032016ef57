"""One block of a lease, and what stands under the caps once all blocks are looked into."""

from collections.abc import Collection, Iterator, Mapping
from decimal import ROUND_CEILING, Context, Decimal, localcontext

from llmctl.store.reservations import ZERO, Standing, Total

# Rows that a block is for: the first, and any at most.
FIRST, ROWS = 8, 256
# A block that lasts less than the first (seconds) was too small, one that lasts longer than the
# second too large.
SHORT_S, LONG_S = 1.0, 5.0
# How long a block is kept of which nothing is taken, in seconds.
IDLE_S = 3.0
ROUGHLY = Context(prec=12, rounding=ROUND_CEILING)


class Purse:
    """A block: the reservation `number` of the state file, of the amount `held`, of which `flying`
    is set aside for the `count` rows under way and `free` for those to come. `spent` is what rows
    cost since the last transaction, by currency."""

    __slots__ = (
        "asked", "count", "currency", "flying", "free", "held", "model", "number", "provider",
        "rows", "scopes", "since", "spent", "taken", "used_at",
    )  # fmt: skip

    def __init__(
        self, number: int, scopes: tuple[str, ...], currency: str, provider: str, model: str
    ) -> None:
        self.number = number
        self.scopes = scopes
        self.currency = currency
        self.provider = provider
        self.model = model
        self.held = self.flying = self.free = ZERO
        self.count = 0
        self.spent: dict[str, Decimal] = {}
        self.rows = FIRST
        self.asked, self.taken = ZERO, 0  # worst cases since the last block, and their number
        self.since: float | None = None
        self.used_at = 0.0

    def take(self, amount: Decimal, now: float) -> None:
        self.free -= amount
        self.flying += amount
        self.count += 1
        self.asked += amount
        self.taken += 1
        self.used_at = now

    def land(self, amount: Decimal, cost: Decimal) -> None:
        """A row of which `amount` was reserved has cost so much."""
        self.flying -= amount
        self.count -= 1
        self.free += amount - cost
        self.spend(cost, self.currency)

    def take_back(self, amount: Decimal) -> None:
        """It was not spent after all, and is under way still."""
        self.flying += amount
        self.count += 1
        self.spend(-amount, self.currency)

    def spend(self, cost: Decimal, currency: str) -> None:
        if total := self.spent.get(currency, ZERO) + cost:
            self.spent[currency] = total
        else:
            self.spent.pop(currency, None)

    @property
    def is_covered(self) -> bool:
        """Whether all that was spent is part of the block."""
        return self.free >= 0 and self.spent.keys() <= {self.currency}

    @property
    def used(self) -> tuple[int, Decimal, Decimal, Decimal]:
        """What its witness says of it: of a block that does not cover what was spent, that all of
        it is gone."""
        if not self.is_covered:
            return self.number, self.held, self.held, ZERO
        return self.number, self.held, self.flying, self.spent.get(self.currency, ZERO)

    @property
    def kept(self) -> Decimal:
        """What it has to hold as long as nothing is given back."""
        return self.flying + max(self.free, ZERO)

    def mean(self, amount: Decimal) -> Decimal:
        """What a row takes at most, on the average of the last and one of `amount`."""
        if not self.taken:
            return amount
        with localcontext(ROUGHLY):
            return (self.asked + amount) / (self.taken + 1)

    def next_rows(self, now: float) -> int:
        """For how many rows the next block is, as the last has lasted."""
        if self.since is None:
            return FIRST
        if now - self.since < SHORT_S:
            return min(self.rows * 2, ROWS)
        return max(self.rows // 2, FIRST) if now - self.since > LONG_S else self.rows

    def refilled(self, rows: int, mean: Decimal, now: float) -> None:
        self.rows = rows
        self.since = now
        self.asked, self.taken = mean, 1

    def wanted(self, now: float) -> Decimal:
        """What it still has use for, beside what is under way."""
        if now - self.used_at > IDLE_S or not self.taken:
            return ZERO
        with localcontext(ROUGHLY):
            most = ROWS * (self.asked / self.taken)
        return min(max(self.free, ZERO), most)

    def is_over(self, now: float) -> bool:
        return not self.count and now - self.used_at > IDLE_S


class View(Mapping[str, Mapping[str, Total]]):
    """What stands under scopes as a row sees it: as the file had it, with what was spent since, and
    without what is free in `open` blocks; those of `all_` that are not open keep theirs."""

    __slots__ = ("_all", "_open", "_seen")

    def __init__(self, seen: Standing, all_: Collection[Purse], open_: Collection[Purse]) -> None:
        self._seen = seen
        self._all = all_
        self._open = open_

    def __getitem__(self, scope: str) -> Mapping[str, Total]:
        found = dict(self._seen[scope])
        for purse in self._all:
            if scope not in purse.scopes:
                continue
            kept = purse.flying if purse in self._open else purse.kept
            total = found.get(purse.currency, Total())
            found[purse.currency] = Total(total.spent, total.reserved - purse.held + kept)
            for currency, cost in purse.spent.items():
                total = found.get(currency, Total())
                found[currency] = Total(total.spent + cost, total.reserved)
        return found

    def __len__(self) -> int:
        return len(self._seen)

    def __iter__(self) -> Iterator[str]:
        return iter(self._seen)
