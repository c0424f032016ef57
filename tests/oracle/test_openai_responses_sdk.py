"""The official `openai` package and our own engine against the simulator's side of responses: the
package takes what it says, and what we send is what the package sends, differences named."""

import asyncio
import base64
from collections.abc import Callable, Iterator, Mapping
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
from tests.simulator.answers import PIECES, TEXT, THOUGHT

Sent = Callable[[Call], Request]
Body = dict[str, Any]

ASK = "Why is the sky blue?"
USER = message(Role.USER, ASK)
USER_JSON = {"role": "user", "content": ASK}
PICTURE = b"\x89PNG\r\n\x1a\nnot much of one"
PAPER = b"%PDF-1.7 and so on"
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
CALL = Message(Role.ASSISTANT, (ToolCall("call_1", "save", '{"name": "Рекс"}'),))
RESULT = Message(Role.TOOL, (ToolResult("call_1", "save", "kept"),))


class Pet(BaseModel):
    name: str
    age: int


def url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def chat(*messages: Message, **fields: Any) -> Chat:
    return Chat("mock", messages, **{"stream": False, **fields})


SAME: Mapping[str, tuple[Chat, Body]] = {
    "plain": (chat(USER), {"input": [USER_JSON]}),
    "a conversation": (
        chat(
            message(Role.SYSTEM, "Be brief."),
            USER,
            message(Role.ASSISTANT, "Because."),
            message(Role.USER, "Почему? 🌌\u2028"),
        ),
        {
            "instructions": "Be brief.",
            "input": [
                USER_JSON,
                {"role": "assistant", "content": "Because."},
                {"role": "user", "content": "Почему? 🌌\u2028"},
            ],
        },
    ),
    "tuning": (
        chat(
            USER,
            max_tokens=40,
            temperature=0.5,
            options={"reasoning_effort": "low", "verbosity": "low", "top_p": 0.9},
        ),
        {
            "input": [USER_JSON],
            "max_output_tokens": 40,
            "temperature": 0.5,
            "top_p": 0.9,
            "reasoning": {"effort": "low"},
            "text": {"verbosity": "low"},
        },
    ),
    "a picture and a paper": (
        chat(
            Message(
                Role.USER,
                (
                    Text("What is this?"),
                    Media("image/png", PICTURE),
                    Media("application/pdf", PAPER, name="paper.pdf"),
                ),
            )
        ),
        {
            "input": [
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "What is this?"},
                        {
                            "type": "input_image",
                            "detail": "auto",
                            "image_url": url("image/png", PICTURE),
                        },
                        {
                            "type": "input_file",
                            "filename": "paper.pdf",
                            "file_data": url("application/pdf", PAPER),
                        },
                    ],
                }
            ]
        },
    ),
    "a function called and answered": (
        chat(USER, CALL, RESULT, tools=(Tool("save", "Keeps a pet.", SCHEMA),)),
        {
            "input": [
                USER_JSON,
                {
                    "type": "function_call",
                    "call_id": "call_1",
                    "name": "save",
                    "arguments": '{"name": "Рекс"}',
                },
                {"type": "function_call_output", "call_id": "call_1", "output": "kept"},
            ],
            "tools": [
                {
                    "type": "function",
                    "name": "save",
                    "description": "Keeps a pet.",
                    "parameters": SCHEMA,
                    "strict": False,
                }
            ],
        },
    ),
}


@pytest.fixture
def client(sim: Simulator) -> Iterator[openai.OpenAI]:
    """A strict client takes nothing that does not fit the package's own types."""
    with openai.OpenAI(
        base_url=sim.openai_url, api_key=KEY, max_retries=0, _strict_response_validation=True
    ) as made:
        yield made


