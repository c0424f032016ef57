"""What a report says of the rows of a job, gathered in one pass: counts, sums, percentiles, and a
few rows themselves. As large for ten rows as for ten million, whatever stands in them."""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, localcontext
from typing import Generic, TypeVar

from llmctl.batch.tally import Times
from llmctl.batch.work import is_unpriced
from llmctl.output.batch_rows import Line, line_json
from llmctl.types import Cost, Failure, Json, Receipt
from llmctl.types.amounts import EXACT, read_amount
from llmctl.values import dataclass

SEED = 7
DRAWN = 500  # values of a model that its box plots are drawn from
SAMPLE = 24  # answers that are shown
EXAMPLES = 4  # failures of one cause that are shown
TOP = 10  # slowest and dearest rows that are shown
# A row may name anything: what comes after so many different names is counted together.
MOST_MODELS, MOST_CAUSES, MOST_CURRENCIES, MOST_HOPS = 50, 30, 5, 50
OTHERS = ""
LONGEST_NAME, LONGEST_TEXT = 160, 4_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A row that is shown: what it says of itself, cut; `length` is how many characters its text
    has. `copied` says that the answer was another row's, or an earlier one."""

    id: str
    line: int | None
    model: str
    text: str
    length: int
    seconds: float | None
    tokens: int | None
    amount: Decimal | None
    currency: str | None
    copied: bool
    message: str | None
    status: int | None
    media: int


class Reservoir(Generic[T]):
    """A sample in which each that passes by has an equal chance to stay (algorithm R)."""

    def __init__(self, size: int, chance: random.Random) -> None:
        self.kept: list[T] = []
        self.seen = 0
        self._size = size
        self._random = chance.random

    def add(self, made: Callable[[], T]) -> None:
        """`made` is called for what is kept only."""
        self.seen += 1
        if len(self.kept) < self._size:
            self.kept.append(made())
        elif (place := int(self._random() * self.seen)) < self._size:
            self.kept[place] = made()


