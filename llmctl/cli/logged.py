"""Runs of the ledger as JSON, as rows of a table and as text."""

import re
from datetime import UTC, datetime, timedelta
from typing import assert_never

from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.output.envelope import envelope, media_json, tool_call_json
from llmctl.output.receipt_line import usage_text
from llmctl.store.conversations import without_text
from llmctl.store.entries import Entry
from llmctl.store.shape import MODE_BY, Mode
from llmctl.types import COUNTED, Cost, Json, Media, Message, Part, Text, ToolCall, ToolResult

AGO = re.compile(r"(\d{1,5})([dh])")
# What a list leaves out of the envelope: what is long, and what only the whole run has.
LONG = ("version", "text", "reasoning", "media", "tool_calls", "details")

LIST_HEADERS = [
    _("id"),
    _("started (UTC)"),
    _("model"),
    _("in"),
    _("out"),
    _("cost"),
    _("seconds"),
    _("result"),
    _("prompt"),
]
LIST_RIGHT = (3, 4, 5, 6)
PROMPT_WIDTH = 40


def moment(given: str | None, flag: str = "--since") -> str | None:
    """`7d`, `24h`, a date or a moment as UTC in the way receipts write it; raises UsageError."""
    if given is None:
        return None
    try:
        if found := AGO.fullmatch(given):
            unit = "days" if found[2] == "d" else "hours"
            when = datetime.now(UTC) - timedelta(**{unit: int(found[1])})
        else:
            when = datetime.fromisoformat(given)
            when = when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the second for what is before the year 1
        raise UsageError(
            _("{flag} does not understand {text}", flag=flag, text=given),
            hint=_("such as 7d, 24h, 2026-11-01 or 2026-11-01T15:00Z"),
        ) from None
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def log_json(entry: Entry) -> dict[str, Json]:
    """What the ledger knows beside the receipt."""
    return {
        "kind": entry.kind,
        "mode": entry.mode,
        "mode_by": entry.tags.get(MODE_BY),
        "conversation": entry.conversation,
        "tags": {name: entry.tags.get(name) for name in ("tag", "project")},
        "counted_tokens": entry.receipt.details.get(COUNTED),
    }


def list_json(entry: Entry) -> dict[str, Json]:
    """A run in short: the envelope without what is long, and the starts of prompt and answer."""
    short = {key: value for key, value in envelope(entry.receipt).items() if key not in LONG}
    return {
        **short,
        "log": log_json(entry),
        "prompt_start": entry.prompt,
        "text_start": entry.receipt.text if entry.mode is Mode.FULL else None,
    }


def list_row(entry: Entry) -> list[str | None]:
    receipt = entry.receipt
    prompt = None if entry.prompt is None else " ".join(entry.prompt.split())
    if prompt is not None and len(prompt) > PROMPT_WIDTH:
        prompt = prompt[: PROMPT_WIDTH - 1] + "…"
    return [
        receipt.id,
        receipt.started_at,
        receipt.requested,
        _number(receipt.details.get(COUNTED, receipt.usage.input_tokens)),
        _number(receipt.usage.output_tokens),
        money(receipt.cost),
        None if receipt.latency.total_s is None else f"{receipt.latency.total_s:.2f}",
        receipt.error.code if receipt.error else "ok",
        prompt,
    ]


def money(cost: Cost) -> str | None:
    return None if cost.amount is None else f"{cost.amount} {cost.currency or ''}".rstrip()


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)


def whole_json(entry: Entry) -> dict[str, Json]:
    """The envelope of the run, and under `log` what was sent; without text both hold none."""
    return {
        **envelope(entry.receipt),
        "log": {
            **log_json(entry),
            "messages": [message_json(one) for one in entry.messages],
            "asked": entry.asked,
        },
    }


def message_json(message: Message) -> dict[str, Json]:
    return {
        "role": message.role,
        "text": message.text,
        "parts": [part_json(part) for part in message.parts if not isinstance(part, Text)],
    }


def part_json(part: Part) -> dict[str, Json]:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Media():
            return {"type": "media", **media_json(part), "sha256": part.sha256}
        case ToolCall():
            return {"type": "tool_call", **tool_call_json(part)}
        case ToolResult():
            return {"type": "tool_result", "id": part.id, "name": part.name, "text": part.text}
        case _:
            assert_never(part)


def whole_text(entry: Entry) -> str:
    """A run for people: the receipt, then what was said, each speaker under a line of its own."""
    receipt = entry.receipt
    lines = [_("started {moment}", moment=receipt.started_at) + "\n", usage_text(receipt)]
    if receipt.error is not None:
        said = receipt.error.message
        lines.append(
            _("failed: {code}", code=receipt.error.code) + (f": {said}\n" if said else "\n")
        )
    if entry.mode is not Mode.FULL:
        why = without_text(entry.tags)
        lines.append("\n" + _("Its text was not kept ({why}).", why=why) + "\n")
        return "".join(lines)
    lines += [_spoken(one.role, "".join(map(part_text, one.parts))) for one in entry.messages]
    if receipt.reasoning:
        lines.append(_spoken(_("reasoning"), receipt.reasoning))
    beside: tuple[Part, ...] = (*receipt.tool_calls, *receipt.media)
    answer = receipt.text + "".join(map(part_text, beside))
    if answer:
        lines.append(_spoken("assistant", answer))
    return "".join(lines)


def _spoken(who: str, text: str) -> str:
    return f"\n── {who} ──\n{text.rstrip()}\n"


def part_text(part: Part) -> str:
    match part:
        case Text():
            return part.text
        case Media():
            return f"[{part.media_type} {part.name or part.url or ''}]"
        case ToolCall():
            return f"[{part.name}({part.arguments})]"
        case ToolResult():
            return f"[{part.name}: {part.text}]"
        case _:
            assert_never(part)
