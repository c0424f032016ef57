"""How likely each token was, put together from the pieces of a stream."""

import json
from typing import Any

import pytest

from llmctl.dialects import Decoder, Frame
from llmctl.dialects.ollama import Ollama
from llmctl.dialects.openai_chat import OpenAIChat
from llmctl.types import Chat, Complete, Finished, Quirks, Role, message

CHAT = Chat("m", (message(Role.USER, "hi"),))


def details(decoder: Decoder, *frames: Any) -> Any:
    events = [one for frame in frames for one in decoder.feed(Frame(json.dumps(frame)))]
    events += decoder.end()
    (finished,) = [one for one in events if isinstance(one, Finished)]
    return finished.details.get("logprobs")


def token(text: str, logprob: float) -> Any:
    return {"token": text, "logprob": logprob, "bytes": None, "top_logprobs": []}


def chunk(content: Any, finish: str | None = None) -> Any:
    logprobs = None if content is None else {"content": content, "refusal": None}
    return {"choices": [{"index": 0, "delta": {"content": "x"}, "logprobs": logprobs,
                         "finish_reason": finish}]}  # fmt: skip


def test_the_tokens_of_a_chat_stand_behind_each_other() -> None:
    one, two, three = token("a", -0.1), token("b", -0.2), token("c", -0.3)
    decoder = OpenAIChat().decoder(CHAT, Quirks())

    found = details(decoder, chunk([one]), chunk(None), chunk([two, three]), chunk(None, "stop"))

    assert found == {"content": [one, two, three], "refusal": None}


def test_the_older_form_of_completions_has_a_list_a_field() -> None:
    def piece(word: str, logprob: float, finish: str | None) -> Any:
        told = {"tokens": [word], "token_logprobs": [logprob], "top_logprobs": [{word: logprob}]}
        return {"choices": [{"index": 0, "text": word, "logprobs": told,
                             "finish_reason": finish}]}  # fmt: skip

    decoder = OpenAIChat().decoder(Complete("m", "Once"), Quirks())

    assert details(decoder, piece("a", -0.1, None), piece("b", -0.2, "length")) == {
        "tokens": ["a", "b"],
        "token_logprobs": [-0.1, -0.2],
        "top_logprobs": [{"a": -0.1}, {"b": -0.2}],
    }


@pytest.mark.parametrize("call", [CHAT, Complete("m", "Once")])
def test_ollamas_are_a_list(call: Chat | Complete) -> None:
    one, two = token("a", -0.1), token("b", -0.2)
    frames = [{"response": "a", "logprobs": [one]}, {"response": "b", "logprobs": [two]}]

    found = details(Ollama().decoder(call, Quirks()), *frames, {"response": "", "done": True})

    assert found == [one, two]


def test_without_any_there_is_no_word_of_it() -> None:
    assert details(OpenAIChat().decoder(CHAT, Quirks()), chunk(None, "stop")) is None
    assert details(Ollama().decoder(CHAT, Quirks()), {"done": True}) is None


def test_what_stands_behind_a_gap_goes_through_ollamas_template() -> None:
    """A raw text has no place for it, and the server would leave it out without a word."""
    filled = Complete("m", "def f(", options={"suffix": "return x", "top_k": 3})

    body = Ollama().encode(filled, Quirks()).body

    assert body is not None
    assert (body["suffix"], body["raw"], body["options"]) == ("return x", False, {"top_k": 3})
    assert (Ollama().encode(Complete("m", "def"), Quirks()).body or {})["raw"] is True
