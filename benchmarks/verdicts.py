"""What the verdicts of `compare` are worth: how often they see a difference where there is none,
and how often they see one that is there.

Whole comparisons are made up with a seed, so that every figure can be had again, and judged by the
code that judges real ones. First models that are the same, with times that vary as a rule
(log-normal) and badly (two kinds of answers, and now and then one that takes very long): a clear
difference by any of five metrics is a false alarm. Then two that differ by as much as stated.
"""

import math
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator

from benchmarks.harness import arguments, machine, table
from llmctl.compare.figures import Metric, Pair
from llmctl.compare.shape import Candidate, Case, Comparison, Mark, Trial
from llmctl.compare.spending import common, price
from llmctl.compare.verdicts import pairs
from llmctl.types import Cost, CostKind, Latency, Receipt
from llmctl.values import dataclass

# 5 % are to be expected; among 1,000, chance adds up to 1.5 % more.
FALSE_ALARMS, LEAST_POWER = 0.065, 0.80
# How many models, and repeats of each.
SIZES = ((2, 5), (2, 10), (2, 20), (2, 30), (4, 10))
# How much slower the other one is, by repeats and by the variation of times (CV): what is promised.
# It is 82 to 86 %, so that 1,000 comparisons can tell it from less than 80.
DIFFERENCES = {
    5: {0.1: 1.40, 0.3: 2.65, 0.5: 4.7},
    10: {0.1: 1.21, 0.3: 1.73, 0.5: 2.45},
    20: {0.1: 1.125, 0.3: 1.41, 0.5: 1.73},
}
SAID = {True: "pass", False: "FAIL"}
PASS = 0.8  # how often an answer passes its check

Draw = Callable[[random.Random], float]


@dataclass(frozen=True, slots=True)
class Times:
    """How a kind of times is drawn, in seconds."""

    name: str
    draw: Draw


def lognormal(cv: float, middle: float = 0.4) -> Draw:
    """Varies by `cv`, the standard deviation as a share of the mean."""
    sigma = math.sqrt(math.log(1 + cv * cv))
    return lambda chance: middle * math.exp(chance.gauss(0, sigma))


def heavy(chance: random.Random) -> float:
    """Most answers come quickly, one of five from a server that is five times slower, and one of
    fifty after a wait without a bound (Pareto's distribution, of infinite variance)."""
    seconds = lognormal(0.15, 2.0 if chance.random() < 0.2 else 0.4)(chance)
    return seconds * chance.paretovariate(1.1) * 3 if chance.random() < 0.02 else seconds


KINDS = (Times("log-normal", lognormal(0.3)), Times("heavy tail, two peaks", heavy))


def compared(
    seed: int, repeats: int, draw: Draw, slower: float = 1.0, models: int = 2
) -> Comparison:
    """Models on one prompt, the first as stated, all others with times so many times longer."""
    chance = random.Random(seed)
    return Comparison(
        id=str(seed),
        started_at="2026-11-25T10:00:00Z",
        seed=seed,
        candidates=tuple(Candidate(name=f"m{one}", model="m") for one in range(models)),
        cases=(Case(id="1", text="Why?"),),
        trials=tuple(
            trial(chance, candidate, repeat, draw, slower if candidate else 1.0)
            for repeat in range(1, repeats + 1)
            for candidate in chance.sample(range(models), models)
        ),
        repeat=repeats,
        checks=("contains=x",),
    )


def trial(chance: random.Random, candidate: int, repeat: int, draw: Draw, slower: float) -> Trial:
    tokens = round(lognormal(0.2, 200)(chance))
    first, writing = draw(chance) * slower, draw(chance) * slower * 5
    return Trial(
        candidate=candidate,
        case=0,
        repeat=repeat,
        receipt=Receipt(
            id="",
            started_at="",
            requested="m",
            cost=Cost(f"{tokens * 0.000015:.6f}", "USD", CostKind.COMPUTED),
            latency=Latency(
                ttft_s=first, total_s=first + writing, output_tokens_per_s=tokens / writing
            ),
        ),
        marks=(Mark(check="contains=x", passed=chance.random() < PASS),),
    )


def verdicts(
    comparisons: int, repeats: int, draw: Draw, slower: float = 1.0, models: int = 2
) -> Iterator[tuple[Pair, ...]]:
    """The pairs of each comparison. The seeds are 1, 2, 3…"""
    for seed in range(1, comparisons + 1):
        made = compared(seed, repeats, draw, slower, models)
        money = common(price(one.receipt) for one in made.trials)
        yield pairs(made, money)


ANY = "any of them"


def false_alarms(comparisons: int, repeats: int, draw: Draw, models: int = 2) -> dict[str, float]:
    """By metric: the share of comparisons of the same with the same in which any two were clearly
    different; and the share of those in which any two were by any metric."""
    clear: Counter[str] = Counter()
    for found in verdicts(comparisons, repeats, draw, models=models):
        metrics = {pair.metric for pair in found if pair.clear}
        clear.update(metrics)
        clear[ANY] += bool(metrics)
    return {name: clear[name] / comparisons for name in (*METRICS, ANY)}


METRICS = (Metric.TTFT, Metric.TOTAL, Metric.SPEED, Metric.COST, Metric.QUALITY)


def power(comparisons: int, repeats: int, cv: float, slower: float) -> float:
    """In what share of comparisons it was clear that the first one answers sooner."""
    found = (
        pair
        for all_ in verdicts(comparisons, repeats, lognormal(cv), slower)
        for pair in all_
        if pair.metric is Metric.TTFT
    )
    return sum(pair.better == 0 for pair in found) / comparisons


def main() -> int:
    count: int = arguments(__doc__, 1000).parse_args().rounds
    missed = False
    alarms, seen = [], []
    for kind in KINDS:
        for models, repeats in SIZES:
            rates = false_alarms(count, repeats, kind.draw, models)
            passed = rates[ANY] <= FALSE_ALARMS
            missed |= not passed
            shown = [f"{rate:.1%}" for rate in rates.values()]
            alarms.append([kind.name, str(models), str(repeats), *shown, SAID[passed]])
    for repeats, differences in DIFFERENCES.items():
        for cv, slower in differences.items():
            rate = power(count, repeats, cv, slower)
            passed = rate >= LEAST_POWER
            missed |= not passed
            seen.append([str(repeats), f"{cv:.0%}", f"{slower:g}", f"{rate:.1%}", SAID[passed]])
    print(f"\n## Verdicts\n\n{machine()}; {count} seeded comparisons a row\n")
    head = [
        "identical models",
        "how many",
        "repeats",
        *METRICS,
        ANY,
        f"≤ {FALSE_ALARMS:.1%}",
    ]
    print(table(head, alarms) + "\n")
    print(table(["repeats", "CV", "times slower", "seen", f"≥ {LEAST_POWER:.0%}"], seen))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
