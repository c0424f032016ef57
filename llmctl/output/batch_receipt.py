"""A row that was written, read again: the answer of an identical one, or of an earlier job."""

import binascii
import json
from base64 import b64decode
from collections.abc import Mapping

from llmctl.types import (
    Cost,
    CostKind,
    FinishReason,
    Json,
    Latency,
    Level,
    Media,
    Receipt,
    ToolCall,
    Usage,
    UsageSource,
    Verdict,
)


def receipt_from(line: bytes) -> Receipt | None:
    """What `row_line` has made a line of, but for what is of use to nobody who only has the answer;
    None for what is no such line."""
    try:
        return _receipt(json.loads(line))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error):
        return None


def _receipt(value: Mapping[str, Json]) -> Receipt:
    model, usage, cost, latency = (
        value["model"], value["usage"], value["cost"], value["latency"],
    )  # fmt: skip
    reason = value["finish_reason"]
    return Receipt(
        id=value["id"],
        started_at=value["started_at"],
        requested=model["requested"] or "",
        provider=model["provider"],
        resolved=model["resolved"],
        text=value["text"],
        reasoning=value["reasoning"],
        media=tuple(map(_media, value["media"])),
        tool_calls=tuple(
            ToolCall(one["id"], one["name"], one["arguments"]) for one in value["tool_calls"]
        ),
        finish_reason=None if reason is None else FinishReason(reason),
        usage=_usage(usage),
        cost=Cost(
            amount=cost["amount"],
            currency=cost["currency"],
            kind=CostKind(cost["kind"]),
            price_source=cost["price_source"],
            price_date=cost["price_date"],
            why=cost["unknown_because"],
        ),
        latency=Latency(total_s=latency["total_s"], ttft_s=latency["ttft_s"]),
        verdict=_verdict(value["privacy"]),
        redactions=value["privacy"]["redactions"],
        request_id=value["request_id"],
        attempts=value["attempts"],
        details=value["details"],
    )


def _usage(usage: Mapping[str, Json]) -> Usage:
    counted = {name: usage[name] for name in usage if name != "source"}
    source = usage["source"]
    return Usage(**counted) if source is None else Usage(**counted, source=UsageSource(source))


def _verdict(privacy: Mapping[str, Json]) -> Verdict | None:
    if privacy["level"] is None:
        return None
    return Verdict(
        allowed=True,
        level=Level(privacy["level"]),
        region=privacy["region"],
        retention_days=privacy["retention_days"],
        controls=tuple(privacy["controls"]),
        attested=tuple(privacy["attested"]),
        facts_checked=privacy["facts_checked"],
    )


def _media(value: Mapping[str, Json]) -> Media:
    data = value["data"]
    return Media(
        value["media_type"],
        data=None if data is None else b64decode(data),
        url=value["url"],
        name=value["name"],
        path=value["path"],
        size=value["bytes"] if data is None else None,
    )
