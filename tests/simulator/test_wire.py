"""That faults are faulty in the way their names say, seen through a bare socket."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable

import pytest

from tests.simulator import Simulator
from tests.simulator.exchange import FAULTS
from tests.simulator.faults import HALF
from tests.simulator.wire import Wire

BODY = '{"model": "%s", "messages": [{"role": "user", "content": "hi"}], "stream": true}'


def ask(sim: Simulator, model: str, path: str = "/v1/chat/completions") -> socket.socket:
    """A connection on which the model was asked."""
    body = (BODY % model).encode()
    plug = socket.create_connection(("127.0.0.1", sim.port), timeout=5)
    head = f"POST {path} HTTP/1.1\r\nhost: sim\r\ncontent-length: {len(body)}\r\n\r\n"
    plug.sendall(head.encode() + body)
    return plug


def read_to_end(plug: socket.socket) -> bytes:
    data = bytearray()
    while piece := plug.recv(65536):
        data += piece
    return bytes(data)


def read_until(plug: socket.socket, there: Callable[[bytes], bool]) -> bytes:
    data = b""
    while not there(data):
        piece = plug.recv(65536)
        assert piece, f"the connection ended after {data[-80:]!r}"
        data += piece
    return data


def test_a_whole_answer_ends_with_the_mark_and_the_body(sim: Simulator) -> None:
    with ask(sim, "mock") as plug:
        data = read_until(plug, lambda data: data.endswith(b"\r\n0\r\n\r\n"))

    assert data.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"data: [DONE]\n\n" in data


def test_a_connection_serves_one_request_after_the_other(sim: Simulator) -> None:
    with ask(sim, "mock") as plug:
        for _time in range(2):
            read_until(plug, lambda data: data.endswith(b"\r\n0\r\n\r\n"))
            body = (BODY % "mock").encode()
            plug.sendall(
                b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(body)
            )
            plug.sendall(body)
        read_until(plug, lambda data: data.endswith(b"\r\n0\r\n\r\n"))

    assert [one.connection - sim.requests[0].connection + 1 for one in sim.requests] == [1, 1, 1]


def test_cut_ends_the_body_properly_without_the_mark(sim: Simulator) -> None:
    with ask(sim, "mock-fault-cut") as plug:
        data = read_until(plug, lambda data: data.endswith(b"\r\n0\r\n\r\n"))

    assert b"scatters" in data
    assert b"[DONE]" not in data
    assert b'"stop"' not in data
    assert HALF == "Blue light scatters "


def test_cut_close_ends_with_the_connection(sim: Simulator) -> None:
    with ask(sim, "mock-fault-cut-close") as plug:
        data = read_to_end(plug)

    assert b"transfer-encoding" not in data
    assert b"scatters" in data
    assert b"[DONE]" not in data


def test_torn_chunk_closes_before_the_chunk_is_whole(sim: Simulator) -> None:
    with ask(sim, "mock-fault-torn-chunk") as plug:
        data = read_to_end(plug)

    promised, _crlf, rest = data.rpartition(b"\r\n400\r\n")
    assert promised
    assert len(rest) < 0x400


def test_reset_breaks_the_connection(sim: Simulator) -> None:
    with ask(sim, "mock-fault-reset") as plug:
        data = read_until(plug, lambda data: b"scatters" in data)
        with pytest.raises(ConnectionResetError):
            read_to_end(plug)

    assert b"[DONE]" not in data


def test_a_client_that_leaves_is_noticed(sim: Simulator) -> None:
    plug = ask(sim, "mock-fault-endless")
    read_until(plug, lambda data: data.count(b"red light.") > 2)
    assert not sim.requests[0].disconnected.is_set()
    plug.close()

    assert sim.requests[0].disconnected.wait(5)
    assert sim.requests[0].answered_at is None


def test_pings_bring_comments_and_nothing_else(sim: Simulator) -> None:
    with ask(sim, "mock-fault-pings") as plug:
        data = read_until(plug, lambda data: data.count(b": ping") >= 3)

    assert b"data:" not in data


def test_a_fault_that_passes_is_counted_by_request(sim: Simulator) -> None:
    seen = []
    for _time in range(3):
        with ask(sim, "mock-fault-loading") as plug:
            seen.append(read_until(plug, lambda data: b"\r\n\r\n" in data)[:12])

    assert seen == [b"HTTP/1.1 503", b"HTTP/1.1 503", b"HTTP/1.1 200"]


def test_a_script_goes_before_the_name_of_the_model(sim: Simulator) -> None:
    sim.script(["500-forever", "ok"])
    seen = []
    for _time in range(3):
        with ask(sim, "mock-fault-redirect") as plug:
            seen.append(read_until(plug, lambda data: b"\r\n\r\n" in data)[:12])

    # `ok` means that the script has nothing to say, not that the name is not read.
    assert seen == [b"HTTP/1.1 500", b"HTTP/1.1 200", b"HTTP/1.1 307"]


def test_a_script_knows_its_faults(sim: Simulator) -> None:
    with pytest.raises(KeyError, match="nosuch"):
        sim.script(["ok", "nosuch"])


def test_one_key_is_let_in_where_one_is_set(sim: Simulator) -> None:
    sim.key = "k" * 8
    with ask(sim, "mock") as plug:
        assert b"HTTP/1.1 401" in read_until(plug, lambda data: b"\r\n\r\n" in data)


def test_waiting_for_requests_sees_those_of_other_threads(sim: Simulator) -> None:
    thread = threading.Thread(target=lambda: ask(sim, "mock").close())
    thread.start()
    (request,) = sim.wait_for(1)
    thread.join()

    assert request.json["model"] == "mock"
    assert request.at <= time.monotonic()


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_fault_answers_or_ends(sim: Simulator, name: str) -> None:
    """No fault may fail by a mistake of its own, which would look like a cut connection."""
    failed: list[object] = []
    loop = sim._loop
    loop.call_soon_threadsafe(loop.set_exception_handler, lambda _l, told: failed.append(told))
    for path in ("/v1/chat/completions", "/api/chat"):
        with ask(sim, f"mock-fault-{name}", path) as plug:
            plug.settimeout(0.02)
            enough = time.monotonic() + 0.2  # some faults have no end
            try:
                while time.monotonic() < enough and plug.recv(1 << 20):
                    pass
            except (TimeoutError, ConnectionResetError):
                pass
    assert failed == []


def test_a_connection_that_is_gone_is_stopped_without_a_word() -> None:
    """Of a transport that was closed with bytes still unsent, asyncio leaves nothing to abort."""

    async def play() -> None:
        there, here = socket.socketpair()
        with there, here:
            for end in (there, here):
                end.setblocking(False)
            loop = asyncio.get_running_loop()
            waiting = asyncio.Event()

            async def serve(_wire: Wire) -> None:
                await waiting.wait()

            wire = Wire(1, serve)
            transport, _protocol = await loop.create_connection(lambda: wire, sock=there)
            transport.write(b"x" * 5_000_000)  # more than a socket takes
            wire.close()
            while not transport.is_closing() or not wire.gone:
                with contextlib.suppress(BlockingIOError):
                    here.recv(1 << 20)
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            wire.stop()
            waiting.set()

    asyncio.run(play())
