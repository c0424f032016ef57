"""Requests in Ollama's own shape, as its API documentation has them."""

import json
from typing import Any

import pytest

from llmctl.dialects import Framing, HttpCall
from llmctl.dialects.ollama import Ollama
from llmctl.errors import NotFound, UsageError
from llmctl.types import (
    Call,
    Chat,
    Complete,
    Count,
    Fill,
    Image,
    Json,
    Media,
    Message,
    Quirks,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from tests.unit.dialects.documented import (
    ANSWER,
    CALLS,
    PICTURE,
    QUESTION,
    RESULTS,
    SCHEMA,
    SYSTEM,
    WEATHER,
    check,
    needs_documents,
)

FULL = Chat(
    "m",
    (SYSTEM, QUESTION, ANSWER, PICTURE, CALLS, RESULTS),
    max_tokens=5,
    temperature=0.5,
    seed=7,
    stop=("END",),
    schema=SCHEMA,
    tools=(Tool("weather", "Tells the weather", WEATHER),),
    options={"num_ctx": 8192, "think": "low", "keep_alive": "5m"},
)


def body(call: Call, **quirks: Any) -> dict[str, Json]:
    encoded = Ollama().encode(call, Quirks(**quirks)).body
    assert encoded is not None
    return dict(encoded)


def test_the_least_that_is_sent() -> None:
    http = Ollama().encode(Chat("m", (QUESTION,)), Quirks())

    assert (http.method, http.path, http.framing) == ("POST", "api/chat", Framing.NDJSON)
    assert http.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Why?"}],
        "stream": True,
    }


def test_a_whole_answer_must_be_asked_for() -> None:
    """Ollama streams unless it is told not to."""
    http = Ollama().encode(Chat("m", (QUESTION,), stream=False), Quirks())

    assert http.framing is Framing.WHOLE
    assert http.body is not None
    assert http.body["stream"] is False


def test_everything_that_a_chat_can_say() -> None:
    said = body(FULL)

    assert said["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "Because."},
        {"role": "user", "content": "What is it?", "images": ["iVBORw=="]},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Омск"}}}],
        },
        {"role": "tool", "tool_name": "weather", "content": "-20"},
    ]
    assert said["format"] == SCHEMA
    assert said["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "Tells the weather",
                "parameters": WEATHER,
            },
        }
    ]
    assert said["options"] == {
        "num_predict": 5,
        "temperature": 0.5,
        "seed": 7,
        "stop": ["END"],
        "num_ctx": 8192,
    }
    assert (said["think"], said["keep_alive"]) == ("low", "5m")


def test_zero_is_said_and_not_taken_for_nothing() -> None:
    said = body(Chat("m", (QUESTION,), max_tokens=0, temperature=0.0, seed=0))

    assert said["options"] == {"num_predict": 0, "temperature": 0.0, "seed": 0}


def test_a_base_models_text_is_continued_without_a_template() -> None:
    http = Ollama().encode(Complete("m", "Once upon", max_tokens=5), Quirks())

    assert http.path == "api/generate"
    assert http.body == {
        "model": "m",
        "prompt": "Once upon",
        "raw": True,
        "stream": True,
        "options": {"num_predict": 5},
    }


def test_what_the_user_says_beats_the_card_and_the_card_the_rest() -> None:
    call = Chat("m", (QUESTION,), temperature=0.5, options={"temperature": 1, "think": True})
    said = body(call, extra_body={"temperature": 2, "num_ctx": 4096, "think": False})

    assert said["options"] == {"temperature": 1, "num_ctx": 4096}
    assert said["think"] is True
    flags = Chat("m", (QUESTION,), temperature=0.5)
    assert body(flags, extra_body={"temperature": 2})["options"]["temperature"] == 0.5


@pytest.mark.parametrize("call", [Fill("m", "a"), Image("m", "a"), Count("m", (QUESTION,))])
def test_what_the_format_does_not_have_is_refused(call: Call) -> None:
    with pytest.raises(UsageError, match=f"no {type(call).__name__.lower()}"):
        Ollama().encode(call, Quirks())


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (Media("image/png", url="https://a.test/x.png"), "no image/png by URL"),
        (Media("application/pdf", b"%PDF"), "no place for application/pdf"),
        (Media("audio/wav", b"RIFF"), "no place for audio/wav"),
    ],
)
def test_only_pictures_at_hand_can_be_sent(part: Media, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        body(Chat("m", (Message(Role.USER, (part,)),)))


def test_a_call_without_arguments_has_none() -> None:
    one = Message(Role.ASSISTANT, (ToolCall("c", "now", ""),))
    [shaped] = body(Chat("m", (one,)))["messages"]

    assert shaped["tool_calls"] == [{"function": {"name": "now", "arguments": {}}}]


@pytest.mark.parametrize("arguments", ['{"city": "Омс', "[1]", '"Омск"', "null", "[" * 100_000])
def test_arguments_that_a_model_botched_are_told_and_not_a_crash(arguments: str) -> None:
    one = Message(Role.ASSISTANT, (ToolCall("c", "weather", arguments),))
    with pytest.raises(UsageError, match="call of weather") as caught:
        body(Chat("m", (one,)))

    assert "Омс" not in caught.value.message


def test_results_beside_text_are_refused_and_not_dropped() -> None:
    one = Message(Role.USER, (ToolResult("c", "f", "1"), Text("and?")))
    with pytest.raises(UsageError, match="may not mix text with results"):
        body(Chat("m", (one,)))


# ------------------------------------------------------------------------ where a model really runs


def test_the_server_is_asked_about_the_rest() -> None:
    asked = Ollama().whereabouts("m")

    assert (asked.method, asked.path, asked.body) == ("POST", "api/show", {"model": "m"})
    assert asked.framing is Framing.WHOLE


@pytest.mark.parametrize(
    ("answer", "host"),
    [
        ({"remote_host": "https://ollama.com:443"}, "https://ollama.com:443"),
        ({"remote_host": "", "remote_model": "gpt-oss:120b"}, "gpt-oss:120b"),
        ({"details": {}}, None),
        ({"remote_host": None}, None),
        ([], None),
        (None, None),
    ],
)
def test_what_the_server_says_of_it(answer: Json, host: str | None) -> None:
    assert Ollama().elsewhere(answer) == host


def test_a_model_that_is_not_there_is_told_how_to_get() -> None:
    error = Ollama().failure(404, {}, json.dumps({"error": "model 'x' not found"}))

    assert isinstance(error, NotFound)
    assert "llmctl models pull ollama/" in (error.hint or "")


# --------------------------------------------------------------------- the documentation of Ollama


@needs_documents
@pytest.mark.parametrize("call", [FULL, Chat("m", (QUESTION,), stream=False)])
def test_chats_are_as_documented(call: Chat) -> None:
    check(Ollama().encode(call, Quirks()), "ollama", "ChatRequest")


@needs_documents
def test_completions_and_questions_are_as_documented() -> None:
    call = Complete("m", "Once", max_tokens=5, temperature=0.1, seed=1, stop=(".",))

    check(Ollama().encode(call, Quirks()), "ollama", "GenerateRequest")
    shown: HttpCall = Ollama().whereabouts("m")
    check(shown, "ollama", "ShowRequest")
