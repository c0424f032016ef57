"""What is sent for the sake of privacy: laid into requests, and found in them."""

from typing import Any

import pytest

from llmctl.cards import Card, Control, Endpoint, Setting, Source
from llmctl.dialects import HttpCall
from llmctl.privacy.controls import (
    fitting,
    headers,
    in_request,
    picture_hosts,
    planned,
    with_controls,
)
from llmctl.settings import Controls, ProviderSettings, Settings
from llmctl.types import Chat, Complete, Media, Message, Quirks, Role

SOURCE = Source(title="t", checked="2026-11-01")
HEADER = Control(name="X=no", header="X-Log", value="no", effect="e", source=SOURCE)
BODY = Control(name="a.b=1", body="a.b", value=1, effect="e", source=SOURCE)
LATER = Control(
    name="z=1", body="a.z", value=True, effect="e", source=SOURCE, default=False, cost="c"
)
HERE = "https://a.example/v1"


def card(*controls: Control) -> Card:
    return Card(
        card=1, id="a", name="A", kind="api", dialect="openai_chat", controls=controls,
        endpoint=Endpoint(base_url=HERE), settings=(Setting(name="log", help="h", default="no"),),
    )  # fmt: skip


def names(found: Any) -> list[str]:
    return [one.name for one in found]


def test_what_costs_nothing_is_sent_unasked_unless_logging_is_allowed() -> None:
    one = card(HEADER, BODY, LATER)

    assert names(planned(one, "openai_chat", ProviderSettings(), Settings())) == ["X=no", "a.b=1"]
    allowing = Settings(privacy=Controls(allow_logging=True))
    assert planned(one, "openai_chat", ProviderSettings(), allowing) == ()


@pytest.mark.parametrize(
    ("limits", "own", "dialect", "fits"),
    [
        ({"dialects": ("openai_chat",)}, {}, "openai_chat", True),
        ({"dialects": ("anthropic",)}, {}, "openai_chat", False),
        ({"when": {"log": "no"}}, {}, "openai_chat", True),
        ({"when": {"log": "no"}}, {"extra": {"log": "yes"}}, "openai_chat", False),
        ({"elsewhere": False}, {}, "openai_chat", True),
        ({"elsewhere": False}, {"base_url": "https://b.example"}, "openai_chat", False),
        ({"elsewhere": True}, {"base_url": "https://b.example"}, "openai_chat", True),
        (
            {"elsewhere": False},
            {"base_url": "https://b.example", "facts": "inherit"}, "openai_chat", True,
        ),
    ],
)  # fmt: skip
def test_where_a_control_is_sent(limits: Any, own: Any, dialect: str, fits: bool) -> None:
    one = Control(name="c", body="c", value=1, effect="e", source=SOURCE, **limits)

    assert bool(list(fitting(card(one), dialect, ProviderSettings(**own)))) is fits


def test_they_are_laid_beside_what_the_card_sends_already() -> None:
    before = Quirks(extra_body={"a": {"c": 2}, "d": 3})

    after = with_controls(before, (HEADER, BODY, LATER))
    assert after.extra_body == {"a": {"c": 2, "b": 1, "z": True}, "d": 3}
    assert before.extra_body == {"a": {"c": 2}, "d": 3}
    assert headers((HEADER, BODY)) == {"X-Log": "no"}
    assert with_controls(before, (HEADER,)) is before


@pytest.mark.parametrize(
    ("body", "sent", "found"),
    [
        ({}, {}, ()),
        ({}, {"x-log": "no"}, ("X=no",)),
        ({}, {"X-LOG": "yes"}, ()),
        ({"a": {"b": 1}}, {}, ("a.b=1",)),
        ({"a": {"b": 1, "z": True}}, {"X-Log": "no"}, ("X=no", "a.b=1", "z=1")),
        ({"a": {"b": True}}, {}, ()),
        ({"a": {"b": 1.0}}, {}, ()),
        ({"a": {"b": "1"}}, {}, ()),
        ({"a": 1}, {}, ()),
        ({"a": [{"b": 1}]}, {}, ()),
        (None, {}, ()),
    ],
)
def test_only_what_really_stands_there_is_found(body: Any, sent: Any, found: Any) -> None:
    http = HttpCall("POST", "x", body)

    assert in_request(iter((HEADER, BODY, LATER)), http, sent) == found


def test_a_header_of_the_call_itself_counts_too() -> None:
    http = HttpCall("POST", "x", {}, headers={"X-Log": "no"})

    assert in_request(iter((HEADER,)), http, {"X-Log": "yes"}) == ("X=no",)


def test_hosts_of_pictures() -> None:
    parts = (
        Media("image/png", url="https://one.example/a.png"),
        Media("image/png", url="https://one.example/b.png"),
        Media("image/png", url="data:image/png;base64,AAAA"),
        Media("application/pdf", url="gs://bucket/c.pdf"),
        Media("image/png", data=b""),
    )

    assert picture_hosts(Chat("m", (Message(Role.USER, parts),))) == ("one.example", "bucket")
    assert picture_hosts(Complete("m", "https://one.example/a.png")) == ()