@pytest.fixture
def sent(sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Sends a call by our own engine with responses chosen, and gives what came."""
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{name}_DIR", str(tmp_path))
    monkeypatch.setenv("LLMCTL_PROVIDERS__OPENAI__BASE_URL", sim.openai_url)
    monkeypatch.setenv("LLMCTL_PROVIDERS__OPENAI__API", "responses")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    async def run(call: Call) -> None:
        route = resolve("openai/mock", settings.load())
        async with Lane(route.target) as lane, aclosing(Run(call, route, lane).events()) as events:
            async for _event in events:
                pass

    def send(call: Call) -> Request:
        asyncio.run(run(call))
        return sim.requests[-1]

    return send


# ---- what the simulator says


def ask(client: openai.OpenAI, model: str, streamed: bool, **more: Any) -> Any:
    if not streamed:
        return client.responses.create(model=model, input=ASK, **more)
    with client.responses.stream(model=model, input=ASK, **more) as stream:
        return stream.get_final_response()


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer(client: openai.OpenAI, streamed: bool) -> None:
    answer = ask(client, "mock", streamed)

    assert (answer.output_text, answer.status) == (TEXT, "completed")
    assert answer.usage.output_tokens == len(PIECES)
    assert answer.usage.total_tokens == answer.usage.input_tokens + len(PIECES)


def test_pieces_and_thoughts_as_they_come(client: openai.OpenAI) -> None:
    events = list(client.responses.create(model="mock-thinks", input=ASK, stream=True))

    told: dict[str, list[str]] = {}
    for event in events:
        told.setdefault(event.type, []).append(getattr(event, "delta", ""))
    assert told["response.output_text.delta"] == list(PIECES)
    assert told["response.reasoning_summary_text.delta"] == [THOUGHT]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_call_of_a_function(client: openai.OpenAI, streamed: bool) -> None:
    tool: Any = {"type": "function", "name": "save", "parameters": SCHEMA, "strict": False}
    answer = ask(client, "mock", streamed, tools=[tool])

    (call,) = answer.output
    assert (call.type, call.name, call.arguments) == ("function_call", "save", '{"name": "pear"}')


def test_an_answer_in_a_schema(client: openai.OpenAI) -> None:
    answer = client.responses.parse(model="mock", input=ASK, text_format=Pet)

    assert isinstance(answer.output_parsed, Pet)


@pytest.mark.parametrize(
    ("fault", "reason"), [("length", "max_output_tokens"), ("filtered", "content_filter")]
)
@pytest.mark.parametrize("streamed", [False, True])
def test_ends_before_the_end(
    client: openai.OpenAI, fault: str, reason: str, streamed: bool
) -> None:
    made: Any = client.responses.create(model=f"mock-fault-{fault}", input=ASK, stream=streamed)
    answer = list(made)[-1].response if streamed else made

    assert (answer.status, answer.incomplete_details.reason) == ("incomplete", reason)


def test_an_error_inside_a_stream(client: openai.OpenAI) -> None:
    stream = client.responses.create(model="mock-fault-error-in-stream", input=ASK, stream=True)
    with pytest.raises(openai.APIError, match="The model ran out of memory"):
        list(stream)


# ---- what we send


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("name", SAME)
def test_the_same_request(
    client: openai.OpenAI, sim: Simulator, sent: Sent, name: str, streamed: bool
) -> None:
    """Asked not to store, which is not the package's own default."""
    call, fields = SAME[name]
    stream: Body = {"stream": True} if streamed else {}
    client.responses.create(model="mock", store=False, **fields, **stream)

    ours = sent(replace(call, stream=streamed))

    (theirs, _ours) = sim.calls
    assert ours.json == theirs.json
    assert (ours.method, ours.path, ours.query) == (theirs.method, theirs.path, theirs.query)
    for header in ("authorization", "content-type"):
        assert ours.headers[header] == theirs.headers[header]


@pytest.mark.parametrize("name", ["plain", "a conversation", "a picture and a paper"])
def test_the_same_count(client: openai.OpenAI, sim: Simulator, sent: Sent, name: str) -> None:
    call, fields = SAME[name]
    told = client.responses.input_tokens.count(model="mock", **fields)

    sent(Count("mock", call.messages))

    (theirs, ours) = sim.requests
    assert told.input_tokens > 0
    assert ours.json == theirs.json
    assert (ours.method, ours.path, ours.query) == (theirs.method, theirs.path, theirs.query)


def schema_not_strict(wanted: Body) -> None:
    """Strict mode takes only schemas of a certain kind, into which the package turns its own
    classes. A schema of the user's goes as it stands."""
    assert wanted.pop("strict") is True


def schema_without_its_name(wanted: Body) -> None:
    """It calls the schema by the name of the class; ours has none."""
    assert wanted["name"] == "Pet"
    wanted["name"] = "answer"


def input_as_text(body: Body) -> None:
    """A text alone is the turn of a user."""
    assert body["input"] == ASK
    body["input"] = [USER_JSON]


def test_a_schema_apart_from_differences(client: openai.OpenAI, sim: Simulator, sent: Sent) -> None:
    client.responses.parse(model="mock", input=ASK, text_format=Pet, store=False)
    theirs = sim.calls[0].json

    ours = sent(chat(USER, schema=theirs["text"]["format"]["schema"]))

    schema_not_strict(theirs["text"]["format"])
    schema_without_its_name(theirs["text"]["format"])
    input_as_text(theirs)
    assert ours.json == theirs
