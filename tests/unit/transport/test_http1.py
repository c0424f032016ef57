"""HTTP/1.1 on the wire: what is sent, what is no good answer, and going away."""

import asyncio
import secrets
import time
from collections.abc import Coroutine
from typing import Any

import httpx
import pytest

from llmctl.dialects import Framing, HttpCall
from llmctl.errors import AuthFailed, LlmctlError, NetworkFailed, ProviderFailed
from llmctl.transport.dial import Dialling
from llmctl.transport.http1 import Http1Transport
from tests.unit.transport.loopback import (
    CALL,
    SSE_HEAD,
    Answer,
    Received,
    chunk,
    frames,
    lane,
    raw,
    serving,
    status,
    whole,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def fails(main: Coroutine[Any, Any, Any]) -> LlmctlError:
    with pytest.raises(LlmctlError) as caught:
        asyncio.run(asyncio.wait_for(main, 10))
    return caught.value


def failing(answer: Answer, **how: Any) -> LlmctlError:
    """The error of one exchange with a server that answers so."""

    async def main() -> None:
        async with serving(answer) as server, lane(server.url(), **how) as one:
            await frames(one)

    return fails(main())


# ------------------------------------------------------------------------------------- what is sent


def test_the_request_is_what_was_meant_byte_by_byte() -> None:
    async def main() -> Received:
        async with serving(whole()) as server:
            headers = {"Authorization": "Bearer k"}
            async with lane(f"{server.url()}?api=7", headers=headers) as one:
                await status(one, HttpCall("POST", "chat", {"prompt": "Почему?\n"}))
            return server.requests[0]

    got = asyncio.run(main())

    assert got.line == "POST /v1/chat?api=7 HTTP/1.1"
    assert got.body == '{"prompt":"Почему?\\n"}'.encode()
    assert got.headers["content-length"] == str(len(got.body))
    assert got.headers["authorization"] == "Bearer k"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["accept-encoding"] == "identity"
    assert got.headers["host"].startswith("127.0.0.1:")


def test_a_request_without_a_body_states_none() -> None:
    async def main() -> Received:
        async with serving(whole()) as server, lane(server.url()) as one:
            await status(one, HttpCall("GET", "models"))
            return server.requests[0]

    got = asyncio.run(main())

    assert got.line == "GET /v1/models HTTP/1.1"
    assert "content-length" not in got.headers
    assert "transfer-encoding" not in got.headers


def test_a_header_that_would_be_two_is_refused_without_showing_it() -> None:
    key = secrets.token_hex(12)

    async def main() -> None:
        async with serving(whole()) as server:
            transport = Http1Transport(Dialling(provider="acme"))
            headers = [(b"Authorization", f"Bearer {key}\r\nX-Evil: 1".encode())]
            request = httpx.Request("POST", server.url(), headers=headers, content=b"{}")
            try:
                await transport.handle_async_request(request)
            finally:
                assert server.requests == []

    error = fails(main())

    assert isinstance(error, AuthFailed)
    assert error.reason == "damaged-key"
    assert key not in f"{error.message}{error.hint}"
    assert error.__suppress_context__


# ----------------------------------------------------------------------- plain http through a proxy


def proxied(answer: Answer, user: str = "") -> list[Received]:
    """What a proxy is asked for a plain address."""

    async def main() -> list[Received]:
        async with serving(answer) as proxy:
            url = "http://api.example.test:8080/v1"
            async with lane(url, proxy=proxy.url(host=f"{user}127.0.0.1")) as one:
                await status(one)
            return proxy.requests

    return asyncio.run(main())


def test_a_proxy_is_asked_for_the_whole_address() -> None:
    [asked] = proxied(whole(), "Aladdin:open%20sesame@")

    assert asked.line == "POST http://api.example.test:8080/v1/chat HTTP/1.1"
    assert asked.headers["host"] == "api.example.test:8080"
    assert asked.headers["proxy-authorization"] == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


def test_without_credentials_none_are_sent() -> None:
    [asked] = proxied(whole())

    assert "proxy-authorization" not in asked.headers


def test_a_proxy_that_wants_a_password_is_not_taken_for_the_provider() -> None:
    with pytest.raises(NetworkFailed) as caught:
        proxied(whole(status=b"407 Proxy Authentication Required"), "me:hidden@")

    assert (caught.value.reason, caught.value.retryable) == ("proxy", False)
    assert "hidden" not in f"{caught.value.message}{caught.value.hint}"


def test_a_407_of_the_provider_itself_is_an_answer() -> None:
    async def main() -> int:
        async with serving(whole(status=b"407 Odd")) as server, lane(server.url()) as one:
            return await status(one)

    assert asyncio.run(main()) == 407


# --------------------------------------------------------------------------- what is no good answer


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x01\x00\x02\x02\x50\r\n\r\n",
        b"HTTP/9 200\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        SSE_HEAD + chunk(b"data: a\n\n") + b"no size\r\n",
    ],
)
@pytest.mark.parametrize("close", [False, True])
def test_what_is_no_http_says_so_whether_or_not_it_closes(answer: bytes, close: bool) -> None:
    async def say(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        if close:
            writer.close()
        else:
            await asyncio.sleep(30)

    error = failing(say)

    assert isinstance(error, ProviderFailed)
    assert (error.reason, error.retryable) == ("not-http", False)
    assert "127.0.0.1 does not speak HTTP: " in error.message
    assert "peer state" not in error.message  # the cause itself, not its echo


def test_nonsense_stays_nonsense_when_the_end_has_come_before_it_is_read() -> None:
    async def main() -> None:
        nonsense = raw(SSE_HEAD + chunk(b"data: a\n\n") + b"no size\r\n")
        async with (
            serving(nonsense) as server,
            lane(server.url()) as one,
            one.exchange(CALL) as reply,
        ):
            await asyncio.sleep(0.05)  # a slow reader: the connection is over meanwhile
            assert [frame.data async for frame in reply.frames(Framing.SSE)] == ["never"]

    error = fails(main())

    assert error.reason == "not-http"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
        SSE_HEAD,
        SSE_HEAD + chunk(b"data: a\n\n"),
        SSE_HEAD + b"ff\r\ndata: a\n\n",
    ],
)
def test_what_breaks_off_says_so_and_may_be_tried_again(answer: bytes) -> None:
    error = failing(raw(answer))

    assert isinstance(error, NetworkFailed)
    assert (error.reason, error.retryable) == ("reset", True)
    assert "in the middle of its answer" in error.message


