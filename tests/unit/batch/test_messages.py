"""Conversations of rows: what is understood, and that nothing else passes unsaid."""

from base64 import b64encode
from typing import Any

import pytest

from llmctl.batch.messages import messages_of
from llmctl.errors import UsageError
from llmctl.types import Json, Media, Message, Role, Text

PIXEL = b"\x89PNG\r\n\x1a\n"
DATA = "data:image/png;base64," + b64encode(PIXEL).decode()


def one(content: Json, role: str = "user") -> Message:
    (found,) = messages_of([{"role": role, "content": content}])
    return found


@pytest.mark.parametrize(
    ("name", "role"),
    [("system", Role.SYSTEM), ("developer", Role.SYSTEM), ("user", Role.USER),
     ("assistant", Role.ASSISTANT)],
)  # fmt: skip
def test_roles(name: str, role: Role) -> None:
    assert one("Hello", name) == Message(role, (Text("Hello"),))


def test_a_conversation_keeps_its_order() -> None:
    found = messages_of([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "Because."},
        {"role": "user", "content": ""},
    ])  # fmt: skip

    assert [(m.role.value, m.text) for m in found] == [
        ("system", "Be brief."), ("user", "Why?"), ("assistant", "Because."), ("user", ""),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["text", "input_text"])
def test_parts_of_text(kind: str) -> None:
    assert one([{"type": kind, "text": "a"}, {"type": "text", "text": "b"}]).parts == (
        Text("a"), Text("b"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": DATA, "detail": "low"}},
        {"type": "image_url", "image_url": DATA},
        {"type": "input_image", "image_url": DATA},
    ],
)
def test_pictures_in_the_row(part: Json) -> None:
    assert one([part]).parts == (Media("image/png", data=PIXEL),)


@pytest.mark.parametrize(
    ("url", "media_type"),
    [
        ("https://a.example/b.png", "image/png"),
        ("https://a.example/b.webp?size=2", "image/webp"),
        ("https://a.example/picture", "image/jpeg"),
    ],
)
def test_pictures_elsewhere_are_named_and_not_fetched(url: str, media_type: str) -> None:
    assert one([{"type": "image_url", "image_url": {"url": url}}]).parts == (
        Media(media_type, url=url),
    )


def test_a_picture_that_does_not_say_what_it_is() -> None:
    url = "data:;base64," + b64encode(PIXEL).decode()

    assert one([{"type": "image_url", "image_url": url}]).parts == (Media("image/png", PIXEL),)


def test_fields_that_are_empty_are_passed_over() -> None:
    """As SDKs write them out."""
    found = messages_of([
        {"role": "assistant", "content": "Hi", "refusal": None, "tool_calls": [], "name": ""}
    ])  # fmt: skip

    assert found == (Message(Role.ASSISTANT, (Text("Hi"),)),)


HELLO = {"role": "user", "content": "Hello"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "no list of messages"),
        ([], "no list of messages"),
        ("Hello", "no list of messages"),
        ({"role": "user", "content": "Hello"}, "no list of messages"),
        (["Hello"], "message 1 is no object"),
        ([HELLO, None], "message 2 is no object"),
        ([{"content": "Hello"}], "message 1 has the role None"),
        ([{"role": "tool", "content": "5"}], "message 1 has the role tool"),
        ([{"role": ["user"], "content": "5"}], "message 1 has the role"),
        ([{"role": "user"}], "message 1 has no text"),
        ([{"role": "user", "content": None}], "message 1 has no text"),
        ([{"role": "user", "content": []}], "message 1 has no text"),
        ([{"role": "user", "content": 5}], "message 1 has no text"),
        ([{**HELLO, "name": "anna"}], "not understood: name"),
        ([{"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]}], "tool_calls"),
    ],
)
def test_what_is_no_conversation_is_refused(given: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        messages_of(given)


@pytest.mark.parametrize(
    "part",
    [
        "text",
        None,
        {},
        {"text": "no type"},
        {"type": "text"},
        {"type": "text", "text": 5},
        {"type": "image_url"},
        {"type": "image_url", "image_url": {"url": ""}},
        {"type": "image_url", "image_url": {"url": 7}},
        {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
        {"type": "file", "file": {"file_id": "f1"}},
        {"type": ["text"]},
    ],
)
def test_a_part_that_is_not_understood_is_refused(part: Json) -> None:
    with pytest.raises(UsageError, match="message 1 has a part that is not understood"):
        one([{"type": "text", "text": "fine"}, part])


@pytest.mark.parametrize(
    "url", ["data:image/png,abc", "data:image/png;base64,***", "data:image/png;base64,é", "data:"]
)
def test_a_picture_that_is_not_base64_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="message 1 has a picture that is not base64"):
        one([{"type": "image_url", "image_url": {"url": url}}])
