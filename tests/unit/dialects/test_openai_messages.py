"""Messages in the shape of OpenAI's chat completions, as its reference has them."""

import pytest

from llmctl.dialects import HttpCall
from llmctl.dialects.openai_messages import encode_messages
from llmctl.errors import UsageError
from llmctl.types import Json, Media, Message, Part, Role, Text, ToolCall, ToolResult, message
from tests.unit.dialects.documented import (
    ANSWER,
    CALLS,
    PICTURE,
    QUESTION,
    RESULTS,
    SYSTEM,
    check,
    needs_documents,
)

PNG = "data:image/png;base64,iVBORw=="  # base64 of 89 50 4E 47
MANY = Message(
    Role.TOOL, (ToolResult("call_1", "weather", "-20"), ToolResult("call_2", "time", "7:00"))
)


def user(*parts: Part) -> Message:
    return Message(Role.USER, parts)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (SYSTEM, [{"role": "system", "content": "Be brief."}]),
        (QUESTION, [{"role": "user", "content": "Why?"}]),
        (ANSWER, [{"role": "assistant", "content": "Because."}]),
        (user(Text("a"), Text("b")), [{"role": "user", "content": "ab"}]),
        (
            PICTURE,
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is it?"},
                        {"type": "image_url", "image_url": {"url": PNG}},
                    ],
                }
            ],
        ),
        (
            user(Media("image/jpeg", url="https://a.test/x.jpg")),
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": "https://a.test/x.jpg"}}
                    ],
                }
            ],
        ),
        (
            CALLS,
            [
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "weather", "arguments": '{"city": "Омск"}'},
                        }
                    ],
                }
            ],
        ),
        (RESULTS, [{"role": "tool", "tool_call_id": "call_1", "content": "-20"}]),
        (
            MANY,
            [
                {"role": "tool", "tool_call_id": "call_1", "content": "-20"},
                {"role": "tool", "tool_call_id": "call_2", "content": "7:00"},
            ],
        ),
    ],
)
def test_each_kind_of_message(one: Message, expected: list[Json]) -> None:
    assert encode_messages([one], "system") == expected


def test_text_beside_a_call_of_a_function_is_kept() -> None:
    [shaped] = encode_messages(
        [Message(Role.ASSISTANT, (Text("Let me see."), ToolCall("c", "f", "{}")))], "system"
    )

    assert shaped["content"] == "Let me see."
    assert [call["id"] for call in shaped["tool_calls"]] == ["c"]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Media("audio/wav", b"RIFF"),
         {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}),
        (Media("audio/x-wav", b"RIFF"),
         {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}),
        (Media("audio/mpeg", b"RIFF"),
         {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "mp3"}}),
        (Media("application/pdf", b"RIFF", name="a.pdf"),
         {"type": "file", "file": {"filename": "a.pdf",
                                   "file_data": "data:application/pdf;base64,UklGRg=="}}),
        (Media("application/pdf", b"RIFF"),
         {"type": "file", "file": {"filename": "attachment",
                                   "file_data": "data:application/pdf;base64,UklGRg=="}}),
    ],
)  # fmt: skip
def test_attachments(part: Media, expected: Json) -> None:
    [shaped] = encode_messages([user(Text("See:"), part)], "system")

    assert shaped["content"] == [{"type": "text", "text": "See:"}, expected]


@pytest.mark.parametrize("kind", ["video/mp4", "audio/flac", "text/csv", "application/zip"])
def test_a_kind_that_the_format_has_no_word_for_is_refused(kind: str) -> None:
    with pytest.raises(UsageError, match=f"no place for {kind}"):
        encode_messages([user(Media(kind, b"x"))], "system")


@pytest.mark.parametrize("kind", ["application/pdf", "audio/wav"])
def test_only_pictures_may_be_elsewhere(kind: str) -> None:
    with pytest.raises(UsageError, match=f"takes no {kind} by URL"):
        encode_messages([user(Media(kind, url="https://a.test/x"))], "system")


def test_results_beside_text_are_refused_and_not_dropped() -> None:
    with pytest.raises(UsageError, match="may not mix text with results"):
        encode_messages([user(ToolResult("c", "f", "1"), Text("and?"))], "system")


# ----------------------------------------------------------------- models that know no instructions


def test_instructions_go_in_front_of_the_first_question() -> None:
    shaped = encode_messages([SYSTEM, QUESTION, ANSWER, QUESTION], "user")

    assert shaped == [
        {"role": "user", "content": "Be brief.\n\nWhy?"},
        {"role": "assistant", "content": "Because."},
        {"role": "user", "content": "Why?"},
    ]


def test_instructions_without_a_question_stand_alone() -> None:
    assert encode_messages([SYSTEM], "user") == [{"role": "user", "content": "Be brief."}]


def test_where_instructions_are_known_neighbours_stay_apart() -> None:
    assert len(encode_messages([QUESTION, message(Role.USER, "And how?")], "system")) == 2


@needs_documents
@pytest.mark.parametrize("role", ["system", "developer", "user"])
def test_every_kind_is_as_documented(role: str) -> None:
    sound = user(Text("Hear:"), Media("audio/wav", b"RIFF"))
    paper = user(Text("Read:"), Media("application/pdf", b"%PDF", name="a.pdf"))
    shaped = encode_messages(
        [SYSTEM, QUESTION, ANSWER, PICTURE, sound, paper, CALLS, RESULTS, MANY], role
    )

    check(
        HttpCall("POST", "x", {"model": "m", "messages": shaped}),
        "openai",
        "CreateChatCompletionRequest",
    )
