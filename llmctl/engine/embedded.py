"""What the requests for many vectors took together, and what the vectors are like."""

import math
from array import array
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from llmctl.cost.billing import may_be_billed
from llmctl.dialects.vectors import damaged, length
from llmctl.messages import _
from llmctl.types import (
    Call,
    Cost,
    CostKind,
    Embed,
    FinishReason,
    Latency,
    Receipt,
    Usage,
    UsageSource,
    Verdict,
)
from llmctl.types.amounts import plain, read_amount
from llmctl.types.receipts import Failure
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.engine.clearance import Cleared
    from llmctl.engine.meter import Meter
    from llmctl.engine.route import Route
    from llmctl.errors import LlmctlError

# How far from 1 the length of a vector may be that still counts as normalised: half precision.
NEARLY = 1e-3


@dataclass(frozen=True, slots=True)
class Lengths:
    """The least and the greatest length of the vectors, both 1 where they are normalised."""

    least: float
    most: float

    @property
    def normalised(self) -> bool:
        return abs(self.least - 1) <= NEARLY and abs(self.most - 1) <= NEARLY


class Totals:
    """Of all requests so far: `dimensions` is the one size of the vectors, None before the first
    one; `texts` counts the vectors that were given out, and `lengths` are theirs."""

    def __init__(self, verdict: Verdict) -> None:
        self.requests = self.texts = self.attempts = 0
        self.dimensions: int | None = None
        self.lengths: Lengths | None = None
        self.estimated = False
        self.only: Call | None = None  # the call, where it was the one of one text
        self._verdict = verdict
        self._input: int | None = None
        self._cost: tuple[Decimal, str] | None = None
        self._priced: Cost | None = None
        self._why: str | None = None
        self._kinds: set[CostKind] = set()
        self._redactions: Counter[str] = Counter()
        self._model: str | None = None
        self._request: str | None = None
        self._waited = 0.0

    def fits(self, vectors: Sequence[Sequence[float]], wanted: int | None) -> None:
        """Raises ProviderFailed for vectors of another size than those before, or than wanted."""
        for values in vectors[:1]:  # those of one answer are alike
            size = len(values)
            if wanted is not None and size != wanted:
                raise damaged(
                    _("vectors of {wanted} numbers were asked for, and {size} came", wanted=wanted,
                      size=size),
                    "wrong-length",
                )  # fmt: skip
            if self.dimensions is not None and size != self.dimensions:
                raise damaged(
                    _("the vectors have different lengths ({one} and {other})",
                      one=self.dimensions, other=size),
                    "wrong-length",
                )  # fmt: skip
            self.dimensions = size

    def given(self, values: Sequence[float], *, normalise: bool = False) -> Sequence[float]:
        """The vector as it is given out, its length measured. One of zeros has no direction, and
        stays as it is."""
        self.texts += 1
        size = length(values)
        if normalise and size:
            values = array("f", [one / size for one in values])
            size = length(values)
        known = self.lengths
        if known is None:
            self.lengths = Lengths(size, size)
        elif not known.least <= size <= known.most:
            self.lengths = Lengths(min(size, known.least), max(size, known.most))
        return values

    def add(self, ready: "Cleared", meter: "Meter", error: "LlmctlError | None") -> None:
        """One request is over, whole or not; what was set aside for it is settled."""
        at = datetime.fromisoformat(meter.started_at)
        finished = meter.finished
        verdict, cost = ready.route.verdict_and_cost(finished, ready.call, at)
        if ready.reservation is not None:
            ready.reservation.settle(cost, sent=meter.attempts > 0, error=error, shown=meter.shown)
        if not meter.attempts:
            return
        self.requests += 1
        alone = self.requests == 1 and isinstance(ready.call, Embed) and len(ready.call.texts) == 1
        self.only = ready.call if alone else None
        self.attempts += meter.attempts
        self._redactions.update(ready.screened.redactions)
        if verdict.level.rank >= self._verdict.level.rank or self.requests == 1:
            self._verdict = verdict
        if finished is not None:
            self._model = finished.model or self._model
            self._request = self._request or finished.request_id
            self._used(ready, finished.usage)
        if finished is not None or error is None or meter.shown or may_be_billed(error):
            self._charged(cost)

    def _used(self, ready: "Cleared", usage: Usage | None) -> None:
        tokens = usage.input_tokens if usage else None
        if tokens is None:
            from llmctl.cost.tokens import count

            tokens = count(ready.call, ready.route.model_card).tokens
            self.estimated = True
        self._input = (self._input or 0) + tokens

    def _charged(self, cost: Cost) -> None:
        """The sum, as long as every part of it is known and in one currency."""
        amount = read_amount(cost.amount)
        if amount is None or cost.currency is None:
            self._why = self._why or cost.why or "usage-not-reported"
            return
        before, currency = self._cost or (Decimal(0), cost.currency)
        if currency != cost.currency:
            self._why = self._why or "price-incomplete"
            return
        self._cost = before + amount, currency
        self._kinds.add(cost.kind)
        self._priced = cost

    def cost(self) -> Cost:
        if self._cost is None or self._priced is None or self._why is not None:
            return Cost(why=self._why or "no-answer")
        kind = CostKind.REPORTED if self._kinds == {CostKind.REPORTED} else CostKind.COMPUTED
        amount, currency = self._cost
        return Cost(
            plain(amount), currency, kind, self._priced.price_source, self._priced.price_date
        )

    def usage(self) -> Usage:
        if self._input is None:
            return Usage()
        source = UsageSource.ESTIMATED if self.estimated else UsageSource.REPORTED
        return Usage(input_tokens=self._input, output_tokens=0, source=source)

    def receipt(
        self,
        route: "Route",
        *,
        id: str,
        started_at: str,
        seconds: float,
        error: Failure | None = None,
    ) -> Receipt:
        """All requests as one run."""
        lengths = self.lengths
        return Receipt(
            id=id,
            started_at=started_at,
            requested=route.requested,
            provider=route.provider,
            resolved=self._model,
            finish_reason=FinishReason.STOP if error is None else None,
            usage=self.usage(),
            cost=self.cost(),
            latency=Latency(total_s=seconds),
            verdict=self._verdict,
            redactions=dict(self._redactions),
            request_id=self._request if self.requests == 1 else None,
            attempts=self.attempts,
            details={
                "texts": self.texts,
                "requests": self.requests,
                "dimensions": self.dimensions,
                "normalised": None if lengths is None else lengths.normalised,
                "lengths": None if lengths is None else [short(lengths.least), short(lengths.most)],
            },
            error=error,
        )


def short(number: float) -> float:
    """Six digits: finer than the half precision of many vectors."""
    return float(f"{number:.6g}") if math.isfinite(number) else number
