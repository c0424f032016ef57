"""`--events`: one JSON object a line, as things happen.

The first line is {"type":"start","version":1,...}, the last {"type":"receipt",...}: the same
envelope as `--json`, whether the call succeeded or not.
"""

from llmctl import __version__
from llmctl.output.envelope import (
    VERSION,
    envelope,
    json_text,
    media_json,
    seconds,
    tool_call_json,
    usage_json,
)
from llmctl.output.footer import Footer
from llmctl.output.sink import Sink
from llmctl.types import (
    Event,
    Finished,
    Json,
    Media,
    Notice,
    Progress,
    ReasoningDelta,
    Receipt,
    TextDelta,
    ToolCall,
    Vector,
)


class Events:
    """Writes each event at once."""

    def __init__(self, sink: Sink, footer: Footer) -> None:
        self._sink = sink
        self._footer = footer
        self._started = False

    def event(self, event: Event) -> None:
        if not self._started:
            self._start()
        self._line(event_json(event))

    def finish(self, receipt: Receipt) -> None:
        self._end(receipt)
        self._sink.keep()
        self._footer.show(receipt)

    def fail(self, receipt: Receipt) -> None:
        self._end(receipt)
        self._sink.abandon()
        self._footer.show_failed(receipt)

    def _start(self) -> None:
        self._started = True
        self._line({"type": "start", "version": VERSION, "llmctl": __version__})

    def _end(self, receipt: Receipt) -> None:
        if not self._started:
            self._start()
        self._line({"type": "receipt", **envelope(receipt)})

    def _line(self, value: Json) -> None:
        self._sink.write(json_text(value, ascii_only=not self._sink.unicode) + "\n")


def event_json(event: Event) -> dict[str, Json]:
    """One event as JSON; `type` comes first."""
    match event:
        case TextDelta(text):
            return {"type": "text", "text": text}
        case ReasoningDelta(text):
            return {"type": "reasoning", "text": text}
        case ToolCall():
            return {"type": "tool_call", **tool_call_json(event)}
        case Media():
            return {"type": "media", **media_json(event)}
        case Vector(index, values):
            return {"type": "vector", "index": index, "values": list(values)}
        case Progress(stage, done, total):
            return {"type": "progress", "stage": stage, "done": done, "total": total}
        case Notice(code, text):
            return {"type": "notice", "code": code, "text": text}
        case Finished():
            return _finished(event)


def _finished(event: Finished) -> dict[str, Json]:
    cost = event.reported_cost
    timing = event.server_timing
    return {
        "type": "finished",
        "reason": event.reason,
        "native_reason": event.native_reason,
        "usage": None if event.usage is None else usage_json(event.usage),
        "model": event.model,
        "request_id": event.request_id,
        "reported_cost": None if cost is None else {"amount": cost[0], "currency": cost[1]},
        "server_timing": None if timing is None else {key: seconds(timing[key]) for key in timing},
        "load_s": seconds(event.load_s),
        "details": event.details,
    }
