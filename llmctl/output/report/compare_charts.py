"""The charts of a comparison: times as box plots, cost against time, cost as bars; currencies
apart where nobody said a rate for them."""

from collections.abc import Callable, Iterator, Sequence

from llmctl.compare.figures import Figure, Line
from llmctl.messages import _
from llmctl.output.report import words
from llmctl.output.report.charts import Bar, Chart, Point, Series, bars, box_plots, scatter
from llmctl.output.report.compare_view import View
from llmctl.output.report.elements import Child, Markup, tag
from llmctl.values import dataclass

RUNS = 1000  # what bars and points show the cost of, so that axes have readable numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Priced:
    """The candidates that a run's cost is known of in one currency, by place."""

    currency: str
    costs: dict[int, float]


def charts(view: View) -> Markup:
    drawn = [
        _box_plot(view, "ttft", _("Time to the first token"), lambda line: line.ttft),
        _box_plot(view, "total", _("Time to the whole answer"), lambda line: line.total),
        *_trade_offs(view),
        *_cost_bars(view),
    ]
    return tag("section", tag("h2", _("At a glance")), tag("div", drawn, class_="charts"))


def _box_plot(view: View, key: str, title: str, figure: Callable[[Line], Figure]) -> Markup:
    series = [
        Series(
            number=at + 1,
            name=view.candidates[at].name,
            values=figure(view.line(at)).values,
            chosen=at == view.chosen,
        )
        for at in view.asked
    ]
    missing = [at for at in view.asked if not figure(view.line(at)).values]
    notes: list[Child] = []
    if any(len(one.values) >= 5 for one in series):
        notes.append(_("The box holds the middle half of all runs, the line in it is the median."))
    if missing:
        notes.append(words.filled(_("Not shown, since no time is known: {names}"),
                                  names=view.names(missing, 8)))  # fmt: skip
    return box_plots(Chart(key=key, title=title, unit=_("seconds"), notes=tuple(notes)), series)


def _priced(view: View) -> Iterator[_Priced]:
    """In the common currency, else in each for itself; what costs nothing belongs to all."""
    known = {at: cost for at in view.asked if (cost := view.cost(at)) is not None}
    paid = list(dict.fromkeys(cost.currency for cost in known.values() if cost.amount))
    for currency in paid or list(dict.fromkeys(cost.currency for cost in known.values()))[:1]:
        costs = {
            at: float(cost.amount) * RUNS
            for at, cost in known.items()
            if cost.currency == currency or not cost.amount
        }
        yield _Priced(currency=currency, costs=costs)


def _unit(priced: _Priced) -> str:
    return _("cost of 1,000 runs, {currency}", currency=priced.currency)


def _text(value: float, currency: str) -> str:
    return f"{words.amount(value)} {currency}" if value else "0"


def _no_price(view: View, shown: Sequence[int]) -> Iterator[Child]:
    known = [at for at in view.asked if view.cost(at) is not None]
    missing = [at for at in view.asked if at not in known]
    if missing:
        yield words.filled(_("Not shown, since the cost is unknown: {names}"),
                           names=view.names(missing, 8))  # fmt: skip
    apart = [at for at in known if at not in shown]
    if apart:
        yield words.filled(_("In another currency: {names}"), names=view.names(apart, 8))


def _trade_offs(view: View) -> Iterator[Markup]:
    title = _("Cost and time")
    sets = list(_priced(view))
    if not sets:
        yield scatter(Chart(key="trade", title=title, unit=_("cost"),
                            notes=tuple(_no_price(view, []))), _("seconds"), [])  # fmt: skip
    for number, priced in enumerate(sets):
        points = list(_points(view, priced))
        notes: list[Child] = [*_no_price(view, list(priced.costs))]
        untimed = [at for at in priced.costs if view.line(at).total.median is None]
        if untimed:
            notes.append(words.filled(_("Not shown, since no time is known: {names}"),
                                      names=view.names(untimed, 8)))  # fmt: skip
        if len(points) > 1:
            notes.insert(0, _corner())
        chart = Chart(key=f"trade{number}", title=_titled(title, priced, sets), unit=_unit(priced),
                      notes=tuple(notes))  # fmt: skip
        yield scatter(chart, _("whole answer, seconds"), points)


def _corner() -> str:
    return _(
        "Nearer to the corner at the lower left is better. The line joins models that no other "
        "beats in cost and time; filled are those that none beats once quality and privacy count "
        "too."
    )


def _points(view: View, priced: _Priced) -> Iterator[Point]:
    for at, cost in priced.costs.items():
        total = view.line(at).total.median
        if total is not None:
            yield Point(
                number=at + 1,
                name=view.candidates[at].name,
                x=cost,
                y=total,
                x_text=_text(cost, priced.currency),
                y_text=words.seconds(total),
                front=at in view.summary.front,
                chosen=at == view.chosen,
            )


def _cost_bars(view: View) -> Iterator[Markup]:
    title = _("Cost")
    sets = list(_priced(view))
    if not sets:
        yield bars(Chart(key="cost", title=title, unit=_("cost"),
                         notes=tuple(_no_price(view, []))), [])  # fmt: skip
    for number, priced in enumerate(sets):
        given = [
            Bar(
                number=at + 1,
                name=view.candidates[at].name,
                value=cost,
                text=_text(cost, priced.currency),
                chosen=at == view.chosen,
            )
            for at, cost in priced.costs.items()
        ]
        chart = Chart(key=f"cost{number}", title=_titled(title, priced, sets), unit=_unit(priced),
                      notes=tuple(_no_price(view, list(priced.costs))))  # fmt: skip
        yield bars(chart, given)


def _titled(title: str, priced: _Priced, sets: Sequence[_Priced]) -> str:
    return f"{title}, {priced.currency}" if len(sets) > 1 else title
