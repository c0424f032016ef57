"""What Ollama does that its callers do not expect."""

from tests.simulator.answers import Answer
from tests.simulator.exchange import Exchange, fault
from tests.simulator.faults import half
from tests.simulator.ollama import CLOUD


@fault
async def load(exchange: Exchange) -> None:
    """The model was only loaded: an end mark without an answer."""
    await exchange.well(Answer((), finish="load", usage=False))


@fault
async def prompt_cut(exchange: Exchange) -> None:
    """A prompt of any length counts as 256 tokens: its beginning is gone."""
    await exchange.well(Answer(prompt_tokens=256))


@fault
async def elsewhere(exchange: Exchange) -> None:
    """A model under a harmless name that runs on another host."""
    await exchange.well(Answer(extra={"remote_host": CLOUD, "remote_model": "gpt-oss:120b"}))


@fault
async def error_text(exchange: Exchange) -> None:
    """An error that is not even JSON, in the middle of the stream."""
    await half(exchange)
    await exchange.wire.send(b"Internal Server Error (ref: 0e41)\n")
    await exchange.wire.end()


@fault
async def busy_once(exchange: Exchange) -> None:
    """The queue is full."""
    if exchange.nth == 1:
        await exchange.refuse(503, "server busy, please try again.  maximum pending requests")
    else:
        await exchange.well()
