"""The table of candidates: a line each, sortable, unknown figures as dashes."""

from collections.abc import Callable, Iterator

from llmctl.compare.figures import Figure, Line
from llmctl.messages import _
from llmctl.output.report import words
from llmctl.output.report.compare_view import View, spread
from llmctl.output.report.elements import Child, Markup, joined, said, tag
from llmctl.output.report.tables import Cell, Column, table
from llmctl.types import Level
from llmctl.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    column: Column
    cell: Callable[[View, int], Cell]


def candidates(view: View) -> Markup:
    parts = [*_quality(view), *_times(), *_money(), *_privacy(), *_what(view)]
    columns = [Column(label=_("Model")), *(part.column for part in parts)]
    rows = [
        [_name(view, at), *(part.cell(view, at) for part in parts)]
        for at in range(len(view.candidates))
    ]
    return tag(
        "section",
        tag("h2", _("All figures")),
        tag("p", _hint(), class_="note"),
        table(_("All figures"), columns, rows, sortable=True, class_="figures"),
        _levels(view),
    )


def _hint() -> Markup:
    text = _("Medians of a run; below them, in small print, between which limits they lie.")
    press = tag("span", " ", _("Press a heading to sort by it."), class_="press")
    return joined(text, " ", _("A dash is what nobody said."), press)


def _levels(view: View) -> Markup:
    """What the levels of privacy that stand in the table mean."""
    levels = sorted({one for at in range(len(view.candidates)) if (one := view.level(at))},
                    key=lambda level: level.rank)  # fmt: skip
    return tag("dl", [(tag("dt", str(one)), tag("dd", words.level(one))) for one in levels],
               class_="legend")  # fmt: skip


def _name(view: View, at: int) -> Cell:
    one = view.candidates[at]
    small: list[Child] = []
    if one.variant is not None or one.model != one.name:
        small.append(said(one.model))
    if at == view.chosen:
        small.append(tag("span", _("recommended"), class_="badge good"))
    if one.refused is not None:
        small.append(tag("span", _("refused"), class_="badge bad"))
    below = [tag("span", piece, class_="sub") for piece in small]
    return Cell(content=[view.named(at), *below], order=one.name)


def _quality(view: View) -> Iterator[_Part]:
    if view.comparison.checks or any(line.passed is not None for line in view.summary.lines):
        column = Column(label=_("Checks"), numeric=True, most_first=True,
                        hint=_("share of runs that passed every check"))  # fmt: skip
        yield _Part(column=column, cell=_checks)
    if view.comparison.judge or any(line.judged is not None for line in view.summary.lines):
        column = Column(label=_("Judge"), numeric=True, most_first=True,
                        hint=_("share of rulings won; a draw is half a win"))  # fmt: skip
        yield _Part(column=column, cell=_judged)
    yield _Part(column=Column(label=_("Failures"), numeric=True), cell=_failures)


def _checks(view: View, at: int) -> Cell:
    line = view.line(at)
    if line.pass_rate is None or line.passed is None:
        return _unknown()
    least = view.comparison.min_pass
    text = _("{passed} of {all}", passed=line.passed, all=line.runs)
    kind = None if least is None else "good" if line.pass_rate >= least else "bad"
    value = tag("span", words.share(line.pass_rate), class_=kind)
    return Cell(content=[value, _small(text)], order=line.pass_rate)


def _judged(view: View, at: int) -> Cell:
    judged = view.line(at).judged
    return _unknown() if judged is None else Cell(content=words.share(judged), order=judged)


def _times() -> Iterator[_Part]:
    yield _figure_part(
        Column(label=_("First token"), numeric=True,
               hint=_("seconds from sending to the first token, connecting and loading apart")),
        lambda line: line.ttft, words.seconds)  # fmt: skip
    yield _figure_part(
        Column(label=_("Whole answer"), numeric=True,
               hint=_("seconds from sending to the last token, connecting and loading apart")),
        lambda line: line.total, words.seconds)  # fmt: skip
    yield _figure_part(
        Column(label=_("Tokens/s"), numeric=True, most_first=True),
        lambda line: line.speed, words.speed)  # fmt: skip
    yield _number_part(Column(label=_("Tokens in"), numeric=True), lambda line: line.input_tokens)
    yield _number_part(Column(label=_("Tokens out"), numeric=True), lambda line: line.output_tokens)


def _figure_part(
    column: Column, figure: Callable[[Line], Figure], written: Callable[[float], str]
) -> _Part:
    def cell(view: View, at: int) -> Cell:
        found = figure(view.line(at))
        if found.median is None:
            return _unknown()
        limits = [spread(found)]
        if found.p95 is not None:
            limits.append(_("p95 {value}", value=written(found.p95)))
        small = [_small(one) for one in limits if one]
        return Cell(content=[written(found.median), *small], order=found.median)

    return _Part(column=column, cell=cell)


