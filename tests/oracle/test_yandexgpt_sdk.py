"""The official `openai` package, set up as Yandex's documentation says, against the simulator: that
it takes what the simulator says shows the compatible API to be one, and what we send for a call is
what it sends, apart from what is named here.

Yandex's own package speaks gRPC; what it sends is compared in tests/conformance.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import openai
import pytest

from llmctl import settings
from llmctl.engine.resolve import resolve
from llmctl.engine.run import Run
from llmctl.transport.exchange import Lane
from llmctl.types import Chat, Event, Finished, Role, ToolCall, message
from tests.e2e.harness import KEY
from tests.oracle.openai_pairs import SAME, USER, chat
from tests.simulator import Request, Simulator
from tests.simulator.answers import PIECES, TEXT
from tests.simulator.site import MODELS
from tests.simulator.yandexgpt import OWN

FOLDER = "b1gown"
HOSTED = "gpt-oss-120b"
URI = f"gpt://{FOLDER}/{HOSTED}"
ASK: Any = [{"role": "user", "content": USER.text}]

Asked = Callable[[Chat], tuple[Request, list[Event]]]


@pytest.fixture
def client(sim: Simulator) -> Iterator[openai.OpenAI]:
    sim.models = (*MODELS, HOSTED)
    with openai.OpenAI(
        base_url=sim.openai_url,
        api_key=KEY,
        project=FOLDER,
        default_headers={"x-data-logging-enabled": "false"},
        max_retries=0,
        _strict_response_validation=True,
    ) as made:
        yield made


@pytest.fixture
def asked(sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Sends a call by our own engine, and gives what came of it."""
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{name}_DIR", str(tmp_path))
    monkeypatch.setenv("LLMCTL_PROVIDERS__YANDEXGPT__BASE_URL", sim.url)
    monkeypatch.setenv("YC_API_KEY", KEY)
    monkeypatch.setenv("YC_FOLDER_ID", FOLDER)

    async def run(call: Chat) -> list[Event]:
        route = resolve(f"yandexgpt/{call.model}", settings.load())
        async with Lane(route.target) as lane, aclosing(Run(call, route, lane).events()) as events:
            return [event async for event in events]

    def ask(call: Chat) -> tuple[Request, list[Event]]:
        events = asyncio.run(run(call))
        return sim.calls[-1], events

    return ask


def test_a_whole_answer(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model=URI, messages=ASK)

    assert answer.choices[0].message.content == TEXT
    assert answer.usage is not None
    assert answer.usage.completion_tokens == len(PIECES)


@pytest.mark.parametrize(("model", "stated"), [(HOSTED, 1), (OWN[0], 0)])
def test_usage_in_a_stream_follows_the_model(
    client: openai.OpenAI, model: str, stated: int
) -> None:
    """Nobody asks for it; the provider's own models state none, the others do."""
    chunks = list(
        client.chat.completions.create(model=f"gpt://{FOLDER}/{model}", messages=ASK, stream=True)
    )

    text = [choice.delta.content for chunk in chunks for choice in chunk.choices]
    assert "".join(filter(None, text)) == TEXT
    assert sum(chunk.usage is not None for chunk in chunks) == stated


def test_the_list_of_models(client: openai.OpenAI) -> None:
    names = [one.id for one in client.models.list()]

    assert f"gpt://{FOLDER}/{HOSTED}/latest" in names


def test_errors(client: openai.OpenAI, sim: Simulator) -> None:
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model=f"gpt://{FOLDER}/nobody", messages=ASK)
    sim.key = "another"
    with pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(model=URI, messages=ASK)


# ---- what we send


def ours_of(name: str, *, streamed: bool) -> Chat:
    call, _fields = SAME[name]
    return Chat(
        HOSTED,
        call.messages,
        max_tokens=call.max_tokens,
        temperature=call.temperature,
        schema=call.schema,
        tools=call.tools,
        stream=streamed,
        options=call.options,
    )


# Instructions have the role `developer` there, and the limit another name: OpenAI's newer ones.
COMPARED = sorted(SAME.keys() - {"instructions", "tuning"})


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("name", COMPARED)
def test_the_same_chat(
    client: openai.OpenAI, sim: Simulator, asked: Asked, name: str, streamed: bool
) -> None:
    fields = dict(SAME[name][1])
    if streamed:
        fields["stream"] = True
    client.chat.completions.create(model=URI, **fields)

    ours, _events = asked(ours_of(name, streamed=streamed))

    theirs = sim.calls[0]
    assert ours.json == theirs.json
    assert (ours.method, ours.path, ours.query) == (theirs.method, theirs.path, theirs.query)
    for header in ("content-type", "openai-project", "x-data-logging-enabled"):
        assert ours.headers[header] == theirs.headers[header]
    # This package knows no other scheme; Yandex's own sends its own one to the same address.
    assert theirs.headers["authorization"] == f"Bearer {KEY}"
    assert ours.headers["authorization"] == f"Api-Key {KEY}"


def test_instructions_and_a_limit(client: openai.OpenAI, sim: Simulator, asked: Asked) -> None:
    messages: Any = [{"role": "system", "content": "Кратко."}, *ASK]
    client.chat.completions.create(model=URI, messages=messages, max_tokens=40, temperature=0.5)
    said = chat(message(Role.SYSTEM, "Кратко."), USER, max_tokens=40, temperature=0.5)

    ours, _events = asked(Chat(HOSTED, said.messages, max_tokens=40, temperature=0.5, stream=False))

    assert ours.json == sim.calls[0].json


def test_what_comes_of_it(client: openai.OpenAI, asked: Asked) -> None:
    _request, events = asked(ours_of("a function", streamed=True))

    assert [type(one) for one in events] == [ToolCall, Finished]
