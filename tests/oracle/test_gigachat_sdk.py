"""The official `gigachat` package against the simulator: that it takes what the simulator says
shows that the simulator speaks as GigaChat does. And what we send is what the package sends."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import gigachat
import pytest
from gigachat.exceptions import (
    AuthenticationError,
    ForbiddenError,
    NotFoundError,
    RateLimitError,
    UnprocessableEntityError,
)
from gigachat.models import (
    Chat as TheirChat,
)
from gigachat.models import Function, FunctionParameters, Messages, MessagesRole
from gigachat.models.response_format import JsonSchemaResponseFormat
from pydantic import BaseModel

from llmctl import settings
from llmctl.dialects import DIALECTS
from llmctl.engine.resolve import resolve
from llmctl.engine.run import Run
from llmctl.transport.exchange import Lane
from llmctl.types import Chat, Message, Role, Tool, ToolCall, ToolResult, message
from tests.e2e.harness import GIGACHAT_KEY
from tests.simulator import Request, Simulator
from tests.simulator.answers import PIECES, TEXT, THOUGHT
from tests.simulator.gigachat import STATE, V1, V2

Body = dict[str, Any]
Sent = Callable[..., Request]

QUESTION = "Почему небо синее? 🌌\u2028"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


class Town(BaseModel):
    city: str


@pytest.fixture
def client(sim: Simulator) -> Iterator[gigachat.GigaChat]:
    made = gigachat.GigaChat(
        base_url=f"{sim.url}/gigachat/v1",
        auth_url=f"{sim.url}/gigachat/oauth",
        credentials=GIGACHAT_KEY,
        scope="GIGACHAT_API_PERS",
        model="mock",
    )
    with made:
        yield made


@pytest.fixture
def sent(sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Sends a call by our own engine, as the card has it, and gives what came."""
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{name}_DIR", str(tmp_path))
    monkeypatch.setenv("LLMCTL_PROVIDERS__GIGACHAT__BASE_URL", f"{sim.url}/gigachat/v1")
    monkeypatch.setenv("LLMCTL_PROVIDERS__GIGACHAT__AUTH_URL", f"{sim.url}/gigachat/oauth")
    monkeypatch.setenv("GIGACHAT_CREDENTIALS", GIGACHAT_KEY)

    async def run(call: Chat) -> None:
        route = resolve("gigachat/mock", settings.load())
        async with Lane(route.target) as lane, aclosing(Run(call, route, lane).events()) as events:
            async for _event in events:
                pass

    def send(*messages: Message, api: str = "v1", **fields: Any) -> Request:
        monkeypatch.setenv("LLMCTL_PROVIDERS__GIGACHAT__API", api)
        asyncio.run(run(Chat("mock", messages, **{"stream": False, **fields})))
        return sim.calls[-1]

    return send


def asking(**fields: Any) -> TheirChat:
    return TheirChat(
        messages=[Messages(role=MessagesRole.USER, content=QUESTION)], model="mock", **fields
    )


USER = message(Role.USER, QUESTION)


# ---- it takes what the simulator says


def test_a_whole_answer(client: gigachat.GigaChat, sim: Simulator) -> None:
    answer = client.chat(asking())

    [choice] = answer.choices
    assert (choice.message.content, choice.finish_reason) == (TEXT, "stop")
    assert answer.model == "mock:2.0.28.2"
    usage = answer.usage
    assert usage.completion_tokens == len(PIECES)
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.precached_prompt_tokens
    assert (answer.x_headers or {})["x-request-id"] == "req-sim-1"


def test_a_streamed_answer(client: gigachat.GigaChat) -> None:
    chunks = list(client.stream(asking()))

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT
    assert [chunk.choices[0].delta.role for chunk in chunks][:2] == ["assistant", None]
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_thoughts(client: gigachat.GigaChat) -> None:
    whole = client.chat(TheirChat(messages=asking().messages, model="mock-thinks"))

    assert whole.choices[0].message.reasoning_content == THOUGHT


