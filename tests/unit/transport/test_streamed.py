"""Requests with files in them on the wire: paced by the server, refused half-way, sent again."""

import asyncio
import os
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from llmctl.dialects import FilePart, HttpCall
from llmctl.dialects.media import base64_of
from llmctl.errors import LlmctlError, NetworkFailed, UsageError
from llmctl.types import Media
from llmctl.values import replace
from tests.unit.transport.loopback import Received, Server, lane, serving, status, whole

MIB = 1 << 20
REFUSED = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def large(tmp_path: Path) -> Media:
    """16 MiB, more than all buffers on the way hold."""
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(16 * MIB))
    return Media("video/mp4", path=str(path), size=16 * MIB, name="large.bin")


def put(file: Media) -> HttpCall:
    return HttpCall("POST", "/files", file=FilePart(file))


@asynccontextmanager
async def head_only(play: Any) -> AsyncIterator[Server]:
    """A server that hands over to `play(reader, writer)` once the head of a request is here."""
    server = Server()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        await reader.readuntil(b"\r\n\r\n")
        try:
            await play(reader, writer)
        except ConnectionError:
            pass
        finally:
            server.left.set()
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


def failing(file: Media, play: Any, **how: Any) -> LlmctlError:
    async def main() -> None:
        async with head_only(play) as server, lane(server.url(), **how) as one:
            await status(one, put(file))

    with pytest.raises(LlmctlError) as caught:
        asyncio.run(asyncio.wait_for(main(), 20))
    return caught.value


def test_what_arrives_is_the_file(large: Media) -> None:
    told: list[int] = []

    async def main() -> Received:
        async with serving(whole()) as server, lane(server.url()) as one:
            async with one.exchange(put(large), told.append) as reply:
                assert await reply.text() == "{}"
            return server.requests[0]

    got = asyncio.run(main())

    assert got.body == Path(str(large.path)).read_bytes()
    assert got.headers["content-length"] == str(16 * MIB)
    assert got.headers["content-type"] == "video/mp4"
    assert "transfer-encoding" not in got.headers
    assert told[-1] == 16 * MIB


def test_under_tls_it_is_the_same(large: Media, secured: Any, ca_file: str) -> None:
    async def main() -> Received:
        async with serving(whole(), secured) as server:
            async with lane(server.url("https"), ca_file=ca_file) as one:
                assert await status(one, put(large)) == 200
            return server.requests[0]

    assert asyncio.run(main()).body == Path(str(large.path)).read_bytes()


def test_it_is_not_held_in_memory(large: Media) -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = 16 * MIB
        while left:
            left -= len(await reader.read(MIB))
        writer.write(REFUSED)

    async def main() -> int:
        async with head_only(play) as server, lane(server.url()) as one:
            tracemalloc.start()
            try:
                await status(one, put(large))
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    # Both sides together: blocks of 192 KiB, and what waits in the buffers of the two.
    assert asyncio.run(main()) < 4 * MIB


def test_a_refusal_before_all_is_read_is_heard(large: Media) -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(100_000)
        writer.write(REFUSED)
        await writer.drain()
        await asyncio.sleep(0.1)

    async def main() -> tuple[int, int]:
        async with head_only(play) as server, lane(server.url()) as one:
            first = await status(one, put(large))
            again = await status(one, put(large))  # on a connection of its own
            assert server.connections == 2
            return first, again

    assert asyncio.run(asyncio.wait_for(main(), 20)) == (413, 413)


def test_a_refusal_and_a_reset_are_a_refusal(large: Media) -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(100_000)
        writer.write(REFUSED)
        await writer.drain()
        writer.close()  # with bytes unread, which is a reset

    async def main() -> int:
        async with head_only(play) as server, lane(server.url()) as one:
            return await status(one, put(large))

    assert asyncio.run(asyncio.wait_for(main(), 20)) == 413


def test_a_server_that_leaves_half_way(large: Media) -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8 * MIB)
        writer.transport.abort()

    error = failing(large, play)

    assert isinstance(error, NetworkFailed)
    assert (error.reason, error.retryable) == ("reset", True)


def test_a_server_that_takes_nothing(large: Media) -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    error = failing(large, play, idle_timeout=0.3)

    assert isinstance(error, NetworkFailed)
    assert error.reason == "idle"


def test_a_slow_server_is_borne_while_it_takes_something(large: Media) -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = 16 * MIB
        for _step in range(12):  # 1.2 s, four times the silence that is borne
            left -= len(await reader.readexactly(MIB))
            await asyncio.sleep(0.1)
        await reader.readexactly(left)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()

    async def main() -> int:
        async with head_only(play) as server, lane(server.url(), idle_timeout=0.3) as one:
            return await status(one, put(large))

    assert asyncio.run(asyncio.wait_for(main(), 20)) == 200


def test_a_file_that_changes_on_its_way_is_not_taken_for_trouble_of_the_network(
    large: Media,
) -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(MIB)
        os.truncate(str(large.path), 10 * MIB)
        await reader.read(-1)

    error = failing(large, play)

    assert isinstance(error, UsageError)
    assert "changed while it was sent" in error.message


def test_a_kept_connection_that_was_dead_is_replaced_and_the_file_read_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "small.bin"
    path.write_bytes(b"abc" * 1000)
    small = Media("image/png", path=str(path), size=3000)

    async def main() -> list[Received]:
        async with serving(whole()) as server, lane(server.url()) as one:
            assert await status(one, put(small)) == 200
            [kept] = one._transport._kept.values()  # type: ignore[attr-defined]
            # It has gone, and nobody here has heard of it: the request is met by that.
            kept.wire.transport.get_extra_info("socket").shutdown(1)
            kept.wire.over = False
            assert await status(one, put(small)) == 200
            assert server.connections == 2
            return server.requests

    assert [got.body for got in asyncio.run(asyncio.wait_for(main(), 20))] == [b"abc" * 1000] * 2


@pytest.mark.parametrize(("json", "tries"), [(True, 2), (False, 1)])
def test_a_file_that_may_have_arrived_is_not_sent_to_a_store_again(
    tmp_path: Path, json: bool, tries: int
) -> None:
    """A kept connection ends after all of it went out: nobody knows whether it was dead before.
    A question may be asked again then, a file in a store would be there twice."""
    path = tmp_path / "small.bin"
    path.write_bytes(b"abc")
    small = Media("image/png", path=str(path), size=3)
    sent = HttpCall("POST", "/chat", {"x": base64_of(small)}) if json else put(small)

    async def leaves(received: Received, writer: asyncio.StreamWriter) -> None:
        if received.headers["x-first"] == "yes":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        else:
            writer.transport.abort()

    async def main() -> int:
        async with serving(leaves) as server, lane(server.url()) as one:
            await status(one, replace(sent, headers={"X-First": "yes"}))
            with pytest.raises(NetworkFailed):
                await status(one, replace(sent, headers={"X-First": "no"}))
            return len(server.requests) - 1

    assert asyncio.run(asyncio.wait_for(main(), 20)) == tries


def test_a_second_file_goes_over_the_same_connection(large: Media) -> None:
    async def main() -> int:
        async with serving(whole()) as server, lane(server.url()) as one:
            assert await status(one, put(large)) == 200
            assert await status(one, put(large)) == 200
            return server.connections

    assert asyncio.run(main()) == 1
