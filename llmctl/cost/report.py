"""What the runs of the ledger cost, summed exactly and by currency; nothing is ever converted here
without being told how."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal, localcontext
from typing import Protocol

from llmctl.store import priced
from llmctl.store.spending import Spent
from llmctl.types import CostKind, Level
from llmctl.types.amounts import EXACT
from llmctl.values import dataclass, field

ZERO = Decimal(0)
OWN = frozenset({Level.DEVICE.value, Level.NETWORK.value})


def paid(run: Spent) -> Decimal | None:
    """What a run cost, None where that is not known. What ran on this machine cost nothing."""
    return priced.paid(run.amount, run.currency, run.level)


def happened(run: Spent) -> bool:
    """Whether there was an answer, or a part of one, for which a provider may want money."""
    return priced.happened(
        run.failed, run.answered, run.output_tokens, run.input_tokens, run.amount
    )


@dataclass(slots=True)
class Part:
    """The runs of a line that were paid in one currency, or whose price is not known.

    `failed` ones may have cost money too; `unpriced` ones are those that answered and whose price
    nobody knows, `uncounted` those whose tokens nobody counted. Cached tokens are part of the
    input, reasoning tokens of the output.
    """

    runs: int = 0
    failed: int = 0
    unpriced: int = 0
    uncounted: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    reported_runs: int = 0
    computed_runs: int = 0
    reported: Decimal = ZERO
    computed: Decimal = ZERO

    @property
    def amount(self) -> Decimal:
        with localcontext(EXACT):
            return self.reported + self.computed

    def add(self, run: Spent, amount: Decimal | None) -> None:
        self.runs += 1
        self.failed += run.failed
        self.input_tokens += run.input_tokens or 0
        self.cached_tokens += run.cached_tokens or 0
        self.cache_write_tokens += run.cache_write_tokens or 0
        self.output_tokens += run.output_tokens or 0
        self.reasoning_tokens += run.reasoning_tokens or 0
        if run.input_tokens is None or run.output_tokens is None:
            self.uncounted += happened(run)
        if amount is None:
            self.unpriced += happened(run)
        elif run.cost_kind == CostKind.REPORTED:
            self.reported_runs += 1
            self.reported += amount
        elif run.amount is not None:
            self.computed_runs += 1
            self.computed += amount

    def merge(self, other: "Part") -> None:
        for name in Part.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Line:
    """One line of a report: its runs by currency, under "" those that cost nothing or whose price
    is not known."""

    key: str
    parts: dict[str, Part] = field(default_factory=dict)

    def part(self, currency: str) -> Part:
        found = self.parts.get(currency)
        if found is None:
            found = self.parts[currency] = Part()
        return found

    @property
    def whole(self) -> Part:
        """All runs together; its money means nothing, see `cost`."""
        return merged(self.parts.values())

    @property
    def cost(self) -> dict[str, Decimal]:
        """The money by currency, in the order of their codes."""
        return {code: self.parts[code].amount for code in sorted(self.parts) if code}


def merged(parts: Iterable[Part]) -> Part:
    whole = Part()
    with localcontext(EXACT):
        for part in parts:
            whole.merge(part)
    return whole


@dataclass(frozen=True, slots=True)
class Report:
    """`lines` in the order of their keys. `first` and `last` are when the first and the last run
    began, UTC as in receipts; None of none."""

    lines: tuple[Line, ...]
    total: Line
    first: str | None
    last: str | None


class Watcher(Protocol):
    """Something else to be learnt from the same pass over the ledger."""

    def see(self, run: Spent, paid: Decimal | None) -> None: ...


def reported(runs: Iterable[Spent], watchers: Sequence[Watcher] = ()) -> Report:
    """The report of these runs, of which each is looked at once and none is kept."""
    lines: dict[str, Line] = {}
    first = last = None
    with localcontext(EXACT):
        for run in runs:
            amount = paid(run)
            line = lines.get(run.key)
            if line is None:
                line = lines[run.key] = Line(run.key)
            line.part(run.currency or "" if amount else "").add(run, amount)
            if first is None or run.started_at < first:
                first = run.started_at
            if last is None or run.started_at > last:
                last = run.started_at
            for watcher in watchers:
                watcher.see(run, amount)
    ordered = tuple(lines[key] for key in sorted(lines))
    return Report(ordered, total(ordered), first, last)


def total(lines: Iterable[Line]) -> Line:
    whole = Line("")
    with localcontext(EXACT):
        for line in lines:
            for currency, part in line.parts.items():
                whole.part(currency).merge(part)
    return whole


# An amount in one currency (its code) as an amount in another.
Exchange = Callable[[Decimal, str], Decimal]


def converted(report: Report, currency: str, exchange: Exchange) -> Report:
    """The report with all its money in one currency; raises what `exchange` raises."""
    lines = tuple(_exchanged(line, currency, exchange) for line in report.lines)
    return Report(lines, total(lines), report.first, report.last)


def _exchanged(line: Line, currency: str, exchange: Exchange) -> Line:
    changed = Line(line.key)
    with localcontext(EXACT):
        for code, part in line.parts.items():
            own = merged([part])
            if code:
                own.reported = exchange(part.reported, code)
                own.computed = exchange(part.computed, code)
            changed.part(currency if code else "").merge(own)
    return changed


def currencies(report: Report) -> Iterator[str]:
    return iter(sorted(code for code in report.total.parts if code))
