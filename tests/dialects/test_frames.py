"""Recorded bodies and the events expected of them, cut in two at every byte.

A case is `<dialect>/<name>.body` (the bytes) and `<name>.json` beside it (framing, prompt, events
in order, and the code of the error that ends it, if one does). `complete` says that a text was to
be continued, `quirks` are those of the card.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmctl.dialects import DIALECTS, Frame, Framing
from llmctl.errors import LlmctlError
from llmctl.transport.ndjson import NdjsonDecoder
from llmctl.transport.sse import SseDecoder
from llmctl.types import (
    Chat,
    Complete,
    Event,
    Finished,
    Notice,
    Quirks,
    ReasoningDelta,
    Role,
    TextDelta,
    ToolCall,
    message,
)

CASES = sorted(Path(__file__).parent.glob("*/*.body"))


def frames(framing: Framing, pieces: list[bytes]) -> Iterator[Frame]:
    if framing is Framing.WHOLE:
        yield Frame(b"".join(pieces).decode())
        return
    decoder = SseDecoder() if framing is Framing.SSE else NdjsonDecoder()
    for piece in pieces:
        yield from decoder.feed(piece)
    yield from decoder.flush()


def decode(case: Path, recorded: dict[str, Any], pieces: list[bytes]) -> tuple[list[Any], Any]:
    """The events as plain lists, and the code of the error."""
    prompt = recorded["prompt"]
    call = Complete("m", prompt) if recorded.get("complete") else chat(prompt)
    decoder = DIALECTS[case.parent.name]().decoder(call, Quirks(**recorded.get("quirks", {})))
    shown: list[Any] = []
    try:
        for frame in frames(Framing(recorded["framing"]), pieces):
            shown += map(plain, decoder.feed(frame))
            if decoder.done:
                return shown, None
        shown += map(plain, decoder.end())
    except LlmctlError as error:
        return shown, error.code
    return shown, None


def chat(prompt: str) -> Chat:
    return Chat("m", (message(Role.USER, prompt),))


def plain(event: Event) -> list[Any]:
    match event:
        case TextDelta(text):
            return ["text", text]
        case ReasoningDelta(text):
            return ["reasoning", text]
        case ToolCall(call_id, name, arguments):
            return ["tool_call", call_id, name, arguments]
        case Notice(code, _):
            return ["notice", code]
        case Finished():
            return ["finished", finished(event)]
        case _:
            raise AssertionError(event)


def finished(event: Finished) -> dict[str, Any]:
    usage = event.usage
    figures: dict[str, Any] = {
        "reason": event.reason.value,
        "model": event.model,
        "request_id": event.request_id,
        "native_reason": event.native_reason,
        "server_timing": event.server_timing,
        "load_s": event.load_s,
        "reported_cost": event.reported_cost and list(event.reported_cost),
        "details": dict(event.details) or None,
        "input_tokens": usage.input_tokens if usage else None,
        "output_tokens": usage.output_tokens if usage else None,
        "cached_tokens": usage.cached_tokens if usage else None,
        "cache_write_tokens": usage.cache_write_tokens if usage else None,
        "reasoning_tokens": usage.reasoning_tokens if usage else None,
    }
    return {key: value for key, value in figures.items() if value is not None}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_every_cut_gives_the_same_events(case: Path) -> None:
    recorded = json.loads(case.with_suffix(".json").read_text())
    body = case.read_bytes()
    expected = (recorded["events"], recorded["error"])

    assert expected == decode(case, recorded, [body])
    assert expected == decode(case, recorded, [bytes([byte]) for byte in body])
    for cut in range(1, len(body)):
        assert expected == decode(case, recorded, [body[:cut], body[cut:]]), cut


def test_there_is_a_folder_of_cases_for_every_dialect() -> None:
    assert set(DIALECTS) == {case.parent.name for case in CASES}
