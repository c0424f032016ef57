"""A comparison as one JSON document."""

import json
from decimal import Decimal

from llmctl.compare.figures import Advice, Figure, Line, Metric, Pair, Summary
from llmctl.compare.shape import Ruling, Skipped
from llmctl.cost.money import Money
from llmctl.output.compare_json import document, run_json
from llmctl.output.envelope import envelope, json_text
from llmctl.types import Failure
from llmctl.values import replace
from tests.comparisons import hostile, sample, summary


def test_every_run_is_an_envelope_with_whose_it_was() -> None:
    made = sample()
    told = document(made, summary(made))

    assert len(told["runs"]) == len(made.trials)
    for trial, run in zip(made.trials, told["runs"], strict=True):
        compare = run.pop("compare")
        assert run == envelope(trial.receipt)
        assert compare["candidate"] == made.candidates[trial.candidate].name
        assert compare["case"] == made.cases[trial.case].id
        assert compare["repeat"] == trial.repeat
        assert compare["warm_up"] == (trial.repeat == 0)
        assert [one["passed"] for one in compare["checks"]] == [one.passed for one in trial.marks]


def test_it_says_how_it_was_measured_and_what_is_left_of_it() -> None:
    made = replace(sample(), seed=7, planned=99, complete=False, texts=False, redacted=True,
                   skipped=(Skipped(line=4, why="no prompt"),))  # fmt: skip
    told = document(made, summary(made))
    warm = [one for one in told["runs"] if one["compare"]["warm_up"]]

    assert (told["seed"], told["planned"], told["complete"]) == (7, 99, False)
    assert told["warm_ups"] == len(warm) > 0
    assert (told["texts"], told["redacted"]) == (False, True)
    assert told["skipped"] == [{"line": 4, "why": "no prompt"}]


def test_there_is_a_line_for_every_candidate_also_for_one_that_was_refused() -> None:
    made = sample()
    lines = document(made, summary(made))["summary"]

    assert [one["name"] for one in lines] == [one.name for one in made.candidates]
    assert len({frozenset(one) for one in lines}) == 1  # every key is always there
    (refused,) = [one for one in lines if one["refused"] is not None]
    assert refused["runs"] == 0
    assert refused["refused"]["code"] == "privacy-refused"
    assert refused["cost"] is None
    assert refused["ttft_s"] == {"count": 0, "median": None, "low": None, "high": None,
                                 "p95": None}  # fmt: skip


def test_figures_are_numbers_and_money_is_text() -> None:
    made = replace(sample(), candidates=sample().candidates[:2], trials=(), rulings=(
        Ruling(case=0, repeat=1, first=0, second=1, winner=1, why="shorter"),
        Ruling(case=0, repeat=2, first=0, second=1, error=Failure("network", 9, "gone")),
    ))  # fmt: skip
    first, second = (one.name for one in made.candidates)
    found = Summary(
        lines=(
            Line(candidate=0, runs=4, succeeded=3, failures={"cut-off": 1}, passed=3,
                 total=Figure(count=3, median=1.23456, low=1.0, high=2.0),
                 cost=Money(Decimal("0.00000220"), "USD"), converted=Decimal("0.00000220"),
                 spent=Money(Decimal("0.0000110"), "USD"), cached=2, cached_share=1 / 3),
        ),
        pairs=(Pair(first=0, second=1, metric=Metric.TOTAL, count=3, ratio=1.5, p=0.0123456789,
                    clear=True, better=0),),
        front=(0,),
        advice=Advice(chosen=0, wanted="--prefer cheapest", reasons=("because",),
                      excluded={1: "too slow"}),
        spent=(Money(Decimal("0.0000110"), "USD"), Money(Decimal("0.5"), "RUB")),
        currency="USD",
    )  # fmt: skip
    told = json.loads(json_text(document(made, found)))

    line = told["summary"][0]
    assert line["total_s"] == {"count": 3, "median": 1.2346, "low": 1.0, "high": 2.0, "p95": None}
    assert line["cost"] == {"amount": "0.0000022", "currency": "USD"}
    assert (line["pass_rate"], line["failures"]) == (0.75, {"cut-off": 1})
    assert line["cached_share"] == 0.333333
    verdict = told["verdict"]
    assert verdict["pairs"] == [
        {"metric": "total", "first": first, "second": second, "pairs": 3, "ratio": 1.5,
         "low": None, "high": None, "p": 0.012346, "clear": True, "better": first,
         "smallest": None}
    ]  # fmt: skip
    assert verdict["front"] == [first]
    assert verdict["advice"]["chosen"] == first
    assert verdict["advice"]["excluded"] == {second: "too slow"}
    assert verdict["spent"] == [
        {"amount": "0.000011", "currency": "USD"}, {"amount": "0.5", "currency": "RUB"},
    ]  # fmt: skip
    assert [one["winner"] for one in told["rulings"]] == [second, None]
    assert told["rulings"][1]["error"]["code"] == "network"


def test_hostile_texts_stay_in_their_strings() -> None:
    made = hostile()
    text = json_text(document(made, summary(made)))

    assert "\x1b" not in text
    assert "\n" not in text
    told = json.loads(text)
    assert [one["text"] for one in told["runs"]] == [one.receipt.text for one in made.trials]


def test_a_line_of_its_own_for_a_run_names_the_comparison() -> None:
    made = sample()

    assert run_json(made, made.trials[0])["compare"]["id"] == made.id
