"""The body of an answer: cut into frames, read as text, waited for, and left."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from llmctl.dialects import Framing
from llmctl.errors import LlmctlError, NetworkFailed, ProviderFailed
from llmctl.transport import reply as replies
from llmctl.transport.exchange import Lane
from llmctl.transport.target import Target
from tests.unit.transport.loopback import (
    CALL,
    SSE_HEAD,
    Received,
    chunk,
    frames,
    lane,
    raw,
    serving,
    status,
)


class Pieces(httpx.AsyncByteStream):
    """A body that comes in these pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece


def answering(*pieces: bytes, code: int = 200, **fields: str) -> Lane:
    """A lane whose provider answers with these pieces; header names with _ for -."""
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    wire = httpx.MockTransport(
        lambda _request: httpx.Response(code, headers=headers, stream=Pieces(*pieces))
    )
    return Lane(Target(provider="acme", base_url="https://api.example.test"), wire)


def read(one: Lane, framing: Framing = Framing.SSE) -> list[str]:
    return asyncio.run(frames(one, framing=framing))


def text(one: Lane, **how: Any) -> str:
    async def main() -> str:
        async with one.exchange(CALL) as reply:
            return await reply.text(**how)

    return asyncio.run(main())


# ------------------------------------------------------------------------------------------- frames


SSE_BODY = 'data: {"t":"ж"}\r\n\r\n: hm\n\ndata: b\n\ndata: last'.encode()


@pytest.mark.parametrize("cut", range(len(SSE_BODY)))
def test_events_cut_at_every_byte(cut: int) -> None:
    one = answering(SSE_BODY[:cut], SSE_BODY[cut:], content_type="text/event-stream")

    assert read(one) == ['{"t":"ж"}', "b", "last"]


def test_lines_and_whole_bodies() -> None:
    assert read(answering(b'{"a":1}\n{"b"', b":2}"), Framing.NDJSON) == ['{"a":1}', '{"b":2}']
    assert read(answering(b'{"a":\n', b"1}\n"), Framing.WHOLE) == ['{"a":\n1}\n']


def test_json_where_a_stream_was_asked_for_is_one_frame() -> None:
    """An error in a 200, or a server that does not stream: over several lines, and not SSE."""
    body = b'{\n  "error": "no"\n}'

    assert read(answering(body, content_type="application/json; charset=utf-8")) == [body.decode()]


def test_json_lines_stay_lines_whatever_they_call_themselves() -> None:
    one = answering(b'{"a":1}\n{"b":2}\n', content_type="application/json")

    assert read(one, Framing.NDJSON) == ['{"a":1}', '{"b":2}']


@pytest.mark.parametrize("framing", list(Framing))
@pytest.mark.parametrize("kind", ["text/html", "Text/HTML; charset=utf-8"])
def test_a_web_page_is_no_answer(framing: Framing, kind: str) -> None:
    with pytest.raises(ProviderFailed) as caught:
        read(answering(b"<html>", content_type=kind), framing)

    assert (caught.value.reason, caught.value.retryable) == ("web-page", False)
    assert "api.example.test sent a web page" in caught.value.message
    assert "base_url" in (caught.value.hint or "")


def test_an_answer_of_two_megabytes_on_one_line() -> None:
    line = b"data: " + b"x" * (2 << 20) + b"\n\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"

    async def main() -> list[str]:
        async with serving(raw(head + line)) as server, lane(server.url()) as one:
            return await frames(one)

    [found] = asyncio.run(main())
    assert len(found) == 2 << 20
    assert set(found) == {"x"}


def test_a_packed_answer_is_unpacked_though_nobody_asked_for_it() -> None:
    packed = gzip.compress(b"data: a\n\ndata: b\n\n")
    one = answering(packed[:7], packed[7:], content_encoding="gzip")

    assert read(one) == ["a", "b"]


def test_a_damaged_packing_is_a_broken_answer() -> None:
    with pytest.raises(NetworkFailed) as caught:
        read(answering(b"not gzip at all", content_encoding="gzip"))

    assert caught.value.reason == "reset"


