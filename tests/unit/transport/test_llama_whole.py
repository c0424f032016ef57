"""Whole answers of llama.cpp out of their pieces; both shapes are as xllamacpp 2026.10 gave them
for one request, asked with and without `stream`."""

from typing import Any

import pytest

from llmctl.transport.llama_whole import Pieces, is_text

SAME = {"created": 1795616891, "id": "chatcmpl-1", "model": "smol", "system_fingerprint": "b0"}
USAGE = {"completion_tokens": 3, "prompt_tokens": 33, "total_tokens": 36}


def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    choice = {"finish_reason": reason, "index": 0, "delta": delta}
    return {"choices": [choice], **SAME, "object": "chat.completion.chunk"}


def whole(*chunks: dict[str, Any]) -> Any:
    pieces = Pieces()
    for one in chunks:
        pieces.add(one)
    return pieces.whole()


def test_a_chat() -> None:
    last = {"choices": [], **SAME, "object": "chat.completion.chunk",
            "usage": USAGE, "timings": {"predicted_n": 3}}  # fmt: skip
    told = whole(
        chunk({"role": "assistant", "content": None}),
        chunk({"content": "Once"}),
        chunk({"content": " upon"}),
        chunk({"content": " a"}),
        chunk({}, "length"),
        last,
    )

    message = {"role": "assistant", "content": "Once upon a"}
    assert told == {
        "choices": [{"finish_reason": "length", "index": 0, "message": message}],
        **SAME, "object": "chat.completion", "usage": USAGE, "timings": {"predicted_n": 3},
    }  # fmt: skip


def test_what_was_thought_stands_apart() -> None:
    (choice,) = whole(
        chunk({"reasoning_content": "hm"}),
        chunk({"reasoning_content": "m"}),
        chunk({"content": "4"}),
        chunk({}, "stop"),
    )["choices"]

    assert choice["message"] == {
        "role": "assistant", "content": "4", "reasoning_content": "hmm",
    }  # fmt: skip


def test_a_continued_text() -> None:
    def piece(text: str, reason: str | None = None, **more: Any) -> dict[str, Any]:
        choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": reason}
        return {"choices": [choice], **SAME, "object": "text_completion", **more}

    told = whole(piece(" that"), piece(" has"), piece("", "length", usage=USAGE))

    choice = {"text": " that has", "index": 0, "logprobs": None, "finish_reason": "length"}
    assert told == {"choices": [choice], **SAME, "object": "text_completion", "usage": USAGE}


def test_an_error_is_what_the_answer_is() -> None:
    error = {"error": {"code": 500, "message": "Context size has been exceeded."}}

    assert whole(chunk({"content": "Once"}), error) == error


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"messages": []}, True),
        ({"messages": [], "tools": []}, True),
        ({"messages": [], "tools": [{"type": "function"}]}, False),
        ({"messages": [], "logprobs": True}, False),
        ({"prompt": "a", "n": 2}, False),
    ],
)
def test_which_answers_are_text_alone(body: dict[str, Any], text: bool) -> None:
    assert is_text(body) is text
