"""One try of a row, over a wire that the test holds."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from llmctl import settings
from llmctl.batch.trying import Tried, Trying
from llmctl.batch.work import Made, Repairing
from llmctl.errors import PrivacyRefused, SchemaMismatch
from llmctl.transport.exchange import Lane
from llmctl.types import Chat, Notice, Role, message
from tests.unit.batch.lanes import MAIN

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


class Wire(httpx.AsyncBaseTransport):
    """Answers each request with the next of `answers`: a status, or a text and how it ended; ECHO
    is what was asked."""

    def __init__(self, *answers: int | tuple[str, str]) -> None:
        self._answers = list(answers)
        self.bodies: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, AsyncIterator | httpx.AsyncByteStream)
        self.bodies.append(b"".join([part async for part in request.stream]).decode())
        answer = self._answers.pop(0)
        if isinstance(answer, int):
            return httpx.Response(answer, json={"error": {"message": "no"}}, request=request)
        text, reason = answer
        said: dict[str, object] = {"role": "assistant", "content": text}
        if text == "ECHO":
            asked = said["content"] = json.loads(self.bodies[-1])["messages"][-1]["content"]
            call = {"name": "send", "arguments": json.dumps({"to": asked})}
            said["reasoning_content"] = f"The user says: {asked}"
            said["tool_calls"] = [{"id": "c1", "type": "function", "function": call}]
        return httpx.Response(200, request=request, json={
            "id": "1", "object": "chat.completion", "model": "m", "created": 1,
            "choices": [{"index": 0, "finish_reason": reason, "message": said}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
        })  # fmt: skip


def tried(wire: Wire, call: Chat, *flags: tuple[str, str]) -> list[Tried]:
    """What becomes of a call, and of what repairs it."""
    trying = Trying(settings.load(dict(flags)), run="batch-1")

    async def one(repairing: Repairing | None) -> Tried:
        screened, made = trying.check(Made(route=MAIN, call=call), repairing)
        async with Lane(MAIN.target, wire) as lane:
            return await trying.send(trying.reserve(made, screened), lane)

    found = [asyncio.run(one(None))]
    if found[0].repairing is not None:
        found.append(asyncio.run(one(found[0].repairing)))
    return found


def chat(text: str = "Why?", **more: object) -> Chat:
    plain = {"model": "m", "messages": (message(Role.USER, text),), "stream": False, **more}
    return Chat(**plain)  # type: ignore[arg-type]


def test_an_answer() -> None:
    (found,) = tried(Wire(("Blue.", "stop")), chat())

    assert (found.receipt.text, found.error, found.repairing) == ("Blue.", None, None)
    assert (found.receipt.usage.input_tokens, found.receipt.attempts) == (10, 1)


@pytest.mark.parametrize(("status", "code"), [(500, "provider-error"), (429, "rate-limited")])
def test_a_failure_is_an_outcome_after_one_request(status: int, code: str) -> None:
    """When it is asked again is for the job to say."""
    wire = Wire(status, ("late", "stop"))
    (found,) = tried(wire, chat())

    assert len(wire.bodies) == 1
    assert found.error is not None
    assert found.error.code == code
    assert found.receipt.error is not None
    assert found.receipt.attempts == 1


@pytest.mark.parametrize("limit", [None, 2])
def test_an_answer_that_is_cut_short_is_none(limit: int | None) -> None:
    """Nobody sees that it ends in the middle; not even where the limit is the user's own."""
    (found,) = tried(Wire(("Bl", "length")), chat(max_tokens=limit))

    assert found.error is not None
    assert found.error.code == "incomplete"
    assert found.receipt.error == found.error.failure()
    assert found.receipt.text == "Bl"


def test_an_answer_that_misses_its_schema_is_asked_for_with_what_was_wrong() -> None:
    wire = Wire(('{"a": "x"}', "stop"), ('{"a": 1}', "stop"))
    first, second = tried(wire, chat(schema=SCHEMA))

    assert isinstance(first.error, SchemaMismatch)
    assert second.error is None
    assert second.receipt.text == '{"a": 1}'
    said = [one["content"] for one in json.loads(wire.bodies[1])["messages"]]
    assert said[0] == "Why?"
    assert any('{"a": "x"}' in str(one) for one in said)


def test_what_policy_forbids_is_not_sent() -> None:
    secret = "AKIA" + "Q3EGRTZ7XKPLMN2W"
    wire = Wire()
    with pytest.raises(PrivacyRefused) as caught:
        tried(wire, chat(f"My key is {secret}"))

    assert wire.bodies == []
    refused = Trying(settings.load(), run="1").refused(Made(route=MAIN, call=chat()), caught.value)
    assert (refused.receipt.attempts, refused.receipt.requested) == (0, "a/m")
    assert refused.receipt.error is not None
    assert secret not in refused.receipt.error.message


def test_personal_data_leaves_as_placeholders_and_comes_back() -> None:
    wire = Wire(("ECHO", "stop"))
    (found,) = tried(wire, chat("Write to anna@example.org"), ("policy.pii", "redact"))

    assert "anna@" not in wire.bodies[0]
    assert found.receipt.text == "Write to anna@example.org"
    assert found.receipt.reasoning == "The user says: Write to anna@example.org"
    (call,) = found.receipt.tool_calls
    assert json.loads(call.arguments) == {"to": "Write to anna@example.org"}
    assert found.receipt.redactions == {"email": 1}


def test_the_same_note_is_passed_on_once() -> None:
    heard: list[Notice] = []
    trying = Trying(settings.load(), run="1", tell=heard.append)
    for _row in range(3):
        trying.tell(Notice("a", "The same."))
    trying.tell(Notice("a", "Another."))

    assert [one.text for one in heard] == ["The same.", "Another."]
    for number in range(5000):
        trying.tell(Notice("a", str(number)))
    assert len(heard) == 1000  # no more are remembered, nor said
