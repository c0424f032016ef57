"""A receipt as JSON, version 1: the same shape for `--json`, the last event and batch rows."""

import json
import math
import re
from base64 import b64encode
from collections.abc import Mapping

from llmctl import __version__
from llmctl.output import streams
from llmctl.output.terminal import HAZARDS
from llmctl.types import Failure, Json, Latency, Media, Receipt, ToolCall, Usage, Verdict

VERSION = 1

# A tenth of a millisecond is finer than any clock behind these figures.
SECOND_DIGITS = 4
SPEED_DIGITS = 2

# JSON escapes C0 by itself. The others that could drive a terminal, and lone surrogates, which no
# encoding can express, stand only inside strings, where an escape means the same.
_ESCAPED = re.compile(f"[{HAZARDS}\\ud800-\\udfff]")


def envelope(receipt: Receipt) -> dict[str, Json]:
    """Every key is always there; unknown is None, money is a decimal string, times are seconds."""
    return {
        "version": VERSION,
        "llmctl": __version__,
        "id": receipt.id,
        "started_at": receipt.started_at,
        "text": receipt.text,
        "reasoning": receipt.reasoning,
        "media": [media_json(media) for media in receipt.media],
        "model": {
            "requested": receipt.requested or None,
            "resolved": receipt.resolved,
            "provider": receipt.provider,
        },
        "finish_reason": receipt.finish_reason,
        "tool_calls": [tool_call_json(call) for call in receipt.tool_calls],
        "usage": usage_json(receipt.usage),
        "cost": {
            "amount": receipt.cost.amount,
            "currency": receipt.cost.currency,
            "kind": receipt.cost.kind,
            "price_source": receipt.cost.price_source,
            "price_date": receipt.cost.price_date,
            "unknown_because": receipt.cost.why,
        },
        "latency": latency_json(receipt.latency),
        "privacy": privacy_json(receipt.verdict, receipt.redactions),
        "request_id": receipt.request_id,
        "attempts": receipt.attempts,
        "details": receipt.details,
        "error": None if receipt.error is None else failure_json(receipt.error),
    }


def usage_json(usage: Usage) -> dict[str, Json]:
    known = usage.input_tokens is not None or usage.output_tokens is not None
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "source": usage.source if known else None,
    }


def latency_json(latency: Latency) -> dict[str, Json]:
    server = latency.server
    return {
        "connect_s": seconds(latency.connect_s),
        "reused": latency.reused,
        "first_byte_s": seconds(latency.first_byte_s),
        "ttft_s": seconds(latency.ttft_s),
        "total_s": seconds(latency.total_s),
        "waited_s": seconds(latency.waited_s),
        "load_s": seconds(latency.load_s),
        "output_tokens_per_s": (
            None
            if latency.output_tokens_per_s is None
            else round(latency.output_tokens_per_s, SPEED_DIGITS)
        ),
        "server": None if server is None else {key: seconds(server[key]) for key in server},
        "auth_s": seconds(latency.auth_s),
    }


def seconds(value: float | None) -> float | None:
    """Rounded for printing."""
    return None if value is None else round(value, SECOND_DIGITS)


def privacy_json(verdict: Verdict | None, redactions: Mapping[str, int]) -> dict[str, Json]:
    """Without a verdict nothing is known of the privacy; the level is None then."""
    return {
        "level": verdict.level if verdict else None,
        "region": verdict.region if verdict else None,
        "retention_days": verdict.retention_days if verdict else None,
        "controls": verdict.controls if verdict else (),
        "attested": verdict.attested if verdict else (),
        "redactions": redactions,
        "facts_checked": verdict.facts_checked if verdict else None,
    }


def failure_json(failure: Failure) -> dict[str, Json]:
    return {
        "code": failure.code,
        "exit_code": failure.exit_code,
        "reason": failure.reason,
        "retryable": failure.retryable,
        "provider": failure.provider,
        "status": failure.status,
        "message": failure.message,
        "retry_after_s": failure.retry_after_s,
        "request_id": failure.request_id,
        "hint": failure.hint,
    }


def media_json(media: Media) -> dict[str, Json]:
    """`data` is base64, `bytes` how many bytes that is, or has the file at `path`."""
    return {
        "media_type": media.media_type,
        "data": None if media.data is None else b64encode(media.data).decode("ascii"),
        "url": media.url,
        "name": media.name,
        "path": media.path,
        "bytes": media.length,
    }


def tool_call_json(call: ToolCall) -> dict[str, Json]:
    """`arguments` is the JSON text the model wrote, as it stands."""
    return {"id": call.id, "name": call.name, "arguments": call.arguments}


def json_text(value: Json, *, ascii_only: bool = False) -> str:
    """One line of JSON. Mappings and tuples are objects and lists, NaN and infinities null; what
    could drive a terminal and lone surrogates are escaped."""
    dumped = _dumped(value, ascii_only)
    if dumped.isprintable():
        return dumped
    return _ESCAPED.sub(lambda match: json.dumps(match[0])[1:-1], dumped)


def document(value: Json) -> None:
    """Print one JSON document and a newline on standard output."""
    ascii_only = not streams.stdout.encoder.unicode
    streams.out(json_text(value, ascii_only=ascii_only) + "\n")


def _dumped(value: Json, ascii_only: bool) -> str:
    encode = _ENCODE_ASCII if ascii_only else _ENCODE
    try:
        return encode(value)
    except ValueError:
        return encode(_finite(value))


def _plain(value: object) -> Json:
    """What the encoder does not know: read-only mappings, and anything odd as its text."""
    return dict(value) if isinstance(value, Mapping) else str(value)


_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_plain).encode
_ENCODE_ASCII = json.JSONEncoder(allow_nan=False, default=_plain).encode


def _finite(value: Json) -> Json:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