def test_a_function_is_called(client: gigachat.GigaChat) -> None:
    shape: Body = {"type": "object", "properties": {"city": {"type": "string"}}}
    parameters = FunctionParameters(**shape)
    offered = asking(functions=[Function(name="weather", parameters=parameters)])
    whole = client.chat(offered).choices[0]
    streamed = list(client.stream(offered))

    assert whole.finish_reason == "function_call"
    assert whole.message.functions_state_id == STATE
    assert whole.message.function_call is not None
    assert whole.message.function_call.name == "weather"
    assert whole.message.function_call.arguments == {"city": "pear"}
    called = [one.choices[0].delta.function_call for one in streamed]
    assert [one.arguments for one in called if one] == [{"city": "pear"}]


def test_a_schema(client: gigachat.GigaChat) -> None:
    _whole, town = client.chat_parse(asking(), response_format=Town)

    assert town == Town(city="pear")


def test_the_topic_filter(client: gigachat.GigaChat) -> None:
    answer = client.chat(TheirChat(messages=asking().messages, model="mock-fault-filtered"))

    assert answer.choices[0].finish_reason == "blacklist"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("tokens-die", AuthenticationError),
        ("no-model", NotFoundError),
        ("unprocessable", UnprocessableEntityError),
        ("rate-forever", RateLimitError),
    ],
)
def test_errors(client: gigachat.GigaChat, fault: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        client.chat(TheirChat(messages=asking().messages, model=f"mock-fault-{fault}"))


def test_a_wrong_key(client: gigachat.GigaChat, sim: Simulator) -> None:
    sim.key = "another"
    with pytest.raises(AuthenticationError, match="credentials doesn"):
        client.chat(asking())


def test_a_token_that_dies_is_renewed(client: gigachat.GigaChat, sim: Simulator) -> None:
    client.chat(asking())  # it renews only what it has kept from an earlier call
    answer = client.chat(TheirChat(messages=asking().messages, model="mock-fault-token-dies"))

    assert answer.choices[0].message.content == TEXT
    oauth = "/gigachat/oauth"
    assert [one.path for one in sim.requests] == [oauth, V1, V1, oauth, V1]


def test_models(client: gigachat.GigaChat, sim: Simulator) -> None:
    assert [one.id_ for one in client.get_models().data] == list(sim.models)


def test_the_second_version(client: gigachat.GigaChat) -> None:
    answer = client.chat.create(QUESTION)
    events = list(client.chat.stream(QUESTION))

    assert [part.text for part in answer.messages[0].content or ()] == [TEXT]
    assert answer.finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.output_tokens == len(PIECES)
    texts = [
        part.text or ""
        for one in events
        for told in one.messages or ()
        for part in told.content or ()
    ]
    assert "".join(texts) == TEXT
    assert [one.finish_reason for one in events if one.finish_reason] == ["stop"]


# ---- we send what it sends


def theirs(sim: Simulator) -> Request:
    return sim.calls[-1]


def same(ours: Request, other: Request) -> None:
    assert ours.json == other.json
    assert (ours.method, ours.path, ours.query) == (other.method, other.path, other.query)
    for header in ("content-type", "accept", "cache-control"):
        assert ours.headers.get(header) == other.headers.get(header), header
    assert ours.headers["authorization"].startswith("Bearer ")


@pytest.mark.parametrize("streamed", [False, True])
def test_the_same_chat(
    client: gigachat.GigaChat, sim: Simulator, sent: Sent, streamed: bool
) -> None:
    fields: Body = {"temperature": 0.5, "max_tokens": 40, "top_p": 0.9, "repetition_penalty": 1.1}
    list(client.stream(asking(**fields))) if streamed else client.chat(asking(**fields))
    other = theirs(sim)
    options = {"top_p": 0.9, "repetition_penalty": 1.1}

    same(sent(USER, stream=streamed, temperature=0.5, max_tokens=40, options=options), other)


def test_the_same_conversation(client: gigachat.GigaChat, sim: Simulator, sent: Sent) -> None:
    said = [("system", "Кратко."), ("user", "Почему?"), ("assistant", "Рассеяние."), ("user", "А?")]
    told = [Messages(role=MessagesRole(role), content=text) for role, text in said]
    client.chat(TheirChat(messages=told, model="mock"))
    other = theirs(sim)

    same(sent(*(message(Role(role), text) for role, text in said)), other)


def test_the_same_schema(client: gigachat.GigaChat, sim: Simulator, sent: Sent) -> None:
    wanted = JsonSchemaResponseFormat(type="json_schema", schema=SCHEMA, strict=True)
    client.chat(asking(response_format=wanted))
    other = theirs(sim)

    same(sent(USER, schema=SCHEMA), other)


def test_the_same_function_called_and_answered(
    client: gigachat.GigaChat, sim: Simulator, sent: Sent
) -> None:
    town = {"type": "string", "description": "Город"}  # without one the package puts an empty one
    shape: Body = {"type": "object", "properties": {"city": town}}
    offered = Function(name="weather", description="Погода", parameters=FunctionParameters(**shape))
    first = client.chat(asking(functions=[offered], function_call="auto"))
    turn = first.choices[0].message
    result = Messages(role=MessagesRole.FUNCTION, name="weather", content='{"t": -20}')
    told = [*asking().messages, turn, result]
    again = TheirChat(messages=told, model="mock", functions=[offered], function_call="auto")
    client.chat(again)
    before, after = sim.calls
    tool = Tool("weather", "Погода", shape)
    call = Message(Role.ASSISTANT, (ToolCall(STATE, "weather", '{"city": "pear"}'),))
    answered = Message(Role.TOOL, (ToolResult(STATE, "weather", '{"t": -20}'),))

    same(sent(USER, tools=(tool,)), before)
    same(sent(USER, call, answered, tools=(tool,)), after)


def test_the_same_request_for_a_token(
    client: gigachat.GigaChat, sim: Simulator, sent: Sent
) -> None:
    client.get_token()
    other = sim.requests[-1]
    sent(USER)
    ours = next(one for one in sim.requests if one.path == other.path and one is not other)

    assert ours.body == other.body
    for header in ("authorization", "content-type"):
        assert ours.headers[header] == other.headers[header]
    assert set(other.headers) - set(ours.headers) <= {"connection"}
    assert set(ours.headers) <= set(other.headers)


@pytest.mark.parametrize("streamed", [False, True])
def test_the_same_second_version(
    client: gigachat.GigaChat, sim: Simulator, sent: Sent, streamed: bool
) -> None:
    options: Body = {
        "temperature": 0.2,
        "max_tokens": 10,
        "response_format": {"type": "json_schema", "schema": SCHEMA, "strict": True},
    }
    asked: Body = {
        "model": "mock",
        "messages": [{"role": "user", "content": [{"text": QUESTION}]}],
        "model_options": options,
        "disable_filter": True,
    }
    list(client.chat.stream(asked)) if streamed else client.chat.create(asked)
    other = theirs(sim)
    assert other.path == V2
    ours = sent(
        USER,
        api="v2",
        stream=streamed,
        temperature=0.2,
        max_tokens=10,
        schema=SCHEMA,
        options={"disable_filter": True},
    )

    same(ours, other)


# ---- what is left ------------------------------------------------------------------------------


def test_a_balance_and_none_of_who_pays_as_they_go(
    client: gigachat.GigaChat, sim: Simulator
) -> None:
    sim.balance = {"GigaChat": 900_000.0, "GigaChat-Max": 0.0}

    left = {one.usage: one.value for one in client.get_balance().balance}

    assert left == {"GigaChat": 900_000.0, "GigaChat-Max": 0.0}
    theirs = sim.requests[-1]
    ours = DIALECTS["gigachat"]().balance()
    assert ours is not None
    assert (theirs.method, theirs.path) == (ours.method, f"/gigachat/v1/{ours.path}")
    sim.balance = None
    with pytest.raises(ForbiddenError):
        client.get_balance()
