"""In which order what is asked of whom: interleaved and at random, so that what drifts (the load of
a provider, the heat of a processor) falls on all alike."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from llmctl.compare.shape import WARM_UP


class Planned(NamedTuple):
    """One trial to come: places in the comparison's tuples, and `repeat` as a trial has it."""

    candidate: int
    case: int
    repeat: int


def planned(
    candidates: Sequence[int], cases: int, *, repeat: int, warm_up: int, seed: int
) -> tuple[Planned, ...]:
    """Every trial in order: the warm-ups, then round after round of all cases. In each round the
    cases come in an order of its own, and each case goes to all candidates, in an order of its own,
    before the next one. The same `seed` gives the same order."""
    chance = random.Random(seed)
    order: list[Planned] = []
    for _again in range(warm_up if cases else 0):
        order += [Planned(one, 0, WARM_UP) for one in _shuffled(candidates, chance)]
    for number in range(1, repeat + 1):
        for case in _shuffled(range(cases), chance):
            order += [Planned(one, case, number) for one in _shuffled(candidates, chance)]
    return tuple(order)


def _shuffled(items: Sequence[int], chance: random.Random) -> list[int]:
    return chance.sample(items, len(items))
