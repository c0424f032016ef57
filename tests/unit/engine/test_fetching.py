"""What llmctl fetches for the user, and where a redirect may not lead."""

import asyncio
import socket
from typing import Any

import httpx
import pytest

from llmctl.cli.asked import Asked
from llmctl.cli.fetched import with_fetched
from llmctl.engine import fetching
from llmctl.engine.fetching import fetch
from llmctl.errors import NetworkFailed, PrivacyRefused, UsageError
from llmctl.settings import Loaded, Origin, Policy, Settings
from llmctl.transport import dial
from llmctl.transport.dial import Dialling
from llmctl.transport.names import Address
from llmctl.transport.proxy import parse_proxy
from llmctl.types import Chat, Level, Media, Message, Role, Text
from tests.attachments import png
from tests.unit.transport.loopback import Received, serving

URL = "https://files.example/a"


def loaded(**rules: Any) -> Loaded:
    origin = Origin("flag", "--privacy")
    return Loaded(Settings(policy=Policy(**rules)), {"policy.max_level": origin})


def fetched(answer: httpx.Response, url: str = URL) -> bytes:
    wire = httpx.MockTransport(lambda _request: answer)
    return asyncio.run(fetch(url, loaded(), wire))


def test_what_is_there_comes_without_any_key() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=png())

    assert asyncio.run(fetch(URL, loaded(), httpx.MockTransport(answer))) == png()
    assert {"authorization", "cookie"} & {name.lower() for name in seen[0].headers} == set()


def test_there_is_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LARGEST", 2**20)
    assert len(fetched(httpx.Response(200, content=b"x" * 2**20))) == 2**20
    with pytest.raises(UsageError, match="more than 1 MB are behind") as caught:
        fetched(httpx.Response(200, content=b"x" * (2**20 + 1)))
    assert "attach the file" in str(caught.value.hint)


@pytest.mark.parametrize("status", [204, 400, 401, 403, 404, 429, 500, 503])
def test_a_host_that_gives_no_file_is_bad_input_and_no_provider(status: int) -> None:
    told = {"x-error-code": "GatedRepo"}  # a token of a provider would do here, and goes nowhere
    with pytest.raises(UsageError) as caught:
        fetched(httpx.Response(status, headers=told), "https://u:p@files.example/a?token=x")

    error = caught.value
    assert (error.host, error.status, error.provider) == ("files.example", status, None)
    assert f"files.example answered {status}" in error.message
    assert "token=" not in error.message
    assert "u:p" not in error.message
    assert "download it, and attach the file" in str(error.hint)


@pytest.mark.parametrize(
    ("goal", "said"),
    [("http://files.example/b", "not secure"), ("https://0177.0.0.1/b", "0177.0.0.1"),
     ("https://[::1/b", "IPv6")],
)  # fmt: skip
def test_a_redirect_that_leads_nowhere_is_bad_input_too(goal: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        fetched(httpx.Response(302, headers={"Location": goal}))
    assert "https://files.example/a cannot be fetched" in caught.value.message


def test_a_host_that_is_not_reached_is_trouble_of_the_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NetworkFailed, match=f"127.0.0.1:{port}") as caught:
        asyncio.run(fetch(f"http://127.0.0.1:{port}/a", loaded()))
    assert "download it, and attach the file" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("level", "url", "allowed"),
    [
        (Level.DEVICE, "http://127.0.0.1:9/a", True), (Level.DEVICE, "http://10.0.0.1/a", False),
        (Level.DEVICE, URL, False), (Level.NETWORK, "http://10.0.0.1/a", True),
        (Level.NETWORK, "http://nas.local/a", True), (Level.NETWORK, URL, False),
        (Level.ZERO_RETENTION, URL, True),
    ],
)  # fmt: skip
def test_nothing_is_asked_of_hosts_further_than_policy_allows(
    level: Level, url: str, allowed: bool
) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, content=b"x")

    work = fetch(url, loaded(max_level=level), httpx.MockTransport(answer))
    if allowed:
        assert asyncio.run(work) == b"x"
        return
    with pytest.raises(PrivacyRefused, match="--privacy"):
        asyncio.run(work)
    assert asked == []


# ---- redirects


