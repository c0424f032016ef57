"""The end of a comparison's report: the judge's rulings, rows that were skipped, how it was
measured."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator

from llmctl import __version__
from llmctl.compare.shape import Ruling
from llmctl.messages import _
from llmctl.output.report import words
from llmctl.output.report.compare_view import View
from llmctl.output.report.elements import Child, Markup, said, tag
from llmctl.output.report.tables import Column, table
from llmctl.types import OWN_HARDWARE

MOST = 100  # rulings and skipped rows that are listed
LONGEST = 500


def rulings(view: View) -> Markup | None:
    every = view.comparison.rulings
    if not every:
        return None
    draws = sum(one.winner is None and one.error is None for one in every)
    errors = sum(one.error is not None for one in every)
    text = _("Rulings: {count}, draws: {draws}, unusable: {errors}. The judge, {judge}, saw each "
             "pair twice, the second time with the answers swapped; whoever wins only once has "
             "drawn.")  # fmt: skip
    summary = words.filled(text, count=str(len(every)), draws=str(draws), errors=str(errors),
                           judge=said(view.comparison.judge or words.DASH))  # fmt: skip
    columns = [Column(label=one) for one in (_("Case"), _("Pair"), _("Better"), _("Why"))]
    listing = tag(
        "details",
        tag("summary", _("Show the rulings")),
        table(_("The judge's rulings"), columns, (_ruling(view, one) for one in every[:MOST])),
    )
    won = Counter(one.winner for one in every if one.winner is not None)
    wins = [tag("li", view.named(at), ": ", _("wins {count}", count=count))
            for at, count in won.most_common()]  # fmt: skip
    return tag(
        "section",
        tag("h2", _("The judge's rulings")),
        tag("p", summary),
        tag("ul", wins, class_="plain") if wins else None,
        listing,
        _others(view, len(every) - MOST),
    )


def _ruling(view: View, one: Ruling) -> list[Child]:
    cases = view.comparison.cases
    case = said(cases[one.case].id) if one.case < len(cases) else one.case + 1
    if one.error is not None:
        better: Child = tag("span", words.failure(one.error.code), class_="bad")
        why: Child = said(one.error.message[:LONGEST])
    else:
        better = _("a draw") if one.winner is None else view.named(one.winner)
        why = said((one.why or "")[:LONGEST])
    number = _("repeat {number}", number=one.repeat)
    pair = [words.chip(one.first + 1), " ", words.chip(one.second + 1)]
    return [[case, tag("span", number, class_="sub")], pair, better, why]


def skipped(view: View) -> Markup | None:
    rows = view.comparison.skipped
    if not rows:
        return None
    items = [
        tag("li", _("line {line}", line=one.line), ": ", said(one.why[:LONGEST]))
        for one in rows[:MOST]
    ]
    return tag(
        "section",
        tag("h2", _("Rows that were skipped")),
        tag("ul", items, class_="plain"),
        _others(view, len(rows) - MOST),
    )


def _others(view: View, count: int) -> Markup | None:
    if count <= 0:
        return None
    command = tag("code", f"llmctl compare --show {view.comparison.id} --json")
    text = _("Left out here: {count}. All of them: {command}")
    return tag("p", words.filled(text, count=str(count), command=command), class_="note")


def measured(view: View) -> Markup:
    return tag(
        "section",
        tag("h2", _("How it was measured")),
        tag("dl", _facts(view), class_="facts-list"),
        _apart(view),
        _prices(view),
    )


def _facts(view: View) -> Iterator[list[Markup]]:
    comparison, summary = view.comparison, view.summary
    facts: list[tuple[str, Child]] = [
        (_("Started"), words.moment(comparison.started_at)),
        (_("Took"), words.seconds(comparison.seconds)),
        (_("Runs"), _runs(view)),
        (_("Order"), _("mixed at random, seed {seed}; repeats: {repeats}", seed=comparison.seed,
                       repeats=comparison.repeat)),
        (_("Spent"), _sum(map(words.money, summary.spent))),
    ]  # fmt: skip
    if summary.judge_spent:
        facts.append((_("Of that by the judge"), _sum(map(words.money, summary.judge_spent))))
    if summary.unpriced:
        facts.append((_("Runs at an unknown price"), summary.unpriced))
    if comparison.checks:
        checks = [tag("code", said(one[:LONGEST])) for one in comparison.checks]
        facts.append((_("Checks"), words.listed(checks)))
    if comparison.min_pass is not None:
        facts.append((_("To be passed"), words.share(comparison.min_pass)))
    if comparison.judge:
        facts.append((_("Judge"), said(comparison.judge)))
    facts += [
        (_("Intervals"), _("95 %, by drawing from the runs again and again (bootstrap)")),
        (_("Pairs"), _("paired t-test on ratios, exact sign test on shares, corrected for the "
                       "number of all tests (Holm)")),
    ]  # fmt: skip
    if summary.exchanged:
        facts.append((_("Rates of exchange"), words.listed(map(said, summary.exchanged))))
    if comparison.asked and comparison.texts:
        asked = json.dumps(dict(comparison.asked), ensure_ascii=False, default=str)
        facts.append((_("Asked for"), tag("code", said(asked[: LONGEST * 4]))))
    facts.append((_("Kept as"), tag("code", f"llmctl compare --show {comparison.id}")))
    facts.append((_("Written by"), f"llmctl {__version__}"))
    for name, value in facts:
        yield [tag("dt", name), tag("dd", value)]


def _runs(view: View) -> str:
    warm = sum(one.is_warm_up for one in view.comparison.trials)
    count = len(view.comparison.measured)
    if not warm:
        return str(count)
    return _(
        "{count}, and {warm} to warm up, which count for nothing but what was spent and how long "
        "connecting and loading took",
        count=count,
        warm=warm,
    )


def _sum(amounts: Iterable[str]) -> str:
    return " + ".join(amounts) or words.DASH


def _apart(view: View) -> Markup:
    """What is in no time of a model."""
    columns = [
        Column(label=_("Model")),
        Column(label=_("Connecting"), numeric=True),
        Column(label=_("Loading the model"), numeric=True),
        Column(label=_("Waiting, in all"), numeric=True),
        Column(label=_("Prompts from the cache"), numeric=True),
    ]
    rows = []
    for at in view.asked:
        line = view.line(at)
        cached: Child = "0"
        if line.cached:
            cached = f"{line.cached} ({words.share(line.cached_share)})"
        rows.append((
            view.named(at),
            words.known(line.connect_s, words.seconds),
            words.known(line.load_s, words.seconds),
            words.seconds(line.waited_s) if line.waited_s else "0",
            cached,
        ))  # fmt: skip
    label = _("Not in the times of models")
    return tag("div", tag("h3", label), table(label, columns, rows))


def _prices(view: View) -> Markup:
    """Where prices and facts about privacy come from, and of which day they are."""
    columns = [Column(label=_("Model")), Column(label=_("Answered as")), Column(label=_("Prices")),
               Column(label=_("Facts about privacy"))]  # fmt: skip
    rows = []
    for at in view.asked:
        receipts = [one.receipt for one in view.comparison.trials if one.candidate == at]
        costs = dict.fromkeys((one.cost.price_source, one.cost.price_date) for one in receipts)
        prices = [said(_price(source, date)) for source, date in costs if source]
        resolved = dict.fromkeys(one.resolved for one in receipts if one.resolved)
        verdict = view.candidates[at].verdict
        checked = verdict.facts_checked if verdict is not None else None
        rows.append((
            view.named(at),
            words.listed(map(said, resolved), most=3) if resolved else words.unknown(),
            words.listed(prices, most=3) if prices else words.unknown(),
            _("checked {date}", date=checked) if checked else words.unknown(),
        ))  # fmt: skip
    label = _("Where figures come from")
    return tag("div", tag("h3", label), table(label, columns, rows, class_="sources"))


def _price(source: str | None, date: str | None) -> str:
    shown = _("own hardware") if source == OWN_HARDWARE else source or ""
    return ", ".join(one for one in (shown, date) if one)
