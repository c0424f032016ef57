"""What a finish reason amounts to; the exit codes are those of the documented table."""

import pytest

from llmctl.engine.outcome import asked_for_length, outcome
from llmctl.types import (
    Call,
    Chat,
    Complete,
    Count,
    Embed,
    Finished,
    FinishReason,
    Image,
)

SCHEMA = {"type": "object"}


@pytest.mark.parametrize(
    ("call", "reason", "code"),
    [
        (Chat("m", ()), FinishReason.STOP, 0),
        (Chat("m", ()), FinishReason.TOOL_CALLS, 0),
        (Chat("m", ()), FinishReason.LENGTH, 12),
        (Chat("m", (), max_tokens=5), FinishReason.LENGTH, 0),
        (Chat("m", (), max_tokens=5, schema=SCHEMA), FinishReason.LENGTH, 12),
        (Chat("m", (), options={"max_tokens": 5}), FinishReason.LENGTH, 0),
        (Chat("m", (), options={"num_predict": 5}, schema=SCHEMA), FinishReason.LENGTH, 12),
        (Complete("m", "a"), FinishReason.LENGTH, 12),
        (Complete("m", "a", max_tokens=5), FinishReason.LENGTH, 0),
        (Chat("m", ()), FinishReason.FILTER, 13),
        (Chat("m", (), max_tokens=5), FinishReason.FILTER, 13),
        (Chat("m", ()), FinishReason.ERROR, 10),
        (Embed("m", ("a",)), FinishReason.LENGTH, 12),
    ],
)
def test_each_reason_has_its_exit_code(call: Call, reason: FinishReason, code: int) -> None:
    error = outcome(call, Finished(reason))

    assert (error.exit_code if error else 0) == code


@pytest.mark.parametrize("call", [Embed("m", ()), Image("m", "a"), Count("m", ())])
def test_only_text_has_a_length_of_the_users(call: Call) -> None:
    assert not asked_for_length(call)


def test_a_refusal_says_what_the_model_said() -> None:
    finished = Finished(
        FinishReason.FILTER,
        native_reason="refusal",
        request_id="r1",
        details={"refusal": "I cannot help with that."},
    )

    error = outcome(Chat("m", ()), finished)

    assert error is not None
    assert "refusal" in error.message
    assert "I cannot help with that." in error.message
    assert error.request_id == "r1"


def test_an_answer_the_provider_gave_up_on_is_not_worth_another_try() -> None:
    error = outcome(Chat("m", ()), Finished(FinishReason.ERROR, native_reason="engine_overloaded"))

    assert error is not None
    assert not error.retryable
    assert "engine_overloaded" in error.message
