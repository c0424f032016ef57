"""Which calls ask the same."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llmctl.batch.content import content_key
from llmctl.cards import Card, Endpoint
from llmctl.dialects import DIALECTS
from llmctl.engine.route import Route
from llmctl.transport.target import Target
from llmctl.types import (
    Call,
    Chat,
    Complete,
    Count,
    Embed,
    Fill,
    Image,
    Level,
    Media,
    Message,
    Quirks,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    Verdict,
    message,
)
from llmctl.values import replace

ROOT = Path(__file__).parent.parent.parent.parent
HOME = "https://api.a.example/v1"
ASKED = (message(Role.SYSTEM, "Be brief."), message(Role.USER, "Почему небо синее?"))
CHAT = Chat("m", ASKED)


def route(provider: str = "a", model: str = "m", base_url: str = HOME, **quirks: Any) -> Route:
    return Route(
        requested=f"{provider}/{model}", provider=provider, model=model, model_card=None,
        card=Card(card=1, id=provider, name="A", kind="api", dialect="openai_chat",
                  endpoint=Endpoint(base_url=HOME)),
        dialect=DIALECTS["openai_chat"](), quirks=Quirks(**quirks),
        target=Target(provider=provider, base_url=base_url),
        verdict=Verdict(True, Level.UNKNOWN),
    )  # fmt: skip


def with_part(part: Any) -> Chat:
    return Chat("m", (Message(Role.USER, (part,)),))


PICTURE = Media("image/png", data=b"\x89PNG")
FILE = Media("video/mp4", path="/a.mp4", size=10, modified=1)
TOOL = Tool("look", "looks", {"type": "object"})

DIFFERENT: list[tuple[Route, Call]] = [
    (route(), CHAT),
    (route("b"), CHAT),
    (route(model="n"), CHAT),
    (route(base_url="https://eu.a.example/v1"), CHAT),
    (route(settings={"folder": "b1"}), CHAT),
    (route(), Chat("m", ASKED[1:])),
    (route(), Chat("m", (message(Role.USER, "Be brief."), ASKED[1]))),
    (route(), Chat("m", (message(Role.SYSTEM, "Be brief.Почему"), message(Role.USER, " небо")))),
    (route(), replace(CHAT, max_tokens=10)),
    (route(), replace(CHAT, temperature=10)),
    (route(), replace(CHAT, seed=10)),
    (route(), replace(CHAT, stop=("10",))),
    (route(), replace(CHAT, stop=("1", "0"))),
    (route(), replace(CHAT, schema={"type": "object"})),
    (route(), replace(CHAT, options={"type": "object"})),
    (route(), replace(CHAT, options={"top_p": 1})),
    (route(), replace(CHAT, options={"top_p": True})),
    (route(), replace(CHAT, options={"top_p": "1"})),
    (route(), replace(CHAT, tools=(TOOL,))),
    (route(), with_part(PICTURE)),
    (route(), with_part(replace(PICTURE, data=b"\x89PNH"))),
    (route(), with_part(replace(PICTURE, media_type="image/jpeg"))),
    (route(), with_part(FILE)),
    (route(), with_part(replace(FILE, modified=2))),
    (route(), with_part(replace(FILE, size=11))),
    (route(), with_part(Media("image/png", url="https://a.example/1.png"))),
    (route(), with_part(Media("image/png", ref="https://a.example/1.png"))),
    (route(), with_part(Text("look"))),
    (route(), with_part(ToolCall("1", "look", "{}"))),
    (route(), with_part(ToolResult("1", "look", "{}"))),
    (route(), Complete("m", "hello")),
    (route(), Fill("m", "hello")),
    (route(), Embed("m", ("hello",))),
    (route(), Embed("m", ("hel", "lo"))),
    (route(), Embed("m", ("hello",), purpose="query")),
    (route(), Image("m", "hello")),
    (route(), Image("m", "hello", size="1x1")),
    (route(), Count("m", ASKED)),
]


def test_what_asks_something_else_has_another_key() -> None:
    keys = [content_key(where, call) for where, call in DIFFERENT]

    assert {len(key) for key in keys} == {32}
    assert len(set(keys)) == len(DIFFERENT)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            replace(CHAT, options={"a": {"x": 1, "y": [2]}, "b": 3}),
            replace(CHAT, options={"b": 3, "a": {"y": [2], "x": 1}}),
        ),
        (
            replace(CHAT, schema={"type": "object", "required": ["a"]}),
            replace(CHAT, schema={"required": ["a"], "type": "object"}),
        ),
        (CHAT, replace(CHAT, stream=False)),
        (with_part(Text("a", name="one.txt")), with_part(Text("a", name="two.txt"))),
        (with_part(PICTURE), with_part(replace(PICTURE, name="one.png"))),
    ],
)
def test_what_asks_the_same_has_the_same_key(one: Chat, other: Chat) -> None:
    assert content_key(route(), one) == content_key(route(), other)


def test_halves_of_characters_have_a_key_too() -> None:
    half = Chat("m", (message(Role.USER, "\ud800"),))

    assert content_key(route(), half) != content_key(route(), CHAT)


CODE = """
from tests.unit.batch.test_content import CHAT, content_key, replace, route
print(content_key(route(), replace(CHAT, options={"a": 1, "b": {"c": 2, "d": 3}})).hex())
"""


def test_another_process_finds_the_same_key() -> None:
    """Whatever its hashes of texts begin with."""
    found = {
        subprocess.run(
            [sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip

    assert len(found) == 1
    assert len(found.pop().strip()) == 64