# --------------------------------------------------------------------------------------------- text


def test_text_in_its_own_encoding() -> None:
    russian = "Неверный ключ"

    assert text(answering(russian.encode())) == russian
    kind = 'text/plain; charset="windows-1251"; x=y'
    assert text(answering(russian.encode("cp1251"), content_type=kind)) == russian
    assert text(answering(b"a\xffb")) == "a\ufffdb"


@pytest.mark.parametrize("name", ["no-such", "", "base64", "idna", "undefined", "utf-8\\0"])
def test_an_encoding_that_is_none_is_utf8(name: str) -> None:
    kind = f"text/plain; charset={name}"

    assert text(answering(b"a\xc3\xa9\\d.", content_type=kind)) == "aé\\d."


def test_text_is_bounded() -> None:
    assert text(answering(*[b"x" * 1000] * 3000)) == "x" * (1 << 20)
    assert text(answering(b"abcdef"), limit=4) == "abcd"


@pytest.mark.parametrize(
    "body", [b"c\r\nhalf an answ", chunk(b"half an answ") + b"no size\r\n"], ids=["cut", "damaged"]
)
def test_an_error_whose_text_breaks_off_is_still_that_error(body: bytes) -> None:
    head = b"HTTP/1.1 500 Broken\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def main() -> tuple[int, str]:
        async with (
            serving(raw(head + body)) as server,
            lane(server.url()) as one,
            one.exchange(CALL) as reply,
        ):
            return reply.status, await reply.text()

    code, said = asyncio.run(main())
    assert code == 500
    assert said == "half an answ"


# ------------------------------------------------------------------------------------------ waiting


