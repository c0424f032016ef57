"""The connection after a streamed answer whose formal end comes in a packet of its own."""

import asyncio

import pytest

from llmctl.dialects import Framing
from tests.unit.transport.loopback import (
    CALL,
    SSE_HEAD,
    Answer,
    Received,
    chunk,
    lane,
    serving,
)

LAST = chunk(b"data: one\n\ndata: [DONE]\n\n")
END = b"0\r\n\r\n"


def in_two(rest: bytes, go: asyncio.Event) -> Answer:
    """A stream up to its mark at once, the rest of it when told to."""

    async def answer(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(SSE_HEAD + LAST)
        await go.wait()
        if rest:
            writer.write(rest)
        await writer.drain()

    return answer


async def twice(rest: bytes, *, arrives: bool = True, spare: bool = True) -> tuple[int, list[bool]]:
    """Two exchanges, each left at the mark; the connections made and which were reused."""
    go = asyncio.Event()
    async with serving(in_two(rest, go)) as server, lane(server.url()) as one:
        reused = []
        for _time in range(2):
            go.clear()
            async with one.exchange(CALL) as reply:
                reused.append(reply.timing.reused)
                stream = reply.frames(Framing.SSE)
                assert [(await anext(stream)).data for _frame in range(2)] == ["one", "[DONE]"]
                if spare:
                    reply.spare()
                await stream.aclose()
            if arrives:
                go.set()
                await asyncio.sleep(0.02)  # for the server's turn
        return server.connections, reused


@pytest.mark.parametrize("rest", [END, chunk(b"\n\n: bye\n\n") + END])
def test_an_end_that_comes_later_keeps_the_connection(rest: bytes) -> None:
    assert asyncio.run(twice(rest)) == (1, [False, True])


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        (b"", "the end is not here yet"),
        (b"nonsense\r\n", "not an end at all"),
        (END + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", "an answer nobody asked for"),
    ],
)
def test_without_a_proper_end_the_next_request_gets_a_new_one(rest: bytes, why: str) -> None:
    assert asyncio.run(twice(rest)) == (2, [False, False]), why


def test_an_end_still_under_way_is_not_waited_for() -> None:
    assert asyncio.run(twice(END, arrives=False)) == (2, [False, False])


def test_an_answer_left_for_another_reason_closes_the_connection_at_once() -> None:
    assert asyncio.run(twice(END, spare=False)) == (2, [False, False])
