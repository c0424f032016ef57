"""A report of cost as a table for people and as CSV."""

import csv
import io
from collections.abc import Callable, Sequence
from decimal import Decimal

from llmctl.cost.report import Line, Part, Report
from llmctl.messages import _
from llmctl.output.columns import cells
from llmctl.output.receipt_line import amount_text
from llmctl.output.table import table_text
from llmctl.output.terminal import safe_line
from llmctl.types import Json
from llmctl.types.amounts import plain
from llmctl.values import dataclass

READABLE_KEY, SHORTEST_KEY = 24, 12  # characters
MANY = 10_000_000
# What a spreadsheet takes for the beginning of a formula; names of models and tags come from
# outside.
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")

NUMBERS = (
    "runs",
    "failed",
    "unpriced",
    "uncounted",
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "reported_runs",
    "computed_runs",
)
MONEY = ("currency", "amount", "reported", "computed")


@dataclass(frozen=True, slots=True)
class Column:
    """`keep` None: always there; otherwise it is left out where all is zero, and where there is no
    room the highest goes first."""

    header: str
    shown: Callable[[Part], int]
    keep: int | None = None


def columns() -> list[Column]:
    return [
        Column(_("runs"), lambda part: part.runs),
        Column(_("failed"), lambda part: part.failed, 1),
        Column(_("in"), lambda part: part.input_tokens, 0),
        Column(_("cached"), lambda part: part.cached_tokens, 2),
        Column(_("out"), lambda part: part.output_tokens, 0),
        Column(_("reasoning"), lambda part: part.reasoning_tokens, 3),
    ]


def table_lines(report: Report, header: str, width: int) -> str:
    """The table, its last line the total, at most `width` columns wide where names allow it."""
    lines = [*report.lines, report.total]
    names = [*(safe_line(line.key) or "-" for line in report.lines), _("total")]
    wholes = [line.whole for line in lines]
    costs = [cost_text(line, whole) for line, whole in zip(lines, wholes, strict=True)]
    chosen = [one for one in columns() if one.keep is None or one.shown(wholes[-1])]

    def drawn(names: Sequence[str]) -> str:
        rows = [
            [name, *(count_text(one.shown(whole)) for one in chosen), cost]
            for name, whole, cost in zip(names, wholes, costs, strict=True)
        ]
        headers = [header if any(names) else "", *(one.header for one in chosen), _("cost")]
        return table_text(headers, rows, right=range(1, len(headers) - 1))

    longest = max(map(cells, names))
    spare = sorted((one for one in chosen if one.keep is not None), key=_rank)
    while True:
        room = width - _width(drawn([""] * len(names)))
        if room >= min(longest, READABLE_KEY) or not spare:
            break
        chosen.remove(spare.pop())
    names = [_shortened(name, max(room, SHORTEST_KEY)) for name in names]
    return drawn(names)


def count_text(count: int) -> str:
    """A count that stays narrow: `123456`, `14992.3M`."""
    return str(count) if count < MANY else f"{count / 1e6:.1f}M"


def _rank(column: Column) -> int:
    return column.keep or 0


def _width(text: str) -> int:
    return max(map(cells, text.splitlines()))


def _shortened(name: str, longest: int) -> str:
    """Cut in its middle: models differ at their ends, providers at their beginnings."""
    if cells(name) <= longest:
        return name
    half = longest // 2
    return f"{name[: longest - half - 1]}…{name[-half:]}"


def cost_text(line: Line, whole: Part) -> str:
    """`0.50 USD + 12.00 RUB`; with a price that nobody knows it is at least that."""
    return money_text(line.cost, unpriced=whole.unpriced)


def money_text(cost: dict[str, Decimal], *, unpriced: int = 0) -> str:
    least = bool(unpriced)
    known = [f"{amount_text(f'{cost[code]:f}', at_least=least)} {code}" for code in cost]
    if not known:
        return _("unknown") if least else "0"
    return ("≥ " if least else "") + " + ".join(known)


def summary(report: Report) -> str:
    """What the table leaves unsaid, a line each."""
    whole = report.total.whole
    told = []
    if whole.failed:
        told.append(_("failed: {count}, what they cost is in the sum", count=whole.failed))
    if whole.uncounted:
        told.append(_("without token counts: {count}", count=whole.uncounted))
    cost = cost_text(report.total, whole)
    if whole.unpriced:
        cost = _("{cost}, runs unpriced: {count}", cost=cost, count=whole.unpriced)
    lines = [_("Cost: {cost}", cost=cost), shares(report.total, whole)]
    if told:
        lines.append(_("Runs: {told}", told=" · ".join(told)))
    lines.append(
        _("Tokens: {sent} in ({cached} cached), {got} out ({reasoning} reasoning)",
          sent=whole.input_tokens, cached=whole.cached_tokens, got=whole.output_tokens,
          reasoning=whole.reasoning_tokens)
    )  # fmt: skip
    return "".join(line + "\n" for line in lines if line)


def shares(line: Line, whole: Part) -> str:
    """How much of the money the providers stated themselves."""
    if not line.cost:
        return ""
    stated = {code: line.parts[code].reported for code in line.cost if line.parts[code].reported}
    computed = {code: line.parts[code].computed for code in line.cost if line.parts[code].computed}
    return _(
        "Stated by providers: {stated} (runs: {stated_runs}); computed from prices: {computed}"
        " (runs: {computed_runs})",
        stated=money_text(stated),
        stated_runs=whole.reported_runs,
        computed=money_text(computed),
        computed_runs=whole.computed_runs,
    )


def csv_text(report: Report, by: str) -> str:
    """RFC 4180: a line for each key and currency, so that every column can be summed; one without
    a currency holds the runs that cost nothing or whose price is not known. No line of totals."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([by, *NUMBERS, *MONEY])
    for line in report.lines:
        for code in sorted(line.parts):
            part = line.parts[code]
            unknown = not code and part.unpriced
            money = ["", "", "", ""] if unknown else [code, *amounts(part).values()]
            writer.writerow([harmless(line.key), *numbers(part).values(), *money])
    return text.getvalue()


def harmless(name: str) -> str:
    """A name that no spreadsheet takes for a formula: an apostrophe before it makes it a text."""
    return f"'{name}" if name.startswith(FORMULAS) else name


def numbers(part: Part) -> dict[str, int]:
    return {name: getattr(part, name) for name in NUMBERS}


def amounts(part: Part) -> dict[str, str]:
    exact = {"amount": part.amount, "reported": part.reported, "computed": part.computed}
    return {name: plain(amount) for name, amount in exact.items()}


def line_json(line: Line) -> dict[str, Json]:
    return {
        **numbers(line.whole),
        "cost": [
            {
                "currency": code,
                **amounts(line.parts[code]),
                "runs": line.parts[code].runs,
            }
            for code in line.cost
        ],
    }
