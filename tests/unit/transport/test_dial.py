"""Connections, direct and through HTTP proxies, with TLS on top, and what failures are called."""

import asyncio
import errno
import secrets
import socket
import ssl
import time
from collections.abc import Coroutine
from typing import Any
from urllib.parse import quote

import pytest

from llmctl.errors import LlmctlError, NetworkFailed
from llmctl.transport import dial as dialling
from llmctl.transport.dial import Dialling, dial, proxy_credentials
from llmctl.transport.proxy import Proxy, parse_proxy
from tests.unit.transport.loopback import lane, serving, status, whole
from tests.unit.transport.proxies import ESTABLISHED, http_proxy, joined, speaking


def fails(main: Coroutine[Any, Any, Any]) -> LlmctlError:
    with pytest.raises(LlmctlError) as caught:
        asyncio.run(asyncio.wait_for(main, 10))
    return caught.value


def unused_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


# ------------------------------------------------------------------------------------------- direct


def test_a_port_where_nobody_listens() -> None:
    port = unused_port()

    error = fails(dial("http", "127.0.0.1", port, None, Dialling(provider="acme")))

    assert (error.reason, error.retryable) == ("connect", False)
    assert f"cannot connect to 127.0.0.1:{port}: connection refused" in error.message


@pytest.mark.parametrize(
    ("raised", "retryable"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), False),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), True),
        (UnicodeError("label too long"), True),
    ],
)
def test_a_name_that_cannot_be_looked_up(
    raised: Exception, retryable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(*_asked: object, **_how: object) -> object:
        raise raised

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    error = fails(dial("http", "api.example.test", 80, None, Dialling(provider="acme")))

    assert (error.code, error.reason, error.retryable) == ("network", "dns", retryable)
    assert error.host == "api.example.test"


def test_an_address_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(_host: str, _port: int) -> list[object]:
        await asyncio.sleep(30)
        raise AssertionError

    monkeypatch.setattr(dialling, "addresses", hang)
    begun = time.monotonic()
    error = fails(
        dial("https", "api.example.test", 443, None, Dialling(provider="acme", timeout=0.05))
    )

    assert time.monotonic() - begun < 5
    assert (error.reason, error.retryable) == ("connect", True)
    assert "api.example.test:443 did not take the connection within 0.05 s" in error.message


def test_the_systems_own_time_limit_is_a_failed_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def give_up(_places: object) -> socket.socket:
        raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")

    monkeypatch.setattr(dialling, "connected", give_up)
    error = fails(dial("http", "127.0.0.1", 80, None, Dialling(provider="acme")))

    assert (error.reason, error.retryable) == ("connect", True)
    assert "connection timed out" in error.message


def test_securing_counts_towards_the_time_limit() -> None:
    async def mute(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)

    async def main() -> None:
        async with speaking(mute) as port:
            await dial("https", "127.0.0.1", port, None, Dialling(provider="acme", timeout=0.1))

    error = fails(main())

    # On this machine asking again would only take as long again.
    assert (error.reason, error.retryable) == ("tls", False)
    assert "did not answer in TLS" in error.message
    assert "http://" in (error.hint or "")


def test_given_up_a_half_made_connection_is_closed_at_once(ca_file: str) -> None:
    async def main() -> bytes:
        heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def mute(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            await reader.read(10_000)  # the greeting of TLS
            heard.set_result(await reader.read(10_000))

        async with speaking(mute) as port:
            how = Dialling(provider="acme", ca_file=ca_file)
            task = asyncio.create_task(dial("https", "127.0.0.1", port, None, how))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return await asyncio.wait_for(heard, 5)

    assert asyncio.run(main()) == b""


# ---------------------------------------------------------------------------- through an HTTP proxy


@pytest.mark.parametrize(
    ("user", "password", "expected"),
    [
        (None, None, None),
        ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),  # RFC 7617, section 2
        ("test", "123£", "Basic dGVzdDoxMjPCow=="),  # RFC 7617, section 2.1
        ("me", None, "Basic bWU6"),
    ],
)
def test_credentials_for_a_proxy(
    user: str | None, password: str | None, expected: str | None
) -> None:
    assert proxy_credentials(Proxy("http", "p", 1, user, password)) == expected


def test_tls_goes_through_the_proxy_and_the_host_is_checked_at_its_end(
    secured: ssl.SSLContext, ca_file: str
) -> None:
    async def main() -> tuple[int, list[bytes], int]:
        async with serving(whole(), secured) as server, http_proxy() as proxy:
            url = server.url("https", "api.example.test")  # never looked up here
            mine = proxy.url("http", "Aladdin:open%20sesame@")
            async with lane(url, ca_file=ca_file, proxy=mine) as one:
                return await status(one), proxy.said, server.port

    answered, said, port = asyncio.run(main())

    assert answered == 200
    assert said == [
        b"CONNECT api.example.test:%d HTTP/1.1\r\nHost: api.example.test:%d\r\n"
        b"Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n" % (port, port)
    ]


def test_a_proxy_from_the_environment_sees_neither_key_nor_prompt(
    secured: ssl.SSLContext, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = secrets.token_hex(12)
    passed: list[bytes] = []

    async def main() -> int:
        async with serving(whole(), secured) as server:

            async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                passed.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(ESTABLISHED)
                far, near = asyncio.StreamReader(), reader
                task = asyncio.create_task(copy(near, far))
                await joined(far, writer, server.port)
                task.cancel()

            async def copy(near: asyncio.StreamReader, far: asyncio.StreamReader) -> None:
                while data := await near.read(65536):
                    passed.append(data)
                    far.feed_data(data)
                far.feed_eof()

            async with speaking(speak) as port:
                monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
                url = server.url("https", "api.example.test")
                headers = {"Authorization": f"Bearer {key}"}
                async with lane(url, ca_file=ca_file, headers=headers) as one:
                    return await status(one)

    assert asyncio.run(main()) == 200
    assert passed[0].startswith(b"CONNECT api.example.test:")
    assert b"Proxy-Authorization" not in passed[0]
    assert sum(map(len, passed[1:])) > 100
    assert not any(key.encode() in one or b"Why?" in one for one in passed)


def test_the_certificate_must_be_the_hosts_and_not_the_proxys(
    secured: ssl.SSLContext, ca_file: str
) -> None:
    async def main() -> None:
        async with serving(whole(), secured) as server, http_proxy() as proxy:
            url = server.url("https", "other.example.test")
            async with lane(url, ca_file=ca_file, proxy=proxy.url("http")) as one:
                await status(one)

    error = fails(main())

    assert (error.reason, error.host) == ("tls", "other.example.test")


def test_a_proxy_that_is_itself_spoken_to_in_tls(secured: ssl.SSLContext, ca_file: str) -> None:
    heads: list[bytes] = []

    async def main() -> int:
        async with serving(whole(), secured) as server:

            async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(ESTABLISHED)
                await joined(reader, writer, server.port)

            outer = await asyncio.start_server(speak, "127.0.0.1", 0, ssl=secured)
            async with outer:
                port = outer.sockets[0].getsockname()[1]
                url = server.url("https", "api.example.test")
                async with lane(url, ca_file=ca_file, proxy=f"https://127.0.0.1:{port}") as one:
                    found = await status(one)
                await asyncio.sleep(0.01)
                return found

    assert asyncio.run(main()) == 200
    assert heads[0].startswith(b"CONNECT api.example.test:")


def test_an_address_of_ipv6_stands_in_brackets() -> None:
    async def main() -> list[bytes]:
        async with http_proxy(b"HTTP/1.1 502 no\r\n\r\n", relay=False) as proxy:
            way = parse_proxy(proxy.url("http"), "x")
            with pytest.raises(NetworkFailed):
                await dial("https", "2001:db8::5", 8443, way, Dialling(provider="acme"))
            return proxy.said

    [head] = asyncio.run(main())
    assert head == b"CONNECT [2001:db8::5]:8443 HTTP/1.1\r\nHost: [2001:db8::5]:8443\r\n\r\n"


def through(answer: bytes, *, timeout: float = 5.0) -> tuple[LlmctlError, str]:
    """The error behind a proxy that answers so, and the proxy's password."""
    password = f"{secrets.token_hex(8)}@:/{secrets.token_hex(4)}"

    async def main() -> None:
        async with http_proxy(answer, relay=False) as proxy:
            way = parse_proxy(proxy.url("http", f"me:{quote(password, safe='')}@"), "HTTPS_PROXY")
            how = Dialling(provider="acme", timeout=timeout)
            await dial("https", "api.example.test", 443, way, how)

    return fails(main()), password


@pytest.mark.parametrize(
    ("answer", "words", "retryable"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "another user or password", False),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "HTTP/1.1 403 Forbidden", False),
        (b"HTTP/1.0 502 Bad Gateway\r\nX: y\r\n\r\n", "HTTP/1.0 502 Bad Gateway", True),
        (b"HTTP/1.1 302 Found\r\nLocation: http://login.test\r\n\r\n", "302 Found", False),
        (b"", "it closed the connection", True),
        (b"HTTP/1.1 200 OK\r\nX: ", "it closed the connection", True),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 4000 + b"\r\n", "it closed the connection", True),
        (b"SSH-2.0-x\r\n\r\n", "SSH-2.0-x", False),
    ],
)
def test_a_proxy_that_does_not_connect_us(answer: bytes, words: str, retryable: bool) -> None:
    error, password = through(answer)

    assert (error.code, error.reason, error.retryable) == ("network", "proxy", retryable)
    assert "the proxy http://127.0.0.1:" in error.message
    assert words in error.message
    for part in (password, quote(password, safe=""), "me:"):
        assert part not in f"{error.message}{error.hint}"
    assert '"none"' in (error.hint or "")


