"""The order of trials: every one once, interleaved, the same for the same seed."""

from collections import Counter
from itertools import pairwise

import pytest

from llmctl.compare.plan import Planned, planned
from llmctl.compare.shape import WARM_UP

CANDIDATES, CASES, REPEAT = 4, 3, 5


def plan(seed: int = 1, warm_up: int = 2) -> tuple[Planned, ...]:
    return planned(range(CANDIDATES), CASES, repeat=REPEAT, warm_up=warm_up, seed=seed)


def test_the_same_seed_gives_the_same_order() -> None:
    assert plan(7) == plan(7)
    assert len({plan(seed) for seed in range(20)}) == 20


def test_every_trial_comes_once() -> None:
    counts = Counter(one for one in plan() if one.repeat != WARM_UP)

    assert counts == {
        Planned(candidate, case, repeat): 1
        for candidate in range(CANDIDATES)
        for case in range(CASES)
        for repeat in range(1, REPEAT + 1)
    }


def test_warm_ups_come_first_each_model_as_often() -> None:
    order = plan(warm_up=2)
    first, rest = order[: 2 * CANDIDATES], order[2 * CANDIDATES :]

    assert Counter(first) == {Planned(one, 0, WARM_UP): 2 for one in range(CANDIDATES)}
    assert all(one.repeat != WARM_UP for one in rest)
    assert WARM_UP not in {one.repeat for one in plan(warm_up=0)}


@pytest.mark.parametrize("seed", range(10))
def test_between_two_trials_of_one_model_in_a_round_all_others_come(seed: int) -> None:
    order = [one for one in plan(seed) if one.repeat != WARM_UP]

    for start in range(0, len(order), CANDIDATES):
        turn = order[start : start + CANDIDATES]
        assert {one.candidate for one in turn} == set(range(CANDIDATES))
        assert len({(one.case, one.repeat) for one in turn}) == 1


def test_a_round_is_over_before_the_next_begins() -> None:
    repeats = [one.repeat for one in plan(warm_up=0)]

    assert repeats == sorted(repeats)


def test_neither_models_nor_cases_have_a_place_of_their_own() -> None:
    """A model that always came first would always meet an idle machine."""
    first: Counter[int] = Counter()
    cases = set()
    for seed in range(400):
        order = plan(seed, warm_up=0)
        first[order[0].candidate] += 1
        cases.add(tuple(one.case for one in order[::CANDIDATES][:CASES]))

    # 400 draws of one in four: 100 each, standard deviation 8.7, so within four of these.
    assert all(abs(first[one] - 100) < 35 for one in range(CANDIDATES))
    assert len(cases) == 6  # all orders of three cases


def test_the_order_changes_from_case_to_case() -> None:
    order = [one.candidate for one in plan(warm_up=0)]
    turns = [tuple(order[at : at + CANDIDATES]) for at in range(0, len(order), CANDIDATES)]

    assert any(one != other for one, other in pairwise(turns))


def test_places_of_candidates_are_kept() -> None:
    """Those that are not asked leave gaps."""
    order = planned([0, 3], 1, repeat=2, warm_up=1, seed=1)

    assert {one.candidate for one in order} == {0, 3}
    assert len(order) == 6


def test_nothing_to_ask_is_an_empty_plan() -> None:
    assert planned([], 3, repeat=2, warm_up=1, seed=1) == ()
    assert planned([0], 0, repeat=2, warm_up=1, seed=1) == ()
