"""One request, one answer; a stand-in transport where the wire does not matter."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any

import httpx
import pytest
import respx

from llmctl import __version__
from llmctl.dialects import Framing, HttpCall
from llmctl.errors import (
    AuthFailed,
    ConfigError,
    LlmctlError,
    NetworkFailed,
    ProviderFailed,
    UsageError,
)
from llmctl.transport.exchange import Lane, encoded, make_transport
from llmctl.transport.http1 import Http1Transport
from llmctl.transport.target import Target
from tests.unit.transport.loopback import CALL, Received, frames, lane, raw, serving, status, whole

BASE = "https://api.example.test/v1"
Answer = Callable[[httpx.Request], Any]


def stood_in(answer: Answer, base_url: str = BASE, **how: Any) -> Lane:
    """A lane whose wire is this function."""
    return Lane(Target(provider="acme", base_url=base_url, **how), httpx.MockTransport(answer))


def asked(call: HttpCall = CALL, base_url: str = BASE, **how: Any) -> httpx.Request:
    """The request that a call becomes."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    asyncio.run(status(stood_in(answer, base_url, **how), call))
    [request] = seen
    return request


def fails(one: Callable[[], Lane], call: HttpCall = CALL) -> LlmctlError:
    async def main() -> None:
        async with one() as open_lane:
            await status(open_lane, call)

    with pytest.raises(LlmctlError) as caught:
        asyncio.run(main())
    return caught.value


# -------------------------------------------------------------------------------------- the request


def test_what_every_request_carries() -> None:
    request = asked(HttpCall("POST", "chat", {"prompt": "Почему?", "n": 1.5, "on": True}))

    assert (request.method, str(request.url)) == ("POST", f"{BASE}/chat")
    assert request.content == '{"prompt":"Почему?","n":1.5,"on":true}'.encode()
    assert request.headers["user-agent"] == f"llmctl/{__version__}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept-encoding"] == "identity"
    assert "cookie" not in request.headers


def test_the_targets_headers_beat_the_calls() -> None:
    call = HttpCall("POST", "chat", {}, {"X-One": "call", "X-Two": "call"})
    request = asked(call, headers={"x-one": "target", "User-Agent": "mine"})

    assert (request.headers["x-one"], request.headers["x-two"]) == ("target", "call")
    assert request.headers["user-agent"] == "mine"


@pytest.mark.parametrize(
    "damage", ["{}\n", "{}\r\nX-Evil: 1", "\x00{}", "{}\x7f", "ключ{}", "{}\u200b", "{}\xa0"]
)
@pytest.mark.parametrize("where", ["target", "call"])
def test_a_damaged_key_is_refused_without_showing_it(damage: str, where: str) -> None:
    key = secrets.token_hex(12)
    headers = {"Authorization": f"Bearer {damage.format(key)}"}
    own: dict[str, Any] = {"headers": headers} if where == "target" else {}
    called: list[httpx.Request] = []
    error = fails(
        lambda: stood_in(called.append, **own),
        HttpCall("POST", "chat", {}, headers if where == "call" else {}),
    )

    assert isinstance(error, AuthFailed)
    assert (error.reason, error.exit_code) == ("damaged-key", 6)
    assert key not in f"{error.message}{error.hint}{error!r}"
    assert called == []


def test_half_a_character_cannot_be_sent() -> None:
    with pytest.raises(UsageError, match="lone surrogate") as caught:
        encoded({"prompt": "secret \ud83d"})

    assert "secret" not in caught.value.message
    assert "--encoding" in (caught.value.hint or "")
    assert encoded({"prompt": "😀"}) == '{"prompt":"😀"}'.encode()


@pytest.mark.parametrize(
    "base", ["https://пример..test", "https://a.test/\x01", f"https://a.test/{'x' * 70_000}"]
)
def test_an_address_that_httpx_does_not_take_names_its_setting(base: str) -> None:
    error = fails(lambda: stood_in(lambda _request: httpx.Response(200), base))

    assert isinstance(error, ConfigError)
    assert "providers.acme.base_url" in error.message


@pytest.mark.parametrize("base", ["ftp://a.test", "https://me:x@a.test"])
def test_an_address_that_cannot_be_right_makes_no_lane(base: str) -> None:
    with pytest.raises(ConfigError):
        lane(base)


def test_the_wire_is_made_as_the_target_says() -> None:
    target = Target(
        provider="acme", base_url=BASE, ca_file="/ca", proxy="none", connect_timeout=3.0
    )
    made = make_transport(target)

    assert isinstance(made, Http1Transport)
    how = made._how
    assert (how.provider, how.ca_file, how.proxy, how.timeout) == ("acme", "/ca", "none", 3.0)
    assert how.local_only is False


# --------------------------------------------------------------------------------------- the answer


