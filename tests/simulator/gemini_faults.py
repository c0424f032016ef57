"""What Gemini does that its callers do not expect."""

import json
from typing import Any

from tests.simulator.answers import Answer
from tests.simulator.exchange import Exchange, fault
from tests.simulator.faults import half
from tests.simulator.gemini import RPC

OVERLOADED = "The model is overloaded. Please try again later."


@fault
async def prompt_blocked(exchange: Exchange) -> None:
    """No candidate at all, in an answer that is a success."""
    document = {
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
        "usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7},
        "modelVersion": exchange.asked.model,
        "responseId": "resp-sim-1",
    }
    if exchange.asked.stream:
        await exchange.stream(exchange.dialect.frame(document))
    else:
        await exchange.json(document)


@fault
async def bare_error(exchange: Exchange) -> None:
    """The error between the events as it is, over many lines."""
    await half(exchange)
    said = exchange.dialect.error(503, OVERLOADED, None, None)
    await exchange.wire.send(json.dumps(said, indent=2).encode() + b"\n")
    await exchange.wire.end()


@fault
async def bare_error_once(exchange: Exchange) -> None:
    """The same before any text."""
    if exchange.nth > 1:
        await exchange.well()
        return
    said = exchange.dialect.error(503, OVERLOADED, None, None)
    await exchange.stream(json.dumps(said, indent=2).encode())


@fault
async def error_array(exchange: Exchange) -> None:
    """An error answer that is an array of one, as a stream without `alt=sse` would begin."""
    said = exchange.dialect.error(400, "Unable to process input image", None, None)
    await exchange.json([said], 400)


@fault
async def retry_info(exchange: Exchange) -> None:
    """A wait that is named in the body, and in no header; the message is that of a spent quota."""
    if exchange.nth > 1:
        await exchange.well()
        return
    document: Any = exchange.dialect.error(429, "", "rate_limit_exceeded", None)
    document["error"]["message"] = "You exceeded your current quota, please check your plan."
    document["error"]["details"].append({"@type": f"{RPC}RetryInfo", "retryDelay": "0.4s"})
    await exchange.json(document, 429)


@fault
async def malformed_call(exchange: Exchange) -> None:
    """The model gave up on a call of a function."""
    candidate = {"finishReason": "MALFORMED_FUNCTION_CALL", "index": 0}
    await exchange.well(Answer((), extra={"candidates": [candidate]}))


@fault
async def array(exchange: Exchange) -> None:
    """A proxy lost `alt=sse`, and the stream comes as one JSON array."""
    frames = [*exchange.frames().content, *exchange.frames().end]
    documents = [json.loads(frame.removeprefix(b"data: ")) for frame in frames]
    await exchange.json(documents)
