"""What we send for a call is what the official `google-genai` package sends for it, and where it is
not, the difference is named here.

Both really ask the simulator; the bodies that came are compared.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from google import genai
from google.genai import types

from llmctl import settings
from llmctl.engine.resolve import resolve
from llmctl.engine.run import Run
from llmctl.transport.exchange import Lane
from llmctl.types import (
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

Body = dict[str, Any]
Sent = Callable[[Chat | Count], Request]

ASK = "Why is the sky blue?"
USER = message(Role.USER, ASK)
PICTURE = b"\x89PNG\r\n\x1a\nnot much of one"
FILE = "https://generativelanguage.googleapis.com/v1beta/files/abc"
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name"],
}
THEIR_TOOL = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="save", description="Keeps a pet.", parameters_json_schema=SCHEMA
        )
    ]
)
OUR_TOOL = Tool("save", "Keeps a pet.", SCHEMA)


def chat(*messages: Message, **fields: Any) -> Chat:
    return Chat("mock", messages or (USER,), **{"stream": False, **fields})


def turn(role: str, *parts: types.Part) -> types.Content:
    return types.Content(role=role, parts=list(parts))


def said(text: str) -> types.Part:
    return types.Part.from_text(text=text)


USERS_OWN = ("args", "response", "parametersJsonSchema", "responseJsonSchema")

# Ours, then the contents and the config that the package is given.
SAME: Mapping[str, tuple[Chat, Any, Body]] = {
    "plain": (chat(), ASK, {}),
    "a conversation": (
        chat(USER, message(Role.ASSISTANT, "Because."), message(Role.USER, "Почему? 🌌\u2028")),
        [turn("user", said(ASK)), turn("model", said("Because.")),
         turn("user", said("Почему? 🌌\u2028"))],
        {},
    ),
    "tuning": (
        chat(max_tokens=40, temperature=0.5, seed=7, stop=("\n", "END")),
        ASK,
        {"max_output_tokens": 40, "temperature": 0.5, "seed": 7, "stop_sequences": ["\n", "END"]},
    ),
    "fields of the provider": (
        chat(options={"topK": 4, "thinkingBudget": 0, "cachedContent": "cachedContents/x",
                      "serviceTier": "flex", "store": False}),
        ASK,
        {"top_k": 4, "thinking_config": {"thinking_budget": 0}, "store": False,
         "cached_content": "cachedContents/x", "service_tier": "flex"},
    ),
    "a schema": (
        chat(schema=SCHEMA),
        ASK,
        {"response_mime_type": "application/json", "response_json_schema": SCHEMA},
    ),
    "a function": (chat(tools=(OUR_TOOL,)), ASK, {"tools": [THEIR_TOOL]}),
    "a picture, and a video by its address": (
        chat(Message(Role.USER, (Text("What?"), Media("image/png", PICTURE),
                                 Media("video/mp4", url=FILE)))),
        [turn("user", said("What?"), types.Part.from_bytes(data=PICTURE, mime_type="image/png"),
              types.Part.from_uri(file_uri=FILE, mime_type="video/mp4"))],
        {},
    ),
    "a function called and answered": (
        chat(
            USER,
            Message(Role.ASSISTANT, (ToolCall("c1", "save", '{"name": "Rex"}'),)),
            Message(Role.TOOL, (ToolResult("c1", "save", "kept"),)),
            tools=(OUR_TOOL,),
        ),
        [
            turn("user", said(ASK)),
            turn("model", types.Part(function_call=types.FunctionCall(
                id="c1", name="save", args={"name": "Rex"}))),
            turn("user", types.Part(function_response=types.FunctionResponse(
                id="c1", name="save", response={"output": "kept"}))),
        ],
        {"tools": [THEIR_TOOL]},
    ),
}  # fmt: skip


@pytest.fixture
def client(sim: Simulator) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=sim.url, api_version="v1beta")
    with genai.Client(api_key=KEY, vertexai=False, http_options=options) as made:
        yield made


@pytest.fixture
def sent(sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Sends a call by our own engine, as the card of Gemini has it, and gives what came."""
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{name}_DIR", str(tmp_path))
    monkeypatch.setenv("LLMCTL_PROVIDERS__GEMINI__BASE_URL", sim.url)
    monkeypatch.setenv("GEMINI_API_KEY", KEY)

    async def run(call: Chat | Count) -> None:
        route = resolve("gemini/mock", settings.load())
        async with Lane(route.target) as lane, aclosing(Run(call, route, lane).events()) as events:
            async for _event in events:
                pass

    def send(call: Chat | Count) -> Request:
        asyncio.run(run(call))
        return sim.requests[-1]

    return send


