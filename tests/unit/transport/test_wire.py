"""What has arrived is kept until it is read, whatever becomes of the connection."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from llmctl.transport.wire import MOST_WAITING, Wire


@asynccontextmanager
async def wired() -> AsyncIterator[tuple[Wire, socket.socket]]:
    """A wire, and the other end of it as a socket."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    _transport, wire = await asyncio.get_running_loop().create_connection(Wire, sock=ours)
    try:
        yield wire, theirs
    finally:
        wire.close()
        theirs.close()
        await asyncio.sleep(0)  # the transport closes its socket in the loop's next turn


async def until(true: Callable[[], bool]) -> None:
    """Turns of the loop until `true()`, at most five seconds of them."""
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110  a wire has no event for it
            await asyncio.sleep(0.001)


def test_what_arrived_is_read_at_once_and_its_end_is_empty() -> None:
    async def main() -> None:
        async with wired() as (wire, theirs):
            theirs.send(b"one")
            assert await wire.read() == b"one"
            reading = asyncio.create_task(wire.read())
            await asyncio.sleep(0)
            theirs.send(b"two")
            assert await reading == b"two"
            theirs.send(b"last")
            theirs.close()
            await until(lambda: wire.over)
            assert await wire.read() == b"last"
            assert await wire.read() == b""
            assert await wire.read() == b""

    asyncio.run(main())


def test_a_connection_that_broke_gives_what_had_arrived_and_then_says_so() -> None:
    async def main() -> None:
        async with wired() as (wire, theirs):
            theirs.send(b"answer")
            await until(lambda: not wire.quiet)
            wire.connection_lost(ConnectionResetError("reset"))
            assert await wire.read() == b"answer"
            with pytest.raises(OSError, match="reset"):
                await wire.read()

    asyncio.run(main())


def test_exactly_and_until_leave_the_rest() -> None:
    async def main() -> None:
        async with wired() as (wire, theirs):
            theirs.send(b"abcdHEAD\r\n\r\nrest")
            assert await wire.read_exactly(4) == b"abcd"
            assert await wire.read_until(b"\r\n\r\n", 100) == b"HEAD\r\n\r\n"
            assert not wire.quiet
            assert await wire.read() == b"rest"
            assert wire.quiet

    asyncio.run(main())


def test_a_mark_cut_in_two_is_found() -> None:
    async def main() -> None:
        async with wired() as (wire, theirs):
            reading = asyncio.create_task(wire.read_until(b"\r\n\r\n", 100))
            for byte in b"a\r\n\r\nb":
                theirs.send(bytes([byte]))
                await asyncio.sleep(0.001)
            assert await reading == b"a\r\n\r\n"
            assert await wire.read_exactly(1) == b"b"

    asyncio.run(main())


def test_an_end_that_comes_too_early_is_an_eof_error() -> None:
    async def main() -> None:
        async with wired() as (wire, theirs):
            theirs.send(b"abc")
            theirs.close()
            with pytest.raises(EOFError):
                await wire.read_exactly(4)
        async with wired() as (wire, theirs):
            theirs.send(b"abc")
            theirs.close()
            with pytest.raises(EOFError):
                await wire.read_until(b"!", 9)

    asyncio.run(main())


def test_a_head_that_does_not_end_is_given_up() -> None:
    async def main() -> None:
        async with wired() as (wire, theirs):
            theirs.send(b"x" * 101)
            with pytest.raises(EOFError):
                await wire.read_until(b"!", 100)
        async with wired() as (wire, theirs):
            theirs.send(b"x" * 99 + b"!")
            assert len(await wire.read_until(b"!", 100)) == 100
        async with wired() as (wire, theirs):
            theirs.send(b"x" * 100 + b"!")  # all of it at once, and still too long
            with pytest.raises(EOFError):
                await wire.read_until(b"!", 100)

    asyncio.run(main())


def test_a_slow_reader_does_not_fill_the_memory() -> None:
    async def main() -> None:
        async with wired() as (wire, theirs):
            loop = asyncio.get_running_loop()
            sending = asyncio.create_task(loop.sock_sendall(theirs, b"x" * 4_000_000))
            await asyncio.sleep(0.05)
            held = wire._size
            assert not sending.done()
            # One receive of at most as much may come on top before reading stops.
            assert MOST_WAITING < held <= 2 * MOST_WAITING
            assert wire._paused
            total = 0
            while total < 4_000_000:
                total += len(await wire.read())
            await sending
            assert total == 4_000_000

    asyncio.run(main())


def test_writing_never_blocks_and_what_is_left_is_known() -> None:
    async def main() -> None:
        async with wired() as (wire, theirs):
            wire.write(b"x" * 4_000_000)
            assert 0 < wire.unsent < 4_000_000
            taken = 0
            while taken < 4_000_000:
                taken += len(await asyncio.get_running_loop().sock_recv(theirs, 1 << 20))
            await until(lambda: wire.unsent == 0)

    asyncio.run(main())


def test_closing_is_noticed_at_once_and_drops_what_is_on_its_way() -> None:
    async def main() -> None:
        async with wired() as (wire, theirs):
            wire.write(b"x" * 4_000_000)
            wire.close()
            assert (wire.over, wire.unsent, wire.quiet) == (True, 0, False)
            assert await wire.read() == b""
            got = 0
            while piece := await asyncio.get_running_loop().sock_recv(theirs, 1 << 20):
                got += len(piece)
            assert got < 4_000_000

    asyncio.run(main())


def test_quiet_is_a_connection_that_stands_and_says_nothing() -> None:
    async def main() -> None:
        async with wired() as (wire, theirs):
            assert wire.quiet
            theirs.shutdown(socket.SHUT_WR)
            await until(lambda: wire.over)
            assert not wire.quiet

    asyncio.run(main())


def test_a_cancelled_read_loses_nothing() -> None:
    async def main() -> None:
        async with wired() as (wire, theirs):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(wire.read(), 0.01)
            theirs.send(b"later")
            assert await wire.read() == b"later"

    asyncio.run(main())


def test_what_came_unprotected_does_not_pass_as_protected() -> None:
    async def main() -> None:
        async with wired() as (wire, theirs):
            theirs.send(b"HTTP/1.1 200 OK\r\n\r\n{}")
            await until(lambda: not wire.quiet)
            with pytest.raises(ConnectionAbortedError):
                async with asyncio.timeout(5):
                    await wire.secure(ssl.create_default_context(), "api.example.test")

    asyncio.run(main())
