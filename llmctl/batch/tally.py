"""What a run adds up to while it goes on: money, tokens, times; as large for ten rows as for ten
million."""

import math
from collections import Counter
from decimal import Decimal, localcontext

from llmctl.batch.shape import Ended, Spread, Total
from llmctl.batch.work import is_unpriced
from llmctl.engine.meter import utc_now
from llmctl.types import Receipt, Verdict
from llmctl.types.amounts import EXACT, plain, read_amount

# Two times whose logarithms fall into one bucket differ by at most as much: finer than any clock.
FINENESS = 1.01
SHORTEST_S = 1e-4
# What of a sum is a plain number.
COUNTED = ("rows", "requests", "unpriced", "uncounted", "input", "output", "cached", "reasoning")


class Times:
    """Percentiles of many seconds, each within one per cent."""

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self._count = 0
        self._most: float | None = None

    def add(self, seconds: float) -> None:
        bucket = math.ceil(math.log(max(seconds, SHORTEST_S) / SHORTEST_S, FINENESS))
        self._buckets[bucket] += 1
        self._count += 1
        self._most = seconds if self._most is None else max(self._most, seconds)

    def join(self, other: "Times") -> None:
        """Take in those of another run."""
        self._buckets.update(other._buckets)
        self._count += other._count
        known = [one for one in (self._most, other._most) if one is not None]
        self._most = max(known, default=None)

    def percentile(self, share: float) -> float | None:
        """By nearest rank: the least time that `share` of all do not pass."""
        rank, seen = max(1, math.ceil(share * self._count)), 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return min(SHORTEST_S * FINENESS**bucket, self._most or 0.0)
        return None

    def spread(self) -> Spread:
        return Spread(
            p50=self.percentile(0.5),
            p90=self.percentile(0.9),
            p99=self.percentile(0.99),
            most=self._most,
        )


class Sum:
    """What requests took together."""

    def __init__(self) -> None:
        self.started_at = utc_now()
        self.provider: str | None = None
        self.verdict: Verdict | None = None
        self.rows = self.requests = self.unpriced = self.uncounted = 0
        self.input = self.output = self.cached = self.reasoning = 0
        self.costs: dict[str, Decimal] = {}

    def add(self, receipt: Receipt) -> None:
        if not receipt.attempts:
            return
        self.requests += receipt.attempts
        self.provider, self.verdict = receipt.provider, receipt.verdict
        usage, cost = receipt.usage, receipt.cost
        self.input += usage.input_tokens or 0
        self.output += usage.output_tokens or 0
        self.cached += usage.cached_tokens or 0
        self.reasoning += usage.reasoning_tokens or 0
        amount = read_amount(cost.amount)
        if amount is not None and cost.currency is not None:
            with localcontext(EXACT):
                before = self.costs.get(cost.currency)
                self.costs[cost.currency] = amount if before is None else before + amount
        unpriced = is_unpriced(receipt)
        self.unpriced += unpriced
        told = usage.input_tokens is not None or usage.output_tokens is not None
        self.uncounted += not told and (unpriced or receipt.error is None)

    def join(self, other: "Sum") -> None:
        """Take in what was done elsewhere."""
        self.started_at = min(self.started_at, other.started_at)
        self.provider = other.provider or self.provider
        self.verdict = other.verdict or self.verdict
        for name in COUNTED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        with localcontext(EXACT):
            for currency, amount in other.costs.items():
                self.costs[currency] = self.costs.get(currency, Decimal(0)) + amount

    def total(self) -> Total:
        return Total(
            rows=self.rows,
            requests=self.requests,
            input_tokens=self.input,
            output_tokens=self.output,
            cached_tokens=self.cached,
            reasoning_tokens=self.reasoning,
            costs={currency: plain(amount) for currency, amount in self.costs.items()},
            unpriced=self.unpriced,
            uncounted=self.uncounted,
        )


class Tally:
    """One run of a job."""

    def __init__(self) -> None:
        self.all = Sum()
        self.models: dict[str, Sum] = {}
        self._news: dict[str, Sum] = {}
        self.latency = Times()
        self.waited = Times()
        self.ended = self.failed = self.reused = self.cached = 0
        self.under_way = self.most_at_once = 0

    def began(self) -> None:
        """A request goes out."""
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)

    def tried(self, model: str, receipt: Receipt) -> None:
        """A request is over, whatever became of it."""
        self.under_way -= 1
        self.all.add(receipt)
        for sums in (self.models, self._news):
            sums.setdefault(model, Sum()).add(receipt)
        if receipt.error is None and receipt.latency.total_s is not None:
            self.latency.add(receipt.latency.total_s)

    def row(self, ended: Ended) -> None:
        """A row is through."""
        self.ended += 1
        receipt = ended.receipt
        failed = receipt.error is not None
        self.failed += failed
        self.reused += ended.same_as is not None
        self.cached += ended.cached
        self.all.rows += 1
        for sums in (self.models, self._news):
            if (model := sums.get(receipt.requested)) is not None:
                model.rows += 1
        if receipt.attempts and not failed:
            self.waited.add(receipt.latency.waited_s)

    def news(self) -> dict[str, Sum]:
        """What each model took since this was asked last."""
        found, self._news = self._news, {}
        return found

    def join(self, other: "Tally") -> None:
        """Take in what another process has done; how much both had under way at a time, nobody
        knows: `most_at_once` is that of the busier one."""
        self.all.join(other.all)
        for name, taken in other.models.items():
            for sums in (self.models, self._news):
                sums.setdefault(name, Sum()).join(taken)
        self.latency.join(other.latency)
        self.waited.join(other.waited)
        self.ended += other.ended
        self.failed += other.failed
        self.reused += other.reused
        self.cached += other.cached
        self.most_at_once = max(self.most_at_once, other.most_at_once)
