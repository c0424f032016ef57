"""Figures of a job in words: sums of money, counts of tokens, causes, what to type next."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from llmctl.batch.shape import Spread, Total
from llmctl.cost.money import Money
from llmctl.messages import _
from llmctl.output.columns import cells
from llmctl.output.compare_text import money_text
from llmctl.output.numbers import grouped
from llmctl.output.report import words
from llmctl.output.terminal import safe_line
from llmctl.types.amounts import read_amount

GAP = " · "
LINE_COLUMNS = 68  # of a text beside its label, in 80 columns

Labelled = tuple[str, str]


def labelled(rows: Sequence[Labelled]) -> str:
    """A line for each, the labels in a column of their own; harmless for a terminal."""
    width = max(cells(label) for label, _text in rows)
    return "".join(
        f"{label}{' ' * (width - cells(label))}  {safe_line(text)}\n" for label, text in rows
    )


def folded(label: str, parts: Iterable[str]) -> Iterator[Labelled]:
    """`parts` side by side beside their label, on as many lines as they take."""
    line = ""
    for part in parts:
        longer = f"{line}{GAP}{part}" if line else part
        if line and cells(longer) > LINE_COLUMNS:
            yield label, line
            label, longer = "", part
        line = longer
    yield label, line


def fitting(text: str, columns: int) -> str:
    """`text`, or as much of its beginning as there is room for."""
    text = safe_line(text)
    if cells(text) <= columns:
        return text
    text = text[:columns]
    while cells(text) >= columns:
        text = text[:-1]
    return f"{text}…"


def sums(costs: Mapping[str, str]) -> list[Money]:
    """Amounts by currency, in the order of currencies; what is free comes to nothing beside
    others."""
    found = [(currency, read_amount(costs[currency]) or Decimal(0)) for currency in sorted(costs)]
    paid = [Money(amount, currency) for currency, amount in found if amount]
    return paid or [Money(amount, currency) for currency, amount in found[:1]]


def cost_text(total: Total) -> str:
    """`0.12 USD + 3.40 RUB`; with requests whose cost nobody knows it is at least that, or
    unknown altogether. Empty where nothing was sent."""
    known = sums(total.costs)
    # Nothing at all beside what is unknown says nothing.
    told = bool(known) and not (total.unpriced and not any(one.amount for one in known))
    if not told:
        if not total.unpriced:
            return ""
        return _("unknown (requests of unknown cost: {count})", count=grouped(total.unpriced))
    text = " + ".join(money_text(one, at_least=bool(total.unpriced)) for one in known)
    if not total.unpriced:
        return text
    return _("at least {money} (requests of unknown cost: {count})", money=text,
             count=grouped(total.unpriced))  # fmt: skip


def tokens_text(total: Total) -> str:
    """Empty where nothing was sent."""
    if not total.requests:
        return ""
    if not total.input_tokens and not total.output_tokens:
        return _("not reported") if total.uncounted else ""
    parts = [
        _("{count} in", count=grouped(total.input_tokens)),
        _("{count} out", count=grouped(total.output_tokens)),
    ]
    if total.cached_tokens:
        parts.append(_("from the provider's cache: {count}", count=grouped(total.cached_tokens)))
    if total.reasoning_tokens:
        parts.append(_("for reasoning: {count}", count=grouped(total.reasoning_tokens)))
    if total.uncounted:
        parts.append(
            _("requests whose tokens nobody counted: {count}", count=grouped(total.uncounted))
        )
    return " · ".join(parts)


def spread_text(spread: Spread) -> str:
    """Empty where nothing was measured."""
    named = (
        (_("median"), spread.p50),
        ("p90", spread.p90),
        ("p99", spread.p99),
        (_("most"), spread.most),
    )
    return " · ".join(
        f"{name} {words.seconds(value) if value else _('0 s')}"
        for name, value in named
        if value is not None
    )


def cause_text(code: str) -> str:
    """`rate limited (rate-limited)`: what people say, and what a command is given."""
    said = _("row not usable") if code == "usage" else words.failure(code)
    return code if said == code else f"{said} ({code})"


def duration(seconds: float) -> str:
    """As people say how long they wait: the longer, the rounder."""
    if seconds < 600:
        return words.seconds(seconds)
    minutes = round(seconds / 60)
    if minutes < 60:
        return _("{minutes} min", minutes=minutes)
    if minutes < 24 * 60:
        return _("{hours} h {minutes} min", hours=minutes // 60, minutes=minutes % 60)
    hours = round(seconds / 3600)
    return _("{days} d {hours} h", days=hours // 24, hours=hours % 24)


def pace(rows: int, seconds: float) -> float | None:
    """Rows a second; None where it is too early to tell."""
    return rows / seconds if rows and seconds > 0 else None


def command(*parts: str) -> str:
    """What can be typed as it stands."""
    return shlex.join(("llmctl", "batch", *parts))


def listed(items: Iterable[tuple[str, int]], most: int = 8) -> str:
    """`name: 3 · name: 2 · others: 4`."""
    every = list(items)
    shown = [f"{name}: {grouped(count)}" for name, count in every[:most]]
    if rest := sum(count for _name, count in every[most:]):
        shown.append(_("others: {count}", count=grouped(rest)))
    return " · ".join(shown)


def by_count(causes: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most frequent first."""
    return sorted(causes.items(), key=lambda one: (-one[1], one[0]))
