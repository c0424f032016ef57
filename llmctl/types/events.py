"""What comes back: the union of events, what an answer used, and how providers depart from their
dialect."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from llmctl.types.calls import Media, ToolCall
from llmctl.values import NOTHING, Json, dataclass


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    FILTER = "filter"
    TOOL_CALLS = "tool_calls"
    ERROR = "error"


class UsageSource(StrEnum):
    REPORTED = "reported"
    COUNTED = "counted"
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer.

    Input includes cached and cache-write tokens, output includes reasoning tokens.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    source: UsageSource = UsageSource.REPORTED


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    text: str


@dataclass(frozen=True, slots=True)
class Vector:
    """What one text became; `index` is its place among the texts of the call."""

    index: int
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long operation is; `total` is None while unknown."""

    stage: str
    done: int
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know that is no error; `code` is a stable kebab word. What
    `insists` is said to those, too, who want to hear nothing but answers and errors."""

    code: str
    text: str
    insists: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """The end mark of an answer. A stream that ends without one was cut off.

    `details` holds what the provider said and this model does not cover, under the provider's own
    names; `reported_cost` is (amount, currency) where the provider states what it charges,
    `passed_on_to` another host that a local server says has answered.
    """

    reason: FinishReason
    usage: Usage | None = None
    model: str | None = None
    request_id: str | None = None
    native_reason: str | None = None
    reported_cost: tuple[str, str] | None = None
    server_timing: Mapping[str, float] | None = None
    load_s: float | None = None
    passed_on_to: str | None = None
    details: Mapping[str, Json] = NOTHING


Event = TextDelta | ReasoningDelta | ToolCall | Media | Vector | Progress | Notice | Finished


@dataclass(frozen=True, slots=True)
class Quirks:
    """How a provider or one of its models departs from its dialect.

    Set in cards (`[quirks]`, and `[models.quirks]` on top); dialects read them, and nothing else
    asks which provider it is talking to. The defaults fit a host that follows the dialect.
    `cost_field` is the path (`usage.cost`) at which an answer states what it cost in US dollars.
    `model_name` is what a model is called on the wire, where `{model}` is its name here and
    `{folder}` the setting of that name; `path_prefix` goes before the paths of the dialect.
    `refuse_storage` has formats whose servers keep answers by default ask them not to.
    `inline_bytes` is how much of a request its files may take, where what is more is uploaded.
    `settings` are the values of what the card adds to a provider's settings (`folder`, `tier`, …),
    those left out that have none. `output_limit` is the longest answer of the model in tokens, for
    formats that want a limit said even where the user sets none. `dimensions` says whether vectors
    can be asked for in a length, `vector_encoding` in which form they are ("float", or "base64").
    `purposes` are fields that a request for vectors gets by what they are for ("query",
    "document").
    `image_reply` is what an answer with the picture in it is called (`response_format`), "" for
    hosts that know no other.
    """

    max_tokens_field: str = "max_tokens"
    system_role: str = "system"
    sampling: bool = True
    seed: bool = True
    stop: bool = True
    tools: bool = True
    schema: str = "json_schema"
    usage_in_stream: bool = True
    reasoning_fields: tuple[str, ...] = ("reasoning_content", "reasoning")
    seed_field: str = "seed"
    cost_field: str = ""
    refuse_storage: bool = True
    close_connection: bool = False
    model_name: str = "{model}"
    path_prefix: str = ""
    extra_body: Mapping[str, Json] = NOTHING
    output_limit: int | None = None
    dimensions: bool = True
    vector_encoding: str = "float"
    purposes: Mapping[str, Mapping[str, Json]] = NOTHING
    inline_bytes: int | None = None
    image_reply: str = "b64_json"
    settings: Mapping[str, str] = NOTHING