def test_times_come_from_the_wire() -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        extensions = {
            "connect_s": 0.25, "reused": True, "load_s": 1.5, "head_at": time.monotonic() + 7
        }  # fmt: skip
        return httpx.Response(200, json={}, extensions=extensions)

    async def main() -> None:
        async with stood_in(answer).exchange(CALL) as reply:
            timing = reply.timing
            assert (timing.connect_s, timing.reused, timing.load_s) == (0.25, True, 1.5)
            assert timing.first_byte_s is not None
            assert 7 <= timing.first_byte_s < 12

    asyncio.run(main())


def test_a_transport_that_says_no_times_has_only_the_first_byte() -> None:
    async def main() -> None:
        async with stood_in(lambda _request: httpx.Response(200)).exchange(CALL) as reply:
            timing = reply.timing
            assert (timing.connect_s, timing.reused, timing.load_s) == (None, False, None)
            assert timing.first_byte_s is not None
            assert 0 <= timing.first_byte_s < 5

    asyncio.run(main())


@pytest.mark.parametrize("code", [200, 204, 400, 404, 429, 500, 529])
def test_every_other_status_is_an_answer(code: int) -> None:
    one = stood_in(lambda _request: httpx.Response(code, json={}))

    assert asyncio.run(status(one)) == code


def test_respx_plays_the_provider_too() -> None:
    router = respx.Router(assert_all_called=True)
    route = router.post(f"{BASE}/chat", json={"prompt": "Why?"}, headers={"Authorization": "k"})
    route.respond(200, text='data: {"a": 1}\n\ndata: [DONE]\n\n')
    target = Target(provider="acme", base_url=BASE, headers={"Authorization": "k"})

    found = asyncio.run(frames(Lane(target, httpx.MockTransport(router.async_handler))))

    assert found == ['{"a": 1}', "[DONE]"]
    assert route.call_count == 1


# ---------------------------------------------------------------------------------------- redirects


@pytest.mark.parametrize("code", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://evil.test/steal?x=1", "evil.test"),
        ("//evil.test/steal", "evil.test"),
        ("/v2/chat", "/v2/chat"),
        ("https://api.example.test/v2", "api.example.test"),
        ("http://[", "?"),
        ("", "?"),
        (f"/{'x' * 1000}", f"/{'x' * 99};"),
    ],
)
def test_no_redirect_is_followed(code: int, location: str, shown: str) -> None:
    key = secrets.token_hex(12)
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(code, headers={"Location": location})

    error = fails(lambda: stood_in(answer, headers={"Authorization": key}))

    assert seen == [f"{BASE}/chat"]
    assert isinstance(error, ProviderFailed)
    assert (error.reason, error.retryable, error.status) == ("redirect", False, code)
    assert f"api.example.test sends us on to {shown}" in error.message
    assert "base_url URL" in (error.hint or "")
    assert key not in error.message


def test_on_the_wire_too_the_other_host_hears_nothing() -> None:
    async def main() -> None:
        async with serving(whole()) as other:
            location = f"Location: {other.url()}\r\n".encode()
            moved = whole(head=location, status=b"307 Temporary Redirect")
            async with serving(moved) as server, lane(server.url()) as one:
                with pytest.raises(ProviderFailed, match="follows no redirect"):
                    await status(one)
                assert len(server.requests) == 1
            assert other.connections == 0

    asyncio.run(main())


# ---------------------------------------------------------------------------------- time and breaks


def test_the_total_time_bounds_the_wait_for_the_head() -> None:
    async def mute(_received: Received, _writer: asyncio.StreamWriter) -> None:
        pass  # and waits for the next request, so that it sees us go

    async def main() -> None:
        async with serving(mute) as server, lane(server.url(), timeout=0.05) as one:
            with pytest.raises(NetworkFailed) as caught:
                await status(one)
            assert (caught.value.reason, caught.value.retryable) == ("timeout", False)
            assert "within 0.05 s" in caught.value.message
            async with asyncio.timeout(5):
                await server.left.wait()

    asyncio.run(main())


def test_the_idle_time_bounds_the_wait_for_the_head() -> None:
    async def mute(_received: Received, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async def main() -> None:
        async with serving(mute) as server, lane(server.url(), idle_timeout=0.05) as one:
            with pytest.raises(NetworkFailed) as caught:
                await status(one)
            assert (caught.value.reason, caught.value.retryable) == ("idle", False)
            assert "silent for 0.05 s" in caught.value.message

    asyncio.run(main())


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (httpx.ReadTimeout("x"), "idle"),
        (httpx.ConnectTimeout("x"), "idle"),
        (httpx.ConnectError("nobody there"), "connect"),
        (httpx.ReadError("x"), "reset"),
        (httpx.RemoteProtocolError("x"), "reset"),
    ],
)
def test_errors_of_a_stand_in_are_told_as_our_own(raised: Exception, reason: str) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        raise raised

    error = fails(lambda: stood_in(answer))

    assert (error.code, error.reason, error.provider) == ("network", reason, "acme")


def test_our_own_errors_pass_as_they_are() -> None:
    mine = UsageError("mine")

    def answer(_request: httpx.Request) -> httpx.Response:
        raise mine

    assert fails(lambda: stood_in(answer)) is mine


