"""Faults that any dialect can have: broken bodies, silence, odd answers, errors by status.

Each is chosen by its name with dashes: `cut_close` is met by the model `mock-fault-cut-close`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from time import time

from tests.simulator.answers import PIECES, THOUGHT, Answer
from tests.simulator.exchange import FAULTS, Exchange, fault

# What a stream that breaks off in the middle has said by then.
HALF = "".join(PIECES[:2])
SEPARATORS = "one\u2028two\u2029three\u0085four"
MANY_BYTES = "Небо синее: 🌌 café 漢字. "
ESCAPES = (
    "a\x1b]52;c;c2VjcmV0\x07b\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\"
    "\x1b[2J\x1b[31mred\x1b[0m\x9b31mc1\x9d0;title\x9c\u202eevil\u202c\rback\x08\x07"
)
TOKENS = 5000
LONG_LINE = 2 * 1024 * 1024


async def half(exchange: Exchange, *, chunked: bool = True) -> None:
    """Begin the answer and send the first half of its text; the client may well have seen it."""
    await exchange.begin(chunked=chunked)
    for frame in exchange.frames().content[:-2]:
        await exchange.wire.send(frame)
    await exchange.wire.nap(0.05)


# ---- the end of the stream


@fault
async def cut(exchange: Exchange) -> None:
    """A proper end of the body, but no end mark."""
    await half(exchange)
    await exchange.wire.end()


@fault
async def cut_close(exchange: Exchange) -> None:
    """The same where the body ends with the connection."""
    await half(exchange, chunked=False)


@fault
async def cut_first(exchange: Exchange) -> None:
    """A proper end before any text."""
    await exchange.begin()
    await exchange.wire.end()


@fault
async def torn_chunk(exchange: Exchange) -> None:
    """The connection closes inside a chunk."""
    await half(exchange)
    await exchange.wire.raw(b"400\r\n" + exchange.frames().content[-1])
    exchange.wire.close()


@fault
async def torn_frame(exchange: Exchange) -> None:
    """A proper end of the body in the middle of a frame."""
    await half(exchange)
    await exchange.wire.send(exchange.frames().content[-1][:40])
    await exchange.wire.end()


@fault
async def short_body(exchange: Exchange) -> None:
    """A whole answer of which half is sent."""
    body = exchange.dialect.whole(exchange.asked, Answer())
    await exchange.wire.head(200, {"content-type": "application/json"}, length=len(body))
    await exchange.wire.send(body[: len(body) // 2])
    exchange.wire.close()


@fault
async def reset(exchange: Exchange) -> None:
    await half(exchange)
    exchange.wire.reset()


@fault
async def reset_first(exchange: Exchange) -> None:
    exchange.wire.reset()


@fault
async def hang_up_once(exchange: Exchange) -> None:
    """The connection closes without an answer, as an idle one does that is reused too late."""
    if exchange.nth > 1:
        await exchange.well()
    exchange.wire.close()


@fault
async def end_open(exchange: Exchange) -> None:
    """Everything came, but neither the body nor the connection ends."""
    await exchange.begin()
    await exchange.wire.send(exchange.frames().all)
    await exchange.wire.silence()


@fault
async def unterminated(exchange: Exchange) -> None:
    """The last frame, with the finish reason or the usage, lacks the newline after it."""
    data = exchange.frames().all.removesuffix(b"data: [DONE]\n\n")
    await exchange.stream(data.rstrip(b"\n"))


# ---- silence


@fault
async def silence(exchange: Exchange) -> None:
    await half(exchange)
    await exchange.wire.silence()


@fault
async def silence_first(exchange: Exchange) -> None:
    """The head comes, and then nothing."""
    await exchange.begin()
    await exchange.wire.silence()


@fault
async def no_head(exchange: Exchange) -> None:
    await exchange.wire.silence()


@fault
async def slow(exchange: Exchange) -> None:
    """The first byte takes its time."""
    await exchange.wire.nap(0.6)
    await exchange.well()


@fault
async def endless(exchange: Exchange) -> None:
    """A model that never stops, at a hundred pieces a second."""
    piece = exchange.frames().content[-1]
    await exchange.begin()
    while True:
        await exchange.wire.send(piece)
        await exchange.wire.nap(0.01)


# ---- how the bytes are cut


@fault
async def one_byte(exchange: Exchange) -> None:
    """Every byte is a chunk of its own."""
    data = exchange.frames(Answer((MANY_BYTES,))).all
    await exchange.stream([data[at : at + 1] for at in range(len(data))])


@fault
async def seven_bytes(exchange: Exchange) -> None:
    """Chunks that end inside letters."""
    data = exchange.frames(Answer((MANY_BYTES,) * 3)).all
    await exchange.stream([data[at : at + 7] for at in range(0, len(data), 7)])


@fault
async def separators(exchange: Exchange) -> None:
    """Characters that end a line for Unicode, but not for a stream."""
    await exchange.well(Answer((SEPARATORS,)))


@fault
async def long_line(exchange: Exchange) -> None:
    await exchange.well(Answer(("x" * LONG_LINE,)))


@fault
async def many(exchange: Exchange) -> None:
    """Thousands of tokens as fast as they can be written."""
    await exchange.well(Answer(tuple(f" w{number}" for number in range(TOKENS))))


@fault
async def escapes(exchange: Exchange) -> None:
    """Text that would drive a terminal."""
    await exchange.well(Answer((ESCAPES,)))


# ---- what the answer says


@fault
async def length(exchange: Exchange) -> None:
    await exchange.well(Answer(finish="length"))


@fault
async def length_first(exchange: Exchange) -> None:
    """All tokens went into thinking."""
    await exchange.well(Answer((), thought=THOUGHT, finish="length"))


@fault
async def filtered(exchange: Exchange) -> None:
    await exchange.well(Answer(PIECES[:2], finish="content_filter"))


@fault
async def filtered_first(exchange: Exchange) -> None:
    await exchange.well(Answer((), finish="content_filter"))


@fault
async def refusal(exchange: Exchange) -> None:
    await exchange.well(Answer((), refusal="I cannot help with that."))


@fault
async def empty(exchange: Exchange) -> None:
    """A proper answer without a word in it."""
    await exchange.well(Answer(()))


@fault
async def no_usage(exchange: Exchange) -> None:
    await exchange.well(Answer(usage=False))


@fault
async def limits(exchange: Exchange) -> None:
    """What is left of an account's limits, in the headers of a good answer."""
    exchange.head = exchange.dialect.limits
    await exchange.well()


