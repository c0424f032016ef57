"""What a comparison amounts to for a script: the exit codes of the specification."""

from typing import Any

import pytest

from llmctl.compare.outcome import named, outcome, raised
from llmctl.compare.shape import BROKEN_OFF, WARM_UP, Candidate, Comparison, Ruling, Skipped
from llmctl.errors import LlmctlError, RateLimited
from llmctl.types import Failure
from llmctl.values import replace
from tests.unit.compare.made import comparison, trial

CUT = Failure("cut-off", 11, "the answer was cut off")
LIMITED = Failure(
    "rate-limited", 8, "too many requests", reason="rate", provider="openai", status=429,
    retry_after_s=7.0, request_id="req-1",
)  # fmt: skip
KEYLESS = Failure("auth", 6, "no key for openai")
POLICY = Failure("privacy-refused", 4, "the region CN is not RU")


def code(made: Comparison) -> int:
    error = outcome(made)
    return 0 if error is None else error.exit_code


def refusing(made: Comparison, *refused: Failure | None) -> Comparison:
    """The same with candidates of which some are not asked, and why."""
    names = [Candidate(name=f"m{one}", model="m", refused=why) for one, why in enumerate(refused)]
    return replace(made, candidates=tuple(names))


def test_all_is_well() -> None:
    assert outcome(comparison([trial(0), trial(1)])) is None


@pytest.mark.parametrize(
    "kind", [one for one in LlmctlError.__subclasses__() if one.code not in BROKEN_OFF]
)
def test_all_failed_for_one_cause_is_that_cause(kind: type[LlmctlError]) -> None:
    failure = Failure(kind.code, kind.exit_code, "why")

    error = outcome(comparison([trial(0, error=failure), trial(1, error=failure)]))

    assert type(error) is kind
    assert (error.code, error.exit_code, error.message) == (kind.code, kind.exit_code, "why")


def test_what_a_signal_broke_off_says_nothing_of_a_model() -> None:
    stopped = Failure("interrupted", 130, "interrupted")

    assert outcome(comparison([trial(0), trial(1, error=stopped)])) is None
    assert comparison([trial(0), trial(1, error=stopped)]).measured == (trial(0),)


def test_a_cause_keeps_what_is_known_of_it() -> None:
    error = outcome(comparison([trial(0, error=LIMITED), trial(1, error=LIMITED)]))

    assert isinstance(error, RateLimited)
    assert (error.reason, error.provider, error.status) == ("rate", "openai", 429)
    assert (error.retry_after_s, error.request_id) == (7.0, "req-1")
    assert error.hint


def test_a_bug_is_told_as_one() -> None:
    assert raised(Failure("internal", 1, "oh")).exit_code == 1


def test_all_failed_for_different_causes() -> None:
    error = outcome(
        comparison([trial(0, error=CUT), trial(0, 2, error=CUT), trial(1, error=LIMITED)])
    )

    assert error is not None
    assert error.exit_code == 15
    assert "2 × cut-off, 1 × rate-limited" in error.message


def test_the_same_code_with_other_words_is_one_cause() -> None:
    other = Failure("cut-off", 11, "it fell silent")

    assert code(comparison([trial(0, error=CUT), trial(1, error=other)])) == 11


def test_some_failed() -> None:
    error = outcome(comparison([trial(0), trial(0, 2, error=CUT), trial(1), trial(1, 2)]))

    assert error is not None
    assert error.exit_code == 15
    assert "1 of 4 runs failed (1 × cut-off)" in error.message


def test_a_model_that_failed_altogether_beside_one_that_did_not() -> None:
    assert code(comparison([trial(0), trial(1, error=CUT)])) == 15


def test_warm_ups_do_not_count() -> None:
    assert code(comparison([trial(0, WARM_UP, error=CUT), trial(0), trial(1)])) == 0
    assert code(comparison([trial(0, WARM_UP), trial(0, error=CUT), trial(1, error=CUT)])) == 11


def test_nothing_was_run() -> None:
    assert outcome(comparison([])) is None


# ---- models that were not asked


def test_what_policy_keeps_out_is_what_was_asked_for() -> None:
    assert code(refusing(comparison([trial(0)]), None, POLICY)) == 0
    assert code(refusing(comparison([trial(0, error=CUT)]), None, POLICY)) == 11


def test_a_model_without_a_key_is_a_part_that_is_missing() -> None:
    error = outcome(refusing(comparison([trial(0)]), None, KEYLESS))

    assert error is not None
    assert error.exit_code == 15
    assert "not asked: m1" in error.message