def test_a_reset_in_the_middle_is_told_the_same() -> None:
    async def reset(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(SSE_HEAD + chunk(b"data: a\n\n"))
        await writer.drain()
        sock = writer.get_extra_info("socket")
        sock.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER of no time: a reset, not an end
        writer.transport.abort()

    error = failing(reset)

    assert (error.reason, error.retryable) == ("reset", True)


@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 200 OK\r\n", *([b"X: " + b"y" * 1000 + b"\r\n"] * 1000)],
        [b"HTTP/1.1 200 OK\r\nX: ", *([b"y" * 1000] * 1000)],
        [b"H" * 1_000_000],
        [SSE_HEAD, b"5;", *([b"x" * 1000] * 1000)],
    ],
    ids=["many fields", "a long field", "a long line", "a long extension of a chunk"],
)
def test_a_huge_head_is_refused(pieces: list[bytes]) -> None:
    async def huge(_received: Received, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
        await writer.drain()
        await asyncio.sleep(30)

    error = failing(huge)

    assert (error.code, error.reason, error.retryable) == ("provider-error", "not-http", False)


def test_a_head_of_usual_size_is_fine() -> None:
    head = b"".join(b"X-Field-%d: %s\r\n" % (one, b"y" * 400) for one in range(40))

    async def main() -> int:
        async with serving(whole(head=head)) as server, lane(server.url()) as one:
            return await status(one)

    assert asyncio.run(main()) == 200


def test_what_comes_before_the_answer_is_skipped() -> None:
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"

    async def main() -> int:
        async with serving(raw(early + OK)) as server, lane(server.url()) as one:
            return await status(one)

    assert asyncio.run(main()) == 200


def test_a_head_that_drips_does_not_last_for_ever() -> None:
    async def drip(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not writer.is_closing():
            writer.write(b"y")
            await writer.drain()
            await asyncio.sleep(0.01)

    assert failing(drip, idle_timeout=0.1).reason == "idle"


# --------------------------------------------------------------------------------------- going away


@pytest.mark.parametrize("head", [b"", SSE_HEAD, SSE_HEAD + chunk(b"data: a\n\n")])
def test_cancelled_the_connection_is_closed_at_once(head: bytes) -> None:

    async def endless(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        asked.set()  # the server goes on to wait for the next request, and so sees the end

    asked = asyncio.Event()

    async def main() -> float:
        async with serving(endless) as server, lane(server.url()) as one:
            task: asyncio.Task[object] = asyncio.create_task(frames(one))
            await asked.wait()
            await asyncio.sleep(0.02)  # what was said is read
            begun = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async with asyncio.timeout(5):
                await server.left.wait()
            return time.monotonic() - begun

    assert asyncio.run(main()) < 1


def test_a_reader_that_leaves_early_closes_the_connection_at_once() -> None:
    async def endless(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(SSE_HEAD + chunk(b"data: a\n\ndata: b\n\n"))

    async def main() -> None:
        async with serving(endless) as server, lane(server.url()) as one:
            async with one.exchange(CALL) as reply:
                assert reply.status == 200
            async with asyncio.timeout(5):
                await server.left.wait()

    asyncio.run(main())


def test_closing_the_lane_closes_the_kept_connection() -> None:
    async def main() -> None:
        async with serving(whole()) as server:
            async with lane(server.url()) as one:
                await status(one)
                assert not server.left.is_set()
            async with asyncio.timeout(5):
                await server.left.wait()

    asyncio.run(main())
