"""What we send for a call is what the official `openai` package sends for it, and where it is not,
the difference is named here.

Both really ask the simulator; the bodies that came are compared.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from llmctl import settings
from llmctl.engine.resolve import resolve
from llmctl.engine.run import Run
from llmctl.transport.exchange import Lane
from llmctl.types import (
    Call,
    Complete,
    Message,
    Role,
    Tool,
    ToolCall,
    ToolResult,
)
from llmctl.values import replace
from tests.e2e.harness import KEY
from tests.oracle.openai_pairs import SAME, USER, Body, chat
from tests.simulator import Request, Simulator

Sent = Callable[[Call], Request]


class Pet(BaseModel):
    """An animal that lives with people"""

    name: str
    age: int | None = None


@pytest.fixture
def client(sim: Simulator) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=sim.openai_url, api_key=KEY, max_retries=0) as made:
        yield made


@pytest.fixture
def sent(sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Sends a call by our own engine, as the card of OpenAI has it, and gives what came."""
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{name}_DIR", str(tmp_path))
    monkeypatch.setenv("LLMCTL_PROVIDERS__OPENAI__BASE_URL", sim.openai_url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    async def run(call: Call) -> None:
        route = resolve("openai/mock", settings.load())
        async with Lane(route.target) as lane, aclosing(Run(call, route, lane).events()) as events:
            async for _event in events:
                pass

    def send(call: Call) -> Request:
        asyncio.run(run(call))
        return sim.calls[-1]

    return send


# ---- the same


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("name", SAME)
def test_the_same_chat(
    client: openai.OpenAI, sim: Simulator, sent: Sent, name: str, streamed: bool
) -> None:
    call, fields = SAME[name]
    stream: Body = {"stream": True, "stream_options": {"include_usage": True}} if streamed else {}
    client.chat.completions.create(model="mock", **fields, **stream)

    ours = sent(replace(call, stream=streamed))

    (theirs, _ours) = sim.calls
    assert ours.json == theirs.json
    assert (ours.method, ours.path, ours.query) == (theirs.method, theirs.path, theirs.query)
    for header in ("authorization", "content-type"):
        assert ours.headers[header] == theirs.headers[header]


def test_the_same_continuation_of_a_text(client: openai.OpenAI, sim: Simulator, sent: Sent) -> None:
    """Whose limit has its old name: the package knows no other one here."""
    client.completions.create(
        model="mock", prompt="The sky", max_tokens=2, temperature=0.5, seed=7, stop=["\n"]
    )

    ours = sent(Complete("mock", "The sky", 2, 0.5, 7, ("\n",), stream=False))

    assert ours.json == sim.calls[0].json
    assert ours.path == sim.calls[0].path


# ---- differences, each a change that makes the package's body ours


def no_stream_stated(body: Body) -> None:
    """Its helpers state the default; we say nothing where nothing is wanted."""
    assert body.pop("stream") is False


def schema_not_strict(body: Body) -> None:
    """Strict mode takes only schemas of a certain kind (all fields required, no others allowed),
    into which the package turns its own classes. A schema of the user's goes as it stands."""
    assert body["response_format"]["json_schema"].pop("strict") is True


def schema_without_its_name(body: Body) -> None:
    """It calls the schema by the name of the class; ours has none."""
    wanted = body["response_format"]["json_schema"]
    assert wanted["name"] == "Pet"
    wanted["name"] = "answer"


def function_not_strict(body: Body) -> None:
    """As with the schema of an answer."""
    assert body["tools"][0]["function"].pop("strict") is True


def turn_without_nothing(body: Body) -> None:
    """It sends back the fields of the answer that hold nothing, or only what the package made of
    the answer itself."""
    turn = body["messages"][1]
    assert [turn.pop(name) for name in ("refusal", "annotations", "parsed")] == [None, [], None]
    assert turn["tool_calls"][0]["function"].pop("parsed_arguments")


def test_a_schema_apart_from_differences(client: openai.OpenAI, sim: Simulator, sent: Sent) -> None:
    client.chat.completions.parse(
        model="mock", messages=[{"role": "user", "content": USER.text}], response_format=Pet
    )
    theirs = sim.calls[0].json
    schema = theirs["response_format"]["json_schema"]["schema"]

    ours = sent(chat(USER, schema=schema))

    for difference in (no_stream_stated, schema_not_strict, schema_without_its_name):
        difference(theirs)
    assert ours.json == theirs


def test_a_function_called_and_answered_apart_from_differences(
    client: openai.OpenAI, sim: Simulator, sent: Sent
) -> None:
    tools = [openai.pydantic_function_tool(Pet, name="save", description="Keeps a pet.")]
    question: Any = {"role": "user", "content": USER.text}
    asked: Any = {"model": "mock", "messages": [question], "tools": tools}
    turn = client.chat.completions.parse(**asked).choices[0].message
    result: Any = {"role": "tool", "tool_call_id": "call_sim1", "content": "kept"}
    asked["messages"] = [question, turn, result]
    client.chat.completions.create(**asked)
    first, second = (call.json for call in sim.calls)
    tool = Tool("save", "Keeps a pet.", first["tools"][0]["function"]["parameters"])
    assert turn.tool_calls
    arguments = turn.tool_calls[0].function.arguments
    call = Message(Role.ASSISTANT, (ToolCall("call_sim1", "save", arguments),))
    answered = Message(Role.TOOL, (ToolResult("call_sim1", "save", "kept"),))

    ours_first = sent(chat(USER, tools=(tool,)))
    ours_second = sent(chat(USER, call, answered, tools=(tool,)))

    for difference in (no_stream_stated, function_not_strict):
        difference(first)
    assert ours_first.json == first
    for difference in (function_not_strict, turn_without_nothing):
        difference(second)
    assert ours_second.json == second


def test_no_header_of_ours_tells_more_than_the_packages(
    client: openai.OpenAI, sim: Simulator, sent: Sent
) -> None:
    """It names system, processor and version of Python; we name ourselves."""
    client.chat.completions.create(model="mock", messages=[{"role": "user", "content": "hi"}])
    ours = sent(chat(USER))

    extra = set(ours.headers) - set(sim.calls[0].headers)
    missing = set(sim.calls[0].headers) - set(ours.headers)
    assert extra == set()
    assert all(name.startswith("x-stainless-") or name == "connection" for name in missing)
    assert ours.headers["user-agent"].startswith("llmctl/")
