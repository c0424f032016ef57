"""Terminals and a receipt that several tests use."""

from llmctl.output.terminal import Screen, Terminal
from llmctl.types import (
    Cost,
    CostKind,
    Failure,
    FinishReason,
    Latency,
    Level,
    Media,
    Receipt,
    ToolCall,
    Usage,
    Verdict,
)

SCREEN = Screen(is_tty=True, colour=False, cursor=True, width=80, height=24)
ON_TERMINAL = Terminal(stdin_is_tty=True, stdout=SCREEN, stderr=SCREEN)
COLOURED = Terminal(True, SCREEN._replace(colour=True), SCREEN._replace(colour=True))
PIPED = Terminal()

EMPTY = Receipt(id="1", started_at="2026-11-23T15:00:00Z", requested="local/tiny")

FULL = Receipt(
    id="019a0c1d2e3f00112233",
    started_at="2026-11-23T15:00:00Z",
    requested="openai/gpt-6-luna",
    provider="openai",
    resolved="gpt-6-luna-2026-09-01",
    text="Blue.",
    reasoning="Rayleigh",
    media=(Media("image/png", b"\x89PNG", name="sky.png"),),
    tool_calls=(ToolCall("c1", "look", '{"at": "sky"}'),),
    finish_reason=FinishReason.STOP,
    usage=Usage(12, 2, 4, 1, 0),
    cost=Cost("0.0000022", "USD", CostKind.COMPUTED, "openai price page", "2026-11-23"),
    latency=Latency(
        connect_s=0.0312345,
        first_byte_s=0.3,
        ttft_s=0.41249,
        total_s=0.91301,
        output_tokens_per_s=41.004,
        server={"queue_s": 0.0123456},
    ),
    verdict=Verdict(True, Level.NO_TRAINING, "US", 30, ("store=false",), ("dpa",), "2026-11-23"),
    redactions={"email": 2},
    request_id="req_1",
    attempts=1,
    details={"system_fingerprint": "fp"},
)

FAILED = Receipt(
    id="2",
    started_at="2026-11-23T15:00:00Z",
    requested="openai/gpt-6-luna",
    provider="openai",
    text="Bl",
    attempts=3,
    error=Failure("rate-limited", 8, "slow down", "rate", True, "openai", 429, 20.0, "req_2"),
)
