"""What each fault of the wire must lead to, whatever the provider.

`about` is the entry of the list of failures that the project goes by: A for streams, B for errors
and money, C for network, TLS and proxies. Where a dialect cannot carry a fault, `CANNOT` says why.
"""

from dataclasses import dataclass
from enum import StrEnum

from tests.simulator.answers import TEXT
from tests.simulator.faults import HALF, LONG_LINE, MANY_BYTES, SEPARATORS


class Wire(StrEnum):
    """On which streams a fault can happen."""

    ANY = "any"
    SSE = "sse"
    NDJSON = "ndjson"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Row:
    """`code` is the exit code and `error` its word, `text` what of the answer stays, `requests` how
    often is asked, `waits` what the server asked to wait in seconds. `brief` bears half a second
    of silence only; `whole` asks for an answer in one piece; `once` is for one provider a dialect,
    where the amount of data makes it dear. `renews` allows one request more where a token is
    fetched for the key: it may be that which the server refuses."""

    about: str
    fault: str
    says: str
    code: int
    error: str | None
    text: str = ""
    requests: int = 1
    wire: Wire = Wire.ANY
    waits: tuple[float, ...] = ()
    brief: bool = False
    whole: bool = False
    once: bool = False
    renews: bool = False


def well(about: str, fault: str, says: str, text: str = TEXT, **how: object) -> Row:
    """A fault that must not show."""
    return Row(about, fault, says, 0, None, text, **how)  # type: ignore[arg-type]


def cut(about: str, fault: str, says: str, text: str = HALF, **how: object) -> Row:
    return Row(about, fault, says, 11, "cut-off", text, **how)  # type: ignore[arg-type]


def broken(about: str, fault: str, says: str, text: str = "", **how: object) -> Row:
    return Row(about, fault, says, 10, "provider-error", text, **how)  # type: ignore[arg-type]


def refused(about: str, fault: str, says: str, code: int, error: str, **how: object) -> Row:
    return Row(about, fault, says, code, error, **how)  # type: ignore[arg-type]


# Where a dialect has no field for it, what the model says instead is text as any other.
REFUSED = "I cannot help with that."
SSE, NDJSON, DONE = Wire.SSE, Wire.NDJSON, Wire.DONE
ALL = 5  # requests: the first and four repetitions

STREAMS = (
    cut("A1", "cut", "the body ends, the end mark did not come"),
    cut("A1", "cut-close", "the same, the connection ends with it"),
    cut("A1", "torn-frame", "the body ends inside a frame"),
    cut("A1", "done-only", "`[DONE]` without a finish reason", wire=DONE),
    broken("A1", "cut-first", "the body ends before any text", requests=ALL),
    well("A1", "no-done", "a finish reason without `[DONE]`", wire=DONE),
    cut("A2", "torn-chunk", "the connection ends inside a chunk"),
    cut("A2", "reset", "TCP reset in mid-answer"),
    refused("A2", "reset-first", "TCP reset before the answer", 9, "network", requests=ALL),
    refused("A2", "short-body", "half of a whole answer", 9, "network", requests=ALL, whole=True),
    well("A2", "hang-up-once", "a kept connection was closed", requests=2),
    broken("A3", "error-in-stream", "an error after some text", HALF),
    broken("A3", "error-first", "an error in place of text", requests=ALL),
    broken("A3", "error-in-200", "an error document with status 200", requests=ALL),
    broken("A3", "error-event", "an error under an event name of its own", HALF, wire=SSE),
    broken("A3", "error-text", "an error that is no JSON", HALF, wire=NDJSON),
    refused("A3", "quota-in-stream", "a spent quota in the stream", 8, "rate-limited"),
    cut("A4", "silence", "silence in mid-answer", brief=True),
    refused("A4", "silence-first", "silence after the head", 9, "network", brief=True),
    refused("A4", "no-head", "silence instead of an answer", 9, "network", brief=True),
    refused("A4", "pings", "comments only", 9, "network", wire=SSE, brief=True),
    well("A4", "pings-then-well", "comments, then the answer", wire=SSE, brief=True),
    well("A5", "end-open", "all came, the connection stays open", brief=True),
    well("A5", "finish-open", "no usage and no end after the finish reason", wire=DONE, brief=True),
    well("A6", "unterminated", "the last frame lacks its newline"),
    well("A7", "separators", "U+2028, U+2029 and U+0085 in the text", SEPARATORS),
    well("A8", "one-byte", "every byte a chunk of its own", MANY_BYTES),
    well("A8", "seven-bytes", "chunks that end inside letters", MANY_BYTES * 3),
    well("A9", "no-space", "`data:` without a space", wire=SSE),
    well("A9", "bom", "a byte order mark"),
    well("A9", "crlf", "lines end with CR LF"),
    well("A9", "cr", "lines end with CR", wire=SSE),
    well("A9", "comments", "comments, ids and retry times", wire=SSE),
    well("A9", "no-data", "events without data", wire=SSE),
    well("A9", "many-lines", "JSON over several `data:` lines", wire=SSE),
    refused("A10", "huge-error", "4 MB of error text", 16, "rejected"),
    refused("A10", "endless-error", "an error body without an end", 16, "rejected"),
    well("A11", "no-usage", "no usage at all"),
    refused("A12", "length", "cut by a limit nobody asked for", 12, "incomplete", text=TEXT),
    refused("A12", "length-first", "all tokens went into thinking", 12, "incomplete"),
    refused("A13", "filtered", "filtered in mid-answer", 13, "filtered", text=HALF),
    refused("A13", "filtered-first", "filtered before any text", 13, "filtered"),
    refused("A13", "refusal", "the model refuses", 13, "filtered", text=REFUSED),
    refused("A13", "blocked", "the prompt was blocked", 13, "filtered"),
    well("A13", "empty", "a proper answer without a word", ""),
    well("A15", "long-line", "a line of 2 MB", "x" * LONG_LINE, once=True),
)

