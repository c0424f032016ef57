"""Calls and receipts to keep, and a look at every byte of a ledger."""

from pathlib import Path
from typing import Any

from llmctl.types import (
    Chat,
    Cost,
    CostKind,
    Failure,
    FinishReason,
    Latency,
    Level,
    Message,
    Receipt,
    Role,
    ToolCall,
    Usage,
    UsageSource,
    Verdict,
    message,
)

QUESTION = "Why is the sky blue?"
ANSWER = "Rayleigh scattering"


def user(text: str) -> Message:
    return message(Role.USER, text)


def assistant(text: str) -> Message:
    return message(Role.ASSISTANT, text)


def system(text: str) -> Message:
    return message(Role.SYSTEM, text)


def chat(*messages: Message) -> Chat:
    return Chat("m", messages or (user(QUESTION),))


def receipt(id_: str = "run-1", *, text: str = ANSWER, **more: Any) -> Receipt:
    """A receipt of a success that knows next to nothing."""
    known: dict[str, Any] = {
        "started_at": "2026-11-24T10:00:00Z",
        "requested": "openai/m",
        "provider": "openai",
        "finish_reason": FinishReason.STOP,
        **more,
    }
    return Receipt(id=id_, text=text, **known)


def failed(id_: str, message: str = "no such host", text: str = "") -> Receipt:
    return receipt(
        id_,
        text=text,
        finish_reason=None,
        error=Failure("network", 9, message, reason="dns", retryable=True, provider="openai"),
    )


def rich_receipt() -> Receipt:
    """A receipt with every field set to something else than its default."""
    return Receipt(
        id="019abc",
        started_at="2026-11-24T10:00:00Z",
        requested="gigachat/GigaChat-2",
        provider="gigachat",
        resolved="GigaChat-2:2.0",
        text="Небо голубое",
        reasoning="рассеяние",
        tool_calls=(ToolCall("c1", "look", '{"at": "sky"}'),),
        finish_reason=FinishReason.TOOL_CALLS,
        usage=Usage(12, 34, 5, 6, 7, UsageSource.COUNTED),
        cost=Cost(
            "0.0000022", "RUB", CostKind.COMPUTED, "https://example.org/prices", "2026-11-01"
        ),
        latency=Latency(0.03, True, 0.3, 0.4, 0.9, 1.5, 0.25, 41.5, {"total_s": 0.8}),
        verdict=Verdict(
            True, Level.NO_TRAINING, "RU", 30, ("store=false",), ("dpa",), "2026-11-01", ("why",)
        ),
        redactions={"PERSON": 2},
        request_id="req-1",
        attempts=3,
        details={"system_fingerprint": "fp", "nested": {"list": [1, None]}},
        error=Failure("cut-off", 11, "ended early", "reset", True, "gigachat", 200, 2.5, "req-1"),
    )


def every_byte(path: Path) -> bytes:
    """What stands in a ledger and in every file beside it."""
    return b"".join(part.read_bytes() for part in sorted(path.parent.iterdir()) if part.is_file())
