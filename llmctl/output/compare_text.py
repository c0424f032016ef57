"""What stands in the table of a comparison, as text: one column for each figure and each fact.

Nothing in here is safe for a terminal yet: names come from outside.
"""

from collections.abc import Callable, Iterable, Sequence

from llmctl.compare.figures import Figure, Line, Summary
from llmctl.compare.shape import Candidate, Comparison
from llmctl.cost.money import Money
from llmctl.messages import _
from llmctl.output.receipt_line import amount_text
from llmctl.output.report import words
from llmctl.types import Level
from llmctl.types.amounts import plain
from llmctl.values import dataclass

Candidates = Sequence[Candidate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`cell` gives the text for the candidate at a place and its line; None is unknown. `fact` is
    what is known without asking; everything else is measured."""

    header: str
    cell: Callable[[Candidate, Line], str | None]
    right: bool = False
    fact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One candidate that was asked."""

    candidate: Candidate
    line: Line


def rows_of(comparison: Comparison, summary: Summary) -> list[Row]:
    """Those that were asked, in their order; what was refused has no figures."""
    lines = {line.candidate: line for line in summary.lines}
    return [
        Row(candidate=one, line=lines.get(at, Line(candidate=at)))
        for at, one in enumerate(comparison.candidates)
        if one.refused is None
    ]


def columns_of(comparison: Comparison, summary: Summary) -> list[Column]:
    """All columns in which something is known of somebody; the model's name is not among them."""
    rows = rows_of(comparison, summary)
    checked = any(row.line.passed is not None for row in rows)
    many = any(row.line.runs != 1 or row.line.failures for row in rows)
    every = [
        Column(header=_("checks"), cell=_checks, right=True) if checked else
        Column(header=_("runs"), cell=_runs if many else _nothing, right=True),
        Column(header=_("judge"), cell=_judge, right=True),
        Column(header="TTFT", cell=lambda _one, line: times_text(line.ttft)),
        Column(header=_("total"), cell=lambda _one, line: times_text(line.total)),
        Column(header=_("tokens/s"), cell=lambda _one, line: figure_text(line.speed, words.speed)),
        Column(header=_("in"), cell=lambda _one, line: _count(line.input_tokens), right=True),
        Column(header=_("out"), cell=lambda _one, line: _count(line.output_tokens), right=True),
        Column(header=_("cost"), cell=lambda _one, line: _cost(line, summary.currency)),
        *facts(),
    ]  # fmt: skip
    return [one for one in every
            if any(one.cell(row.candidate, row.line) is not None for row in rows)]  # fmt: skip


def facts() -> tuple[Column, ...]:
    """The columns that are known without asking."""
    return (
        Column(header=_("privacy"), cell=_level, fact=True),
        Column(header=_("region"), cell=_region, fact=True),
        Column(header=_("retention"), cell=_retention, fact=True),
        Column(header=_("weights"), cell=_weights, fact=True),
        Column(header=_("licence"), cell=lambda one, _line: one.licence, fact=True),
        Column(header=_("memory"), cell=_memory, right=True, fact=True),
    )


def encodable(text: str) -> str:
    """Half of a surrogate pair is no character: a question mark, as on its way to a terminal."""
    return text.encode("utf-8", "replace").decode()


# ---- figures -----------------------------------------------------------------------------------


def seconds_text(value: float) -> str:
    return words.seconds(value)


def times_text(figure: Figure) -> str | None:
    """`0.41 s (0.38–0.47)`: the median, and between which limits it lies."""
    return figure_text(figure, words.seconds, _bare_seconds)


def figure_text(
    figure: Figure,
    written: Callable[[float], str],
    bare: Callable[[float], str] | None = None,
) -> str | None:
    """`bare` writes limits without their unit, where they can do without."""
    if figure.median is None:
        return None
    bare = bare or written
    limits = []
    if figure.low is not None and figure.high is not None:
        limits.append(f"{bare(figure.low)}–{bare(figure.high)}")
    if figure.p95 is not None:
        limits.append(_("p95 {value}", value=bare(figure.p95)))
    text = written(figure.median)
    return f"{text} ({', '.join(limits)})" if limits else text


def _bare_seconds(value: float) -> str:
    """As many digits as with the unit; minutes say what they are."""
    if value >= 60:
        return words.seconds(value)
    return f"{value:.{3 if value < 0.1 else 2 if value < 10 else 1}f}"


def cost_text(line: Line, currency: str | None) -> str | None:
    """Of a run in the candidate's own currency, and in the common one where that is another."""
    if line.cost is None:
        return None
    if not line.cost.amount:
        return "0"
    text = money_text(line.cost)
    if currency is None or line.converted is None or line.cost.currency == currency:
        return text
    return f"{text} (≈ {money_text(Money(line.converted, currency))})"


def _cost(line: Line, currency: str | None) -> str | None:
    """What is not known of an answer that came is said: it is not 0, and nobody overlooked it."""
    text = cost_text(line, currency)
    return _("unknown") if text is None and line.succeeded else text


def money_text(money: Money, *, at_least: bool = False) -> str:
    return f"{amount_text(plain(money.amount), at_least=at_least)} {money.currency}"


def sums_text(amounts: Iterable[Money], *, unpriced: bool = False) -> str:
    """`0.0021 USD + 0.50 RUB`: one amount a currency, what is free left out beside others; with a
    price that nobody knows it is at least that. Empty where nothing is known."""
    known = list(amounts)
    some = [one for one in known if one.amount]
    if not some:
        return "" if unpriced or not known else "0"
    text = " + ".join(money_text(one, at_least=unpriced) for one in some)
    return f"≥ {text}" if unpriced else text


def failures_text(line: Line) -> str:
    """`1 cut off, 2 filtered`."""
    return ", ".join(f"{count} {words.failure(code)}" for code, count in line.failures.items())


def _checks(_one: Candidate, line: Line) -> str | None:
    if line.passed is None:
        return None
    return ", ".join(filter(None, (f"{line.passed}/{line.runs}", failures_text(line))))


def _runs(_one: Candidate, line: Line) -> str | None:
    return ", ".join(filter(None, (f"{line.succeeded}/{line.runs}", failures_text(line))))


def _nothing(_one: Candidate, _line: Line) -> str | None:
    return None


def _judge(_one: Candidate, line: Line) -> str | None:
    return None if line.judged is None else words.share(line.judged)


def _count(value: float | None) -> str | None:
    return None if value is None else words.count(value)


# ---- facts -------------------------------------------------------------------------------------


def _level(one: Candidate, _line: Line) -> str | None:
    verdict = one.verdict
    if verdict is None or verdict.level is Level.UNKNOWN:
        return _("unknown")
    if verdict.attested:
        return _("{level} (attested by you)", level=verdict.level)
    return str(verdict.level)


def _stays(one: Candidate) -> bool:
    """Whether nothing leaves the user's own machines."""
    return one.verdict is not None and one.verdict.level in (Level.DEVICE, Level.NETWORK)


def _region(one: Candidate, _line: Line) -> str | None:
    verdict = one.verdict
    if verdict is not None and (verdict.region or verdict.regions):
        return verdict.region or "/".join(verdict.regions)
    return _("own machine") if _stays(one) else None


def _retention(one: Candidate, _line: Line) -> str | None:
    days = None if one.verdict is None else one.verdict.retention_days
    if _stays(one) or days == 0:
        return _("none")
    return None if days is None else _("{days} days", days=days)


def _weights(one: Candidate, _line: Line) -> str | None:
    match one.weights:
        case "open":
            return _("open")
        case "closed":
            return _("closed")
        case "unknown":
            return None


def _memory(one: Candidate, _line: Line) -> str | None:
    return None if one.memory is None else words.memory(one.memory)
