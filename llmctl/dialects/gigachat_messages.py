"""Messages in the shape of GigaChat's first version, and what both versions have in common."""

import json
from collections.abc import Iterator, Sequence

from llmctl.dialects.arguments import as_object
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.types import Json, Media, Message, Role, ToolCall, ToolResult

# Ids that we gave to calls without one; the provider's own is the state behind the call.
OUR_IDS = "call_"


def instructions(messages: Sequence[Message]) -> str | None:
    """All instructions as one text: only one message of them is taken, and only as the first."""
    texts = [one.text for one in messages if one.role is Role.SYSTEM]
    return "\n\n".join(texts) if texts else None


def encode_messages(messages: Sequence[Message]) -> Iterator[Json]:
    if (said := instructions(messages)) is not None:
        yield {"role": "system", "content": said}
    for one in messages:
        if one.role is Role.SYSTEM:
            continue
        refuse_mixture(one)
        results = [part for part in one.parts if isinstance(part, ToolResult)]
        for result in results:
            yield {"role": "function", "name": result.name, "content": as_json(result.text)}
        if results:
            continue
        shaped: dict[str, Json] = {"role": one.role.value, "content": one.text}
        if has_files(one):
            from llmctl.dialects.gigachat_files import ids

            shaped["attachments"] = ids(one.parts)
        if (call := only_call(one)) is not None:
            shaped["function_call"] = {"name": call.name, "arguments": as_object(call)}
            if not call.id.startswith(OUR_IDS):
                shaped["functions_state_id"] = call.id
        yield shaped


def has_files(one: Message) -> bool:
    return any(isinstance(part, Media) for part in one.parts)


def refuse_mixture(one: Message) -> None:
    """Raises UsageError for results of functions beside anything else."""
    results = sum(isinstance(part, ToolResult) for part in one.parts)
    if 0 < results < len(one.parts):
        raise UsageError(_("a message may not mix text with results of functions"))


def only_call(one: Message) -> ToolCall | None:
    """The call of a function in a message; raises UsageError for several, which are not taken."""
    calls = [part for part in one.parts if isinstance(part, ToolCall)]
    if len(calls) > 1:
        raise UsageError(_("GigaChat takes one call of a function in a message, not several"))
    return calls[0] if calls else None


def as_json(text: str) -> str:
    """A result as JSON text, which is all that is taken; other text is put into an object."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return json.dumps({"result": text}, ensure_ascii=False)
    return text
