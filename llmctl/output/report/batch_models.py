"""The models of a job side by side, and what their rows came to."""

from decimal import Decimal

from llmctl.cost.money import Money
from llmctl.messages import _
from llmctl.output.numbers import grouped
from llmctl.output.report import words
from llmctl.output.report.batch_gathered import MOST_MODELS, OTHERS, BatchReport, Group
from llmctl.output.report.elements import Child, Markup, tag
from llmctl.output.report.tables import Cell, Column, table

Numbered = tuple[int, str, Group]


def numbered(report: BatchReport) -> list[Numbered]:
    """The models by how much they did, with the number and the name that the page has for them."""
    order = sorted(
        report.models.items(), key=lambda one: (-one[1].answered - one[1].failed, one[0])
    )
    return [
        (at, name if name != OTHERS else _("other models"), group)
        for at, (name, group) in enumerate(order, 1)
    ]


def money_of(group: Group) -> str:
    """What a model's rows came to; a dash where nothing is known."""
    known = [Money(group.costs[currency], currency) for currency in sorted(group.costs)]
    paid = [one for one in known if one.amount]
    if not paid and (group.unpriced or not known):
        return words.DASH
    text = " + ".join(map(words.money, paid)) or words.money(known[0])
    return f"≥ {text}" if group.unpriced else text


def models(report: BatchReport) -> Markup | None:
    every = numbered(report)
    if not every:
        return None
    columns = [
        Column(label=_("Model")),
        Column(label=_("Answered"), numeric=True, most_first=True),
        Column(label=_("Failed"), numeric=True, most_first=True),
        Column(label=_("Tokens in"), numeric=True, most_first=True),
        Column(label=_("Tokens out"), numeric=True, most_first=True),
        Column(label=_("Cost"), numeric=True),
        Column(label=_("Unknown price"), numeric=True, most_first=True),
        Column(label=_("Median time"), numeric=True),
        Column(label="p95", numeric=True),
    ]
    name = _("Models")
    note = _("More than {count} models: the others are counted together.", count=MOST_MODELS)
    return tag(
        "section",
        tag("h2", name),
        table(name, columns, map(_model, every), sortable=True, class_="figures"),
        tag("p", note, class_="note") if OTHERS in report.models else None,
    )


def _model(one: Numbered) -> list[Cell | Child]:
    number, name, group = one
    median, tail = group.times.percentile(0.5), group.times.percentile(0.95)
    counted = bool(group.input or group.output) or not group.uncounted
    paid = [(amount, currency) for currency, amount in sorted(group.costs.items()) if amount]
    return [
        Cell(content=words.named(number, name), order=name),
        Cell(content=grouped(group.answered), order=float(group.answered)),
        Cell(content=grouped(group.failed), order=float(group.failed)),
        _tokens(group.input, known=counted),
        _tokens(group.output, known=counted),
        _priced(group, paid),
        Cell(content=grouped(group.unpriced), order=float(group.unpriced)),
        Cell(content=words.known(median, words.seconds), order=median),
        Cell(content=words.known(tail, words.seconds), order=tail),
    ]


def _tokens(count: int, *, known: bool) -> Cell:
    if not known:
        return Cell(content=words.unknown())
    return Cell(content=grouped(count), order=float(count))


def _priced(group: Group, paid: list[tuple[Decimal, str]]) -> Cell:
    text = money_of(group)
    if text == words.DASH:
        return Cell(content=words.unknown())
    amount, currency = paid[0] if paid else (Decimal(0), None)
    return Cell(content=text, order=float(amount), group=currency)
