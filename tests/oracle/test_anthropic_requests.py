"""What we send for a call is what the official `anthropic` package sends for it, and where it is
not, the difference is named here. Both really ask the simulator."""

import asyncio
import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anthropic
import pytest
from pydantic import BaseModel, Field

from llmctl import settings
from llmctl.engine.resolve import resolve
from llmctl.engine.run import Run
from llmctl.transport.exchange import Lane
from llmctl.types import (
    Call,
    Chat,
    Count,
    Media,
    Message,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    message,
)
from llmctl.values import replace
from tests.e2e.harness import KEY
from tests.simulator import Request, Simulator

Sent = Callable[[Call], Request]
Body = dict[str, Any]

PICTURE = b"\x89PNG\r\n\x1a\nnot much of one"
PAPER = b"%PDF-1.7 and so on"
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
USER = message(Role.USER, "Why is the sky blue?")
USER_JSON = {"role": "user", "content": "Why is the sky blue?"}
CALL = Message(Role.ASSISTANT, (ToolCall("toolu_1", "save", '{"name": "Рекс"}'),))
RESULT = Message(Role.TOOL, (ToolResult("toolu_1", "save", "kept"),))


class Pet(BaseModel):
    """An animal that lives with people"""

    name: str = Field(max_length=20)
    ages: list[int]


def source(kind: str, data: bytes) -> Body:
    return {"type": "base64", "media_type": kind, "data": base64.b64encode(data).decode()}


def chat(*messages: Message, **fields: Any) -> Chat:
    return Chat("mock", messages, **{"max_tokens": 99, **fields})


SAME: Mapping[str, tuple[Chat, Body]] = {
    "plain": (chat(USER), {"messages": [USER_JSON]}),
    "a conversation": (
        chat(
            message(Role.SYSTEM, "Be brief."),
            USER,
            message(Role.ASSISTANT, "Because."),
            message(Role.USER, "Почему? 🌌\u2028"),
        ),
        {
            "system": "Be brief.",
            "messages": [
                USER_JSON,
                {"role": "assistant", "content": "Because."},
                {"role": "user", "content": "Почему? 🌌\u2028"},
            ],
        },
    ),
    "tuning": (
        chat(USER, stop=("\n\n", "END"), options={"thinking": "adaptive", "effort": "low"}),
        {
            "messages": [USER_JSON],
            "stop_sequences": ["\n\n", "END"],
            "thinking": {"type": "adaptive"},
            "output_config": {"effort": "low"},
        },
    ),
    "a picture and a paper": (
        chat(
            Message(
                Role.USER,
                (
                    Text("What is this?"),
                    Media("image/png", PICTURE),
                    Media("image/jpeg", url="https://example.com/a.jpg"),
                    Media("application/pdf", PAPER, name="paper.pdf"),
                ),
            )
        ),
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is this?"},
                        {"type": "image", "source": source("image/png", PICTURE)},
                        {
                            "type": "image",
                            "source": {"type": "url", "url": "https://example.com/a.jpg"},
                        },
                        {
                            "type": "document",
                            "source": source("application/pdf", PAPER),
                            "title": "paper.pdf",
                        },
                    ],
                }
            ]
        },
    ),
    "a function called and answered": (
        chat(USER, CALL, RESULT, tools=(Tool("save", "Keeps a pet.", SCHEMA),)),
        {
            "messages": [
                USER_JSON,
                {
                    "role": "assistant",
                    "content": [
                        {
                            "type": "tool_use",
                            "id": "toolu_1",
                            "name": "save",
                            "input": {"name": "Рекс"},
                        }
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "kept"}
                    ],
                },
            ],
            "tools": [{"name": "save", "description": "Keeps a pet.", "input_schema": SCHEMA}],
        },
    ),
}


@pytest.fixture
def client(sim: Simulator) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=sim.anthropic_url, api_key=KEY, max_retries=0) as made:
        yield made


@pytest.fixture
def sent(sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Sends a call by our own engine, as the card of Anthropic has it, and gives what came."""
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{name}_DIR", str(tmp_path))
    monkeypatch.setenv("LLMCTL_PROVIDERS__ANTHROPIC__BASE_URL", sim.anthropic_url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)

    async def run(call: Call) -> None:
        route = resolve("anthropic/mock", settings.load())
        async with Lane(route.target) as lane, aclosing(Run(call, route, lane).events()) as events:
            async for _event in events:
                pass

    def send(call: Call) -> Request:
        asyncio.run(run(call))
        return sim.requests[-1]

    return send


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("name", SAME)
def test_the_same_message(
    client: anthropic.Anthropic, sim: Simulator, sent: Sent, name: str, streamed: bool
) -> None:
    call, fields = SAME[name]
    stream: Body = {"stream": True} if streamed else {}
    client.messages.create(model="mock", max_tokens=99, **fields, **stream)

    ours = sent(replace(call, stream=streamed))

    (theirs, _ours) = sim.calls
    assert ours.json == theirs.json
    assert (ours.method, ours.path, ours.query) == (theirs.method, theirs.path, theirs.query)
    for header in ("anthropic-version", "authorization", "content-type"):
        assert ours.headers[header] == theirs.headers[header]


@pytest.mark.parametrize("name", sorted({*SAME} - {"tuning"}))  # which is not of the input
def test_the_same_count(client: anthropic.Anthropic, sim: Simulator, sent: Sent, name: str) -> None:
    call, fields = SAME[name]
    told = client.messages.count_tokens(model="mock", **fields)

    sent(Count("mock", call.messages, tools=call.tools))

    (theirs, ours) = sim.requests
    assert told.input_tokens > 0
    assert ours.json == theirs.json
    assert (ours.method, ours.path, ours.query) == (theirs.method, theirs.path, theirs.query)


def test_no_header_of_ours_tells_more_than_the_packages(
    client: anthropic.Anthropic, sim: Simulator, sent: Sent
) -> None:
    """It names system, processor and version of Python; we name ourselves."""
    client.messages.create(model="mock", max_tokens=99, messages=[{"role": "user", "content": "a"}])
    ours = sent(chat(USER))

    (theirs, _ours) = sim.calls
    assert set(ours.headers) <= set(theirs.headers)
    missing = set(theirs.headers) - set(ours.headers)
    assert all(name.startswith("x-stainless-") or name == "connection" for name in missing)


def limits_in_json(schema: Body) -> None:
    """Limits go into the description with both, as its own notation there and as JSON here."""
    name = schema["properties"]["name"]
    assert name["description"] == "{maxLength: 20}"
    name["description"] = '{"maxLength": 20}'


def test_a_schema_apart_from_a_difference(
    client: anthropic.Anthropic, sim: Simulator, sent: Sent
) -> None:
    question: Any = [USER_JSON]
    client.messages.parse(model="mock", max_tokens=99, messages=question, output_format=Pet)
    theirs = sim.calls[0].json

    ours = sent(chat(USER, schema=Pet.model_json_schema(), stream=False)).json

    limits_in_json(theirs["output_config"]["format"]["schema"])
    assert ours == theirs