def streaming(*, every: float, piece: bytes, first: bytes = b"") -> Any:
    """An answer of events that goes on for ever."""

    async def answer(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(SSE_HEAD + (chunk(first) if first else b""))
        while not writer.is_closing():
            await writer.drain()
            await asyncio.sleep(every)
            writer.write(chunk(piece))

    return answer


def fails(answer: Any, framing: Framing = Framing.SSE, **how: Any) -> tuple[LlmctlError, float]:
    """The error that ends such an answer, and after how many seconds."""

    async def main() -> None:
        async with serving(answer) as server, lane(server.url(), **how) as one:
            await frames(one, framing=framing)

    begun = time.monotonic()
    with pytest.raises(LlmctlError) as caught:
        asyncio.run(asyncio.wait_for(main(), 10))
    return caught.value, time.monotonic() - begun


def test_silence_after_the_head_is_borne_for_the_idle_time() -> None:
    async def stops(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(SSE_HEAD + chunk(b"data: a\n\n"))
        await asyncio.sleep(30)

    error, seconds = fails(stops, idle_timeout=0.1)

    assert (error.code, error.reason, error.retryable) == ("network", "idle", False)
    assert "silent for 0.1 s" in error.message
    assert 0.1 <= seconds < 5


def test_the_total_time_ends_an_answer_that_is_lively() -> None:
    error, seconds = fails(
        streaming(every=0.01, piece=b"data: a\n\n"), timeout=0.15, idle_timeout=10.0
    )

    assert (error.reason, error.retryable) == ("timeout", False)
    assert "no whole answer" in error.message
    assert 0.15 <= seconds < 5


def test_tokens_that_keep_coming_are_no_silence() -> None:
    async def slow(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(SSE_HEAD)
        for _turn in range(15):
            await asyncio.sleep(0.02)  # 0.3 s in all
            writer.write(chunk(b"data: a\n\n"))
        writer.write(b"0\r\n\r\n")

    async def main() -> list[str]:
        async with serving(slow) as server, lane(server.url(), idle_timeout=0.2) as one:
            return await frames(one)

    assert asyncio.run(main()) == ["a"] * 15


@pytest.mark.parametrize("piece", [b": keep-alive\n\n", b"\n", b"event: ping\n\n", b"data: x"])
def test_what_is_no_event_does_not_keep_an_answer_alive_for_ever(piece: bytes) -> None:
    error, seconds = fails(streaming(every=0.01, piece=piece), idle_timeout=0.05)

    assert (error.code, error.reason, error.retryable) == ("network", "idle", False)
    # Five times the idle time: proof of life is borne longer than silence.
    assert replies.COMMENTS_FACTOR * 0.05 <= seconds < 5
    assert "silent for 0.25 s" in error.message


def test_comments_between_tokens_are_borne_longer_than_silence() -> None:
    async def thinks(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(SSE_HEAD)
        for _turn in range(15):
            await asyncio.sleep(0.02)  # 0.3 s, longer than the idle time
            writer.write(chunk(b": thinking\n\n"))
        writer.write(chunk(b"data: a\n\n") + b"0\r\n\r\n")

    async def main() -> list[str]:
        async with serving(thinks) as server, lane(server.url(), idle_timeout=0.2) as one:
            return await frames(one)

    assert asyncio.run(main()) == ["a"]


def test_each_token_begins_the_count_of_comments_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    async def chats(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(SSE_HEAD)
        for _turn in range(10):
            await asyncio.sleep(0.02)
            writer.write(chunk(b": hm\n\n"))
            await asyncio.sleep(0.02)  # 0.4 s in all
            writer.write(chunk(b"data: a\n\n"))
        writer.write(b"0\r\n\r\n")

    async def main() -> list[str]:
        async with serving(chats) as server, lane(server.url(), idle_timeout=2.0) as one:
            return await frames(one)

    monkeypatch.setattr(replies, "COMMENTS_FACTOR", 0.1)  # 0.2 s

    assert asyncio.run(main()) == ["a"] * 10


def test_a_long_whole_body_is_no_comment(monkeypatch: pytest.MonkeyPatch) -> None:
    async def drips(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(SSE_HEAD)
        for _turn in range(16):
            await asyncio.sleep(0.02)  # 0.32 s in all
            writer.write(chunk(b"x"))
        writer.write(b"0\r\n\r\n")

    async def main() -> list[str]:
        async with serving(drips) as server, lane(server.url(), idle_timeout=2.0) as one:
            return await frames(one, framing=Framing.WHOLE)

    monkeypatch.setattr(replies, "COMMENTS_FACTOR", 0.1)  # comments would be borne for 0.2 s

    assert asyncio.run(main()) == ["x" * 16]


# ------------------------------------------------------------------------------------------ leaving


def test_frames_left_early_close_the_connection() -> None:
    async def main() -> None:
        answer = streaming(every=0.01, piece=b"data: b\n\n", first=b"data: a\n\n")
        async with serving(answer) as server, lane(server.url()) as one:
            async with one.exchange(CALL) as reply:
                coming = reply.frames(Framing.SSE)
                assert (await anext(coming)).data == "a"
                await coming.aclose()
                async with asyncio.timeout(5):
                    await server.left.wait()
            assert server.connections == 1

    asyncio.run(main())


def test_the_first_event_is_there_before_the_answer_ends() -> None:
    async def main() -> None:
        go_on = asyncio.Event()

        async def answer(_received: Received, writer: asyncio.StreamWriter) -> None:
            writer.write(SSE_HEAD + chunk(b"data: a\n\n"))
            await go_on.wait()
            writer.write(chunk(b"data: b\n\n") + b"0\r\n\r\n")

        async with (
            serving(answer) as server,
            lane(server.url()) as one,
            one.exchange(CALL) as reply,
            asyncio.timeout(5),
        ):
            found = []
            async for frame in reply.frames(Framing.SSE):
                found.append(frame.data)
                go_on.set()
            assert found == ["a", "b"]

    asyncio.run(main())


def test_after_a_whole_answer_the_connection_is_kept() -> None:
    async def main() -> None:
        async def answer(_received: Received, writer: asyncio.StreamWriter) -> None:
            writer.write(SSE_HEAD + chunk(b"data: a\n\n") + b"0\r\n\r\n")

        async with serving(answer) as server, lane(server.url()) as one:
            assert await frames(one) == ["a"]
            assert await status(one) == 200
            assert server.connections == 1

    asyncio.run(main())