def test_what_a_proxy_says_beyond_its_answer_does_not_pass_for_the_hosts() -> None:
    """It would be read as the answer under TLS, and no certificate would have vouched for it."""
    forged = b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"x": 1}'
    error, _password = through(ESTABLISHED + forged)

    assert (error.reason, error.host) == ("tls", "api.example.test")


def test_a_mute_proxy_is_given_up() -> None:
    async def mute(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)

    async def main() -> None:
        async with speaking(mute) as port:
            way = parse_proxy(f"http://me:hidden@127.0.0.1:{port}", "x")
            how = Dialling(provider="acme", timeout=0.05)
            await dial("https", "api.example.test", 443, way, how)

    error = fails(main())

    assert (error.reason, error.retryable) == ("proxy", True)
    assert "it took too long" in error.message
    assert "hidden" not in error.message


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_a_proxy_that_is_not_there(scheme: str) -> None:
    way = parse_proxy(f"{scheme}://me:hidden@127.0.0.1:{unused_port()}", "x")

    error = fails(dial("https", "api.example.test", 443, way, Dialling(provider="acme")))

    assert (error.reason, error.retryable) == ("proxy", False)
    assert "connection refused" in error.message
    assert "hidden" not in error.message


def test_none_goes_direct_though_the_environment_names_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> tuple[int, list[bytes]]:
        async with serving(whole()) as server, http_proxy() as proxy:
            for name in ("HTTP_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, proxy.url("http"))
            monkeypatch.setattr("llmctl.transport.proxy.is_local", lambda _host: False)
            async with lane(server.url(), proxy="none") as one:
                return await status(one), proxy.said

    assert asyncio.run(main()) == (200, [])
