"""Money for rows that are handed in together: the worst case of all of them is one reservation,
which outlives the process and is settled, perhaps a day later, by whoever fetches the answers."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from llmctl.cost.admission import USUAL, Admission, worst
from llmctl.cost.asked import stated_limit
from llmctl.cost.budgets import open_store
from llmctl.cost.caps import is_limited
from llmctl.cost.money import Money
from llmctl.types import Call, Chat, Complete, Cost, Notice
from llmctl.types.amounts import EXACT, plain, read_amount
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.cost.estimate import Estimate
    from llmctl.settings import Loaded


def bounded(call: Call, estimate: "Estimate") -> Call:
    """The call with a limit to its answer where the user set none: what answers of its model
    usually take. For calls under a budget."""
    if not isinstance(call, Chat | Complete) or stated_limit(call) is not None:
        return call
    limit = estimate.output_usual or USUAL
    if estimate.output_limit is not None:
        limit = min(limit, estimate.output_limit)
    return replace(call, max_tokens=limit)


class Worst:
    """What rows may cost together, one after the other. `total` is None before the first; a row
    whose worst case is not known makes that of all unknown."""

    def __init__(self) -> None:
        self._last: Estimate | None = None
        self._unknown: Estimate | None = None
        self._total = Decimal(0)
        self._call: Call | None = None

    def add(self, call: Call, estimate: "Estimate") -> None:
        """A row as it is sent: `call` is `bounded`."""
        self._last, self._call = estimate, call
        base, token, limit = estimate.high_input, estimate.token_price, stated_limit(call)
        if base is None or token is None or limit is None or estimate.left_out:
            self._unknown = estimate
            return
        with localcontext(EXACT):
            self._total += worst(base.amount, token, limit)

    def reserve(
        self, loaded: "Loaded", *, provider: str, run: str
    ) -> tuple[int | None, tuple[Notice, ...]]:
        """The number of the reservation, None where no budget holds or nothing can cost anything,
        and what the user should know. Raises BudgetRefused where it does not fit, or where nobody
        knows and it has to be known; IoFailed."""
        if self._last is None or self._call is None or not is_limited(loaded, provider):
            return None, ()
        estimate = self._unknown or self._summed(self._last)
        if self._unknown is None and not self._total:
            return None, ()
        # The limits of the answers are in the sum: there is none to be set here.
        call = self._call
        if isinstance(call, Chat | Complete):
            call = replace(call, max_tokens=1)
        admission = Admission(
            call, estimate, loaded, provider=provider, run=run, at=datetime.now(UTC)
        )
        with open_store() as store:
            number = admission.reserve(store)
        return number, tuple(admission.notes)

    def _summed(self, last: "Estimate") -> "Estimate":
        assert last.high_input is not None  # noqa: S101  else it would be unknown
        whole = Money(self._total, last.high_input.currency)
        return replace(last, high_input=whole, token_price=Decimal(0), left_out=())


def more(spent: Mapping[str, str], costs: Iterable[Cost]) -> tuple[Mapping[str, str], bool]:
    """What is spent by currency with further costs in it, and whether one of these is unknown."""
    total = {currency: Decimal(amount) for currency, amount in spent.items()}
    unknown = False
    for cost in costs:
        amount = read_amount(cost.amount)
        if amount is None or cost.currency is None:
            unknown = True
            continue
        with localcontext(EXACT):
            total[cost.currency] = total.get(cost.currency, Decimal(0)) + amount
    return {currency: plain(amount) for currency, amount in total.items()}, unknown


def settle(number: int, spent: Mapping[str, str] | None) -> None:
    """End a reservation by what was `spent`, by currency; None, and more than one currency, count
    the worst case as spent. Raises IoFailed."""
    known: tuple[Decimal, str] | None = None
    if spent is not None and len(spent) <= 1:
        known = next(((Decimal(amount), name) for name, amount in spent.items()), (Decimal(0), ""))
    with open_store() as store:
        store.settle(number, known, at=datetime.now(UTC))
