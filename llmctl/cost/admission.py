"""How much is reserved for one call, and how long its answer may be; or why it is refused."""

import json
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import TYPE_CHECKING

from llmctl.cost.asked import stated_limit, unclear
from llmctl.cost.caps import (
    MARGIN,
    UP,
    ZERO,
    Cap,
    Stand,
    stand_of,
)
from llmctl.cost.money import Money
from llmctl.cost.rates import told
from llmctl.cost.rules import Rules
from llmctl.errors import BudgetRefused
from llmctl.messages import _
from llmctl.types import Call, Chat, Complete, Notice
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.cost.estimate import Estimate
    from llmctl.cost.lease import Lease
    from llmctl.settings import Loaded
    from llmctl.store.reservations import Reservations, Standing

# An answer shorter than this is none.
SHORTEST = 16
# What is taken for a usual answer of a model of which nobody says so.
USUAL = 4_000
DIGITS = Decimal("0.000001")
# Where nobody knows what a call costs, something must be left all the same.
LEAST = Decimal("0.000001")


class Admission:
    """One call before the caps. After `reserve`, `call` has the limit that was paid for, `lowered`
    is that limit where llmctl set it, `lowered_by` the cap that made it so low."""

    def __init__(
        self,
        call: Call,
        estimate: "Estimate",
        loaded: "Loaded",
        *,
        provider: str,
        run: str,
        at: datetime,
        rules: Rules | None = None,
    ) -> None:
        rules = rules or Rules(loaded, provider, run, at)
        self.call = call
        self.run = run
        self.lowered: int | None = None
        self.lowered_by: str | None = None
        self.notes: list[Notice] = []
        self._estimate = estimate
        self._provider = provider
        self._at = at
        self._caps = rules.caps
        self._scopes = rules.scopes
        self._exchange = rules.exchange
        self._limit = stated_limit(call)
        self._reserved = (ZERO, "")
        self._check_limits()
        self._check_price(rules.allows_unknown)

    def reserve(self, store: "Reservations | Lease") -> int:
        """The number of the reservation. Raises BudgetRefused."""
        number = store.reserve(
            self._scopes,
            self._decide,
            at=self._at,
            provider=self._provider,
            model=self.call.model,
        )
        self._tell()
        return number

    def decide_again(self, standing: "Standing") -> tuple[Decimal, str]:
        """The same amount once more, for a call that is repeated as it is."""
        amount, currency = self._reserved
        self._tightest(standing, currency, amount)
        return amount, currency

    def _check_limits(self) -> None:
        """Raises BudgetRefused for a limit of which nobody knows what the provider makes of it."""
        for name, value in unclear(self.call):
            raise BudgetRefused(
                _("{cap} does not allow this call: {name}={value} does not say how long its answer"
                  " may be", cap=self._caps[0], name=name, value=json.dumps(value)[:40]),
                hint=_("give a whole number"),
                reason="unclear-limit",
                provider=self._provider,
            )  # fmt: skip

    def _check_price(self, allowed: bool) -> None:
        """Raises BudgetRefused where the worst case is not known and has to be."""
        found = self._estimate
        if found.high_input is not None and found.token_price is not None and not found.left_out:
            return
        if not allowed:
            cap = self._caps[0]
            what = (
                _("what {parts} in it cost is not counted", parts=", ".join(found.left_out))
                if found.left_out
                else _("nobody knows beforehand how much it takes")
                if found.low is not None
                else _("its price is not known")
            )
            raise BudgetRefused(
                _("{cap} does not allow this call to {model}: {what}", cap=cap, what=what,
                  model=f"{self._provider}/{self.call.model}"),
                hint=_("send it all the same, uncounted beforehand: --allow-unknown-cost"),
                reason="unknown-cost",
                provider=self._provider,
            )  # fmt: skip
        self.notes.append(
            Notice(
                "unknown-cost",
                _("what this call may cost is not known; the budget counts it afterwards, if then"),
            )
        )

    def _decide(self, standing: "Standing") -> tuple[Decimal, str]:
        base, token = self._estimate.high_input, self._estimate.token_price
        if base is None or token is None:  # let through as it is, and settled by what it costs
            least = base or Money(ZERO, self._caps[0].money.currency)
            self._tightest(standing, least.currency, max(least.amount, LEAST))
            self._reserved = least.amount, least.currency
            return self._reserved
        limit = self._limit
        if limit is None:
            limit = self._fitting(standing, base, token)
        amount = worst(base.amount, token, limit)
        self._tightest(standing, base.currency, amount, limit=limit)
        if self._limit is None:
            most = self._estimate.output_limit
            self.lowered = limit if most is None or limit < most else None
            if isinstance(self.call, Chat | Complete):
                self.call = replace(self.call, max_tokens=limit)
        self._reserved = amount, base.currency
        return self._reserved

    def _fitting(self, standing: "Standing", base: Money, token: Decimal) -> int:
        """The longest answer that fits under all caps, up to a usual one; at least SHORTEST, which
        may not fit either."""
        found = self._estimate
        limit = found.output_usual or USUAL
        self.lowered_by = None  # it may be asked again, of a later standing
        if found.output_limit is not None:
            limit = min(limit, found.output_limit)
        for cap in self._caps:
            stand = stand_of(cap, standing, self._exchange)
            fits = longest(self._exchange.left(stand, base.currency) - base.amount, token)
            if fits is not None and fits < limit:
                limit, self.lowered_by = fits, str(cap)
        return max(limit, SHORTEST)

    def _tightest(
        self, standing: "Standing", currency: str, amount: Decimal, *, limit: int | None = None
    ) -> None:
        """Raises BudgetRefused naming the first cap under which `amount` does not fit."""
        for cap in self._caps:
            stand = stand_of(cap, standing, self._exchange)
            left = self._exchange.left(stand, currency)
            if amount > left:
                raise self._refusal(stand, Money(amount, currency), left, limit)

    def _refusal(
        self, stand: Stand, amount: Money, left: Decimal, limit: int | None
    ) -> BudgetRefused:
        cap, currency = stand.cap, stand.cap.money.currency
        said = _(
            "{cap} does not allow this call: it may cost up to {amount}{rate};"
            " {spent} are spent, {reserved} reserved for calls under way",
            cap=cap,
            amount=short(amount, ROUND_CEILING),
            rate=self._at_rate(amount.currency, cap),
            spent=short(Money(stand.spent, currency), ROUND_CEILING),
            reserved=short(Money(stand.reserved, currency), ROUND_CEILING),
        )
        base, token = self._estimate.high_input, self._estimate.token_price
        fits = None
        if base is not None and token:
            fits = longest(left - base.amount, token)
        if fits is not None and (most := self._estimate.output_limit) is not None:
            fits = min(fits, most)  # the card's limit; what is reserved does not trust it
        if self._limit is not None and fits is not None and fits >= SHORTEST:
            hint = _("an answer of {tokens} tokens fits: --max-tokens {tokens}", tokens=fits)
        elif limit is not None and self._limit is None:
            hint = _("not even an answer of {tokens} tokens fits; what stands: llmctl cost budgets",
                     tokens=SHORTEST)  # fmt: skip
        else:
            hint = _("what stands under each budget: llmctl cost budgets")
        return BudgetRefused(said, hint=hint, reason="over-budget", provider=self._provider)

    def _at_rate(self, currency: str, cap: Cap) -> str:
        if currency == cap.money.currency:
            return ""
        used = self._exchange.rate(currency, cap.money.currency, cap)
        return " " + _("(at {rate} and {margin} %)", rate=used, margin=MARGIN)

    def _tell(self) -> None:
        """What the user should know: the limit that was set, and the rates that were used."""
        if self.lowered is not None:
            why = self.lowered_by or _("the budget")
            self.notes.append(
                Notice(
                    "budget-limit",
                    _("under {budget} the answer gets at most {tokens} tokens"
                      " (set it yourself: --max-tokens N)", budget=why, tokens=self.lowered),
                )
            )  # fmt: skip
        for used in self._exchange.used.values():
            self.notes.append(
                Notice("rate", _("the budget was compared at {rate}, and {margin} % for its moves",
                                 rate=used, margin=MARGIN))
            )  # fmt: skip
            if (old := told(used, self._exchange.today)) is not None:
                self.notes.append(old)


def worst(base: Decimal, token: Decimal, tokens: int) -> Decimal:
    with localcontext(UP):
        return base + token * tokens


def longest(left: Decimal, token: Decimal) -> int | None:
    """How many tokens at a price fit into what is left; None where they cost nothing."""
    if left < 0:
        return 0
    if not token:
        return None
    return int((left / token).to_integral_value(ROUND_FLOOR)) if left < token * 10**12 else None


def short(money: Money, rounding: str) -> str:
    """For people: without zeros at the end, at most six decimals, rounded to the careful side."""
    amount = money.amount.quantize(DIGITS, rounding)
    text = f"{amount:f}"
    return f"{text.rstrip('0').rstrip('.') or '0'} {money.currency}"
