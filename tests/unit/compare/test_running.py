"""What fails, what stops, what is kept: every outcome of a trial is one, and sinks no other."""

import asyncio
from collections import Counter

import pytest

from llmctl import settings
from llmctl.compare.plan import planned
from llmctl.compare.running import GIVE_UP
from llmctl.compare.shape import WARM_UP, Case, Mark
from llmctl.errors import ConfigError
from llmctl.types import Receipt, TextDelta
from tests.simulator import Simulator
from tests.unit.compare.field import Heard, run, running

WELL, SLOW = "openai/mock", "openai/mock-fault-timed:50-40-50"


def codes(heard: Heard, candidate: int) -> list[str | None]:
    errors = [one.receipt.error for one in heard.of(candidate)]
    return [None if one is None else one.code for one in errors]


def test_every_trial_of_the_plan_is_heard_of_once(field: Simulator) -> None:
    cases = [Case(id=str(one), text=f"Repeat: {one}") for one in range(3)]
    heard = run([WELL, "anthropic/mock"], repeat=2, warm_up=1, cases=cases)

    wanted = planned([0, 1], 3, repeat=2, warm_up=1, seed=1)
    found = [(one.candidate, one.case, one.repeat) for one in heard.trials]
    assert Counter(found) == Counter(tuple(one) for one in wanted)
    assert Counter(one for _at, one in heard.begun) == Counter(wanted)
    # Each model is asked in the order of the plan, and answers to what it was asked.
    for place in (0, 1):
        mine = [(one.case, one.repeat) for one in heard.of(place)]
        assert mine == [(one.case, one.repeat) for one in wanted if one.candidate == place]
        assert [one.receipt.text for one in heard.of(place)] == [str(case) for case, _r in mine]


def test_events_come_with_the_trial_they_belong_to(field: Simulator) -> None:
    heard = run([WELL, "anthropic/mock"])

    for place in (0, 1):
        said = [
            e.text for p, e in heard.events if p.candidate == place and isinstance(e, TextDelta)
        ]
        assert "".join(said) == heard.of(place)[0].receipt.text


def test_trials_begin_after_one_another(field: Simulator) -> None:
    heard = run(["openai/mock-fault-timed:30-2-5"], repeat=3)

    moments = [one.began_s for one in heard.trials]
    assert moments == sorted(moments)
    assert 0.0 <= moments[0] < 0.035 <= moments[1] < 0.070 + 0.050


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("cut", "cut-off"),
        ("filtered", "filtered"),
        ("length", "incomplete"),
        ("500-final", "provider-error"),
        ("context", "rejected"),
        ("quota", "rate-limited"),
    ],
)
def test_one_model_that_fails_sinks_no_other(field: Simulator, fault: str, code: str) -> None:
    heard = run([f"openai/mock-fault-{fault}", WELL, "anthropic/mock"], repeat=2)

    assert codes(heard, 0) == [code, code]
    assert codes(heard, 1) == codes(heard, 2) == [None, None]


def test_what_came_of_an_answer_that_broke_off_is_kept(field: Simulator) -> None:
    heard = run(["openai/mock-fault-cut"])

    assert heard.trials[0].receipt.text == "Blue light scatters "
    assert not heard.trials[0].passed


@pytest.mark.parametrize(
    ("fault", "code"), [("key-echo", "auth"), ("forbidden", "auth"), ("no-model", "not-found")]
)
def test_where_nothing_else_can_come_nothing_more_is_asked(
    field: Simulator, fault: str, code: str
) -> None:
    heard = run([f"openai/mock-fault-{fault}", WELL], repeat=4, warm_up=1)

    assert codes(heard, 0) == [code] * 5
    asked = [one for one in field.calls if fault in one.json["model"]]
    assert len(asked) == 1
    assert codes(heard, 1) == [None] * 5
    # What was never sent has no times, cost nothing, and goes nowhere.
    unsent = heard.of(0)[1:]
    assert all(one.receipt.attempts == 0 for one in unsent)
    assert all(one.receipt.latency.total_s is None for one in unsent)
    assert [one is None for one in heard.left].count(True) == 4


def test_a_model_that_is_down_is_given_up_after_some_tries(field: Simulator) -> None:
    """Each of them was tried again as often as the settings say; another model goes on."""
    heard = run(["openai/mock-fault-reset-first", "anthropic/mock"], repeat=GIVE_UP + 4)

    asked = [one for one in field.calls if b"reset-first" in one.body]
    tries = len(asked) // GIVE_UP
    assert len(asked) == tries * GIVE_UP
    assert all(not one.succeeded for one in heard.of(0))
    assert [one.receipt.attempts for one in heard.of(0)] == [tries] * GIVE_UP + [0] * 4
    assert all(one.succeeded for one in heard.of(1))


