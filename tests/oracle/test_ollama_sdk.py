"""The official `ollama` package against the simulator: what it accepts proves the simulator; and
what it sends is what we send, every difference named here."""

import base64
from collections.abc import Iterator
from typing import Any

import ollama
import pytest

from llmctl.dialects.ollama import Ollama
from llmctl.types import Call, Chat, Complete, Media, Message, Quirks, Role, Text, Tool, message
from tests.simulator import Simulator
from tests.simulator.answers import PIECES, TEXT, THOUGHT
from tests.simulator.model_lists import SIZE

USER = message(Role.USER, "Why is the sky blue?")
USER_JSON = {"role": "user", "content": "Why is the sky blue?"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}}
PICTURE = b"\x89PNG\r\n\x1a\nnot much of one"


@pytest.fixture
def client(sim: Simulator) -> Iterator[ollama.Client]:
    with ollama.Client(host=sim.url) as made:
        yield made


def ours(call: Call, **quirks: Any) -> Any:
    return Ollama().encode(call, Quirks(**quirks)).body


def theirs(sim: Simulator) -> Any:
    """Without empty lists of tools, which the package always sends and which say nothing."""
    body = sim.calls[-1].json
    return {name: value for name, value in body.items() if (name, value) != ("tools", [])}


# ---- what it accepts ---------------------------------------------------------------------------


def test_a_chat(client: ollama.Client) -> None:
    answer = client.chat("mock", [USER_JSON])

    assert (answer.message.content, answer.done, answer.done_reason) == (TEXT, True, "stop")
    assert (answer.eval_count, answer.load_duration) == (len(PIECES), 400_000_000)


def test_a_streamed_chat_with_thoughts(client: ollama.Client) -> None:
    parts = list(client.chat("mock-thinks", [USER_JSON], stream=True))

    assert "".join(part.message.content or "" for part in parts) == TEXT
    assert "".join(part.message.thinking or "" for part in parts) == THOUGHT
    assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]


def test_tools(client: ollama.Client) -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": WEATHER}}

    answer = client.chat("mock", [USER_JSON], tools=[tool])

    (call,) = answer.message.tool_calls or ()
    assert (call.function.name, call.function.arguments) == ("weather", {"city": "pear"})


def test_a_text_continued(client: ollama.Client) -> None:
    answer = client.generate("mock", "Once", raw=True)

    assert (answer.response, answer.done_reason) == (TEXT, "stop")


def test_lists(client: ollama.Client, sim: Simulator) -> None:
    assert [one.model for one in client.list().models] == list(sim.models)
    assert client.show("mock").capabilities == ["completion", "tools"]
    assert client.ps().models == []


def test_a_pull_and_a_deletion(client: ollama.Client, sim: Simulator) -> None:
    steps = list(client.pull("mock:8b", stream=True))
    done = client.delete("mock:8b")

    assert [(one.completed, one.total) for one in steps if one.digest][:3] == [
        (completed, SIZE) for completed in (0, SIZE // 2, SIZE)
    ]
    assert (steps[0].status, steps[-1].status) == ("pulling manifest", "success")
    assert done.status == "success"
    pull, deletion = Ollama().pulling("mock:8b"), Ollama().removal("mock:8b")
    for ours, theirs in zip((pull, deletion), sim.requests, strict=True):
        assert (ours.method, f"/{ours.path}") == (theirs.method, theirs.path)
        kept = {name: value for name, value in theirs.json.items() if name != "insecure"}
        assert ours.body == kept  # `insecure` is false unless it is asked for


def test_a_pull_of_what_there_is_not(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="file does not exist"):
        list(client.pull("nosuch", stream=True))


def test_errors(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="not found") as caught:
        client.chat("nobody", [USER_JSON])

    assert caught.value.status_code == 404


# ---- what it sends -----------------------------------------------------------------------------


@pytest.mark.parametrize("streamed", [False, True])
def test_the_same_chat(client: Any, sim: Simulator, streamed: bool) -> None:
    answer = client.chat(
        "mock",
        [{"role": "system", "content": "Be brief."}, USER_JSON],
        options={"num_predict": 40, "temperature": 0.5, "seed": 7, "stop": ["END"]},
        stream=streamed,
    )
    if streamed:
        list(answer)
    system = message(Role.SYSTEM, "Be brief.")

    call = Chat("mock", (system, USER), 40, 0.5, 7, ("END",), stream=streamed)
    assert ours(call) == theirs(sim)


def test_the_same_context(client: ollama.Client, sim: Simulator) -> None:
    client.chat("mock", [USER_JSON], options={"num_ctx": 8192})

    call = Chat("mock", (USER,), stream=False)
    assert ours(call, settings={"context": "8192"}) == theirs(sim)
    # That an overlong prompt be refused is the card's wish; the package cannot say it for a chat.
    assert ours(call, extra_body={"truncate": False})["truncate"] is False


def test_the_same_schema_and_thinking(client: ollama.Client, sim: Simulator) -> None:
    client.chat("mock", [USER_JSON], format=SCHEMA, think=False, keep_alive="5m")

    call = Chat(
        "mock", (USER,), schema=SCHEMA, stream=False,
        options={"think": False, "keep_alive": "5m"},
    )  # fmt: skip
    assert ours(call) == theirs(sim)


def test_the_same_picture(client: ollama.Client, sim: Simulator) -> None:
    client.chat("mock", [{**USER_JSON, "images": [PICTURE]}])
    shown = Message(Role.USER, (Text(USER.text), Media("image/png", PICTURE)))

    assert ours(Chat("mock", (shown,), stream=False)) == theirs(sim)
    assert base64.b64encode(PICTURE).decode() in theirs(sim)["messages"][0]["images"]


def test_the_same_tools(client: ollama.Client, sim: Simulator) -> None:
    function = {"name": "weather", "description": "Tells it", "parameters": WEATHER}
    client.chat("mock", [USER_JSON], tools=[{"type": "function", "function": function}])

    call = Chat("mock", (USER,), tools=(Tool("weather", "Tells it", WEATHER),), stream=False)
    assert ours(call) == theirs(sim)


def test_the_same_text_to_continue(client: ollama.Client, sim: Simulator) -> None:
    client.generate("mock", "Once", raw=True, options={"num_predict": 9})

    assert ours(Complete("mock", "Once", 9, stream=False)) == theirs(sim)
