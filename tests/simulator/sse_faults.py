"""What server-sent events allow, and what servers get wrong about them."""

import json
from collections.abc import Callable

from tests.simulator.answers import Answer
from tests.simulator.exchange import Exchange, fault
from tests.simulator.faults import half
from tests.simulator.openai_chat import DONE


async def _rewritten(exchange: Exchange, rewrite: Callable[[bytes], bytes]) -> None:
    await exchange.stream(rewrite(exchange.frames().all))


@fault
async def no_space(exchange: Exchange) -> None:
    await _rewritten(exchange, lambda data: data.replace(b"data: ", b"data:"))


@fault
async def bom(exchange: Exchange) -> None:
    await _rewritten(exchange, lambda data: b"\xef\xbb\xbf" + data)


@fault
async def crlf(exchange: Exchange) -> None:
    await _rewritten(exchange, lambda data: data.replace(b"\n", b"\r\n"))


@fault
async def cr(exchange: Exchange) -> None:
    await _rewritten(exchange, lambda data: data.replace(b"\n", b"\r"))


@fault
async def comments(exchange: Exchange) -> None:
    """Comments, ids and times to come back, before and between the events."""
    more = b": PROCESSING\n\nid: 7\nretry: 3000\n:\ndata: "
    await _rewritten(exchange, lambda data: data.replace(b"data: ", more))


@fault
async def no_data(exchange: Exchange) -> None:
    """Events without data between those with it."""
    await _rewritten(exchange, lambda data: data.replace(b"data: ", b"event: ping\n\ndata: "))


@fault
async def many_lines(exchange: Exchange) -> None:
    """JSON over several `data:` lines."""
    lines = exchange.frames().all.split(b"\n")
    await exchange.stream(b"\n".join(spread for line in lines for spread in _spread(line)))


def _spread(line: bytes) -> list[bytes]:
    """A line with JSON as many lines, any other as it is."""
    try:
        document = json.loads(line.removeprefix(b"data: ")) if line.startswith(b"data: ") else None
    except ValueError:  # the mark at the end
        document = None
    if not isinstance(document, dict):
        return [line]
    return [f"data: {one}".encode() for one in json.dumps(document, indent=1).split("\n")]


@fault
async def done_spaced(exchange: Exchange) -> None:
    await _rewritten(exchange, lambda data: data.replace(b"[DONE]", b"[DONE]  "))


@fault
async def no_done(exchange: Exchange) -> None:
    await _rewritten(exchange, lambda data: data.removesuffix(DONE))


@fault
async def done_only(exchange: Exchange) -> None:
    """`[DONE]` after half of the text, without a finish reason."""
    await half(exchange)
    await exchange.wire.send(DONE)
    await exchange.wire.end()


@fault
async def finish_open(exchange: Exchange) -> None:
    """The finish reason is the last that is heard: no usage, no mark, no end."""
    frames = exchange.frames()
    await exchange.begin()
    await exchange.wire.send(b"".join((*frames.content, frames.end[0])))
    await exchange.wire.silence()


@fault
async def usage_everywhere(exchange: Exchange) -> None:
    """Running totals on every chunk, as some hosts send them."""
    usage = b'"usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}'
    await _rewritten(exchange, lambda data: data.replace(b'"usage": null', usage))


@fault
async def pings(exchange: Exchange) -> None:
    """Nothing but comments, which prove that somebody lives there and no more."""
    await exchange.begin()
    while True:
        await exchange.wire.send(b": ping\n\n")
        await exchange.wire.nap(0.05)


@fault
async def pings_then_well(exchange: Exchange) -> None:
    """Comments while a long prompt is read, and then the answer."""
    frames = exchange.frames()
    await exchange.begin()
    for _ping in range(8):
        await exchange.wire.send(b": ping\n\n")
        await exchange.wire.nap(0.1)
    await exchange.wire.send(frames.all)
    await exchange.wire.end()


@fault
async def old_error_frame(exchange: Exchange) -> None:
    """The error as the frame itself, as vLLM used to send it."""
    await half(exchange)
    said = {"object": "error", "message": "CUDA out of memory", "type": "ServerError", "code": 500}
    await exchange.wire.send(exchange.dialect.frame(said))
    await exchange.wire.end()


@fault
async def error_event(exchange: Exchange) -> None:
    """An error under an event name of its own."""
    await half(exchange)
    said = exchange.dialect.error(500, "The model ran out of memory", "server_error", None)
    await exchange.wire.send(b"event: error\n" + exchange.dialect.frame(said))
    await exchange.wire.end()


@fault
async def quota_in_stream(exchange: Exchange) -> None:
    """A spent quota that is only told inside the 200 answer."""
    said = "You exceeded your current quota"
    document = exchange.dialect.error(429, said, "insufficient_quota", "insufficient_quota")
    await exchange.stream(exchange.dialect.frame(document))


@fault
async def blocked(exchange: Exchange) -> None:
    """A prompt that the filter did not let through."""
    await exchange.refuse(400, "The response was filtered by the content policy", "content_filter")


@fault
async def context_llama(exchange: Exchange) -> None:
    """llama-server's own words for a prompt that is too long."""
    said = "the request exceeds the available context size, try increasing it"
    document = {
        "code": 400,
        "message": said,
        "type": "exceed_context_size_error",
        "n_prompt_tokens": 5031,
        "n_ctx": 2048,
    }
    await exchange.json({"error": document}, 400)


@fault
async def timings(exchange: Exchange) -> None:
    """llama-server's clock on the last chunk."""
    clock = {"prompt_n": 12, "prompt_ms": 30.5, "predicted_n": 4, "predicted_ms": 40.25}
    await exchange.well(Answer(extra={"timings": clock}))