@fault
async def no_schema(exchange: Exchange) -> None:
    """Prose where an instance of a schema was asked for; an instance the second time."""
    await (exchange.well(Answer()) if exchange.nth == 1 else exchange.well())


@fault
async def error_in_stream(exchange: Exchange) -> None:
    said = exchange.dialect.error(500, "The model ran out of memory", "server_error", None)
    await half(exchange)
    await exchange.wire.send(exchange.dialect.frame(said))
    await exchange.wire.end()


@fault
async def error_first(exchange: Exchange) -> None:
    """An error inside a 200 answer before any text."""
    said = exchange.dialect.error(500, "The model ran out of memory", "server_error", None)
    await exchange.stream(exchange.dialect.frame(said))


@fault
async def error_in_200(exchange: Exchange) -> None:
    """An error document with status 200 in place of the stream."""
    await exchange.refuse(200, "The model ran out of memory", "server_error")


@fault
async def error_that_drives(exchange: Exchange) -> None:
    await exchange.refuse(400, f"Bad request: {ESCAPES}", "invalid_value")


# ---- bodies that are no answer

PAGE = b"<!DOCTYPE html><html><head><title>Sign in to Wi-Fi</title></head><body>x</body></html>"


@fault
async def html(exchange: Exchange) -> None:
    await exchange.body(PAGE, kind="text/html; charset=utf-8")


@fault
async def nothing(exchange: Exchange) -> None:
    """200 and not a byte."""
    await exchange.body(b"", kind=exchange.dialect.stream_type)


@fault
async def no_answer(exchange: Exchange) -> None:
    """JSON, but not of a model."""
    await exchange.json({"hello": "world"})


@fault
async def no_json(exchange: Exchange) -> None:
    await exchange.body(b"Bad gateway, sort of", kind="application/json")


@fault
async def html_error(exchange: Exchange) -> None:
    page = PAGE.replace(b"Sign in to Wi-Fi", b"502 Bad Gateway")
    await exchange.body(page, 502, kind="text/html")


