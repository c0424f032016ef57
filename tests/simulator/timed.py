"""Answers at a pace that a test knows: `mock-fault-timed:FIRST-COUNT-GAP` waits FIRST milliseconds,
then streams COUNT words, one every GAP milliseconds. With a fourth number, an Ollama says that so
many of the first milliseconds went into loading the model; without one, that none did."""

import time

from tests.simulator.answers import Answer
from tests.simulator.exchange import Exchange, fault


@fault
async def timed(exchange: Exchange) -> None:
    """`Request.sent` gets the moment of each word, so that what a client reports can be held
    against what happened, not against what was planned."""
    numbers = [int(one) for one in exchange.asked.model.partition(":")[2].split("-")]
    first, count, gap, load = (*numbers, 0)[:4]
    loading = {"load_duration": load * 1_000_000} if exchange.dialect.name == "ollama" else None
    words = tuple(f"word{number} " for number in range(count))
    frames = exchange.frames(Answer(words, extra=loading))
    # The pieces of content that hold no word come before those that do, as of OpenAI's role.
    before, pieces = frames.content[:-count], frames.content[-count:]
    await exchange.wire.nap(first / 1000)
    await exchange.begin()
    for piece in before:
        await exchange.wire.send(piece)
    for number, piece in enumerate(pieces):
        if number:
            await exchange.wire.nap(gap / 1000)
        exchange.request.sent.append(time.monotonic())
        await exchange.wire.send(piece)
    await exchange.wire.send(b"".join(frames.end))
    await exchange.wire.end()