def _number_part(column: Column, number: Callable[[Line], float | None]) -> _Part:
    def cell(view: View, at: int) -> Cell:
        found = number(view.line(at))
        return _unknown() if found is None else Cell(content=words.count(found), order=found)

    return _Part(column=column, cell=cell)


def _money() -> Iterator[_Part]:
    column = Column(label=_("Cost of a run"), numeric=True,
                    hint=_("in the provider's own currency"))  # fmt: skip
    yield _Part(column=column, cell=_cost)


def _cost(view: View, at: int) -> Cell:
    line, currency = view.line(at), view.summary.currency
    if line.cost is None:  # of an answer that came that is worth a word: it is not 0
        return Cell(content=_("unknown")) if line.succeeded else _unknown()
    small = [] if not line.cost.amount else [
        _small(_("{cost} for 1,000", cost=words.thousand(line.cost)))]  # fmt: skip
    if currency is None or line.converted is None:
        order, group = float(line.cost.amount), line.cost.currency
    else:
        order, group = float(line.converted), currency
        if line.cost.amount and line.cost.currency != currency:
            small.append(_small(f"≈ {words.amount(line.converted)} {currency}"))
    return Cell(content=[words.price(line.cost), *small], order=order, group=group)


def _privacy() -> Iterator[_Part]:
    yield _Part(column=Column(label=_("Privacy")), cell=_level)
    yield _Part(column=Column(label=_("Region")), cell=_region)
    yield _Part(column=Column(label=_("Kept"), numeric=True, hint=_("days that prompts are kept")),
                cell=_kept)  # fmt: skip


def _level(view: View, at: int) -> Cell:
    level, verdict = view.level(at), view.candidates[at].verdict
    if level is None or verdict is None:
        return _unknown()
    small = [_small(_("attested by you"))] if verdict.attested else []
    shown: Child = _("unknown") if level is Level.UNKNOWN else str(level)
    order = None if level is Level.UNKNOWN else float(level.rank)
    return Cell(content=[shown, *small], order=order)


def _region(view: View, at: int) -> Cell:
    verdict = view.candidates[at].verdict
    if verdict is None or not (verdict.region or verdict.regions):
        here = view.level(at) in (Level.DEVICE, Level.NETWORK)
        return Cell(content=_("on site"), order="") if here else _unknown()
    name = verdict.region or "/".join(verdict.regions)
    return Cell(content=said(name), order=name)


def _kept(view: View, at: int) -> Cell:
    verdict = view.candidates[at].verdict
    if view.level(at) in (Level.DEVICE, Level.NETWORK):
        return Cell(content=_("not sent"), order=-1.0)
    if verdict is None or verdict.retention_days is None:
        return _unknown()
    days = verdict.retention_days
    text = _("not kept") if days == 0 else _("{days} days", days=days)
    return Cell(content=text, order=float(days))


def _what(view: View) -> Iterator[_Part]:
    yield _Part(column=Column(label=_("Weights")), cell=_weights)
    if any(one.licence for one in view.candidates):
        yield _Part(column=Column(label=_("Licence")), cell=_licence)
    if any(one.memory is not None for one in view.candidates):
        yield _Part(column=Column(label=_("Memory"), numeric=True), cell=_memory)


def _weights(view: View, at: int) -> Cell:
    match view.candidates[at].weights:
        case "open":
            return Cell(content=_("open"), order="a")
        case "closed":
            return Cell(content=_("closed"), order="b")
        case "unknown":
            return _unknown()


def _licence(view: View, at: int) -> Cell:
    licence = view.candidates[at].licence
    return Cell(content=said(licence), order=licence) if licence else _unknown()


def _memory(view: View, at: int) -> Cell:
    size = view.candidates[at].memory
    return _unknown() if size is None else Cell(content=words.memory(size), order=float(size))


def _failures(view: View, at: int) -> Cell:
    line = view.line(at)
    if not line.runs:
        return _unknown()
    failed = line.runs - line.succeeded
    kinds = [_small(f"{words.failure(code)}: {count}") for code, count in line.failures.items()]
    value = tag("span", _("{failed} of {all}", failed=failed, all=line.runs), class_="bad")
    return Cell(content=[value, *kinds] if failed else "0", order=float(failed))


def _small(text: str) -> Markup:
    return tag("span", text, class_="sub")


def _unknown() -> Cell:
    return Cell(content=words.unknown())
