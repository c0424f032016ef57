"""Who differs from whom, who is on the front, and who was refused."""

from collections.abc import Iterator

from llmctl.compare.figures import Metric, Pair
from llmctl.messages import _
from llmctl.output.report import words
from llmctl.output.report.compare_view import View, titles
from llmctl.output.report.elements import Child, Markup, said, tag
from llmctl.output.report.tables import Cell, Column, table

MOST_PAIRS = 120
OPEN_PAIRS = 10  # of five candidates; more are folded
SHARES = frozenset({Metric.QUALITY, Metric.JUDGED})


def pairs(view: View) -> Markup | None:
    if not view.summary.pairs:
        return None
    metrics = [one for one in titles() if any(pair.metric is one for pair in view.summary.pairs)]
    by_pair: dict[tuple[int, int], dict[Metric, Pair]] = {}
    for pair in view.summary.pairs:
        by_pair.setdefault((pair.first, pair.second), {})[pair.metric] = pair
    columns = [Column(label=_("Pair")), *(Column(label=titles()[one]) for one in metrics)]
    rows: list[list[Cell | Child]] = [
        [[view.named(first), tag("br"), view.named(second)],
         *(_verdict(view, found.get(one)) for one in metrics)]
        for (first, second), found in list(by_pair.items())[:MOST_PAIRS]
    ]  # fmt: skip
    content: Child = table(_("Differences between pairs"), columns, rows, class_="pairs")
    if len(rows) > OPEN_PAIRS:
        summary = tag("summary", _("Show all pairs: {count}", count=len(rows)))
        content = tag("details", summary, content)
    left_out = len(by_pair) - len(rows)
    return tag(
        "section",
        tag("h2", _("Differences between pairs")),
        tag("p", _explained(), class_="note"),
        content,
        tag("p", _("Pairs left out here: {count}", count=left_out)) if left_out else None,
    )


def _explained() -> str:
    return _(
        "A difference is called clear where chance alone would show one like it, anywhere in this "
        "table, in fewer than one of 20 comparisons. In brackets: between which limits it lies "
        "(95 %)."
    )


def _verdict(view: View, pair: Pair | None) -> Cell:
    if pair is None or not pair.count:  # without a rate costs are not compared
        return Cell(content=words.unknown())
    if pair.metric is Metric.COST and {pair.first, pair.second} <= set(view.free):
        return Cell(content=_("both free"), class_="unclear")
    if not pair.clear or pair.better is None:
        return Cell(content=_unclear(pair), class_="unclear")
    winner = words.chip(pair.better + 1, chosen=pair.better == view.chosen)
    if pair.ratio is None:
        return Cell(content=[winner, " ", _("free")])
    if pair.metric in SHARES:
        return Cell(content=[winner, " ", _by_points(pair)])
    return Cell(content=[winner, " ", *_by_times(pair)])


def _unclear(pair: Pair) -> list[Child]:
    said_so = tag("span", _("no clear difference"))
    if pair.smallest is None:
        small = _("too few runs to say more")
    elif pair.smallest == (0 if pair.metric in SHARES else 1):
        return [tag("span", _("no difference"))]
    elif pair.metric in SHARES:
        small = _("less than {points} points would not have shown",
                  points=words.plain(pair.smallest * 100, 2))  # fmt: skip
    else:
        small = _("less than {factor} × would not have shown",
                  factor=words.plain(pair.smallest, 3))  # fmt: skip
    return [said_so, tag("span", small, class_="sub")]


def _by_points(pair: Pair) -> Child:
    points = words.plain(abs(pair.ratio or 0.0) * 100, 2)
    return _("{points} points more", points=points)


def _by_times(pair: Pair) -> Iterator[Child]:
    """How many times better, 1 or more, whichever of both stands first."""
    ratio = pair.ratio or 1.0
    turned = ratio < 1
    limits = [] if pair.low is None or pair.high is None else [pair.low, pair.high]
    if turned:
        ratio, limits = 1 / ratio, [1 / one for one in reversed(limits) if one]
    factor = words.plain(ratio, 3)
    match pair.metric:
        case Metric.COST:
            yield _("{factor} × cheaper", factor=factor)
        case Metric.SPEED:
            yield _("{factor} × as many", factor=factor)
        case _:
            yield _("{factor} × faster", factor=factor)
    low_high = [words.plain(one, 3) for one in limits]
    if len(low_high) == 2 and low_high[0] != low_high[1]:
        yield tag("span", f"({low_high[0]} … {low_high[1]})", class_="sub")


def front(view: View) -> Markup | None:
    if not view.summary.front:
        return None
    others = [at for at in view.asked if at not in view.summary.front]
    text = _("No other model beats these in cost, time, quality and privacy at once: which of them "
             "is the right one depends on what matters most.")  # fmt: skip
    return tag(
        "section",
        tag("h2", _("The front")),
        tag("p", text, class_="note"),
        tag("ul", [tag("li", view.named(at), ": ", _in_short(view, at))
                   for at in view.summary.front], class_="plain"),
        tag("p", words.filled(_("Beaten in everything by another: {names}"),
                              names=view.names(others, 12))) if others else None,
    )  # fmt: skip


def _in_short(view: View, at: int) -> str:
    line = view.line(at)
    parts = []
    if line.quality is not None:
        parts.append(words.share(line.quality))
    parts.append(_("cost unknown") if line.cost is None else words.price(line.cost))
    if line.total.median is not None:
        parts.append(words.seconds(line.total.median))
    parts.append(str(view.level(at) or _("privacy unknown")))
    return " · ".join(parts)


def refused(view: View) -> Markup | None:
    rows = [(at, one) for at, one in enumerate(view.candidates) if one.refused is not None]
    if not rows:
        return None
    items = [
        tag("li", view.named(at), ": ", said(one.refused.message), _rules(view, at))
        for at, one in rows
        if one.refused is not None
    ]
    return tag(
        "section",
        tag("h2", _("Refused")),
        tag("p", _("Nothing was sent to these models."), class_="note"),
        tag("ul", items, class_="plain"),
    )


def _rules(view: View, at: int) -> Markup | None:
    verdict = view.candidates[at].verdict
    if verdict is None or not verdict.reasons:
        return None
    return tag("ul", [tag("li", said(reason)) for reason in verdict.reasons])
