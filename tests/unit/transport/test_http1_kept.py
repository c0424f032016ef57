"""Connections kept for the next request, and long bodies that are answered early or sent slowly."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from llmctl.dialects import HttpCall
from llmctl.errors import LlmctlError, NetworkFailed
from tests.unit.transport.loopback import (
    CALL,
    SSE_HEAD,
    Answer,
    Received,
    chunk,
    lane,
    raw,
    serving,
    status,
    whole,
)
from tests.unit.transport.proxies import speaking

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def fails(main: Coroutine[Any, Any, Any]) -> LlmctlError:
    with pytest.raises(LlmctlError) as caught:
        asyncio.run(asyncio.wait_for(main, 10))
    return caught.value


# --------------------------------------------------------------------------------- kept connections


def test_a_connection_is_kept_for_the_next_request() -> None:
    async def main() -> None:
        async with serving(whole()) as server, lane(server.url()) as one:
            async with one.exchange(CALL) as first:
                await first.text()
            async with one.exchange(CALL) as second:
                await second.text()
            assert (server.connections, len(server.requests)) == (1, 2)
            assert not first.timing.reused
            assert second.timing.reused
            assert first.timing.connect_s is not None
            assert 0 < first.timing.connect_s < 5
            assert second.timing.connect_s is None

    asyncio.run(main())


@pytest.mark.parametrize(
    "answer",
    [
        whole(head=b"Connection: close\r\n"),
        raw(b"HTTP/1.0 200 OK\r\n\r\n{}"),
        raw(b"HTTP/1.1 200 OK\r\n\r\n{}"),
        whole(b"{}", head=b"X: y\r\n", status=b"500 Broken"),
    ],
    ids=["close", "http-1.0", "until-the-end", "kept"],
)
def test_a_server_that_does_not_keep_it_gets_another(answer: Answer) -> None:
    async def main() -> tuple[int, int]:
        async with serving(answer) as server, lane(server.url()) as one:
            first = await status(one)
            assert await status(one) == first
            return first, server.connections

    first, connections = asyncio.run(main())
    assert connections == (1 if first == 500 else 2)


def test_the_quirk_asks_for_no_keeping() -> None:
    async def main() -> None:
        async with serving(whole()) as server, lane(server.url(), close_connection=True) as one:
            assert [await status(one), await status(one)] == [200, 200]
            assert server.connections == 2
            assert [one.headers["connection"] for one in server.requests] == ["close", "close"]

    asyncio.run(main())


def test_without_the_quirk_nothing_is_said_about_keeping() -> None:
    async def main() -> None:
        async with serving(whole()) as server, lane(server.url()) as one:
            await status(one)
            assert "connection" not in server.requests[0].headers

    asyncio.run(main())


def scripted(*steps: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> Answer:
    """A step for each request, whatever connection it comes on."""
    left = iter(steps)

    async def answer(_received: Received, writer: asyncio.StreamWriter) -> None:
        await next(left)(writer)

    return answer


async def well(writer: asyncio.StreamWriter) -> None:
    writer.write(OK)


async def hangs_up(writer: asyncio.StreamWriter) -> None:
    """It closes when the request is there: as one whose time for idle connections is over."""
    writer.transport.abort()


async def half(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 2")
    await writer.drain()
    writer.close()


def test_a_kept_connection_that_the_server_closed_is_replaced() -> None:
    async def main() -> None:
        answer = scripted(well, hangs_up, well)
        async with serving(answer) as server, lane(server.url()) as one:
            await status(one)
            async with one.exchange(CALL) as reply:
                assert reply.status == 200
                assert not reply.timing.reused
                assert reply.timing.connect_s is not None
            assert (server.connections, len(server.requests)) == (2, 3)

    asyncio.run(main())


def test_it_is_replaced_once_and_no_more() -> None:
    async def main() -> None:
        answer = scripted(well, hangs_up, hangs_up, well)
        async with serving(answer) as server, lane(server.url()) as one:
            await status(one)
            with pytest.raises(NetworkFailed) as caught:
                await status(one)
            assert (caught.value.reason, caught.value.retryable) == ("reset", True)
            assert "without an answer" in caught.value.message
            assert (server.connections, len(server.requests)) == (2, 3)

    asyncio.run(main())


def test_a_new_connection_is_never_replaced() -> None:
    async def main() -> None:
        async with serving(scripted(hangs_up, well)) as server, lane(server.url()) as one:
            with pytest.raises(NetworkFailed, match="without an answer"):
                await status(one)
            assert len(server.requests) == 1

    asyncio.run(main())


def test_a_kept_connection_on_which_something_was_heard_is_not_replaced() -> None:
    async def main() -> None:
        async with serving(scripted(well, half, well)) as server, lane(server.url()) as one:
            await status(one)
            with pytest.raises(NetworkFailed) as caught:
                await status(one)
            assert caught.value.reason == "reset"
            assert "in the middle of its answer" in caught.value.message
            assert len(server.requests) == 2

    asyncio.run(main())


def test_silence_on_a_kept_connection_is_no_reason_to_ask_again() -> None:
    async def mute(_writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async def main() -> None:
        answer = scripted(well, mute, well)
        async with serving(answer) as server, lane(server.url(), idle_timeout=0.05) as one:
            await status(one)
            with pytest.raises(NetworkFailed) as caught:
                await status(one)
            assert caught.value.reason == "idle"
            assert len(server.requests) == 2

    asyncio.run(main())


def test_a_connection_closed_between_two_requests_is_not_written_to() -> None:
    async def closes(writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await writer.drain()
        writer.close()

    async def main() -> None:
        async with serving(scripted(closes, well)) as server, lane(server.url()) as one:
            await status(one)
            await server.left.wait()
            assert await status(one) == 200
            assert (server.connections, len(server.requests)) == (2, 2)

    asyncio.run(main())


def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next() -> None:
    async def chatters(writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")

    async def main() -> None:
        async with serving(scripted(chatters, well)) as server, lane(server.url()) as one:
            for _turn in range(2):
                async with one.exchange(CALL) as reply:
                    assert await reply.text() == "{}"
            assert server.connections == 2

    asyncio.run(main())


def test_an_answer_left_half_read_is_no_obstacle_to_the_next() -> None:
    async def long(writer: asyncio.StreamWriter) -> None:
        writer.write(SSE_HEAD + chunk(b"data: a\n\n"))

    async def main() -> None:
        async with serving(scripted(long, well)) as server, lane(server.url()) as one:
            async with one.exchange(CALL) as reply:
                assert reply.status == 200
            assert await status(one) == 200
            assert server.connections == 2

    asyncio.run(main())


# ---------------------------------------------------------------------- long bodies, early and slow


BIG = HttpCall("POST", "/chat", {"prompt": "x" * 8_000_000})


def test_an_answer_that_comes_before_the_body_was_read_is_heard() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 413 Too Large\r\nContent-Length: 15\r\n\r\n{"error":"big"}')
        await writer.drain()
        await asyncio.sleep(30)  # reads no more, and does not close

    async def main() -> None:
        async with (
            speaking(speak) as port,
            lane(f"http://127.0.0.1:{port}") as one,
            one.exchange(BIG) as reply,
        ):
            assert reply.status == 413
            assert await reply.text() == '{"error":"big"}'

    asyncio.run(asyncio.wait_for(main(), 10))


def test_and_also_when_the_server_closes_at_once() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 413 Too Large\r\nContent-Length: 15\r\n\r\n{"error":"big"}')
        await writer.drain()
        writer.close()

    async def main() -> None:
        async with (
            speaking(speak) as port,
            lane(f"http://127.0.0.1:{port}") as one,
            one.exchange(BIG) as reply,
        ):
            assert reply.status == 413
            assert await reply.text() == '{"error":"big"}'

    asyncio.run(asyncio.wait_for(main(), 10))


def test_a_connection_whose_request_was_not_read_is_not_used_again() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        await asyncio.sleep(30)

    connections: list[int] = []

    async def main() -> None:
        async with speaking(speak) as port, lane(f"http://127.0.0.1:{port}") as one:
            assert [await status(one, BIG), await status(one, BIG)] == [413, 413]

    asyncio.run(asyncio.wait_for(main(), 10))
    assert len(connections) == 2


def test_a_slow_upload_is_no_silence() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        left = int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0])
        while left:
            left -= len(await reader.read(400_000))
            await asyncio.sleep(0.01)
        writer.write(OK)
        await writer.drain()
        await asyncio.sleep(30)

    async def main() -> float:
        async with (
            speaking(speak) as port,
            lane(f"http://127.0.0.1:{port}", idle_timeout=0.15) as one,
        ):
            begun = time.monotonic()
            assert await status(one, BIG) == 200
            return time.monotonic() - begun

    assert asyncio.run(main()) > 0.15


def test_a_server_that_stops_reading_is_silent() -> None:
    async def speak(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(30)

    async def main() -> None:
        async with (
            speaking(speak) as port,
            lane(f"http://127.0.0.1:{port}", idle_timeout=0.1) as one,
        ):
            await status(one, BIG)

    assert fails(main()).reason == "idle"
