"""Requests for a count of tokens, and the number in each answer, as the documents have them."""

import json
from typing import Any

import pytest

from llmctl.dialects import DIALECTS, Frame
from llmctl.errors import UsageError
from llmctl.types import (
    Count,
    Finished,
    Json,
    Media,
    Message,
    Quirks,
    Role,
    Tool,
    Usage,
    message,
)

MESSAGES = (message(Role.SYSTEM, "Be brief."), message(Role.USER, "Why?"))
TOOL = Tool("weather", "Tells the weather", {"type": "object"})
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
FULL = Count(
    "m", MESSAGES, schema=SCHEMA, tools=(TOOL,),
    options={"temperature": 1, "service_tier": "flex"},
)  # fmt: skip


def asked(dialect: str, call: Count = FULL, **quirks: Any) -> tuple[str, Json]:
    http = DIALECTS[dialect]().encode(call, Quirks(**quirks))
    assert http.method == "POST"
    return http.path, http.body


def read(dialect: str, answer: Json) -> list[Any]:
    decoder = DIALECTS[dialect]().decoder(FULL, Quirks())
    events = [*decoder.feed(Frame(json.dumps(answer)))]
    assert decoder.done == bool(events)
    assert list(decoder.end()) == []
    return events


def test_anthropic_takes_what_the_input_is_made_of_and_nothing_else() -> None:
    path, body = asked("anthropic")

    assert path == "v1/messages/count_tokens"
    assert body["messages"] == [{"role": "user", "content": "Why?"}]
    assert body["system"] == "Be brief."
    assert [one["name"] for one in body["tools"]] == ["weather"]
    assert set(body) == {"model", "messages", "system", "tools", "output_config"}


def test_openai_counts_the_input_of_a_response() -> None:
    path, body = asked("openai_responses")

    assert path == "responses/input_tokens"
    assert set(body) == {"model", "input", "instructions", "tools", "text"}
    assert body["instructions"] == "Be brief."


def test_llamacpp_counts_a_chat() -> None:
    path, body = asked("openai_chat", Count("m", MESSAGES))

    assert path == "chat/completions/input_tokens"
    assert body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Why?"},
        ],
    }


def test_vllm_cuts_a_chat_into_tokens_beside_its_version() -> None:
    path, body = asked("vllm")

    assert path == "../tokenize"
    assert set(body) == {"model", "messages", "tools"}
    assert body["messages"][-1] == {"role": "user", "content": "Why?"}


def test_gemini_counts_functions_and_schema_too() -> None:
    path, body = asked("gemini")

    assert path == "v1beta/models/m:countTokens"
    request = body["generateContentRequest"]
    assert request["model"] == "models/m"
    assert request["tools"][0]["functionDeclarations"][0]["name"] == "weather"
    assert request["generationConfig"]["responseJsonSchema"] == SCHEMA


def test_yandex_counts_the_body_of_a_completion() -> None:
    call = Count("yandexgpt", MESSAGES)

    path, body = asked(
        "yandexgpt", call, model_name="gpt://b1g/{model}", settings={"mode": "async"}
    )

    assert path == "foundationModels/v1/tokenizeCompletion"
    assert body == {
        "modelUri": "gpt://b1g/yandexgpt",
        "completionOptions": {},
        "messages": [{"role": "system", "text": "Be brief."}, {"role": "user", "text": "Why?"}],
    }


@pytest.mark.parametrize("dialect", ["gigachat", "gigachat_v2"])
def test_gigachat_counts_texts_alone(dialect: str) -> None:
    path, body = asked(dialect)

    assert path == "tokens/count"
    assert body["model"] == "m"
    assert body["input"][:2] == ["Be brief.", "Why?"]
    assert json.loads(body["input"][2])[0]["name"] == "weather"
    assert json.loads(body["input"][3])["type"] == "object"
    with pytest.raises(UsageError, match="files are not counted"):
        asked(dialect, Count("m", (Message(Role.USER, (Media("image/png", b"x"),)),)))


@pytest.mark.parametrize(
    ("dialect", "answer", "tokens"),
    [
        ("anthropic", {"input_tokens": 14}, 14),
        ("openai_responses", {"object": "response.input_tokens", "input_tokens": 11}, 11),
        ("vllm", {"count": 11, "max_model_len": 4096, "tokens": [1, 2]}, 11),
        ("openai_chat", {"object": "response.input_tokens", "input_tokens": 11}, 11),
        ("gemini", {"totalTokens": 31}, 31),
        (
            "yandexgpt",
            {"tokens": [{"id": "1", "text": "<s>", "special": True}, {"id": "16861"}],
             "modelVersion": "23.10.2024"},
            2,
        ),
        ("gigachat", [{"object": "tokens", "tokens": 5, "characters": 20},
                      {"object": "tokens", "tokens": 0, "characters": 0}], 5),
        ("gigachat_v2", [{"object": "tokens", "tokens": 5, "characters": 20}], 5),
    ],
)  # fmt: skip
def test_the_number_in_the_answer(dialect: str, answer: Json, tokens: int) -> None:
    (finished,) = read(dialect, answer)

    assert isinstance(finished, Finished)
    assert finished.usage is not None
    assert finished.usage.input_tokens == tokens
    assert finished.usage == Usage(input_tokens=tokens)
    beside = {"not_counted": "template"} if dialect.startswith("gigachat") else {}
    assert finished.details == beside


@pytest.mark.parametrize(
    "dialect",
    ["anthropic", "openai_responses", "openai_chat", "vllm", "gemini", "yandexgpt", "gigachat"],
)
@pytest.mark.parametrize("answer", [{}, {"tokens": "many"}, {"input_tokens": None}])
def test_an_answer_without_a_number_is_none(dialect: str, answer: Json) -> None:
    assert read(dialect, answer) == []
