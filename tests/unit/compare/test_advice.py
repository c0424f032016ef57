"""What is recommended and why, by figures that are given."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from llmctl.compare.advice import PREFERENCES, advised, refuse_preference
from llmctl.compare.figures import Advice, Pair
from llmctl.cost.money import Money
from llmctl.errors import UsageError
from llmctl.types import Failure, Level
from tests.unit.compare.weighed import Model, clear, unclear, weighed

POLICY = Failure("privacy-refused", 4, "b processes prompts in CN")


def advice(
    models: Sequence[Model],
    prefer: str | None = None,
    where: str | None = None,
    pairs: Sequence[Pair] = (),
    **more: Any,
) -> Advice:
    comparison, summary = weighed(models, pairs, **more)
    found = advised(comparison, summary, prefer=prefer, where=where).advice
    assert found is not None
    return found


def test_who_asks_for_no_advice_gets_the_front_alone() -> None:
    comparison, summary = weighed([Model(cost="0.02"), Model(cost="0.01")])
    found = advised(comparison, summary)

    assert found.advice is None
    assert found.front == (1,)


@pytest.mark.parametrize(
    ("prefer", "chosen", "why"),
    [
        ("cheapest", 1, "b is the cheapest that fits: 0.001 USD a run"),
        ("fastest", 0, "a is the fastest that fits: 0.50 s a run"),
        ("most-private", 2, "c has the best privacy level: device"),
        ("best", 3, "d has the best answers: 100 %"),
        (None, 3, "d has the best answers: 100 %"),
    ],
)
def test_each_preference_has_its_own(prefer: str | None, chosen: int, why: str) -> None:
    models = [
        Model(name="a", total=0.5, passed=6),
        Model(name="b", cost="0.001", passed=7),
        Model(name="c", level=Level.DEVICE, passed=8),
        Model(name="d", cost="0.05", total=9.0, passed=10),
    ]
    found = advice(models, prefer, "total<100")

    assert found.chosen == chosen
    assert found.reasons[0] == why
    assert f"it passed {models[chosen].passed} of 10 runs" in found.reasons
    unclear_quality = "there is no clear difference in quality to a, b, c"
    assert (unclear_quality in found.reasons) == (prefer in ("best", None))
    assert found.wanted == (f"--prefer {prefer} " if prefer else "") + "--where total<100"


# ---- cheapest


def test_of_two_that_cost_the_same_the_faster() -> None:
    assert advice([Model(total=2.0), Model(total=1.0)], "cheapest").chosen == 1


def test_an_unknown_cost_is_not_cheap() -> None:
    found = advice([Model(name="a", cost=None, total=0.1), Model(name="b", cost="9")], "cheapest")

    assert found.chosen == 1
    assert found.reasons[0] == "b is the cheapest that fits: 9 USD a run"


def test_where_no_cost_is_known_that_is_said() -> None:
    found = advice([Model(name="a", cost=None), Model(name="b", cost=None, total=2.0)], "cheapest")

    assert found.chosen == 0
    assert found.reasons[0].startswith("what a costs is not known")


def test_costs_in_another_currency_are_compared_by_what_they_come_to() -> None:
    """0.5 roubles are half a cent, by 100 roubles a dollar: it says what is really paid."""
    roubles = Model(name="a", cost="0.5", currency="RUB", dollars="0.005")
    found = advice([Model(name="b", cost="0.01"), roubles], "cheapest")

    assert found.chosen == 1
    assert found.reasons[0] == "a is the cheapest that fits: 0.5 RUB a run"
    dear = Model(name="a", cost="0.0001", currency="BTC")  # no rate, so nobody knows
    assert advice([Model(name="b", cost="0.01"), dear], "cheapest").chosen == 0


def test_free_is_the_cheapest() -> None:
    assert advice([Model(), Model(cost="0")], "cheapest").chosen == 1


# ---- fastest


def test_as_fast_by_the_evidence_the_cheaper_is_taken_and_that_is_said() -> None:
    models = [Model(name="a", total=1.0, cost="0.05"), Model(name="b", total=1.1, cost="0.01")]
    found = advice(models, "fastest", pairs=[unclear(0, 1)])

    assert found.chosen == 1
    assert found.reasons[0] == "b is among the fastest that fit: 1.10 s a run"
    assert found.reasons[1] == "there is no clear difference in time to a; it costs no more"


def test_the_fastest_that_is_the_cheapest_too_says_who_is_as_fast() -> None:
    models = [Model(name="a", total=1.0, cost="0.01"), Model(name="b", total=1.1, cost="0.05")]
    found = advice(models, "fastest", pairs=[unclear(0, 1)])

    assert found.chosen == 0
    assert found.reasons[:2] == (
        "a is the fastest that fits: 1.00 s a run",
        "there is no clear difference in time to b; it costs no more",
    )


def test_of_costs_that_nobody_knows_nothing_is_claimed() -> None:
    models = [Model(name="a", total=1.0, cost=None), Model(name="b", total=1.1, cost=None)]
    found = advice(models, "fastest", pairs=[unclear(0, 1)])

    assert found.chosen == 0
    assert found.reasons[1] == "there is no clear difference in time to b"


@pytest.mark.parametrize("pairs", [[], [clear(0, 1, better=0)], [unclear(0, 1, count=2)]])
def test_clearly_faster_or_without_evidence_the_faster_is_taken(pairs: list[Pair]) -> None:
    models = [Model(name="a", total=1.0, cost="0.05"), Model(name="b", total=1.1, cost="0.01")]
    found = advice(models, "fastest", pairs=pairs)

    assert found.chosen == 0
    assert found.reasons[0] == "a is the fastest that fits: 1.00 s a run"
    assert "no clear difference" not in " ".join(found.reasons)


def test_three_as_fast_as_one_another() -> None:
    models = [
        Model(name="a", total=1.0, cost="0.03"),
        Model(name="b", total=1.1, cost="0.01"),
        Model(name="c", total=1.2, cost="0.02"),
        Model(name="d", total=5.0, cost="0.001"),
    ]
    pairs = [unclear(0, 1), unclear(0, 2), clear(0, 3, better=0), unclear(1, 2)]
    found = advice(models, "fastest", pairs=pairs)

    assert found.chosen == 1
    assert "to a;" in found.reasons[1]  # c is a fifth slower, which is no likeness


# ---- most private


def test_of_one_level_the_shorter_it_is_kept_the_better() -> None:
    models = [Model(days=30), Model(days=None), Model(days=0), Model(days=1)]

    assert advice(models, "most-private").chosen == 2
    assert advice(models[:2], "most-private").chosen == 0


def test_a_better_level_counts_more_than_any_time() -> None:
    models = [Model(days=0), Model(level=Level.ZERO_RETENTION)]

    assert advice(models, "most-private").chosen == 1


def test_of_equals_in_privacy_the_better_answers() -> None:
    models = [Model(passed=6, cost="0"), Model(passed=9)]

    assert advice(models, "most-private").chosen == 1


# ---- best


def test_of_equally_good_the_cheaper() -> None:
    assert advice([Model(judged=0.5), Model(judged=0.5, cost="0.001")], "best").chosen == 1


# ---- what fits


def test_only_one_that_fits() -> None:
    models = [Model(name="a", region="US"), Model(name="b", region="RU")]
    found = advice(models, where="region=RU")

    assert found.chosen == 1
    assert found.reasons[0] == "b is the only one that fits"
    assert found.excluded == {0: "region=RU: it is US"}


def test_several_that_fit_and_nothing_measures_quality() -> None:
    found = advice([Model(name="a", cost="0.02"), Model(name="b")], where="total<2")

    assert found.chosen == 1
    assert found.reasons[0] == "b fits, and costs least of those that do"


def test_nothing_fits_and_the_nearest_is_told() -> None:
    """a misses one thing by a half, b the same by a tenth, c two things."""
    models = [
        Model(name="a", total=1.5, region="RU"),
        Model(name="b", total=1.1, region="RU"),
        Model(name="c", total=1.05, region="US"),
    ]
    found = advice(models, "cheapest", "total<1 region=RU")

    assert found.chosen is None
    assert found.reasons == ()
    assert found.nearest == 1
    assert found.misses == ("total<1: it is 1.1",)
    assert found.excluded == {
        0: "total<1: it is 1.5",
        2: "total<1: it is 1.05; region=RU: it is US",
    }


def test_of_levels_the_nearer_is_the_nearer() -> None:
    models = [Model(level=Level.MAY_TRAIN), Model(level=Level.ZERO_RETENTION), Model(level=None)]

    assert advice(models, where="privacy=device").nearest == 1


def test_nobody_answered() -> None:
    models = [Model(name="a", succeeded=0), Model(name="b", succeeded=0, runs=0, refused=POLICY)]
    found = advice(models, "cheapest")

    assert (found.chosen, found.nearest) == (None, None)
    assert found.excluded == {0: "no run gave a whole answer", 1: "b processes prompts in CN"}


def test_who_gave_no_answer_is_neither_chosen_nor_nearest() -> None:
    models = [Model(cost="0", total=0.1, succeeded=0), Model(name="b", total=3.0)]

    assert advice(models, "cheapest").chosen == 1
    assert advice(models, "cheapest", "total<1").nearest == 1


def test_a_model_that_seldom_passes_is_no_good_advice() -> None:
    models = [Model(name="a", cost="0.001", passed=4), Model(name="b", passed=5)]
    found = advice(models, "cheapest")

    assert found.chosen == 1
    assert found.excluded == {0: "it passed 4 of 10 runs"}
    assert advice(models, "cheapest", min_pass=0.6).chosen is None
    assert advice(models, "cheapest", min_pass=0.4).chosen == 0
    assert advice(models, "cheapest", min_pass=0.0).chosen == 0


def test_failures_and_few_runs_are_told() -> None:
    found = advice([Model(runs=10, succeeded=7)], "cheapest")
    assert "3 of its 10 runs failed" in found.reasons

    found = advice([Model(runs=2, succeeded=2)], "cheapest")
    assert found.reasons[-1].startswith("so few runs prove little")
    assert not advice([Model(runs=3, succeeded=3)], "cheapest").reasons[-1].startswith("so few")


def test_conditions_in_another_currency_use_the_rate() -> None:
    comparison, summary = weighed([Model(name="a", cost="0.01")])

    def exchange(money: Money, currency: str) -> Decimal | None:
        return money.amount * 100 if currency == "RUB" else None

    def fits(where: str) -> bool:
        found = advised(comparison, summary, where=where, exchange=exchange).advice
        assert found is not None
        return found.chosen == 0

    assert fits("cost<=1RUB")
    assert not fits("cost<0.9RUB")
    assert not fits("cost<9EUR")


# ---- what cannot be asked for


def test_preferences_that_there_are_not() -> None:
    for name in PREFERENCES:
        refuse_preference(name)
    refuse_preference(None, measured=False)
    refuse_preference("cheapest", measured=False)
    with pytest.raises(UsageError, match="--prefer does not know quick"):
        refuse_preference("quick")
    with pytest.raises(UsageError, match="--prefer best needs something"):
        refuse_preference("best", measured=False)
