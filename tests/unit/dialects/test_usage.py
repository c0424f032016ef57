"""Counts and costs that no answer can have: they count as not reported, whatever server states
them, so that no report is spoilt and no amount is negative."""

import json
from collections.abc import Callable

import pytest

from llmctl.dialects import (
    Frame,
    anthropic_answers,
    gemini_answers,
    gigachat,
    openai_chat,
    openai_responses,
    yandexgpt,
)
from llmctl.dialects.ollama import Ollama
from llmctl.dialects.openai_chat import OpenAIChat
from llmctl.types import Chat, Event, Finished, Json, Quirks, Usage

CALL = Chat("m", ())
ABSURD = pytest.mark.parametrize("count", [-1, 10**12 + 1, 10**400, 1.5, True])


def finished(events: list[Event]) -> Finished:
    [end] = [one for one in events if isinstance(one, Finished)]
    return end


@ABSURD
@pytest.mark.parametrize(
    ("decode", "names"),
    [
        (openai_chat.decode_usage, "prompt_tokens completion_tokens prompt_cache_hit_tokens"),
        (openai_responses.decode_usage, "input_tokens output_tokens"),
        (anthropic_answers.decode_usage,
         "input_tokens output_tokens cache_creation_input_tokens cache_read_input_tokens"),
        (gemini_answers.decode_usage,
         "promptTokenCount candidatesTokenCount thoughtsTokenCount cachedContentTokenCount"
         " totalTokenCount"),
        (gigachat.decode_usage, "prompt_tokens completion_tokens precached_prompt_tokens"),
        (yandexgpt.decode_usage, "inputTextTokens completionTokens"),
    ],
)  # fmt: skip
def test_absurd_counts_are_not_reported(
    decode: Callable[[Json], Usage | None], names: str, count: object
) -> None:
    assert decode(dict.fromkeys(names.split(), count)) == Usage()
    most = {10**12, 2 * 10**12, 3 * 10**12}  # some are sums of what the wire has apart
    sensible = decode(dict.fromkeys(names.split(), 10**12))
    assert sensible is not None
    assert {sensible.input_tokens, sensible.output_tokens} <= most


def test_a_total_below_its_part_tells_nothing() -> None:
    usage = gemini_answers.decode_usage({"promptTokenCount": 5, "totalTokenCount": 4})
    assert (usage.input_tokens, usage.output_tokens) == (5, None)


@ABSURD
def test_absurd_counts_and_times_of_ollama(count: object) -> None:
    answer = {
        "done": True, "message": {"content": "x"}, "prompt_eval_count": count, "eval_count": count,
        "total_duration": 10**400, "load_duration": 10**400,
    }  # fmt: skip
    end = finished(list(Ollama().decoder(CALL, Quirks()).feed(Frame(json.dumps(answer)))))
    assert (end.usage, end.server_timing, end.load_s) == (Usage(), None, None)


@pytest.mark.parametrize(
    ("stated", "cost"),
    [
        ("0.0042", ("0.0042", "USD")),
        (1e-07, ("0.0000001", "USD")),
        (0, ("0", "USD")),
        ("1e100000000", None),
        ("1e99999999999", None),
        (-1, None),
        ("NaN", None),
        (True, None),
    ],
)
def test_a_stated_cost_has_bounds(stated: object, cost: tuple[str, str] | None) -> None:
    answer = {
        "choices": [{"index": 0, "message": {"content": "x"}, "finish_reason": "stop"}],
        "usage": {"cost": stated},
    }
    decoder = OpenAIChat().decoder(CALL, Quirks(cost_field="usage.cost"))
    end = finished([*decoder.feed(Frame(json.dumps(answer))), *decoder.end()])
    assert end.reported_cost == cost
