"""`--local-only`: asked beforehand, and behind that a fence around every library of the process.

The fence cannot be taken off again, so each test of it has a process of its own.
"""

import asyncio
import json
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from llmctl.errors import PrivacyRefused
from llmctl.transport import egress
from llmctl.transport.dial import Dialling, dial
from llmctl.transport.egress import is_local, is_private, refuse_distant
from llmctl.transport.proxy import parse_proxy
from tests.unit.transport.loopback import serving, whole
from tests.unit.transport.proxies import socks_proxy

ROOT = Path(__file__).parent.parent.parent.parent


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("localhost.localdomain", True),
        ("ollama.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("127.0.0.1.", True),
        ("::1", True),
        ("[::1]", True),
        ("::1%lo", True),
        ("127.1", False),  # not every system reads it so
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("192.168.0.1", False),
        ("fe80::1%eth0", False),
        ("128.0.0.1", False),
        ("", False),
        ("example.test", False),
        ("localhost.example.test", False),
        ("notlocalhost", False),
        ("127.0.0.1.example.test", False),
        ("127.0.0.1%x.example.test", False),  # a label of DNS may hold anything
        ("127.0.0.1%25x.example.test", False),
        ("localhost%x.example.test", False),
    ],
)
def test_what_is_this_machine(host: str, expected: bool) -> None:
    assert is_local(host) is expected


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost.", "a.localhost", "127.0.0.1", "192.168.0.1", "192.168.0.1.",
     "10.1.2.3", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "0",
     "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0x7f000001", "3232235521", "192.168.1",
     "127.0.0%2e1", "\uff11\uff12\uff17.0.0.1", "nas\u3002local",
     "[::1]", "::1", "fe80::1%eth0", "fe80::1%25eth0", "fd00::1", "::ffff:10.0.0.1",
     "2002:7f00:1::", "64:ff9b::a00:1",
     "nas.local", "NAS.Local.", "printer.lan", "intranet", "host.docker.internal", "x.internal",
     "home.arpa", "nas.home.arpa", "a.corp", "a.home", "a.private", "a.intranet", "app.test"],
)  # fmt: skip
def test_what_nobody_outside_may_be_sent_to(host: str) -> None:
    assert is_private(host)


@pytest.mark.parametrize(
    "host",
    ["files.example", "8.8.8.8", "134744072", "0x8.0x8.0x8.0x8", "2606:4700::1111",
     "2002:808:808::", "64:ff9b::808:808", "local.example", "mylocal.org", "arpa.example",
     "internal.example.com", "lan.example.com.", "m\u00fcnchen.example", "10.example.com",
     "127.0.0.1.example.com"],
)  # fmt: skip
def test_what_anybody_may_be_sent_to(host: str) -> None:
    assert not is_private(host)


def test_a_refusal_names_the_host_and_what_to_ask_instead() -> None:
    refuse_distant("localhost")
    with pytest.raises(PrivacyRefused) as caught:
        refuse_distant("api.example.test")

    error = caught.value
    assert (error.exit_code, error.host, error.retryable) == (4, "api.example.test", False)
    assert "api.example.test" in error.message
    assert "llmctl models list local" in (error.hint or "")


# ------------------------------------------------------------------------------ before a connection


def test_a_distant_host_is_refused_before_its_name_is_looked_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []
    how = Dialling(provider="acme", local_only=True)

    async def main() -> None:
        with monkeypatch.context() as patch:  # by now the loop has its own sockets
            patch.setattr(socket, "getaddrinfo", lambda *one, **_how: asked.append(one))
            patch.setattr(socket, "socket", lambda *one, **_how: asked.append(one))
            with pytest.raises(PrivacyRefused):
                await dial("https", "api.example.test", 443, None, how)
            with pytest.raises(PrivacyRefused):
                await dial("http", "192.0.2.1", 80, parse_proxy("http://127.0.0.1:1", "x"), how)

    asyncio.run(main())
    assert asked == []


def test_this_machine_is_reached_without_a_proxy() -> None:
    async def main() -> None:
        async with serving(whole()) as server, socks_proxy() as proxy:
            way = parse_proxy(proxy.url("socks5h"), "x")
            how = Dialling(provider="acme", local_only=True)
            wire = await dial("http", "127.0.0.1", server.port, way, how)
            wire.close()
            assert proxy.said == []

    asyncio.run(main())


# --------------------------------------------------------------------------- the fence of a process

