"""A comparison as the parts of its report look at it: candidates by name, who is best in what."""

from collections.abc import Sequence
from functools import cached_property

from llmctl.compare.figures import MORE_IS_BETTER, Figure, Line, Metric, Pair, Summary
from llmctl.compare.shape import Candidate, Comparison, Trial
from llmctl.cost.money import Money
from llmctl.messages import _
from llmctl.output.report import words
from llmctl.output.report.elements import Markup, joined
from llmctl.types import Level


class View:
    """One comparison with what was worked out of it. Candidates are numbered from 1 for people."""

    def __init__(self, comparison: Comparison, summary: Summary) -> None:
        self.comparison = comparison
        self.summary = summary
        self.lines = {line.candidate: line for line in summary.lines}

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        return self.comparison.candidates

    @cached_property
    def asked(self) -> list[int]:
        """The candidates that something was sent to."""
        return [at for at, one in enumerate(self.candidates) if one.refused is None]

    @cached_property
    def pairs(self) -> dict[tuple[frozenset[int], Metric], Pair]:
        return {(frozenset((one.first, one.second)), one.metric): one for one in self.summary.pairs}

    @property
    def chosen(self) -> int | None:
        return None if self.summary.advice is None else self.summary.advice.chosen

    @cached_property
    def trials(self) -> dict[tuple[int, int], list[Trial]]:
        """The measured ones by case and repeat, in the order of candidates."""
        found: dict[tuple[int, int], list[Trial]] = {}
        for trial in sorted(self.comparison.measured, key=lambda one: one.candidate):
            found.setdefault((trial.case, trial.repeat), []).append(trial)
        return found

    def line(self, candidate: int) -> Line:
        return self.lines.get(candidate) or Line(candidate=candidate)

    def named(self, candidate: int, after: str = "") -> Markup:
        name, chosen = self.candidates[candidate].name, candidate == self.chosen
        return words.named(candidate + 1, name, chosen=chosen, after=after)

    def names(self, candidates: Sequence[int], most: int = 4) -> Markup:
        """With commas between; of more than `most` the others are counted."""
        *others, last = candidates[:most]
        listed = [(self.named(one, ","), " ") for one in others]
        return joined(listed, self.named(last), words.more(len(candidates) - most))

    def level(self, candidate: int) -> Level | None:
        verdict = self.candidates[candidate].verdict
        return None if verdict is None else verdict.level

    def value(self, candidate: int, metric: Metric) -> float | None:
        return self.line(candidate).value(metric)

    def best(self, metric: Metric) -> tuple[list[int], list[int]]:
        """Those with the best value, which may be several, and all others with a known one."""
        known = {at: value for at in self.asked if (value := self.value(at, metric)) is not None}
        if metric is Metric.COST and self.summary.currency is None:
            free = self.free
            return free, [at for at in self.asked if self.line(at).cost and at not in free]
        if not known:
            return [], []
        top = max(known.values()) if metric in MORE_IS_BETTER else min(known.values())
        first = [at for at, value in known.items() if value == top]
        return first, [at for at in known if at not in first]

    @property
    def free(self) -> list[int]:
        """Nothing is nothing in every currency."""
        costs = {at: self.line(at).cost for at in self.asked}
        return [at for at, cost in costs.items() if cost is not None and not cost.amount]

    def cost(self, candidate: int) -> Money | None:
        """Of a run, in the currency that all share where there is one."""
        line, currency = self.line(candidate), self.summary.currency
        if currency is not None and line.converted is not None:
            return Money(line.converted, currency)
        return line.cost


# What tables and charts call the metrics, and how their values are written.
def titles() -> dict[Metric, str]:
    return {
        Metric.QUALITY: _("Checks passed"),
        Metric.JUDGED: _("Judge's rulings"),
        Metric.TTFT: _("First token"),
        Metric.TOTAL: _("Whole answer"),
        Metric.SPEED: _("Tokens a second"),
        Metric.COST: _("Cost of a run"),
    }


def spread(figure: Figure) -> str | None:
    """Between which limits the median lies, or the least and the greatest of a few values."""
    if figure.low is not None and figure.high is not None:
        limits = (figure.low, figure.high)
    elif len(figure.values) > 1:
        limits = (min(figure.values), max(figure.values))
    else:
        return None
    low, high = words.alike(limits, 2)
    return low if low == high else f"{low} … {high}"
