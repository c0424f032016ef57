"""Events and receipts of an answer, with what placeholders stand for."""

import json

import pytest

from llmctl.engine.restoring import Restoring
from llmctl.errors import CutOff
from llmctl.output.restored import Restored
from llmctl.privacy.restore import Restorer
from llmctl.types import (
    Event,
    Finished,
    FinishReason,
    Media,
    Notice,
    Progress,
    ReasoningDelta,
    Receipt,
    TextDelta,
    ToolCall,
)

RESTORER = Restorer({"EMAIL_1": "anna@example.com", "SECRET_1": 'a"b\\c'})
END = Finished(FinishReason.STOP)


def shown(*events: Event, is_json: bool = False) -> list[Event]:
    restoring = Restoring(RESTORER, is_json=is_json)
    return [one for event in events for one in restoring.event(event)]


def test_a_placeholder_in_pieces_is_restored_before_the_end() -> None:
    assert shown(TextDelta("Hi [EMA"), TextDelta("IL_1"), TextDelta("]"), END) == [
        TextDelta("Hi "), TextDelta("anna@example.com"), END,
    ]  # fmt: skip


def test_what_was_held_back_comes_before_what_follows() -> None:
    call = ToolCall("1", "look", "{}")
    media = Media("image/png", b"x")

    for other in (call, media, END):
        assert shown(TextDelta("see [A"), other) == [TextDelta("see "), TextDelta("[A"), other]
    assert shown(TextDelta("a["), ReasoningDelta("b["), TextDelta("c")) == [
        TextDelta("a"), TextDelta("["), ReasoningDelta("b"), ReasoningDelta("["), TextDelta("c"),
    ]  # fmt: skip


@pytest.mark.parametrize("beside", [Notice("a", "b"), Progress("c", 1), ReasoningDelta("")])
def test_what_stands_beside_the_answer_does_not_break_it(beside: Event) -> None:
    events = shown(TextDelta("[EMAIL"), beside, TextDelta("_1]"), END)

    assert [one for one in events if one != beside] == [TextDelta("anna@example.com"), END]


def test_reasoning_and_arguments_are_restored() -> None:
    call = ToolCall("1", "mail", '{"to": "[EMAIL_1]", "body": "[SECRET_1]"}')

    thought, made = shown(ReasoningDelta("ask [email_1]"), call)

    assert thought == ReasoningDelta("ask anna@example.com")
    assert isinstance(made, ToolCall)
    assert json.loads(made.arguments) == {"to": "anna@example.com", "body": 'a"b\\c'}


def test_json_for_a_schema_stays_json() -> None:
    events = shown(TextDelta('["[SEC'), TextDelta('RET_1]"]'), END, is_json=True)

    text = "".join(one.text for one in events if isinstance(one, TextDelta))
    assert json.loads(text) == ['a"b\\c']


def test_a_receipt_is_restored_and_its_details_are_not() -> None:
    receipt = Receipt(
        id="1",
        started_at="2026-11-25T00:00:00Z",
        requested="a/b",
        text="To [EMAIL_1]",
        reasoning="[EMAIL_1]?",
        tool_calls=(ToolCall("1", "mail", '{"to": "[EMAIL_1]"}'),),
        details={"said": "[EMAIL_1]"},
        error=CutOff("after [EMAIL_1]").failure(),
    )

    result = Restoring(RESTORER).receipt(receipt)

    assert result.text == "To anna@example.com"
    assert result.reasoning == "anna@example.com?"
    assert result.tool_calls[0].arguments == '{"to": "anna@example.com"}'
    assert result.details == {"said": "[EMAIL_1]"}
    assert result.error is not None
    assert result.error.message == "after [EMAIL_1]"


class Noting:
    """A renderer that remembers what it was given."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def event(self, event: Event) -> None:
        self.seen.append(event)

    def finish(self, receipt: Receipt) -> None:
        self.seen.append(("finish", receipt.text))

    def fail(self, receipt: Receipt) -> None:
        self.seen.append(("fail", receipt.text))


@pytest.mark.parametrize("how", ["finish", "fail"])
def test_an_answer_without_an_end_shows_what_was_held_back(how: str) -> None:
    noting = Noting()
    renderer = Restored(noting, Restoring(RESTORER))
    receipt = Receipt("1", "2026-11-25T00:00:00Z", "a/b", text="x [EMAIL_1] [EM")

    renderer.event(TextDelta("x [EMAIL_1] [EM"))
    renderer.finish(receipt) if how == "finish" else renderer.fail(receipt)

    assert noting.seen == [
        TextDelta("x anna@example.com "), TextDelta("[EM"), (how, "x anna@example.com [EM"),
    ]  # fmt: skip
