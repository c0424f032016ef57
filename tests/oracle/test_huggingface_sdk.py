"""The official `huggingface_hub` package against the simulator: what it accepts proves the
simulator; and what it sends is what we send, every difference named here."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from huggingface_hub import InferenceClient

from llmctl.dialects.huggingface import HuggingFace
from llmctl.types import Call, Chat, Complete, Fill, Message, Quirks, Role, Tool, message
from tests.simulator import Simulator
from tests.simulator.answers import PIECES, TEXT, THOUGHT

TOKEN = "hf_" + "y" * 34
USER = message(Role.USER, "Why is the sky blue?")
USER_JSON = {"role": "user", "content": "Why is the sky blue?"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}}


# The package's own types are not checked: it takes plain JSON for each of them.


@pytest.fixture
def client(sim: Simulator) -> Iterator[InferenceClient]:
    """At the router's chats."""
    sim.key = TOKEN
    with InferenceClient(base_url=f"{sim.url}/hosts/huggingface/v1", api_key=TOKEN) as made:
        yield made


@pytest.fixture
def endpoint(sim: Simulator) -> Iterator[InferenceClient]:
    """At an endpoint of one's own, which answers at its root."""
    sim.key = TOKEN
    with InferenceClient(model=f"{sim.url}/hosts/huggingface/", api_key=TOKEN) as made:
        yield made


def ours(call: Call, **quirks: Any) -> Any:
    return HuggingFace().encode(call, Quirks(**quirks)).body


def theirs(sim: Simulator) -> Any:
    return sim.calls[-1].json


# ---- what it accepts ---------------------------------------------------------------------------


def test_a_chat(client: Any) -> None:
    answer = client.chat_completion([USER_JSON], model="mock-org/mock:groq")

    choice = answer.choices[0]
    assert (choice.message.content, choice.finish_reason) == (TEXT, "stop")
    assert answer.usage.completion_tokens == len(PIECES)


def test_a_streamed_chat_with_thoughts(client: Any) -> None:
    pieces = client.chat_completion(
        [USER_JSON],
        model="mock-thinks",
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(pieces)

    texts = [one.choices[0].delta for one in chunks if one.choices]
    assert "".join(one.content or "" for one in texts) == TEXT
    assert "".join(one.get("reasoning_content") or "" for one in texts) == THOUGHT
    assert chunks[-1].usage is not None


def test_tools(client: Any) -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": WEATHER}}

    answer = client.chat_completion([USER_JSON], model="mock", tools=[tool])

    (call,) = answer.choices[0].message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == (
        "weather", {"city": "pear"}
    )  # fmt: skip


def test_text_generation_whole(endpoint: Any) -> None:
    answer = endpoint.text_generation("Once", details=True)

    assert answer.generated_text == TEXT
    assert answer.details.finish_reason == "eos_token"
    assert answer.details.generated_tokens == len(PIECES)


def test_text_generation_streamed(endpoint: Any) -> None:
    tokens = list(endpoint.text_generation("Once", details=True, stream=True))

    assert "".join(one.token.text for one in tokens if not one.token.special) == TEXT
    assert tokens[-1].generated_text == TEXT
    assert tokens[-1].details.generated_tokens == len(PIECES)


# ---- what it sends -----------------------------------------------------------------------------


def test_the_same_chat(client: Any, sim: Simulator) -> None:
    client.chat_completion(
        [{"role": "system", "content": "Be brief."}, USER_JSON],
        model="mock-org/mock:groq",
        max_tokens=40,
        temperature=0.5,
        seed=7,
        stop=["\n", "END"],
    )
    system = message(Role.SYSTEM, "Be brief.")
    call = Chat("mock-org/mock:groq", (system, USER), 40, 0.5, 7, ("\n", "END"), stream=False)

    # It says of a whole answer that it is no stream; we say nothing.
    assert theirs(sim).pop("stream") is False
    assert {**ours(call), "stream": False} == theirs(sim)


def test_the_same_streamed_chat(client: Any, sim: Simulator) -> None:
    list(
        client.chat_completion(
            [USER_JSON], model="mock", stream=True, stream_options={"include_usage": True}
        )
    )

    assert ours(Chat("mock", (USER,))) == theirs(sim)


def test_a_schema_goes_in_openais_form(client: Any, sim: Simulator) -> None:
    """The package is given that form too, and passes it on to partners; at an address of one's own
    it puts TGI's older form in its place, which vLLM and llama.cpp there would not understand."""
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
    client.chat_completion([USER_JSON], model="mock", response_format=form)

    sent = ours(Chat("mock", (USER,), schema=SCHEMA, stream=False))
    assert sent.pop("response_format") == form
    assert theirs(sim).pop("response_format") == {"type": "json_object", "value": SCHEMA}
    rest = {key: one for key, one in theirs(sim).items() if key != "response_format"}
    assert {**sent, "stream": False} == rest


def test_the_same_tools_and_their_results(client: Any, sim: Simulator) -> None:
    function = {"name": "weather", "description": "Tells it", "parameters": WEATHER}
    client.chat_completion(
        [USER_JSON], model="mock", tools=[{"type": "function", "function": function}]
    )

    call = Chat("mock", (USER,), tools=(Tool("weather", "Tells it", WEATHER),), stream=False)
    assert {**ours(call), "stream": False} == theirs(sim)


@pytest.mark.parametrize("streamed", [False, True])
def test_the_same_text_generation(endpoint: Any, sim: Simulator, streamed: bool) -> None:
    answer = endpoint.text_generation(
        "Once",
        details=True,
        stream=streamed,
        return_full_text=False,
        max_new_tokens=9,
        temperature=0.5,
        seed=7,
        stop=["END"],
    )
    if streamed:
        list(answer)
    call = Complete("m", "Once", 9, 0.5, 7, ("END",), streamed)

    assert ours(call, settings={"text_generation": "tgi"}) == theirs(sim)


def test_the_key_goes_where_ours_does(client: Any, sim: Simulator) -> None:
    client.chat_completion([USER_JSON], model="mock")

    assert sim.calls[-1].headers["authorization"] == f"Bearer {TOKEN}"


def test_messages_are_told_by_their_roles() -> None:
    """The one difference in messages that there could be: nothing is renamed on the way."""
    call = Chat("m", (Message(Role.ASSISTANT, USER.parts), USER), stream=False)

    assert [one["role"] for one in ours(call)["messages"]] == ["assistant", "user"]


# ---- texts with a gap --------------------------------------------------------------------------


def test_fill_mask(sim: Simulator) -> None:
    sim.key = TOKEN
    text = "Paris is the [MASK] of France."
    url = f"{sim.url}/hosts/huggingface/hf-inference/models/mock-bert"
    with InferenceClient(model=url, api_key=TOKEN) as made:
        client: Any = made
        best, second = client.fill_mask(text, top_k=2)

    assert (best.token_str, best.score, best.sequence) == (
        "capital", 0.9, "Paris is the capital of France.",
    )  # fmt: skip
    assert second.token_str == "heart"
    call = Fill("mock-bert", text, count=2)
    assert ours(call, settings={"text_generation": "router"}) == theirs(sim)
