"""The arguments of a function's call as the object that some formats demand."""

import json

from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.types import Json, ToolCall


def as_object(call: ToolCall) -> Json:
    """The arguments decoded; raises UsageError, since a model may have written anything."""
    try:
        arguments = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise UsageError(
            _("the call of {name} in this conversation has arguments that are no JSON object",
              name=call.name)
        )  # fmt: skip
    return arguments
