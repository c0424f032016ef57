import json

import pytest

from llmctl import __version__
from llmctl.output.envelope import envelope, json_text
from llmctl.output.events import Events, event_json
from llmctl.output.footer import Footer
from llmctl.output.sink import StandardOutput
from llmctl.types import (
    Event,
    Finished,
    FinishReason,
    Json,
    Media,
    Notice,
    Progress,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    Usage,
    Vector,
)
from tests.unit.output.shared import FAILED, FULL, PIPED


@pytest.mark.parametrize(
    ("event", "printed"),
    [
        (TextDelta("ж"), {"type": "text", "text": "ж"}),
        (ReasoningDelta("hm"), {"type": "reasoning", "text": "hm"}),
        (
            ToolCall("c", "f", "{}"),
            {"type": "tool_call", "id": "c", "name": "f", "arguments": "{}"},
        ),
        (
            Media("image/png", b"\x00\x01"),
            {
                "type": "media",
                "media_type": "image/png",
                "data": "AAE=",
                "url": None,
                "name": None,
                "path": None,
                "bytes": 2,
            },
        ),
        (Vector(1, (0.5, -1.0)), {"type": "vector", "index": 1, "values": [0.5, -1.0]}),
        (
            Progress("loading", 1, None),
            {"type": "progress", "stage": "loading", "done": 1, "total": None},
        ),
        (
            Notice("waiting", "2 s"),
            {"type": "notice", "code": "waiting", "text": "2 s"},
        ),
        (
            Finished(
                FinishReason.LENGTH,
                usage=Usage(1, 2),
                model="m",
                request_id="r",
                native_reason="max_tokens",
                reported_cost=("0.01", "RUB"),
                server_timing={"eval_s": 0.123456},
                load_s=1.0,
                details={"x": 1},
            ),
            {
                "type": "finished",
                "reason": "length",
                "native_reason": "max_tokens",
                "usage": {
                    "input_tokens": 1,
                    "output_tokens": 2,
                    "cached_tokens": None,
                    "cache_write_tokens": None,
                    "reasoning_tokens": None,
                    "source": "reported",
                },
                "model": "m",
                "request_id": "r",
                "reported_cost": {"amount": "0.01", "currency": "RUB"},
                "server_timing": {"eval_s": 0.1235},
                "load_s": 1.0,
                "details": {"x": 1},
            },
        ),
    ],
)
def test_each_event_is_an_object(event: Event, printed: Json) -> None:
    assert json.loads(json_text(event_json(event))) == printed


def events() -> Events:
    return Events(StandardOutput(), Footer(PIPED, line=True, usage=False))


def test_a_line_each_and_the_receipt_last(capsys: pytest.CaptureFixture[str]) -> None:
    renderer = events()
    renderer.event(TextDelta("a\u2028\nb"))
    renderer.event(TextDelta("c"))
    renderer.finish(FULL)

    lines = [json.loads(line) for line in capsys.readouterr().out.split("\n")[:-1]]
    assert lines[:3] == [
        {"type": "start", "version": 1, "llmctl": __version__},
        {"type": "text", "text": "a\u2028\nb"},
        {"type": "text", "text": "c"},
    ]
    assert lines[3:] == [json.loads(json_text({"type": "receipt", **envelope(FULL)}))]


def test_a_call_that_failed_at_once_has_its_receipt_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    events().fail(FAILED)

    first, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["type"] == "start"
    assert (last["type"], last["error"]["code"]) == ("receipt", "rate-limited")