def test_no_key_here_and_no_answer_there_are_two_causes() -> None:
    assert code(refusing(comparison([trial(0, error=CUT)]), None, KEYLESS)) == 15
    refused = Failure("auth", 6, "the key is refused")
    assert code(refusing(comparison([trial(0, error=refused)]), None, KEYLESS)) == 6


# ---- rows and rulings


def test_rows_that_were_left_out() -> None:
    made = comparison([trial(0), trial(1)], skipped=(Skipped(line=3, why="x"),) * 2)

    error = outcome(made)
    assert error is not None
    assert error.exit_code == 15
    assert "2 rows were left out" in error.message


def test_answers_that_nobody_judged() -> None:
    rulings = (
        Ruling(case=0, repeat=1, first=0, second=1, error=CUT),
        Ruling(case=0, repeat=2, first=0, second=1, winner=1),
        Ruling(case=0, repeat=3, first=0, second=1),
    )
    error = outcome(comparison([trial(0), trial(1)], rulings=rulings))

    assert error is not None
    assert error.exit_code == 15
    assert "1 of 3 pairs of answers were not judged (1 × cut-off)" in error.message
    assert outcome(comparison([trial(0), trial(1)], rulings=rulings[1:])) is None


def test_all_that_is_missing_is_told() -> None:
    made = comparison(
        [trial(0), trial(0, 2, error=CUT)],
        skipped=(Skipped(line=3, why="x"),),
        rulings=(Ruling(case=0, repeat=1, first=0, second=1, error=CUT),),
    )
    error = outcome(refusing(made, None, KEYLESS))

    assert error is not None
    for part in ("1 of 2 runs failed", "1 rows were left out", "not asked: m1", "not judged"):
        assert part in error.message


# ---- what is to pass


def runs(candidate: int, passed: int, of: int) -> list[Any]:
    return [trial(candidate, one, passed=one <= passed) for one in range(1, of + 1)]


@pytest.mark.parametrize(
    ("passed", "of", "least", "wanted"),
    [
        (19, 20, 0.95, 0),
        (18, 20, 0.95, 17),
        (0, 3, 0.0, 0),
        (2, 3, 1.0, 17),
        (3, 3, 1.0, 0),
    ],
)
def test_fewer_passed_than_are_to(passed: int, of: int, least: float, wanted: int) -> None:
    made = comparison(runs(0, passed, of) + runs(1, of, of), min_pass=least)

    assert code(made) == wanted


@pytest.mark.parametrize("share", range(1, 100))
def test_exactly_as_many_as_are_to_are_enough(share: int) -> None:
    """55 of 100 are 55 %, whatever 0.55 * 100 is in binary."""
    assert code(comparison(runs(0, share, 100), candidates=1, min_pass=share / 100)) == 0
    assert code(comparison(runs(0, share - 1, 100), candidates=1, min_pass=share / 100)) == 17


def test_one_model_that_falls_short_is_enough_and_is_named() -> None:
    error = outcome(comparison(runs(0, 3, 4) + runs(1, 4, 4), min_pass=0.9))

    assert error is not None
    assert "90 %" in error.message
    assert "m0: 3 of 4" in error.message
    assert "m1" not in error.message


def test_a_run_that_failed_has_not_passed() -> None:
    made = comparison([*runs(0, 1, 1), trial(0, 2, error=CUT)], candidates=1, min_pass=0.6)

    assert code(made) == 17


def test_falling_short_comes_before_failing_in_part_but_not_before_failing() -> None:
    part = comparison([*runs(0, 1, 2), trial(0, 3, error=CUT)], candidates=1, min_pass=0.9)
    whole = comparison([trial(0, error=CUT)], candidates=1, min_pass=0.9)

    assert (code(part), code(whole)) == (17, 11)


def test_a_model_that_was_not_asked_falls_short_of_nothing() -> None:
    assert code(refusing(comparison(runs(0, 2, 2), min_pass=1.0), None, POLICY)) == 0


def test_enough_passed_but_some_failed() -> None:
    made = comparison([*runs(0, 4, 4), trial(0, 5, error=CUT)], candidates=1, min_pass=0.8)

    assert code(made) == 15


def test_causes_by_how_often_they_came() -> None:
    assert named([CUT, LIMITED, LIMITED]) == "2 × rate-limited, 1 × cut-off"
