"""A template and what comes out of it."""

from collections.abc import Mapping
from typing import Literal

from llmctl.types import NOTHING, Json, Message
from llmctl.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable with its default; without one it must be given with -p."""

    default: str | None = None
    help: str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """An example in the conversation before the question."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template file. `system`, `prompt` and the texts of `messages` are Jinja; `variables` maps
    names to defaults or to tables; `extends` names a template whose entries hold where this one
    has none."""

    name: str = ""
    description: str | None = None
    extends: str | None = None
    system: str | None = None
    prompt: str | None = None
    messages: tuple[Shot, ...] = ()
    variables: Mapping[str, Variable] = NOTHING
    model: str | None = None
    options: Mapping[str, Json] = NOTHING
    max_tokens: int | None = None
    temperature: float | None = None
    schema: Mapping[str, Json] | None = None

    def check(self, values: Mapping[str, str]) -> None:
        """Raises UsageError for -p's values that it has no use for."""
        from llmctl.templates.fill import check_values

        check_values(self, values)

    def render(
        self,
        values: Mapping[str, str],
        given: str | None,
        *,
        prompt: str | None = None,
        columns: Mapping[str, Json] = NOTHING,
        column: str | None = None,
    ) -> "Rendered":
        """Fill the template in: `values` are -p's, `given` is standard input, `prompt` the PROMPT,
        `columns` those of a row, of which `column` is what stands where standard input does.

        `{{ input }}` is standard input, or the PROMPT where there is none; `{{ prompt }}` is the
        PROMPT. What the template uses neither way, nor as a column, comes after its text.
        """
        from llmctl.templates.fill import rendered

        return rendered(self, values, given, prompt, columns, column)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What a template adds to a call; `messages` end with the question."""

    system: str | None
    messages: tuple[Message, ...]
    model: str | None = None
    options: Mapping[str, Json] = field(default_factory=dict)
    max_tokens: int | None = None
    temperature: float | None = None
    schema: Mapping[str, Json] | None = None
