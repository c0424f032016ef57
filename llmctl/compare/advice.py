"""Which candidate to take, and why: by a preference (`--prefer`) among those that fit
(`--where`)."""

from collections.abc import Callable, Mapping, Sequence
from math import inf

from llmctl.compare.figures import Advice, Line, Metric, Summary
from llmctl.compare.front import EVIDENCE, front, rank
from llmctl.compare.shape import Comparison
from llmctl.compare.where import Exchange, Miss, missed, read_where
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.values import dataclass, replace

PREFERENCES = ("cheapest", "fastest", "most-private", "best")
# Without a share of one's own (--min-pass), a candidate that passes less often is not recommended.
LEAST_PASSED = 0.5
# Times up to so much longer are as good, where no difference is clear.
ALIKE = 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """What the advice is worked out from."""

    comparison: Comparison
    summary: Summary

    def name(self, line: Line) -> str:
        return self.comparison.candidates[line.candidate].name


def refuse_preference(name: str | None, *, measured: bool = True) -> None:
    """Raises UsageError for a preference that there is not, and for one by quality where nothing
    measures it."""
    if name is None:
        return
    if name not in PREFERENCES:
        raise UsageError(
            _("--prefer does not know {name}", name=name),
            hint=_("preferences: {names}", names=", ".join(PREFERENCES)),
        )
    if name == "best" and not measured:
        raise UsageError(
            _("--prefer best needs something that tells good answers"),
            hint=_("say it with --check, --expected or --schema, or ask a --judge"),
        )


def advised(
    comparison: Comparison,
    summary: Summary,
    *,
    prefer: str | None = None,
    where: str | None = None,
    exchange: Exchange | None = None,
) -> Summary:
    """The summary with its front and, where something was asked for, with advice."""
    summary = replace(summary, front=front(comparison, summary))
    if prefer is None and not where:
        return summary
    weighing = Weighing(comparison=comparison, summary=summary)
    return replace(summary, advice=_advice(weighing, prefer, where, exchange))


def _advice(
    weighing: Weighing, prefer: str | None, where: str | None, exchange: Exchange | None
) -> Advice:
    wanted = " ".join(filter(None, (prefer and f"--prefer {prefer}", where and f"--where {where}")))
    bounds = read_where(where)
    candidates = weighing.comparison.candidates
    misses: dict[int, list[Miss]] = {}
    for line in weighing.summary.lines:
        if not line.succeeded:
            continue
        candidate = candidates[line.candidate]
        found = [missed(one, candidate, line, exchange) for one in bounds]
        misses[line.candidate] = [one for one in (*found, _unfit(weighing, line)) if one]
    excluded = {
        place: "; ".join(one.why for one in several) for place, several in misses.items() if several
    }
    excluded |= _silent(weighing)
    fitting = [one for one in weighing.summary.lines if misses.get(one.candidate) == []]
    if prefer == "cheapest" and _without_rate(fitting):
        unknown = _("costs cannot be compared: they are in several currencies, and a rate is"
                    " missing (llmctl cost rates update)")  # fmt: skip
        return Advice(wanted=wanted, reasons=(unknown,), excluded=excluded)
    if fitting:
        chosen, reasons = _chosen(weighing, fitting, prefer)
        return Advice(chosen=chosen.candidate, wanted=wanted, reasons=reasons, excluded=excluded)
    if not misses:
        return Advice(wanted=wanted, excluded=excluded)
    nearest = min(misses, key=lambda one: (len(misses[one]), sum(m.far for m in misses[one])))
    said = tuple(one.why for one in misses[nearest])
    excluded.pop(nearest, None)
    return Advice(wanted=wanted, nearest=nearest, misses=said, excluded=excluded)


def _without_rate(fitting: Sequence[Line]) -> bool:
    """Whether costs that are known cannot be compared."""
    codes = {one.cost.currency for one in fitting if one.cost and one.converted is None}
    return len(codes) > 1


def _unfit(weighing: Weighing, line: Line) -> Miss | None:
    """A candidate that seldom passes is no good advice, however cheap and quick it is."""
    least = weighing.comparison.min_pass
    least = LEAST_PASSED if least is None else least
    rate = line.pass_rate
    if rate is None or rate >= least:
        return None
    return Miss(why=_("it passed {passed} of {runs} runs", passed=line.passed, runs=line.runs),
                far=least - rate)  # fmt: skip


def _silent(weighing: Weighing) -> Mapping[int, str]:
    """Why those that gave no answer are out of the question."""
    found = {}
    for line in weighing.summary.lines:
        if line.succeeded:
            continue
        refused = weighing.comparison.candidates[line.candidate].refused
        why = refused.message if refused else _("no run gave a whole answer")
        found[line.candidate] = why
    return found


