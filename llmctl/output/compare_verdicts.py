"""What a comparison comes to, in sentences: who is clearly better than whom, what was paid, what is
recommended. A line each, nothing safe for a terminal yet."""

from collections.abc import Iterator, Sequence

from llmctl.compare.figures import MORE_IS_BETTER, Metric, Pair, Summary
from llmctl.compare.shape import Comparison
from llmctl.compare.verdicts import LEAST_UNITS, MANY_CASES
from llmctl.messages import _
from llmctl.output.compare_text import rows_of, sums_text
from llmctl.output.report import words

# With more candidates than these only the best one is set against the others.
ALL_AGAINST_ALL = 4
MOST_SKIPPED = 5
MOST_DIGITS = 9
# Of connecting and waiting, what is worth a word.
LEAST_TOLD_S = 0.05
SHARES = frozenset({Metric.QUALITY, Metric.JUDGED})


def verdict_lines(comparison: Comparison, summary: Summary) -> list[str]:
    """By metric: the clear differences first, then those that nobody can tell."""
    pairs = _told(comparison, summary)
    if not pairs:
        return []
    if all(pair.p is None for pair in pairs):
        return [_("Too few runs to tell a difference from chance: that takes {count} or more of"
                  " each (--repeat 5).", count=LEAST_UNITS)]  # fmt: skip
    metrics = [metric for metric in Metric if any(pair.metric is metric for pair in pairs)]
    clear = [_clear(comparison, pair) for metric in metrics
             for pair in pairs if pair.metric is metric and pair.clear]  # fmt: skip
    return clear + [line for metric in metrics for line in _unclear(comparison, pairs, metric)]


def note_lines(comparison: Comparison, summary: Summary) -> list[str]:
    """What else is to be said: what is not in the times, what was paid, who stands where, what was
    left out."""
    return [
        *_interrupted(comparison),
        *_apart(comparison, summary),
        *_cached(comparison, summary),
        *_paid(summary),
        *_front(comparison, summary),
        *_refused(comparison),
        *_skipped(comparison),
    ]


def advice_lines(comparison: Comparison, summary: Summary) -> list[str]:
    """What is recommended and why, or that nothing fits and what was nearest."""
    advice = summary.advice
    if advice is None:
        return []
    wanted = f" ({advice.wanted})" if advice.wanted else ""
    if advice.chosen is not None:
        name = _name(comparison, advice.chosen)
        lines = [_("Recommended{wanted}: {name}", wanted=wanted, name=name)]
        lines += [f"  {reason}" for reason in advice.reasons]
    elif advice.reasons:
        lines = [_("No recommendation{wanted}", wanted=wanted)]
        lines += [f"  {reason}" for reason in advice.reasons]
    elif advice.nearest is not None:
        name = _name(comparison, advice.nearest)
        lines = [_("Nothing fits{wanted}; nearest is {name}", wanted=wanted, name=name)]
        lines += [f"  {miss}" for miss in advice.misses]
    else:
        lines = [_("Nothing fits{wanted}", wanted=wanted)]
        lines += [f"  {one}" for one in advice.misses]
    return lines + [
        "  " + _("not {name}: {why}", name=_name(comparison, at), why=why)
        for at, why in advice.excluded.items()
    ]


# ---- pairs -------------------------------------------------------------------------------------


def _told(comparison: Comparison, summary: Summary) -> list[Pair]:
    """The pairs worth a word: all of few candidates, of many those with the best one."""
    pairs = [pair for pair in summary.pairs if pair.count]
    if len(rows_of(comparison, summary)) <= ALL_AGAINST_ALL:
        return pairs
    best = {metric: _best(summary, metric) for metric in Metric}
    return [pair for pair in pairs if best[pair.metric] in (pair.first, pair.second)]


def _best(summary: Summary, metric: Metric) -> int | None:
    known = [(value, line.candidate) for line in summary.lines
             if (value := line.value(metric)) is not None]  # fmt: skip
    if not known:
        return None
    best = max if metric in MORE_IS_BETTER else min
    return best(known, key=lambda one: one[0])[1]


