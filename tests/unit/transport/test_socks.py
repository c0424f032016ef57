"""SOCKS5 as RFC 1928 and RFC 1929 have it, byte by byte."""

import asyncio
import secrets
import socket
import ssl

import pytest

from llmctl.errors import LlmctlError
from llmctl.transport.dial import Dialling, dial
from llmctl.transport.proxy import parse_proxy
from tests.unit.transport.loopback import lane, serving, status, whole
from tests.unit.transport.proxies import Proxied, socks_proxy, speaking

HOST = b"api.example.test"


async def asked(proxy: Proxied, scheme: str, user: str = "", host: str = HOST.decode()) -> int:
    """The status of a plain answer through this proxy."""
    async with serving(whole()) as server:
        async with lane(server.url(host=host), proxy=proxy.url(scheme, user)) as one:
            found = await status(one)
        proxy.said.append(server.port.to_bytes(2, "big"))
        return found


@pytest.mark.parametrize("scheme", ["socks5h", "socks"])
def test_the_proxy_looks_the_name_up(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[object] = []

    async def main() -> list[bytes]:
        async with socks_proxy() as proxy:
            monkeypatch.setattr(socket, "getaddrinfo", lambda *one, **_how: looked_up.append(one))
            assert await asked(proxy, scheme) == 200
            return proxy.said

    hello, command, port = asyncio.run(main())

    assert hello == b"\x05\x01\x00"  # version 5, one method, none needed
    assert command == b"\x05\x01\x00\x03" + bytes([len(HOST)]) + HOST + port
    assert looked_up == []


def test_socks5_looks_the_name_up_here() -> None:
    async def main() -> bytes:
        async with socks_proxy(reply=b"\x05\x03\0\x01\0\0\0\0\0\0") as proxy:
            way = parse_proxy(proxy.url("socks5"), "x")
            with pytest.raises(LlmctlError):
                await dial("http", "localhost", 80, way, Dialling(provider="acme"))
            return proxy.said[1]

    assert asyncio.run(main()) == b"\x05\x01\x00\x01\x7f\x00\x00\x01" + (80).to_bytes(2, "big")


def test_an_address_of_ipv6_is_sent_as_one() -> None:
    async def main() -> bytes:
        async with socks_proxy(reply=b"\x05\x03\0\x01\0\0\0\0\0\0") as proxy:
            way = parse_proxy(proxy.url("socks5h"), "x")
            with pytest.raises(LlmctlError):
                await dial("http", "2001:db8::5", 80, way, Dialling(provider="acme"))
            return proxy.said[1]

    assert asyncio.run(main()) == b"\x05\x01\0\x04\x20\x01\x0d\xb8" + bytes(11) + b"\x05\0\x50"


@pytest.mark.parametrize(
    "reply",
    [
        b"\x05\0\0\x01\x7f\0\0\x01\x1f\x90",
        b"\x05\0\0\x03\x05proxy\x1f\x90",
        b"\x05\0\0\x04" + bytes(16) + b"\x1f\x90",
    ],
)
def test_the_proxys_own_address_comes_in_three_forms(reply: bytes) -> None:
    async def main() -> int:
        async with socks_proxy(reply=reply) as proxy:
            return await asked(proxy, "socks5h")

    assert asyncio.run(main()) == 200


def test_user_and_password() -> None:
    async def main() -> list[bytes]:
        async with socks_proxy(method=2) as proxy:
            assert await asked(proxy, "socks5h", "me:p%40ss@") == 200
            return proxy.said

    hello, credentials, _command, _port = asyncio.run(main())

    assert hello == b"\x05\x02\x00\x02"  # none, or user and password
    assert credentials == b"\x01\x02me\x04p@ss"


def test_a_proxy_may_do_without_the_password() -> None:
    async def main() -> list[bytes]:
        async with socks_proxy(method=0) as proxy:
            assert await asked(proxy, "socks5h", "me:pass@") == 200
            return proxy.said

    assert not any(b"pass" in one for one in asyncio.run(main()))


def test_tls_goes_through(secured: ssl.SSLContext, ca_file: str) -> None:
    async def main() -> int:
        async with serving(whole(), secured) as server, socks_proxy() as proxy:
            url = server.url("https", HOST.decode())
            async with lane(url, ca_file=ca_file, proxy=proxy.url("socks5h")) as one:
                return await status(one)

    assert asyncio.run(main()) == 200


def test_what_the_host_says_right_behind_the_reply_is_not_lost() -> None:
    async def main() -> bytes:
        reply = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x1f\x90"

        async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(3)
            writer.write(b"\x05\x00")
            await reader.readexactly(5 + len(HOST) + 2)
            writer.write(reply + b"hello")
            await reader.read()

        async with speaking(speak) as port:
            way = parse_proxy(f"socks5h://127.0.0.1:{port}", "x")
            wire = await dial("http", HOST.decode(), 80, way, Dialling(provider="acme"))
            said = await wire.read()
            wire.close()
            return said

    assert asyncio.run(main()) == b"hello"


# ---------------------------------------------------------------------------------- what goes wrong


def failing(proxied: object, scheme: str = "socks5h", *, timeout: float = 5.0) -> LlmctlError:
    """The error behind such a proxy; neither its user nor its password is in it."""
    password = secrets.token_hex(12)

    async def main() -> None:
        async with proxied as proxy:  # type: ignore[attr-defined]
            port = proxy if isinstance(proxy, int) else proxy.port
            way = parse_proxy(f"{scheme}://someone:{password}@127.0.0.1:{port}", "x")
            how = Dialling(provider="acme", timeout=timeout)
            await dial("http", HOST.decode(), 80, way, how)

    with pytest.raises(LlmctlError) as caught:
        asyncio.run(main())
    assert password not in f"{caught.value.message}{caught.value.hint}"
    assert "someone" not in f"{caught.value.message}{caught.value.hint}"
    return caught.value


def test_a_wrong_password() -> None:
    error = failing(socks_proxy(method=2, accepts=False))

    assert (error.reason, error.retryable) == ("proxy", False)
    assert "another user or password" in error.message


@pytest.mark.parametrize("method", [0xFF, 1])
def test_no_way_to_prove_who_we_are(method: int) -> None:
    error = failing(socks_proxy(method=method))

    assert (error.reason, error.retryable) == ("proxy", False)
    assert "another user or password" in error.message


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "general"),
        (2, "not allowed"),
        (3, "network unreachable"),
        (4, "host unreachable"),
        (5, "connection refused"),
        (6, "ttl expired"),
        (7, "command not supported"),
        (8, "address type not supported"),
    ],
)
def test_each_refusal_of_the_rfc(code: int, words: str) -> None:
    error = failing(socks_proxy(reply=bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0])))

    assert error.reason == "proxy"
    assert words in error.message


def says(data: bytes) -> object:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(3)
        writer.write(data)
        await writer.drain()

    return speaking(speak)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x05",
        b"\x04\x00",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x05\x00\x05\x00\x00",
        b"\x05\x00\x05\x00\x00\x09\x00\x00\x00\x00\x00\x00",
        b"\x05\x00\x05\x63\x00\x01\x00\x00\x00\x00\x00\x00",
    ],
)
def test_what_is_no_socks(data: bytes) -> None:
    error = failing(says(data))

    assert error.reason == "proxy"
    assert "it does not speak SOCKS5" in error.message


def test_a_mute_proxy_is_given_up() -> None:
    async def mute(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)

    error = failing(speaking(mute), timeout=0.05)

    assert error.reason == "proxy"
    assert "it took too long" in error.message


def test_a_name_that_cannot_be_looked_up_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_asked: object, **_how: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    error = failing(socks_proxy(), "socks5")

    assert (error.reason, error.host, error.retryable) == ("dns", HOST.decode(), False)