def _chosen(
    weighing: Weighing, fitting: Sequence[Line], prefer: str | None
) -> tuple[Line, tuple[str, ...]]:
    orders: Mapping[str | None, Callable[[Line], tuple[float, ...]]] = {
        "cheapest": lambda one: (_cost(one), _time(one)),
        "fastest": lambda one: (_time(one), _cost(one)),
        "most-private": lambda one: (_privacy(weighing, one), -(one.quality or 0.0), _cost(one)),
        "best": lambda one: (-(one.quality or 0.0), _cost(one), _time(one)),
        None: lambda one: (-(one.quality or 0.0), _cost(one), _time(one)),
    }
    order = orders[prefer]
    ranked = sorted(fitting, key=order)
    best = ranked[0]
    equals: list[Line] = []
    if prefer == "fastest":
        equals = _as_fast(weighing, best, ranked[1:])
        best = min((best, *equals), key=lambda one: (_cost(one), _time(one)))
    reasons = [_first_reason(weighing, best, ranked, prefer)]
    if prefer == "fastest" and equals:
        reasons.append(_no_slower(weighing, best, [ranked[0], *equals]))
    if prefer in ("best", None) and (names := _as_good(weighing, best, fitting)):
        reasons.append(_("there is no clear difference in quality to {names}", names=names))
    reasons += _further(best)
    return best, tuple(reasons)


def _as_good(weighing: Weighing, best: Line, fitting: Sequence[Line]) -> str:
    """Those whose answers are fewer times right, or less liked, but not clearly."""
    metric = Metric.QUALITY if best.passed is not None else Metric.JUDGED
    clear = {
        frozenset((one.first, one.second))
        for one in weighing.summary.pairs
        if one.metric is metric and one.clear
    }
    return ", ".join(
        weighing.name(one)
        for one in fitting
        if one is not best
        and one.quality is not None
        and frozenset((best.candidate, one.candidate)) not in clear
    )


def _no_slower(weighing: Weighing, best: Line, equals: Sequence[Line]) -> str:
    others = [one for one in equals if one is not best]
    names = ", ".join(weighing.name(one) for one in others)
    if any(one.converted is None for one in (best, *others)):
        return _("there is no clear difference in time to {names}", names=names)
    return _("there is no clear difference in time to {names}; it costs no more", names=names)


def _cost(line: Line) -> float:
    return inf if line.converted is None else float(line.converted)


def _time(line: Line) -> float:
    return inf if line.total.median is None else line.total.median


def _privacy(weighing: Weighing, line: Line) -> float:
    """The rank of the level; within one the shorter the data is kept the better."""
    verdict = weighing.comparison.candidates[line.candidate].verdict
    days = verdict.retention_days if verdict else None
    return rank(weighing.comparison, line) + (1.0 if days is None else days / (days + 1.0)) / 2


def _as_fast(weighing: Weighing, best: Line, others: Sequence[Line]) -> list[Line]:
    """Those whose time is hardly longer, and not clearly, by enough runs to tell."""
    pairs = {
        frozenset((one.first, one.second)): one
        for one in weighing.summary.pairs
        if one.metric is Metric.TOTAL
    }
    found = []
    for other in others:
        pair = pairs.get(frozenset((best.candidate, other.candidate)))
        if pair is None or pair.count < EVIDENCE or pair.clear:
            continue
        if _time(other) <= ALIKE * _time(best):
            found.append(other)
    return found


def _first_reason(
    weighing: Weighing, best: Line, ranked: Sequence[Line], prefer: str | None
) -> str:
    name = weighing.name(best)
    alone = len(ranked) == 1
    match prefer:
        case "cheapest" if best.converted is None:
            return _("what {name} costs is not known, and of no other that fits it is", name=name)
        case "cheapest":
            return _("{name} is the cheapest that fits: {cost} a run", name=name, cost=best.cost)
        case "fastest" if best.total.median is not None and best is ranked[0]:
            return _("{name} is the fastest that fits: {seconds:.2f} s a run", name=name,
                     seconds=best.total.median)  # fmt: skip
        case "fastest" if best.total.median is not None:
            return _("{name} is among the fastest that fit: {seconds:.2f} s a run", name=name,
                     seconds=best.total.median)  # fmt: skip
        case "most-private":
            verdict = weighing.comparison.candidates[best.candidate].verdict
            level = verdict.level if verdict else "unknown"
            return _("{name} has the best privacy level: {level}", name=name, level=level)
        case _ if best.quality is not None and not alone:
            return _("{name} has the best answers: {share:.0f} %", name=name,
                     share=100 * best.quality)  # fmt: skip
        case _ if alone:
            return _("{name} is the only one that fits", name=name)
        case _:
            return _("{name} fits, and costs least of those that do", name=name)


def _further(best: Line) -> list[str]:
    """What should be known of the choice beside."""
    found = []
    if best.passed is not None:
        found.append(_("it passed {passed} of {runs} runs", passed=best.passed, runs=best.runs))
    if best.succeeded < best.runs:
        found.append(_("{failed} of its {runs} runs failed", failed=best.runs - best.succeeded,
                       runs=best.runs))  # fmt: skip
    if best.runs < EVIDENCE:
        found.append(_("so few runs prove little: ask more often with --repeat"))
    return found