def test_the_key_is_not_in_what_is_said_of_its_refusal(
    field: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-" + "7hQx" * 10
    monkeypatch.setenv("OPENAI_API_KEY", key)
    heard = run(["openai/mock-fault-key-echo"], repeat=2)

    for trial in heard.trials:
        assert trial.receipt.error is not None
        assert key not in trial.receipt.error.message


def test_a_row_that_policy_stops_goes_to_no_one_and_others_go_on(field: Simulator) -> None:
    secret = "AKIA" + "Q3EGRTZ7XKPLMN2W"
    cases = [Case(id="1", text="Repeat: fine"), Case(id="2", text=f"My key is {secret}")]
    heard = run([WELL, "anthropic/mock"], cases=cases)

    for place in (0, 1):
        found = {one.case: one.receipt.error for one in heard.of(place)}
        assert found[0] is None
        assert found[1] is not None
        assert found[1].code == "privacy-refused"
    assert len(field.calls) == 2
    assert not any(secret.encode() in one.body for one in field.requests)


def test_an_address_that_is_none_is_said_before_anything_is_sent(
    field: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMCTL_PROVIDERS__ANTHROPIC__BASE_URL", "ftp://nowhere")

    with pytest.raises(ConfigError):
        run([WELL, "anthropic/mock"])
    assert field.requests == []


def test_redacted_prompts_leave_with_placeholders_and_answers_come_without(
    field: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMCTL_POLICY__PII", "redact")
    cases = [Case(id="1", text="Repeat: write to anna@example.org")]
    heard = run([WELL], cases=cases)

    (trial,), (left,) = heard.trials, heard.left
    assert trial.receipt.text == "write to anna@example.org"
    assert left is not None
    assert left.redacted
    assert "anna@" not in left.receipt.text
    assert left.receipt.text != ""
    assert b"anna@" not in field.calls[0].body


# ---- checks


def test_checks_see_whole_answers_that_count_only(field: Simulator) -> None:
    seen: list[Receipt] = []

    async def mark(_case: Case, receipt: Receipt) -> tuple[Mark, ...]:
        seen.append(receipt)
        return (Mark(check="contains=light", passed="light" in receipt.text),)

    heard = run([WELL, "anthropic/mock-fault-cut"], repeat=2, warm_up=1, mark=mark)

    assert len(seen) == 2
    counted = [one for one in heard.of(0) if one.repeat != WARM_UP]
    assert all(one.passed and one.marks for one in counted)
    assert all(not one.marks for one in heard.of(0) if one.is_warm_up)
    assert all(not one.marks and not one.passed for one in heard.of(1))


def test_a_slow_check_holds_nobody_else_up(field: Simulator) -> None:
    """What shares this machine goes on while the answer of another is checked."""

    async def mark(_case: Case, _receipt: Receipt) -> tuple[Mark, ...]:
        await asyncio.sleep(0.2)
        return ()

    names = ["ollama/mock-fault-timed:50-2-5", "vllm/mock-fault-timed:50-2-5"]
    heard = run(names, mark=mark)

    assert heard.seconds < 0.2 + 2 * 0.055 + 0.08


# ---- stopping


def test_stopped_in_the_middle_it_keeps_what_came(field: Simulator) -> None:
    heard = run([WELL, SLOW], repeat=3, stop_after=0.4)

    assert codes(heard, 0) == [None, None, None]
    assert codes(heard, 1) == ["interrupted"]
    (stopped,) = heard.of(1)
    assert stopped.receipt.text.startswith("word0 word1 ")
    assert not stopped.passed
    # The server hears at once that nobody waits any more, and nothing more is asked of it.
    slow = [one for one in field.calls if "timed" in one.json["model"]]
    assert len(slow) == 1
    assert slow[0].disconnected.wait(2)
    assert heard.seconds < 0.4 + 0.3


def test_stopped_while_others_wait_for_their_turn(field: Simulator) -> None:
    """One that has not begun is no trial."""
    heard = run(["ollama/mock-fault-timed:50-40-50", "vllm/mock-fault-timed:50-40-50"],
                repeat=2, stop_after=0.3)  # fmt: skip

    assert len(heard.trials) == len(heard.begun) == 1
    assert len(field.calls) == 1


def test_stopped_before_a_retry_it_is_interrupted(field: Simulator) -> None:
    field.script(["rate-seconds"])
    heard = run([WELL], repeat=2, stop_after=0.4)

    assert codes(heard, 0) == ["interrupted"]
    assert len(field.calls) == 1


def test_an_answer_whose_checks_were_stopped_is_kept_as_interrupted(field: Simulator) -> None:
    async def mark(_case: Case, _receipt: Receipt) -> tuple[Mark, ...]:
        await asyncio.sleep(5)
        return ()

    heard = run([WELL], repeat=2, mark=mark, stop_after=0.3)

    (trial,) = heard.trials
    assert codes(heard, 0) == ["interrupted"]
    assert trial.receipt.text.startswith("Blue light")
    assert not trial.passed


def test_trouble_of_the_watcher_ends_everything(field: Simulator) -> None:
    """A reader that went away is told as what it is, not as a group of errors."""

    class Deaf(Heard):
        def ended(self, *_what: object) -> None:
            raise BrokenPipeError

    async def main() -> None:
        work = running([WELL, SLOW], Deaf())
        await work.run(planned([0, 1], 1, repeat=3, warm_up=0, seed=1))

    with pytest.raises(BrokenPipeError):
        asyncio.run(main())


def test_a_budget_that_is_used_up_refuses_the_rest(
    field: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Money for nothing: every trial is refused before it is sent."""
    monkeypatch.setenv("LLMCTL_BUDGET__PER_CALL", "0.000000001 USD")
    assert settings.load().settings.budget.is_set
    heard = run(["openai/gpt-6-luna"], repeat=2)

    assert codes(heard, 0) == ["budget-refused"] * 2
    assert field.calls == []