def theirs(client: genai.Client, contents: Any, config: Body, streamed: bool = False) -> None:
    wanted = types.GenerateContentConfig(
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True), **config
    )
    if streamed:
        list(client.models.generate_content_stream(model="mock", contents=contents, config=wanted))
    else:
        client.models.generate_content(model="mock", contents=contents, config=wanted)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("name", SAME)
def test_the_same_chat(
    client: genai.Client, sim: Simulator, sent: Sent, name: str, streamed: bool
) -> None:
    call, contents, config = SAME[name]
    theirs(client, contents, config, streamed)

    ours = sent(replace(call, stream=streamed))

    (their, _ours) = sim.requests
    assert without_empty_configuration(in_camel_case(their.json)) == ours.json
    assert (ours.method, ours.path, ours.query) == (their.method, their.path, their.query)
    for header in ("x-goog-api-key", "content-type"):
        assert ours.headers[header] == their.headers[header]


# ---- differences, each a change that makes the package's body ours


def in_camel_case(value: Any) -> Any:
    """Deeper down it names fields as Python does, which the service takes too; in what is the
    user's own (schemas, arguments, results) names are left as they are."""
    if isinstance(value, list):
        return [in_camel_case(one) for one in value]
    if not isinstance(value, dict):
        return value
    named = {re.sub(r"_(\w)", lambda one: one[1].upper(), name): name for name in value}
    return {
        name: value[old] if name in USERS_OWN else in_camel_case(value[old])
        for name, old in named.items()
    }


def without_empty_configuration(body: Body) -> Body:
    """It sends a configuration that holds nothing."""
    if body.get("generationConfig") == {}:
        del body["generationConfig"]
    return body


def instructions_without_a_role(body: Body) -> None:
    """It gives instructions the role of the user, which the service does not look at."""
    assert body["systemInstruction"].pop("role") == "user"


def count_in_the_longer_form(body: Body) -> Body:
    """It counts contents alone; the form that has a place for instructions it does not know."""
    return {"generateContentRequest": {"model": "models/mock", **body}}


def test_instructions_apart_from_a_difference(
    client: genai.Client, sim: Simulator, sent: Sent
) -> None:
    theirs(client, ASK, {"system_instruction": "Be brief."})

    ours = sent(chat(message(Role.SYSTEM, "Be brief."), USER))

    their = without_empty_configuration(sim.requests[0].json)
    instructions_without_a_role(their)
    assert ours.json == their


def test_a_count_apart_from_a_difference(client: genai.Client, sim: Simulator, sent: Sent) -> None:
    client.models.count_tokens(
        model="mock",
        contents=[turn("user", said(ASK), types.Part.from_bytes(data=PICTURE,
                                                                mime_type="image/png"))],
    )  # fmt: skip

    ours = sent(Count("mock", (Message(Role.USER, (Text(ASK), Media("image/png", PICTURE))),)))

    their = sim.requests[0]
    assert ours.json == count_in_the_longer_form(in_camel_case(their.json))
    assert (ours.method, ours.path) == (their.method, their.path)


def test_no_header_of_ours_tells_more_than_the_packages(
    client: genai.Client, sim: Simulator, sent: Sent
) -> None:
    """It names itself and the version of Python twice; we name ourselves."""
    theirs(client, ASK, {})
    ours = sent(chat())

    extra = set(ours.headers) - set(sim.requests[0].headers)
    missing = set(sim.requests[0].headers) - set(ours.headers)
    assert extra == set()
    assert missing <= {"x-goog-api-client", "connection"}
    assert ours.headers["user-agent"].startswith("llmctl/")


def test_no_key_in_an_address(sim: Simulator, sent: Sent) -> None:
    sent(chat())

    assert KEY not in sim.requests[-1].path + sim.requests[-1].query
