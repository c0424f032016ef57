"""The values every layer passes on: calls, messages, events, usage, cost and receipts.

Frozen, without behaviour beyond small derived figures, importing nothing of ours. `None` always
means "nobody said", never zero.
"""

from llmctl.types.calls import (
    Call,
    Chat,
    Complete,
    Count,
    Embed,
    Image,
    Media,
    Message,
    Part,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    message,
)
from llmctl.types.events import (
    Event,
    Finished,
    FinishReason,
    Notice,
    Progress,
    Quirks,
    ReasoningDelta,
    TextDelta,
    Usage,
    UsageSource,
    Vector,
)
from llmctl.types.receipts import (
    Cost,
    CostKind,
    Failure,
    Latency,
    Level,
    Receipt,
    Verdict,
)
from llmctl.values import NOTHING, Json

__all__ = [
    "NOTHING",
    "Call",
    "Chat",
    "Complete",
    "Cost",
    "CostKind",
    "Count",
    "Embed",
    "Event",
    "Failure",
    "FinishReason",
    "Finished",
    "Image",
    "Json",
    "Latency",
    "Level",
    "Media",
    "Message",
    "Notice",
    "Part",
    "Progress",
    "Quirks",
    "ReasoningDelta",
    "Receipt",
    "Role",
    "Text",
    "TextDelta",
    "Tool",
    "ToolCall",
    "ToolResult",
    "Usage",
    "UsageSource",
    "Vector",
    "Verdict",
    "message",
]