@fault
async def html_forbidden(exchange: Exchange) -> None:
    page = PAGE.replace(b"Sign in to Wi-Fi", b"Access denied")
    await exchange.body(page, 403, kind="text/html")


@fault
async def empty_error(exchange: Exchange) -> None:
    await exchange.body(b"", 504)


@fault
async def huge_error(exchange: Exchange) -> None:
    await exchange.refuse(400, "bad " * 1_000_000)


@fault
async def endless_error(exchange: Exchange) -> None:
    """The body of an error that has no end."""
    await exchange.wire.head(400, {"content-type": "text/plain"}, chunked=True)
    while True:
        await exchange.wire.send(b"no " * 4096)
        await asyncio.sleep(0)


@fault
async def redirect(exchange: Exchange) -> None:
    """To another host, which must see neither key nor prompt."""
    await exchange.body(
        b"", 307, {"location": f"{exchange.site.away}{exchange.request.path}"}, "text/plain"
    )


# ---- errors by status


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error for the first `times` requests, for all of them when None."""

    status: int
    said: str
    code: str | None = None
    kind: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int | None = None
    hangs_up: bool = False

    async def __call__(self, exchange: Exchange) -> None:
        if self.times is not None and exchange.nth > self.times:
            await exchange.well()
            return
        headers = exchange.request.headers
        key = headers.get("authorization", "").removeprefix("Bearer ")
        key = key or headers.get("x-goog-api-key", "") or headers.get("x-api-key", "")
        await exchange.refuse(
            self.status,
            self.said.replace("{key}", key).replace("{model}", exchange.asked.model),
            self.code,
            self.kind,
            {name: value.replace("{soon}", _soon()) for name, value in self.headers.items()},
        )
        if self.hangs_up:
            exchange.wire.close()


def _soon() -> str:
    """An HTTP date one to two seconds ahead; it knows whole seconds only."""
    return formatdate(int(time()) + 2, usegmt=True)


def _limited(
    times: int | None = 1, said: str = "", hangs_up: bool = False, **headers: str
) -> Refusal:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    said = said or "Rate limit reached for requests"
    return Refusal(429, said, "rate_limit_exceeded", "requests", named, times, hangs_up)


def _spent(status: int) -> Refusal:
    said = "You exceeded your current quota, please check your plan and billing details."
    return Refusal(status, said, "insufficient_quota", "insufficient_quota")


FAULTS |= {
    "key-echo": Refusal(401, "Incorrect API key provided: {key}.", "invalid_api_key"),
    "forbidden": Refusal(403, "You are not allowed to use this model", "forbidden"),
    "region": Refusal(
        403, "Country, region, or territory not supported", "unsupported_country_region_territory"
    ),
    "no-model": Refusal(404, "The model `{model}` does not exist", "model_not_found"),
    "context": Refusal(
        400,
        "This model's maximum context length is 8192 tokens, but you sent 9000.",
        "context_length_exceeded",
    ),
    "parameter": Refusal(400, "Unsupported parameter: 'top_k'", "unsupported_parameter"),
    "too-large": Refusal(413, "Request entity too large"),
    "unprocessable": Refusal(422, "messages: at least one is needed"),
    "payment": Refusal(402, "Insufficient credits"),
    "quota": _spent(429),
    "rate-seconds": _limited(retry_after="1"),
    "rate-date": _limited(retry_after="{soon}"),
    "rate-ms": _limited(retry_after_ms="400", retry_after="60"),
    "rate-text": _limited(said="Rate limit reached. Please try again in 0.4s."),
    "rate-text-ms": _limited(said="Rate limit reached. Please try again in 400ms."),
    "rate-garbage": _limited(retry_after="soon"),
    "rate-negative": _limited(retry_after="-30"),
    "rate-day": _limited(None, retry_after="86400"),
    "rate-forever": _limited(None),
    "rate-hang-up": _limited(hangs_up=True),
    "500-forever": Refusal(500, "The server had an error"),
    "500-final": Refusal(500, "The server had an error", headers={"x-should-retry": "false"}),
    "loading": Refusal(503, "Loading model", None, "unavailable_error", times=2),
    **{
        f"{status}-once": Refusal(status, f"trouble number {status}", times=1)
        for status in (408, 409, 500, 502, 503, 504, 529)
    },
}