FENCED = """
import asyncio, http.client, json, os, socket, sys, tempfile, urllib.request
sys.path.insert(0, {root!r})
from llmctl.errors import PrivacyRefused
from llmctl.transport.egress import forbid_egress

forbid_egress(); forbid_egress()
OUT = ("192.0.2.1", 80)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
tcp = socket.socket()
tcp.settimeout(1)
six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
listening = socket.create_server(("127.0.0.1", 0))
HERE = listening.getsockname()
path = os.path.join(tempfile.mkdtemp(), "s")
unix = socket.socket(socket.AF_UNIX)
unix.bind(path)
unix.listen()

async def opened(host, port):
    _reader, writer = await asyncio.open_connection(host, port)
    writer.close()
    await writer.wait_closed()

def close(made):
    made.close()

TRIED = {{
    "connect": lambda: tcp.connect(OUT),
    "connect_ex": lambda: tcp.connect_ex(OUT),
    "create_connection": lambda: socket.create_connection(OUT, 1),
    "create_connection by name": lambda: socket.create_connection(("example.test", 80), 1),
    "sendto": lambda: udp.sendto(b"x", OUT),
    "sendmsg": lambda: udp.sendmsg([b"x"], [], 0, OUT),
    "connect of datagrams": lambda: udp.connect(OUT),
    "sendto over IPv6": lambda: six.sendto(b"x", ("2001:db8::1", 53)),
    "getaddrinfo": lambda: socket.getaddrinfo("example.test", 443),
    "getaddrinfo of bytes": lambda: socket.getaddrinfo(b"example.test", 443),
    "gethostbyname": lambda: socket.gethostbyname("example.test"),
    "gethostbyname_ex": lambda: socket.gethostbyname_ex("example.test"),
    "gethostbyaddr": lambda: socket.gethostbyaddr("192.0.2.1"),
    "getnameinfo": lambda: socket.getnameinfo(OUT, 0),
    "getfqdn": lambda: socket.getfqdn("example.test"),
    "urllib": lambda: urllib.request.urlopen("http://example.test", timeout=1),
    "http.client": lambda: http.client.HTTPConnection("192.0.2.1", timeout=1).request("GET", "/"),
    "asyncio": lambda: asyncio.run(opened("192.0.2.1", 80)),
    "asyncio by name": lambda: asyncio.run(opened("example.test", 80)),
    "here: connect": lambda: close(socket.create_connection(HERE, 1)),
    "here: by name": lambda: socket.getaddrinfo("localhost", 80),
    "here: no host": lambda: socket.getaddrinfo(None, 80),
    "here: sendto": lambda: udp.sendto(b"x", HERE),
    "here: unix": lambda: socket.socket(socket.AF_UNIX).connect(path),
    "here: asyncio": lambda: asyncio.run(opened(*HERE)),
}}
said = {{}}
for name, try_ in TRIED.items():
    try:
        try_()
        said[name] = "done"
    except PrivacyRefused:
        said[name] = "refused"
    except BaseException as error:
        said[name] = repr(error)
print(json.dumps(said))
"""
NAMES = [
    line.split('"')[1]
    for line in FENCED.splitlines()
    if line.startswith('    "') and "lambda" in line
]


def in_a_process(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def fenced() -> dict[str, str]:
    said: dict[str, str] = json.loads(in_a_process(FENCED.format(root=str(ROOT))))
    return said


@pytest.mark.parametrize("way", NAMES)
def test_no_library_gets_out_and_this_machine_stays_reachable(way: str) -> None:
    assert fenced()[way] == ("done" if way.startswith("here: ") else "refused")


LANE = """
import asyncio, json, socket, sys
sys.path.insert(0, {root!r})
from llmctl.dialects import HttpCall
from llmctl.errors import LlmctlError
from llmctl.transport.exchange import Lane
from llmctl.transport.target import Target

asked = []
sys.addaudithook(lambda event, _args: asked.append(event) if event.startswith("socket.") else None)

async def main(url):
    async with Lane(Target(provider="acme", base_url=url, local_only=True)) as lane:
        async with lane.exchange(HttpCall("POST", "chat", {{"prompt": "Why?"}})) as reply:
            return reply.status

async def both():
    try:
        await main("https://api.example.test/v1")
    except LlmctlError as error:
        refused = error.code
    # What the loop itself needs (a pair of sockets, none of them connected) is no way out.
    first = [one for one in asked if one not in ("socket.__new__", "socket.bind")]
    return refused, first, await main(sys.argv[1])

said = asyncio.run(both())
try:
    socket.getaddrinfo("example.test", 80)
except LlmctlError as error:
    print(json.dumps([*said, error.code]))
"""


def test_a_lane_for_this_machine_only_fences_the_process_and_still_works() -> None:
    async def main() -> Any:
        async with serving(whole()) as server:
            program = LANE.format(root=str(ROOT))
            return json.loads(await asyncio.to_thread(in_a_process, program, server.url()))

    refused, asked, status, afterwards = asyncio.run(main())

    assert (refused, status, afterwards) == ("privacy-refused", 200, "privacy-refused")
    assert asked == []


def test_without_the_fence_nothing_is_refused() -> None:
    egress._watch("socket.connect", (None, ("192.0.2.1", 80)))  # not forbidden: passes