MONEY = (
    well("B1", "rate-seconds", "Retry-After: 1", requests=2, waits=(1.0,)),
    well("B1", "rate-ms", "retry-after-ms: 400 beside Retry-After: 60", requests=2, waits=(0.4,)),
    well("B1", "rate-text", "“try again in 0.4s”", requests=2, waits=(0.4,)),
    refused("B2", "rate-day", "Retry-After: a day", 8, "rate-limited"),
    refused("B2", "rate-forever", "429 for ever", 8, "rate-limited", requests=ALL),
    refused("B3", "quota", "the quota is spent", 8, "rate-limited"),
    refused("B3", "payment", "402", 8, "rate-limited"),
    refused("B3", "key-echo", "401, and the key repeated", 6, "auth", renews=True),
    refused("B3", "forbidden", "403", 6, "auth"),
    refused("B3", "region", "the country is refused", 6, "auth"),
    refused("B3", "no-model", "404", 7, "not-found"),
    refused("B3", "context", "the prompt is too long", 16, "rejected"),
    refused("B3", "parameter", "a parameter it does not take", 16, "rejected"),
    refused("B3", "too-large", "413", 16, "rejected"),
    refused("B3", "unprocessable", "422", 16, "rejected"),
    well("B5", "rate-garbage", "Retry-After: soon", requests=2),
    well("B5", "rate-negative", "Retry-After: -30", requests=2),
    broken("B6", "html", "a login page with status 200"),
    broken("B6", "nothing", "status 200 and not a byte", requests=ALL),
    broken("B6", "no-answer", "JSON, but no answer", requests=ALL),
    broken("B6", "no-json", "text that is no JSON", requests=ALL),
    broken("B6", "html-error", "502 with a page", requests=ALL),
    broken("B6", "empty-error", "504 without a word", requests=ALL),
    refused("B6", "html-forbidden", "403 with a page", 6, "auth"),
    *(
        well("B7", f"{status}-once", f"{status}, then the answer", requests=2)
        for status in (408, 409, 500, 502, 503, 504, 529)
    ),
    well("B7", "loading", "503 twice while a model loads", requests=3),
    broken("B7", "500-forever", "500 for ever", requests=ALL),
    broken("B7", "500-final", "500 with x-should-retry: false"),
)

NETWORK = (
    broken("C2", "redirect", "307 to another host"),
    # Not of the simulator: where there is nothing, or nothing to be trusted.
    refused("C1", "unknown-ca", "a certificate nobody vouches for", 9, "network", requests=0),
    refused("C3", "nobody-there", "nothing listens at the port", 9, "network", requests=0),
    refused("C3", "no-such-host", "a name without an address", 9, "network", requests=0),
    refused("C4", "proxy-refuses", "a proxy that lets nobody through", 9, "network", requests=0),
)
FAULTS: tuple[Row, ...] = (*STREAMS, *MONEY, *NETWORK)

_NO_CODES = "its errors are words without a code"
_NO_REASON = "it has no finish reason for that"

# (fault, dialect): why a dialect cannot carry a fault.
CANNOT: dict[tuple[str, str], str] = {
    ("filtered", "ollama"): _NO_REASON,
    ("filtered-first", "ollama"): _NO_REASON,
    ("refusal", "ollama"): _NO_REASON,
    **{
        ("blocked", dialect): _NO_CODES
        for dialect in ("ollama", "gigachat", "gigachat_v2", "yandexgpt")
    },
}