def _clear(comparison: Comparison, pair: Pair) -> str:
    worse = pair.second if pair.better == pair.first else pair.first
    better = pair.first if worse == pair.second else pair.second
    one, other = _name(comparison, better), _name(comparison, worse)
    by = _("p = {p}", p=words.plain(pair.p, 1)) if pair.p and pair.p >= 0.001 else (
        _("p < 0.001") if pair.p else "")  # fmt: skip
    if pair.metric in SHARES:
        points = words.plain(abs(pair.ratio or 0.0) * 100, 2)
        text = _passes(pair.metric, one, other, points)
        return f"{text} ({by})" if by else text
    what = [_title(pair.metric), by] if pair.metric is not Metric.COST else [by]
    beside = ", ".join(part for part in what if part)
    text = _times(pair, one, other)
    return f"{text} ({beside})" if beside else text


def _passes(metric: Metric, one: str, other: str, points: str) -> str:
    if metric is Metric.JUDGED:
        return _("{one} is preferred to {other} by the judge, by {points} points",
                 one=one, other=other, points=points)  # fmt: skip
    return _("{one} passes more often than {other}, by {points} points",
             one=one, other=other, points=points)  # fmt: skip


def _times(pair: Pair, one: str, other: str) -> str:
    ratio = pair.ratio
    if not ratio:
        if pair.metric is Metric.COST:
            return _("{one} is free, {other} is not", one=one, other=other)
        return _("{one} is better than {other}", one=one, other=other)
    factor = factor_text(max(ratio, 1 / ratio))
    match pair.metric:
        case Metric.COST:
            return _("{one} is {factor} × cheaper than {other}", one=one, other=other,
                     factor=factor)  # fmt: skip
        case _:
            return _("{one} is {factor} × faster than {other}", one=one, other=other,
                     factor=factor)  # fmt: skip


def factor_text(factor: float) -> str:
    """Of more than 1: two digits that mean something, and so many more that it does not read 1.

    >>> factor_text(1.004), factor_text(2.13), factor_text(150.2)
    ('1.004', '2.1', '150')
    """
    digits = 3 if factor < 1.1 or factor >= 100 else 2
    while (text := words.plain(factor, digits)) == "1" and digits < MOST_DIGITS:
        digits += 1
    return text


def _unclear(comparison: Comparison, pairs: Sequence[Pair], metric: Metric) -> Iterator[str]:
    """One line for all pairs that cannot be told apart by this."""
    open_ = [pair for pair in pairs if pair.metric is metric and not pair.clear]
    if not open_:
        return
    said = [_between(comparison, pair) for pair in open_]
    yield _("no clear difference in {what} between {pairs}", what=_title(metric),
            pairs=", ".join(said))  # fmt: skip


def _between(comparison: Comparison, pair: Pair) -> str:
    both = _("{one} and {other}", one=_name(comparison, pair.first),
             other=_name(comparison, pair.second))  # fmt: skip
    if pair.p is None:
        return f"{both} ({_('too few runs')})"
    if pair.smallest is None and pair.metric in SHARES:
        few = _("{count} runs are too few to tell", count=pair.count)
        return f"{both} ({few})" if _differs(pair) else both
    if pair.smallest is None or pair.smallest == 1.0:
        return both
    if pair.metric in SHARES:
        size = _("{points} points", points=words.plain(pair.smallest * 100, 2))
    else:
        size = f"{words.plain((pair.smallest - 1) * 100, 2)} %"
    if len(comparison.cases) >= MANY_CASES:
        told = _("{count} prompts would have shown {size}", count=pair.count, size=size)
    else:
        told = _("{count} runs would have shown {size}", count=pair.count, size=size)
    return f"{both} ({told})"


def _differs(pair: Pair) -> bool:
    """Whether the shares themselves are not the same."""
    return bool(pair.ratio)