class Watched(httpx.AsyncByteStream):
    """A body that knows whether it was closed."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces, self.closed = pieces, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.parametrize("code", [200, 302])
def test_an_answer_is_closed_whatever_happens(code: int) -> None:
    body = Watched(b"data: a\n\n")

    async def main() -> None:
        one = stood_in(lambda _request: httpx.Response(code, stream=body))
        async with one.exchange(CALL):
            raise KeyError

    with pytest.raises(KeyError if code == 200 else ProviderFailed):
        asyncio.run(main())
    assert body.closed


# -------------------------------------------------------------------------- flows that fetch tokens


class Renewing(httpx.Auth):
    """Fetches a token from another host, and once more when it is refused."""

    requires_response_body = True

    def __init__(self, url: str) -> None:
        self.url = url

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        for _turn in range(2):
            token = yield httpx.Request("POST", self.url, content=b"scope=x")
            request.headers["Authorization"] = f"Bearer {token.json()['token']}"
            answer = yield request
            if answer.status_code != 401:
                return


def test_a_token_that_is_refused_is_renewed_once_and_the_prompt_goes_to_its_host_only() -> None:
    said: list[tuple[str, str | None, bytes]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        said.append((request.url.host, request.headers.get("authorization"), request.content))
        if request.url.host == "auth.example.test":
            return httpx.Response(200, json={"token": f"t{len(said)}"})
        fresh = request.headers["authorization"] == "Bearer t3"
        return httpx.Response(200 if fresh else 401, text="data: a\n\n")

    one = stood_in(answer, auth=Renewing("https://auth.example.test/token"))
    found = asyncio.run(frames(one))

    prompt = b'{"prompt":"Why?"}'
    assert said == [
        ("auth.example.test", None, b"scope=x"),
        ("api.example.test", "Bearer t1", prompt),
        ("auth.example.test", None, b"scope=x"),
        ("api.example.test", "Bearer t3", prompt),
    ]
    assert found == ["a"]


def test_what_a_flow_takes_is_no_part_of_the_first_byte() -> None:
    """A token of 0.2 s, a refusal, a token of 0.2 s again, and an answer after 0.3 s."""

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.example.test":
            await asyncio.sleep(0.2)
            return httpx.Response(200, json={"token": f"t{len(said)}"})
        said.append(request)
        await asyncio.sleep(0 if len(said) == 1 else 0.3)
        return httpx.Response(401 if len(said) == 1 else 200, text="data: a\n\n")

    said: list[httpx.Request] = []

    async def main() -> None:
        one = stood_in(answer, auth=Renewing("https://auth.example.test/token"))
        async with one.exchange(CALL) as reply:
            timing = reply.timing
        assert timing.auth_s is not None
        assert timing.first_byte_s is not None
        assert 0.4 <= timing.auth_s < 0.6
        assert 0.3 <= timing.first_byte_s < 0.5

    asyncio.run(main())


def test_a_key_that_is_sent_as_it_is_takes_no_time() -> None:
    async def main() -> None:
        async with stood_in(lambda _request: httpx.Response(200)).exchange(CALL) as reply:
            assert reply.timing.auth_s is None

    asyncio.run(main())


def test_a_flow_keeps_a_connection_to_each_host() -> None:
    async def main() -> None:
        async with serving(whole(b'{"token": "t"}')) as auth, serving(whole(b"{}")) as server:
            async with lane(server.url(), auth=Renewing(auth.url())) as one:
                for _turn in range(2):
                    assert await frames(one, framing=Framing.WHOLE) == ["{}"]
            assert (auth.connections, server.connections) == (1, 1)
            assert (len(auth.requests), len(server.requests)) == (2, 2)
            assert server.requests[1].headers["authorization"] == "Bearer t"

    asyncio.run(main())


@pytest.mark.parametrize(
    "said",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"],
    ids=["no head", "half a body"],
)
def test_a_mute_host_of_tokens_is_given_up(said: bytes) -> None:
    async def mute(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await asyncio.sleep(30)

    async def main() -> None:
        async with serving(mute) as auth:
            how = {"auth": Renewing(auth.url()), "idle_timeout": 0.05}
            async with lane("http://127.0.0.1:9", **how) as one:
                await asyncio.wait_for(status(one), 5)

    with pytest.raises(NetworkFailed) as caught:
        asyncio.run(main())
    assert caught.value.reason == "idle"


# ----------------------------------------------------------------------------------------- decoders


def test_the_body_of_a_request_is_json_again() -> None:
    body = {"messages": [{"role": "user", "content": 'a"\\\n\u2028ж'}], "n": None}

    assert json.loads(asked(HttpCall("POST", "chat", body)).content) == body


def test_raw_bytes_of_a_server_reach_the_decoder_as_they_are() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"

    async def main() -> list[str]:
        body = "data: \u2028ж\n\ndata: b\n\n".encode()
        async with serving(raw(head + body)) as server, lane(server.url()) as one:
            return await frames(one)

    assert asyncio.run(main()) == ["\u2028ж", "b"]