class Top:
    """The rows with the greatest values, the greatest first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._heap: list[tuple[float, int, Shown]] = []
        self._number = 0

    def add(self, value: float, made: Callable[[], Shown]) -> None:
        if len(self._heap) == self._size and value <= self._heap[0][0]:
            return
        self._number -= 1  # of equal ones the earlier stays
        heapq.heappush(self._heap, (value, self._number, made()))
        if len(self._heap) > self._size:
            heapq.heappop(self._heap)

    @property
    def rows(self) -> list[Shown]:
        return [shown for _value, _number, shown in sorted(self._heap, reverse=True)]


class Group:
    """The rows of one model."""

    def __init__(self, chance: random.Random) -> None:
        self.answered = self.failed = self.copied = self.uncounted = self.unpriced = 0
        self.input = self.output = 0
        self.costs: dict[str, Decimal] = {}
        self.times = Times()
        self.total: Reservoir[float] = Reservoir(DRAWN, chance)
        self.first: Reservoir[float] = Reservoir(DRAWN, chance)
        self.inputs: Reservoir[float] = Reservoir(DRAWN, chance)
        self.outputs: Reservoir[float] = Reservoir(DRAWN, chance)

    def spent(self, amount: Decimal, currency: str) -> None:
        if currency not in self.costs and len(self.costs) >= MOST_CURRENCIES:
            self.unpriced += 1
            return
        with localcontext(EXACT):
            self.costs[currency] = self.costs.get(currency, Decimal(0)) + amount

    @staticmethod
    def money(groups: "Iterable[Group]") -> "Group":
        """The money of several together, and nothing else of them."""
        every = Group(random.Random(SEED))
        for one in groups:
            every.unpriced += one.unpriced
            for currency, amount in one.costs.items():
                every.spent(amount, currency)
        return every


class BatchReport:
    """Takes lines, the answered ones and the failed, and keeps what a page says of them."""

    def __init__(self, seed: int = SEED) -> None:
        self._chance = random.Random(seed)
        self.answered = self.failed = self.unreadable = self.copied = 0
        self.models: dict[str, Group] = {}
        self.causes: Counter[str] = Counter()
        self.finished: Counter[str] = Counter()
        self.levels: Counter[str] = Counter()
        self.hops: Counter[tuple[str, str]] = Counter()
        self.examples: dict[str, Reservoir[Shown]] = {}
        self.sample: Reservoir[Shown] = Reservoir(SAMPLE, self._chance)
        self.times = Times()
        self.slowest = Top(TOP)
        self.dearest: dict[str, Top] = {}

    def read(self, lines: Iterable[bytes | Line | None], *, failed: bool = False) -> "BatchReport":
        """All lines of a file; what is no row is counted as such."""
        for one in lines:
            line = line_json(one) if isinstance(one, bytes) else one
            if line is None:
                self.unreadable += 1
            elif failed:
                self._failure(line)
            else:
                self._answer(line)
        return self

    def _answer(self, line: Line) -> None:
        self.answered += 1
        group = self._group(line)
        group.answered += 1
        row = part(line, "row")
        copied = bool(row.get("same_as") or row.get("cached"))
        self._count(self.finished, text_of(line.get("finish_reason")) or "stop", MOST_CAUSES)
        self._count(self.levels, text_of(part(line, "privacy").get("level")), MOST_CAUSES)
        self._hop(row)
        self.sample.add(lambda: shown(line))
        if copied:  # what it took was taken once
            self.copied += 1
            group.copied += 1
            return
        self._took(group, line, failed=False)
        self._timed(group, line)

    def _failure(self, line: Line) -> None:
        self.failed += 1
        group = self._group(line)
        group.failed += 1
        code = self._count(self.causes, text_of(part(line, "error").get("code")), MOST_CAUSES)
        if code not in self.examples:
            self.examples[code] = Reservoir(EXAMPLES, self._chance)
        self.examples[code].add(lambda: shown(line))
        self._hop(part(line, "row"))
        if line.get("attempts"):
            self._took(group, line, failed=True)

    def _took(self, group: Group, line: Line, *, failed: bool) -> None:
        """Tokens and money. A failure that says no price counts where it may be on the bill."""
        owed = not failed or _may_be_owed(line)
        usage = part(line, "usage")
        taken, made = count_of(usage.get("input_tokens")), count_of(usage.get("output_tokens"))
        group.input += taken or 0
        group.output += made or 0
        if owed and taken is None and made is None:
            group.uncounted += 1
        if not failed:
            if taken is not None:
                group.inputs.add(lambda: float(taken))
            if made is not None:
                group.outputs.add(lambda: float(made))
        amount, currency = money_of(line)
        if amount is None or currency is None:
            group.unpriced += owed
            return
        group.spent(amount, currency)
        if currency in self.dearest or len(self.dearest) < MOST_CURRENCIES:
            top = self.dearest.setdefault(currency, Top(TOP))
            if amount:
                top.add(float(amount), lambda: shown(line))

    def _timed(self, group: Group, line: Line) -> None:
        latency = part(line, "latency")
        total, first = seconds_of(latency.get("total_s")), seconds_of(latency.get("ttft_s"))
        if first is not None:
            group.first.add(lambda: first)
        if total is not None:
            group.times.add(total)
            self.times.add(total)
            group.total.add(lambda: total)
            self.slowest.add(total, lambda: shown(line))

    def _group(self, line: Line) -> Group:
        name = model_of(line)
        if name not in self.models:
            if len(self.models) >= MOST_MODELS:
                name = OTHERS
            self.models.setdefault(name, Group(self._chance))
        return self.models[name]

    def _hop(self, row: Mapping[str, Json]) -> None:
        hops = row.get("hops")
        for hop in hops[:10] if isinstance(hops, list) else ():
            if isinstance(hop, Mapping):
                one = (text_of(hop.get("model")), text_of(hop.get("cause")))
                if one in self.hops or len(self.hops) < MOST_HOPS:
                    self.hops[one] += 1

    def _count(self, counts: Counter[str], name: str, most: int) -> str:
        if name not in counts and len(counts) >= most:
            name = OTHERS
        counts[name] += 1
        return name


# ---- what stands in a line, which anybody may have written ---------------------------------------


def _may_be_owed(line: Line) -> bool:
    """Whether a failed row without a price may cost something all the same, as the summary has it:
    an answer that was lost on its way, one that was filtered."""
    error, cost = part(line, "error"), part(line, "cost")
    failure = Failure(
        code=text_of(error.get("code")),
        exit_code=count_of(error.get("exit_code")) or 1,
        message="",
        reason=error.get("reason"),
        status=count_of(error.get("status")),
    )
    return is_unpriced(
        Receipt(
            id="",
            started_at="",
            requested="",
            text=text_of(line.get("text")),
            attempts=count_of(line.get("attempts")) or 0,
            cost=Cost(why=cost.get("unknown_because")),
            error=failure,
        )
    )


def shown(line: Line) -> Shown:
    row, error = part(line, "row"), part(line, "error")
    text = line.get("text")
    text = text if isinstance(text, str) else ""
    amount, currency = money_of(line)
    media = line.get("media")
    message = error.get("message")
    return Shown(
        id=text_of(row.get("id")),
        line=count_of(row.get("line")),
        model=model_of(line),
        text=text[:LONGEST_TEXT],
        length=len(text),
        seconds=seconds_of(part(line, "latency").get("total_s")),
        tokens=count_of(part(line, "usage").get("output_tokens")),
        amount=amount,
        currency=currency,
        copied=bool(row.get("same_as") or row.get("cached")),
        message=message[:LONGEST_TEXT] if isinstance(message, str) else None,
        status=count_of(error.get("status")),
        media=len(media) if isinstance(media, list) else 0,
    )


def part(line: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    value = line.get(name)
    return value if isinstance(value, Mapping) else {}


def text_of(value: Json) -> str:
    return "" if value is None else str(value)[:LONGEST_NAME]


def count_of(value: Json) -> int | None:
    known = isinstance(value, int) and not isinstance(value, bool)
    return value if known and 0 <= value < 2**53 else None


def seconds_of(value: Json) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if known and 0 <= value < 10**9 else None


def model_of(line: Line) -> str:
    model = part(line, "model")
    return text_of(model.get("requested")) or text_of(model.get("resolved")) or "?"


def money_of(line: Line) -> tuple[Decimal | None, str | None]:
    cost = part(line, "cost")
    currency = cost.get("currency")
    amount = read_amount(cost.get("amount"))
    if amount is None or not isinstance(currency, str) or not currency:
        return None, None
    return amount, currency[:16]
