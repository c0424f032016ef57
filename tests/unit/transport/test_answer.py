"""The head of an answer without httpx, beside the same as httpx has it."""

import asyncio
import gzip

import httpx
import pytest

from llmctl.dialects import HttpCall
from llmctl.transport.answer import Headers
from tests.unit.transport.loopback import CALL, Received, lane, raw, serving, status, whole

FIELDS = [
    (b"Content-Type", b"application/json"),
    (b"X-One", b"1"),
    (b"x-one", b"2"),
    (b"X-Name", "Жук".encode()),
    (b"X-Old", b"caf\xe9"),
]


@pytest.mark.parametrize("name", ["content-type", "Content-Type", "X-ONE", "x-name", "x-none"])
def test_fields_are_found_as_httpx_finds_them(name: str) -> None:
    ours, theirs = Headers(FIELDS), httpx.Headers(FIELDS[:4])

    assert ours.get(name) == theirs.get(name)
    assert (name in ours) == (name in theirs)


def test_each_value_is_read_by_its_own_encoding() -> None:
    headers = Headers(FIELDS)

    assert headers["X-Old"] == "café"
    assert headers["x-name"] == "Жук"
    assert headers["X-One"] == "1, 2"
    with pytest.raises(KeyError):
        headers["x-none"]


def received(*calls: HttpCall, **how: object) -> list[Received]:
    """What a server is asked, one call after the other on one lane."""

    async def main() -> list[Received]:
        async with serving(whole()) as server, lane(server.url(), **how) as one:
            for call in calls:
                assert await status(one, call) == 200
            assert server.connections == 1
            return server.requests

    return asyncio.run(main())


def test_requests_differ_in_what_they_say_and_in_nothing_else() -> None:
    first, again, other = received(
        CALL,
        HttpCall("POST", "/chat", {"prompt": "Warum?"}),
        HttpCall("POST", "/other?x=1", {"prompt": "Why?"}, {"X-Mode": "fast"}),
    )

    assert [one.line for one in (first, again, other)] == [
        "POST /v1/chat HTTP/1.1", "POST /v1/chat HTTP/1.1", "POST /v1/other?x=1 HTTP/1.1",
    ]  # fmt: skip
    assert again.body == b'{"prompt":"Warum?"}'
    assert again.headers == {**first.headers, "content-length": str(len(again.body))}
    assert other.headers == {**first.headers, "x-mode": "fast"}


def test_a_header_that_changes_is_sent_as_it_is_now() -> None:
    more = {"X-Mode": "slow"}
    call = HttpCall("POST", "/chat", {}, more)

    async def main() -> list[str]:
        async with serving(whole()) as server, lane(server.url()) as one:
            await status(one, call)
            more["X-Mode"] = "fast"
            await status(one, call)
            return [got.headers["x-mode"] for got in server.requests]

    assert asyncio.run(main()) == ["slow", "fast"]


def test_a_packed_answer_is_unpacked() -> None:
    """Though none was asked for: some servers pack whatever they are told."""
    packed = gzip.compress(b'{"a":1}')
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)

    async def main() -> str:
        async with (
            serving(raw(head + packed)) as server,
            lane(server.url()) as one,
            one.exchange(CALL) as reply,
        ):
            return await reply.text()

    assert asyncio.run(main()) == '{"a":1}'
