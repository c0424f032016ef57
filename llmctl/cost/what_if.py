"""What the logged runs would have cost with another model, from their token counts."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial

from llmctl.cards import Price
from llmctl.cost.money import Money
from llmctl.cost.prices import Rates, amount, hour_factor, rates_at
from llmctl.cost.report import OWN, ZERO, Exchange, happened
from llmctl.cost.tariff import Tariff
from llmctl.store.spending import Spent
from llmctl.types import Usage
from llmctl.values import dataclass, field

# The kinds of runs whose tokens mean the same for any model that answers with text.
TEXTS = frozenset({"chat", "complete"})
# What a run would cost by its token counts; None where the price list does not say.
Pricing = Callable[[Spent], Money | None]


@dataclass(slots=True)
class Compared:
    """Runs of which both is known: what was `paid` and, in the other model's currency, what they
    `would` have cost."""

    runs: int = 0
    paid: Decimal = ZERO
    would: Decimal = ZERO


@dataclass(slots=True)
class Repriced:
    """A model in the place of those that answered; a watcher of a report.

    `by_currency` are the runs whose price is known, by what they were paid in ("" for those that
    cost nothing), `unpriced` those whose price is not. Left out, each counted, are runs without
    token counts, runs for which the model's price list says nothing, and what is no text.
    `other_tokenizer` are runs whose counts are approximations, since another tokenizer made them,
    or nobody knows which.
    """

    model: str
    pricing: Pricing
    same_tokenizer: Callable[[Spent], bool]
    currency: str = ""
    by_currency: dict[str, Compared] = field(default_factory=dict)
    unpriced: Compared = field(default_factory=Compared)
    without_counts: int = 0
    without_price: int = 0
    other_kinds: int = 0
    other_tokenizer: int = 0

    def see(self, run: Spent, paid: Decimal | None) -> None:
        if run.kind not in TEXTS:
            self.other_kinds += 1
            return
        if run.input_tokens is None or run.output_tokens is None:
            # A run that failed before its answer has none, and nothing to compare.
            self.without_counts += happened(run)
            return
        would = self.pricing(run)
        if would is None:
            self.without_price += 1
            return
        if would.amount:
            self.currency = would.currency
        if paid is None:
            place = self.unpriced
        else:
            place = self.by_currency.setdefault(run.currency or "" if paid else "", Compared())
            place.paid += paid
        place.runs += 1
        place.would += would.amount
        self.other_tokenizer += bool(would.amount) and not self.same_tokenizer(run)

    @property
    def runs(self) -> int:
        return self.unpriced.runs + sum(one.runs for one in self.by_currency.values())

    @property
    def would(self) -> Decimal:
        """What all those runs would have cost, in the model's currency."""
        return sum((one.would for one in self.by_currency.values()), self.unpriced.would)

    def differences(self) -> Mapping[str, Decimal]:
        """What would have been paid more (less: below zero), by what was paid in, where both are
        the same currency; a model that costs nothing, or runs that did, compare with any."""
        return {
            code: one.would - one.paid
            for code, one in self.by_currency.items()
            if not code or code == self.currency or not one.would
        }


def exchanged(one: Repriced, currency: str, exchange: Exchange) -> Repriced:
    """The same with all its money in one currency."""

    def other(amount: Decimal) -> Decimal:
        return exchange(amount, one.currency) if amount else ZERO

    whole = Compared()
    for code, part in one.by_currency.items():
        whole.runs += part.runs
        whole.paid += exchange(part.paid, code) if code else ZERO
        whole.would += other(part.would)
    return Repriced(
        one.model,
        one.pricing,
        one.same_tokenizer,
        currency,
        {currency: whole} if whole.runs else {},
        Compared(one.unpriced.runs, ZERO, other(one.unpriced.would)),
        one.without_counts,
        one.without_price,
        one.other_kinds,
        one.other_tokenizer,
    )


def is_own(run: Spent) -> bool:
    """Whether it ran on this machine or in this network."""
    return run.level in OWN


def pricing(charged: Tariff) -> Pricing:
    """What runs would cost by a tariff, each at the hour at which it was. Where the list has no
    price for what is read from or written to a cache, that is priced as if it were fresh."""
    if charged.free is not None:
        nothing = Money(ZERO, charged.currency or "USD")
        return lambda _run: nothing
    row = charged.row
    if row is None:
        return lambda _run: None
    if any(tier.rule == "marginal" for tier in row.tiers):
        return partial(_marginal, charged, row)
    return _Flat(charged, row)


def _marginal(charged: Tariff, row: Price, run: Spent) -> Money | None:
    """By a list whose higher prices hold only for the part above their sizes."""
    at = datetime.fromisoformat(run.started_at)
    cached, written = run.cached_tokens or 0, run.cache_write_tokens or 0
    usage = Usage(run.input_tokens, run.output_tokens, cached, written)
    found = amount(usage, row, at, charged.mode, charged.factor)
    if found is None and 0 < cached + written <= (run.input_tokens or 0):
        usage = Usage(run.input_tokens, run.output_tokens)
        found = amount(usage, row, at, charged.mode, charged.factor)
    return None if found is None else Money(found, row.currency)


class _Flat:
    """By a list in which a prompt pays one price for all its tokens. Ledgers grow long, so what
    does not change from run to run is looked up once for each size of prompt that has a price."""

    def __init__(self, charged: Tariff, row: Price) -> None:
        self._row = row
        self._mode = charged.mode
        self._factor = Decimal(charged.factor)
        self._request = Decimal(row.request or 0)
        self._sizes = sorted(tier.above_input_tokens for tier in row.tiers)
        self._known: dict[int, Rates] = {}

    def __call__(self, run: Spent) -> Money | None:
        sent, got = run.input_tokens, run.output_tokens
        cached, written = run.cached_tokens or 0, run.cache_write_tokens or 0
        if sent is None or got is None or min(cached, written, sent - cached - written, got) < 0:
            return None  # counts that contradict themselves
        size = bisect_left(self._sizes, sent)
        rates = self._known.get(size)
        if rates is None:
            rates = self._known[size] = rates_at(self._row, sent, self._mode)
        read = rates.input if rates.cache_read is None else rates.cache_read
        write = rates.input if rates.cache_write is None else rates.cache_write
        total = ZERO
        for price, tokens in (
            (rates.input, sent - cached - written),
            (read, cached),
            (write, written),
            (rates.output, got),
        ):
            if tokens:
                if price is None:
                    return None
                total += price * tokens
        if self._row.windows:
            total *= hour_factor(self._row, datetime.fromisoformat(run.started_at))
        return Money((total + self._request) * self._factor, self._row.currency)
