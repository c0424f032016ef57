"""The head of a comparison's report: what is recommended and why, and who is best in what."""

from collections.abc import Iterator

from llmctl.compare.figures import Metric
from llmctl.messages import _
from llmctl.output.report import words
from llmctl.output.report.compare_view import View
from llmctl.output.report.elements import Child, Markup, joined, said, tag
from llmctl.types import Level

LONGEST_PROMPT = 600


def head(view: View) -> Markup:
    comparison = view.comparison
    when = words.moment(comparison.started_at)
    return tag(
        "header",
        tag("p", _("Comparison of language models"), " · ", when, class_="kicker"),
        tag("h1", _headline(view)),
        _reasons(view),
        _question(view),
        _warnings(view),
        tag("div", *_tiles(view), class_="tiles"),
    )


def title(view: View) -> str:
    chosen = view.chosen
    if chosen is not None:
        return _("Recommended: {name}", name=view.candidates[chosen].name) + " · llmctl"
    return _("Comparison of language models") + " · llmctl"


def _headline(view: View) -> Markup:
    advice = view.summary.advice
    if advice is not None and advice.chosen is not None:
        name = said(view.candidates[advice.chosen].name)
        return words.filled(_("Recommended: {name}"), name=name)
    if advice is not None and advice.reasons:
        return joined(_("No recommendation"))
    if advice is not None:
        return joined(_("No model fits what was asked for"))
    return joined(_("Models compared: {count}", count=len(view.candidates)))


def _reasons(view: View) -> Markup | None:
    advice = view.summary.advice
    if advice is None:
        return None
    wanted = advice.wanted and words.filled(
        _("Asked for: {wanted}"), wanted=tag("code", said(advice.wanted))
    )
    reasons = tag("ul", [tag("li", one) for one in advice.reasons]) if advice.reasons else None
    nearest = None if advice.nearest is None else tag(
        "p", words.filled(_("Nearest: {name}. What it misses:"),
                          name=view.named(advice.nearest)))  # fmt: skip
    misses = tag("ul", [tag("li", one) for one in advice.misses]) if advice.misses else None
    return tag(
        "div",
        wanted and tag("p", wanted),
        reasons,
        nearest,
        misses,
        _others(view),
        class_="reasons",
    )


def _others(view: View) -> Markup | None:
    """Why it is none of the others."""
    excluded = view.summary.advice.excluded if view.summary.advice is not None else {}
    if not excluded:
        return None
    items = [tag("li", view.named(at), ": ", why) for at, why in excluded.items()]
    return tag("details", tag("summary", _("Why none of the others")),
               tag("ul", items, class_="plain"))  # fmt: skip


def _question(view: View) -> Markup | None:
    """The prompt itself where there is only one."""
    comparison = view.comparison
    counts = _("Models: {models} · prompts: {cases} · repeats: {repeats}",
               models=len(view.candidates), cases=len(comparison.cases),
               repeats=comparison.repeat)  # fmt: skip
    if len(comparison.cases) != 1 or not comparison.texts:
        return tag("p", counts, class_="counts")
    text = comparison.cases[0].text
    shown = text if len(text) <= LONGEST_PROMPT else text[:LONGEST_PROMPT] + "…"
    return joined(tag("blockquote", shown, dir="auto"), tag("p", counts, class_="counts"))


def _warnings(view: View) -> Iterator[Markup]:
    comparison = view.comparison
    if not comparison.complete:
        text = _("Interrupted: {made} of {planned} runs were made.",
                 made=sum(not one.is_broken_off for one in comparison.trials),
                 planned=comparison.planned)  # fmt: skip
        yield tag("p", text, class_="warning")
    measured = comparison.measured
    if comparison.redacted:
        text = _("What policy holds back stands here as placeholders, or not at all.")
        yield tag("p", text, class_="warning")
    failed = sum(not one.succeeded for one in measured)
    if failed:
        text = _("Runs that gave no whole answer: {failed} of {all}. They are marked below.",
                 failed=failed, all=len(measured))  # fmt: skip
        yield tag("p", text, class_="warning")
    refused = [at for at, one in enumerate(view.candidates) if one.refused is not None]
    if refused:
        text = words.filled(_("Nothing was sent to {names}: see “Refused”."),
                            names=view.names(refused))  # fmt: skip
        yield tag("p", text, class_="warning")


def _tiles(view: View) -> Iterator[Markup]:
    quality = Metric.QUALITY if view.comparison.checks or view.best(Metric.QUALITY)[0] else None
    if quality is not None:
        yield _tile(view, _("Best answers"), Metric.QUALITY)
    elif view.best(Metric.JUDGED)[0]:
        yield _tile(view, _("Preferred by the judge"), Metric.JUDGED)
    yield _tile(view, _("Cheapest"), Metric.COST)
    yield _tile(view, _("Fastest whole answer"), Metric.TOTAL)
    yield _private(view)


def _tile(view: View, label: str, metric: Metric) -> Markup:
    first, others = view.best(metric)
    if not first:
        return _drawn_tile(label, words.DASH, [_nothing_known(metric)])
    value = _value(view, first[0], metric)
    return _drawn_tile(
        label, value, [view.names(first, 3), _how_clear(view, first, others, metric)]
    )


def _nothing_known(metric: Metric) -> str:
    if metric is Metric.COST:
        return _("costs are unknown, or in currencies that nobody said a rate for")
    return _("no value is known")


def _value(view: View, candidate: int, metric: Metric) -> str:
    value = view.value(candidate, metric) or 0.0  # free where costs cannot be compared
    match metric:
        case Metric.QUALITY | Metric.JUDGED:
            return words.share(value)
        case Metric.COST:
            cost = view.cost(candidate)
            return words.price(cost) if cost is not None else _("free")
        case Metric.TTFT | Metric.TOTAL:
            return words.seconds(value)
        case Metric.SPEED:
            return words.speed(value)


def _how_clear(view: View, first: list[int], others: list[int], metric: Metric) -> Child:
    """Whether the best one is clearly ahead, by the verdicts on its pairs with all others."""
    if not others:
        return _("all alike") if len(first) > 1 else _("no other is known")
    if len(first) > 1 or (metric is Metric.COST and first[0] in view.free):
        return None
    unclear, untold = [], 0
    for other in others:
        pair = view.pairs.get((frozenset((first[0], other)), metric))
        if pair is None:
            untold += 1
        elif not pair.clear:
            unclear.append(other)
    if unclear:
        return words.filled(_("no clear difference from {names}"), names=view.names(unclear, 3))
    if untold:
        return _("too few runs to tell how sure that is")
    return _("clearly ahead of all others")


def _private(view: View) -> Markup:
    levels = {at: level for at in view.asked if (level := view.level(at)) is not None}
    known = {at: level for at, level in levels.items() if level is not Level.UNKNOWN}
    label = _("Most private")
    if not known:
        return _drawn_tile(label, words.DASH, [_("no level is known")])
    best = min(known.values(), key=lambda level: level.rank)
    names = view.names([at for at, level in known.items() if level is best], 3)
    return _drawn_tile(label, str(best), [names, words.level(best)])


def _drawn_tile(label: str, value: str, details: list[Child]) -> Markup:
    return tag(
        "div",
        tag("p", label, class_="label"),
        tag("p", value, class_="figure"),
        [tag("p", one, class_="detail") for one in details if one is not None],
        class_="tile",
    )
