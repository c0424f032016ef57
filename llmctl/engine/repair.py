"""What is asked instead, where an answer missed the schema."""

from llmctl.engine.schema import repair_prompt
from llmctl.errors import SchemaMismatch
from llmctl.types import Chat, Role, message
from llmctl.values import replace


def repaired(call: Chat, text: str, error: SchemaMismatch) -> Chat:
    """The same call, with the answer that missed and a request to mend it."""
    assert call.schema is not None  # noqa: S101  a mismatch needs a schema
    return replace(
        call,
        messages=(
            *call.messages,
            message(Role.ASSISTANT, text),
            message(Role.USER, repair_prompt(call.schema, error)),
        ),
    )