def through(first: str, goal: str) -> tuple[bytes | PrivacyRefused, list[str]]:
    """What is behind an address of a server here that redirects once, and what was asked of it."""

    async def run() -> tuple[bytes | PrivacyRefused, list[str]]:
        async def answer(request: Received, writer: Any) -> None:
            if request.line.startswith("GET /first"):
                place = goal.format(port=server.port)
                head = f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n"
            else:
                head = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret"
            writer.write(head.encode())

        async with serving(answer) as server:
            got: bytes | PrivacyRefused
            try:
                got = await fetch(f"http://{first}:{server.port}/first", loaded())
            except PrivacyRefused as refused:
                got = refused
            return got, [one.line.split()[1] for one in server.requests]

    return asyncio.run(run())


def test_a_host_of_the_users_own_may_be_named_and_redirect_to_itself() -> None:
    assert through("127.0.0.1", "/second") == (b"secret", ["/first", "/second"])
    assert through("127.0.0.1", "http://127.0.0.1:{port}/b") == (b"secret", ["/first", "/b"])


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "[::1]", "0.0.0.0"])
def test_no_redirect_leads_into_the_users_own_network(host: str) -> None:
    got, asked = through("127.0.0.1", f"http://{host}:{{port}}/secret")

    assert isinstance(got, PrivacyRefused)
    assert got.reason == "private-address"
    assert got.message.startswith(f"a redirect leads to {host.strip('[]')}, ")
    assert asked == ["/first"]


@pytest.mark.parametrize("host", ["127.1", "2130706433", "nas.local", "intranet"])
def test_no_redirect_through_a_proxy_leads_there_by_another_spelling(host: str) -> None:
    """What is behind a proxy is looked up there, so the spelling is all that can be judged."""
    how = Dialling(provider="", public_only=True)
    proxy = parse_proxy("http://192.0.2.1:3128", "proxy")
    with pytest.raises(PrivacyRefused, match=f"a redirect leads to {host}"):
        asyncio.run(dial.dial("http", host, 80, proxy, how))


@pytest.mark.parametrize("name", ["evil.example", "nas.local", "intranet", "127.1"])
def test_a_name_that_leads_elsewhere_by_the_second_look_is_not_trusted(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who answers the redirect may have the name's address changed in between."""

    async def looked_up(_host: str, port: int) -> list[Address]:
        return [Address(socket.AF_INET, ("127.0.0.1", port))]

    monkeypatch.setattr(dial, "addresses", looked_up)
    got, asked = through(name, "/secret")

    assert isinstance(got, PrivacyRefused)
    assert got.reason == "private-address"
    assert asked == ["/first"]


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "::1", "fe80::1",
                "::ffff:10.0.0.1", "fd00::1", "100.64.0.1"],
)  # fmt: skip
def test_a_public_name_that_has_a_private_address_is_none(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def looked_up(_host: str, port: int) -> list[Address]:
        return [Address(socket.AF_INET, (address, port))]

    monkeypatch.setattr(dial, "addresses", looked_up)
    monkeypatch.setattr(dial, "connected", None)
    how = Dialling(provider="", public_only=True)
    with pytest.raises(PrivacyRefused, match=r"evil\.example"):
        asyncio.run(dial.dial("http", "evil.example", 80, None, how))


# ---- in a call


def call(*parts: Media | Text) -> Chat:
    return Chat("m", (Message(Role.USER, parts),))


def test_what_came_stands_in_the_place_of_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = {"https://a.example/x": png(), "https://a.example/b.txt": b"told\n"}

    async def brought(url: str, _loaded: Loaded) -> bytes:
        return bodies[url]

    monkeypatch.setattr(fetching, "fetch", brought)
    addresses = [Media("application/octet-stream", url=url, name=url[-5:]) for url in bodies]
    given = call(*addresses, Text("ask"))

    made = with_fetched(given, Asked(), loaded())

    assert made.messages[0].parts == (
        Media("image/png", data=png(), name="ple/x"),
        Text('<file name="b.txt">\ntold\n</file>\n\n', "b.txt"),
        Text("ask"),
    )


def test_a_dry_run_fetches_nothing() -> None:
    address = Media("image/png", url=URL, name="a")
    with pytest.raises(UsageError, match="--dry-run"):
        with_fetched(call(address), Asked(dry_run=True), loaded())
    assert with_fetched(call(Text("x")), Asked(dry_run=True), loaded()) == call(Text("x"))
