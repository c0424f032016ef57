"""A transport that keeps what passes through another one."""

import asyncio

import httpx

from llmctl.dialects import Framing, HttpCall
from llmctl.transport.exchange import Lane
from llmctl.transport.record import Recorder
from llmctl.transport.target import Target

KEY = "sk-" + "r" * 30
TARGET = Target(
    provider="a",
    base_url="https://api.example.com/v1",
    headers={"X-Api-Key": KEY, "Authorization": f"Bearer {KEY[::-1]}"},
)


class Pieces(httpx.AsyncByteStream):
    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces

    async def __aiter__(self):  # type: ignore[no-untyped-def]
        for piece in self._pieces:
            yield piece


class Scripted(httpx.AsyncBaseTransport):
    def __init__(self) -> None:
        self.closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        headers = {
            "Content-Type": "text/event-stream",
            "X-RateLimit-Remaining": "7",
            "OpenAI-Organization": "org-of-somebody",
        }
        stream = Pieces("data: н".encode()[:-1], "н\n\n".encode()[1:])
        return httpx.Response(200, headers=headers, stream=stream)

    async def aclose(self) -> None:
        self.closed = True


async def passed(recorder: Recorder) -> list[str]:
    http = HttpCall("POST", "chat?x=1", {"a": "б"}, framing=Framing.SSE)
    async with Lane(TARGET, recorder) as lane, lane.exchange(http) as reply:
        return [frame.data async for frame in reply.frames(Framing.SSE)]


def test_all_passes_through_and_is_kept_as_it_came() -> None:
    below = Scripted()
    recorder = Recorder(below, {"x-api-key"})

    assert asyncio.run(passed(recorder)) == ["н"]

    (kept,) = recorder.exchanges
    assert (kept.method, kept.path, kept.status) == ("POST", "/v1/chat?x=1", 200)
    assert kept.body == '{"a":"б"}'.encode()
    assert kept.pieces == [b"data: \xd0", b"\xbd\n\n"]
    assert kept.is_call
    assert below.closed


def test_headers_are_names_or_tell_nothing_of_the_account() -> None:
    recorder = Recorder(Scripted(), {"x-api-key"})
    asyncio.run(passed(recorder))

    (kept,) = recorder.exchanges
    assert {"authorization", "x-api-key", "content-type"} <= set(kept.header_names)
    assert KEY not in repr(kept)
    assert kept.headers == {"content-type": "text/event-stream", "x-ratelimit-remaining": "7"}


def test_what_the_key_headers_held_is_known_for_masking() -> None:
    recorder = Recorder(Scripted(), {"x-api-key"})
    asyncio.run(passed(recorder))

    assert recorder.credentials == {KEY, KEY[::-1]}, "without the word Bearer"


def test_a_request_of_a_token_flow_is_no_call() -> None:
    recorder = Recorder(Scripted())

    async def fetched() -> None:
        request = httpx.Request("POST", "https://auth.example.com/token", content=b"scope=x")
        await recorder.handle_async_request(request)

    asyncio.run(fetched())
    assert [one.is_call for one in recorder.exchanges] == [False]