def _title(metric: Metric) -> str:
    match metric:
        case Metric.TTFT:
            return "TTFT"
        case Metric.TOTAL:
            return _("total")
        case Metric.SPEED:
            return _("tokens/s")
        case Metric.COST:
            return _("cost")
        case Metric.QUALITY:
            return _("checks")
        case Metric.JUDGED:
            return _("the judge's opinion")


def _name(comparison: Comparison, candidate: int) -> str:
    return comparison.candidates[candidate].name


# ---- notes -------------------------------------------------------------------------------------


def _interrupted(comparison: Comparison) -> Iterator[str]:
    if not comparison.complete:
        made = sum(not one.is_broken_off for one in comparison.trials)
        yield _("Interrupted: {made} of {planned} runs were made.",
                made=made, planned=comparison.planned)  # fmt: skip


def _apart(comparison: Comparison, summary: Summary) -> Iterator[str]:
    """Connections, loading and waiting, which are no model's time."""
    told = []
    for row in rows_of(comparison, summary):
        line = row.line
        parts = []
        if line.connect_s and line.connect_s >= LEAST_TOLD_S:
            parts.append(_("connecting {seconds}", seconds=words.seconds(line.connect_s)))
        if line.load_s:
            parts.append(_("loading {seconds}", seconds=words.seconds(line.load_s)))
        if line.waited_s >= LEAST_TOLD_S:
            parts.append(_("waiting {seconds} in all", seconds=words.seconds(line.waited_s)))
        if parts:
            told.append(f"{row.candidate.name}: {', '.join(parts)}")
    if told:
        yield _("Not in these times: {told}", told="; ".join(told))


def _cached(comparison: Comparison, summary: Summary) -> Iterator[str]:
    for row in rows_of(comparison, summary):
        if row.line.cached:
            yield _("{name} read the prompt from its cache in {count} of {runs} runs ({share} of"
                    " all input tokens), which is quicker and cheaper than a new prompt",
                    name=row.candidate.name, count=row.line.cached, runs=row.line.runs,
                    share=words.share(row.line.cached_share))  # fmt: skip


def _paid(summary: Summary) -> Iterator[str]:
    text = sums_text(summary.spent, unpriced=bool(summary.unpriced)) or _("unknown")
    beside = []
    if summary.judge_spent:
        beside.append(_("of that the judge: {cost}", cost=sums_text(summary.judge_spent)))
    if summary.unpriced:
        beside.append(_("runs at an unknown price: {count}", count=summary.unpriced))
    line = _("Paid in all, warm-ups included: {cost}", cost=text)
    yield f"{line} ({', '.join(beside)})" if beside else line
    yield from summary.exchanged


def _front(comparison: Comparison, summary: Summary) -> Iterator[str]:
    if summary.front and len(rows_of(comparison, summary)) > 1:
        names = ", ".join(_name(comparison, at) for at in summary.front)
        if summary.currency is None and any(line.cost for line in summary.lines):
            yield _("No other beats these in time, quality and privacy at once, and costs are not"
                    " compared: {names}", names=names)  # fmt: skip
            return
        yield _("No other beats these in cost, time, quality and privacy at once: {names}",
                names=names)  # fmt: skip


def _refused(comparison: Comparison) -> Iterator[str]:
    for one in comparison.candidates:
        if one.refused is not None:
            said = one.refused.message
            why = said if one.name in said else f"{one.name}: {said}"
            yield _("Not asked: {why}", why=why)


def _skipped(comparison: Comparison) -> Iterator[str]:
    rows = sorted(comparison.skipped, key=lambda row: row.line)
    for row in rows[:MOST_SKIPPED]:
        yield _("Left out: line {line}: {why}", line=row.line, why=row.why)
    if len(rows) > MOST_SKIPPED:
        yield _("Left out besides, rows: {count}", count=len(rows) - MOST_SKIPPED)
