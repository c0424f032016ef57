"""What a comparison has cost, by currency, and the one currency in which costs can be compared."""

from collections.abc import Iterable, Sequence
from decimal import Decimal, localcontext
from typing import Protocol

from llmctl.cost.money import Money
from llmctl.cost.rates import NoRate
from llmctl.store.priced import ZERO, happened, paid
from llmctl.types import Receipt
from llmctl.types.amounts import EXACT
from llmctl.values import dataclass

# Nothing is nothing in any currency; where there is no other, it needs a name all the same.
UNNAMED = "USD"


class Exchange(Protocol):
    """Converts into one currency."""

    @property
    def currency(self) -> str: ...

    def __call__(self, amount: Decimal, code: str, /) -> Decimal:
        """Raises NoRate."""


@dataclass(frozen=True, slots=True)
class Common:
    """The currency costs are compared in; without `rates` all of them are in it already."""

    currency: str
    rates: Exchange | None = None

    def amount(self, money: Money | None) -> Decimal | None:
        """None for an unknown amount and where there is no rate."""
        if money is None:
            return None
        if not money.amount or money.currency == self.currency:
            return money.amount
        if self.rates is None:
            return None
        try:
            return self.rates(money.amount, money.currency)
        except NoRate:
            return None


def common(prices: Iterable[Money | None], rates: Exchange | None = None) -> Common | None:
    """The currency that all share, else that of `rates`; None where neither is there, or a rate is
    missing: costs of which only some can be compared would make the others look dear."""
    known = [one for one in prices if one is not None]
    currencies = {one.currency for one in known if one.amount}
    if not currencies:
        return Common(known[0].currency) if known else None
    if len(currencies) == 1:
        return Common(currencies.pop())
    if rates is None:
        return None
    shared = Common(rates.currency, rates)
    return None if any(shared.amount(one) is None for one in known) else shared


def price(receipt: Receipt) -> Money | None:
    """What a run cost; None where that is not known."""
    cost, verdict = receipt.cost, receipt.verdict
    exact = paid(cost.amount, cost.currency, None if verdict is None else verdict.level)
    return None if exact is None else Money(exact, cost.currency or UNNAMED)


def is_unpriced(receipt: Receipt) -> bool:
    """Whether there was an answer, if only in part, that may have cost nobody knows how much."""
    usage = receipt.usage
    return price(receipt) is None and happened(
        receipt.error is not None,
        receipt.latency.ttft_s is not None,
        usage.input_tokens,
        usage.output_tokens,
        receipt.text,
    )


def total(receipts: Iterable[Receipt]) -> tuple[Money, ...]:
    """What is known to have been paid, one amount a currency, in the order of their codes. What is
    free is left out beside what is not."""
    sums: dict[str, Decimal] = {}
    with localcontext(EXACT):
        for receipt in receipts:
            if (money := price(receipt)) is not None:
                sums[money.currency] = sums.get(money.currency, ZERO) + money.amount
    some = {code: amount for code, amount in sums.items() if amount} or dict([*sums.items()][:1])
    return tuple(Money(amount, code) for code, amount in sorted(some.items()))


def middle(amounts: Sequence[Money]) -> Money | None:
    """The median, exactly; None of no amounts and of two currencies."""
    if (shared := common(amounts)) is None:
        return None
    ordered = sorted(one.amount for one in amounts)
    with localcontext(EXACT):
        two = ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]
        return Money(two / 2, shared.currency)
