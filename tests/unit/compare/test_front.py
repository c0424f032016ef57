"""Who is on the front of cost, time, quality and privacy, by figures that are given."""

from collections.abc import Sequence

import pytest

from llmctl.compare.figures import Metric, Pair
from llmctl.compare.front import front
from llmctl.types import Level
from tests.unit.compare.weighed import Model, clear, unclear, weighed


def on(models: Sequence[Model], pairs: Sequence[Pair] = ()) -> set[int]:
    found = front(*weighed(models, pairs))
    assert list(found) == sorted(found)
    return set(found)


def test_one_alone_is_on_it() -> None:
    assert on([Model()]) == {0}
    assert on([]) == set()


def test_equals_are_all_on_it() -> None:
    assert on([Model(), Model(), Model()]) == {0, 1, 2}


@pytest.mark.parametrize(
    "better",
    [
        Model(cost="0.001"),
        Model(total=0.5),
        Model(judged=0.9),
        Model(level=Level.DEVICE),
    ],
    ids=["cheaper", "faster", "better answers", "more private"],
)
def test_better_in_one_thing_and_worse_in_none_beats(better: Model) -> None:
    assert on([Model(judged=0.5), better if better.judged else Model(
        cost=better.cost, total=better.total, level=better.level, judged=0.5)]) == {1}  # fmt: skip


def test_better_here_and_worse_there_leaves_both() -> None:
    assert on([Model(cost="0.001", total=2.0), Model(cost="0.01", total=1.0)]) == {0, 1}
    assert on([Model(level=Level.DEVICE, passed=2), Model(passed=9)]) == {0, 1}


def test_a_front_of_three_with_one_behind_it() -> None:
    """0 is cheapest, 1 fastest, 2 most private; 3 is in nothing better than 1."""
    models = [
        Model(cost="0.001", total=3.0),
        Model(cost="0.02", total=1.0),
        Model(cost="0.03", total=4.0, level=Level.DEVICE),
        Model(cost="0.02", total=1.5),
    ]

    assert on(models) == {0, 1, 2}


def test_no_clear_difference_in_time_is_no_likeness() -> None:
    """The cheaper one does not beat one that may well be faster; nor does what may be faster beat
    what is as good in all else."""
    models = [Model(total=1.0, cost="0.02"), Model(total=1.1, cost="0.01")]

    assert on(models) == {0, 1}  # bare figures, without evidence
    assert on(models, [unclear(0, 1)]) == {0, 1}
    assert on([Model(total=1.0), Model(total=1.1)], [unclear(0, 1)]) == {0, 1}
    worse = Model(total=1.1, cost="0.02")
    assert on([Model(total=1.0, cost="0.01"), worse], [unclear(0, 1)]) == {0}
    assert on(models, [unclear(0, 1, count=2)]) == {0, 1}  # too few to say anything
    assert on(models, [clear(0, 1, better=0)]) == {0, 1}
    assert on(models, [unclear(0, 1, metric=Metric.TTFT)]) == {0, 1}


def test_a_clear_difference_counts_whatever_the_medians_say() -> None:
    """Pairs of the same case tell more than medians over different cases."""
    models = [Model(total=1.0), Model(total=1.1)]

    assert on(models, [clear(0, 1, better=1)]) == {1}


def test_what_is_not_known_is_worse_than_what_is() -> None:
    assert on([Model(cost=None), Model()]) == {1}
    assert on([Model(total=None), Model()]) == {1}
    assert on([Model(level=None), Model()]) == {1}
    assert on([Model(cost=None), Model(cost=None)]) == {0, 1}
    assert on([Model(judged=None), Model(judged=0.1)]) == {1}


def test_costs_that_nobody_can_compare_beat_nobody() -> None:
    roubles = Model(cost="0.001", currency="RUB", dollars=None, total=0.5)

    assert on([roubles, Model(cost="0.01", dollars=None)]) == {0, 1}


def test_costs_in_another_currency_count_where_they_were_converted() -> None:
    dear = Model(cost="5", currency="RUB", dollars="0.05")

    assert on([dear, Model(cost="0.01")]) == {1}
    assert on([Model(cost="0.5", currency="RUB", dollars="0.005"), Model(cost="0.01")]) == {0}


def test_without_an_answer_nobody_is_on_it_and_nobody_is_beaten_by_it() -> None:
    silent = Model(cost="0", total=0.1, level=Level.DEVICE, succeeded=0)

    assert on([silent, Model()]) == {1}
    assert on([silent]) == set()


def test_checks_come_before_the_judge() -> None:
    """Of 10 runs 9 passed, whatever the judge likes better."""
    assert on([Model(passed=9, judged=0.1), Model(passed=5, judged=0.9)]) == {0}
