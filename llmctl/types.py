"""The values every layer passes on: calls, messages, events, usage, cost and receipts.

Frozen, without behaviour beyond small derived figures, importing nothing of ours. `None` always
means "nobody said", never zero.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NoReturn

from llmctl.values import dataclass, field

# What json.loads returns; decoded frames are looked up tolerantly, so nothing narrower helps.
Json = Any


class _Nothing(dict[str, Any]):
    """An empty mapping that stays empty, so that it may be the default of a frozen value; a dict,
    so that it serialises like one."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]  # a dict has none: others change
        return 0

    def _refuse(self, *_args: object, **_named: object) -> NoReturn:
        raise TypeError("this mapping is shared and stays empty")

    __setitem__ = __ior__ = setdefault = update = _refuse


NOTHING: Mapping[str, Json] = _Nothing()


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


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


# ---------------------------------------------------------------------------------------- messages


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text in a message."""

    text: str


@dataclass(frozen=True, slots=True)
class Media:
    """A picture, sound, video or document: in a message, or as an event in an answer.

    Exactly one of `data` (raw bytes) and `url` is set.
    """

    media_type: str
    data: bytes | None = None
    url: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function the model wants called; `arguments` is the JSON text exactly as it was sent."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a called function returned."""

    id: str
    name: str
    text: str


Part = Text | Media | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """All text parts joined, without separators."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))


def message(role: Role, text: str) -> Message:
    """A message of one text part."""
    return Message(role, (Text(text),))


@dataclass(frozen=True, slots=True)
class Tool:
    """A function offered to the model; `parameters` is a JSON Schema."""

    name: str
    description: str
    parameters: Mapping[str, Json]


# ------------------------------------------------------------------------------------------- calls


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation to be continued by one answer.

    `options` are the provider's own request fields, sent as they stand; `schema` is a JSON Schema
    that the answer must match.
    """

    model: str
    messages: tuple[Message, ...]
    max_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    schema: Mapping[str, Json] | None = None
    tools: tuple[Tool, ...] = ()
    stream: bool = True
    options: Mapping[str, Json] = NOTHING


@dataclass(frozen=True, slots=True)
class Complete:
    """Text to be continued by a base model, without roles."""

    model: str
    prompt: str
    max_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    stream: bool = True
    options: Mapping[str, Json] = NOTHING


@dataclass(frozen=True, slots=True)
class Embed:
    """Texts to be turned into vectors, answered by one `Vector` event a text, in order."""

    model: str
    texts: tuple[str, ...]
    dimensions: int | None = None
    purpose: str | None = None
    options: Mapping[str, Json] = NOTHING


@dataclass(frozen=True, slots=True)
class Image:
    """A picture to be drawn, answered by `Media` events."""

    model: str
    prompt: str
    count: int = 1
    size: str | None = None
    seed: int | None = None
    media_type: str | None = None
    options: Mapping[str, Json] = NOTHING


@dataclass(frozen=True, slots=True)
class Count:
    """Messages whose input tokens a provider is asked to count; answered by `Finished.usage`."""

    model: str
    messages: tuple[Message, ...]
    options: Mapping[str, Json] = NOTHING


Call = Chat | Complete | Embed | Image | Count


# ------------------------------------------------------------------------------------------ events


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
    index: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long operation is; `total` is None while unknown."""

    stage: str
    done: int
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know that is no error; `code` is a stable kebab word."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end mark of an answer. A stream that ends without one was cut off.

    `details` holds what the provider said and this model does not cover, under the provider's own
    names; `reported_cost` is (amount, currency) where the provider states what it charges.
    """

    reason: FinishReason
    usage: Usage | None = None
    model: str | None = None
    request_id: str | None = None
    native_reason: str | None = None
    reported_cost: tuple[str, str] | None = None
    server_timing: Mapping[str, float] | None = None
    load_s: float | None = None
    details: Mapping[str, Json] = NOTHING


Event = TextDelta | ReasoningDelta | ToolCall | Media | Vector | Progress | Notice | Finished


@dataclass(frozen=True, slots=True)
class Quirks:
    """How a provider or one of its models departs from its dialect.

    Set in cards (`[quirks]`, and `[models.quirks]` on top); dialects read them, and nothing else
    asks which provider it is talking to. The defaults fit a host that follows the dialect.
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
    close_connection: bool = False
    extra_body: Mapping[str, Json] = NOTHING


# ------------------------------------------------------------------------- cost, privacy, receipts


class CostKind(StrEnum):
    REPORTED = "reported"
    COMPUTED = "computed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cost:
    """Money for one answer; `amount` is a decimal string, None when the price is not known."""

    amount: str | None = None
    currency: str | None = None
    kind: CostKind = CostKind.UNKNOWN
    price_source: str | None = None
    price_date: str | None = None


class Level(StrEnum):
    """Privacy levels from best to worst; `rank` orders them, unknown is the worst."""

    DEVICE = "device"
    NETWORK = "network"
    ZERO_RETENTION = "zero-retention"
    NO_TRAINING = "no-training"
    MAY_TRAIN = "may-train"
    UNKNOWN = "unknown"

    @property
    def rank(self) -> int:
        return list(Level).index(self)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What policy says of one call: allowed or not, the level reached and the rules that forbid."""

    allowed: bool
    level: Level
    region: str | None = None
    retention_days: int | None = None
    controls: tuple[str, ...] = ()
    attested: tuple[str, ...] = ()
    facts_checked: str | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds on a monotonic clock, counted from the moment the request was handed over.

    `waited_s` is what retries and rate limits cost, `load_s` what loading a model cost.
    """

    connect_s: float | None = None
    reused: bool = False
    first_byte_s: float | None = None
    ttft_s: float | None = None
    total_s: float | None = None
    waited_s: float = 0.0
    load_s: float | None = None
    output_tokens_per_s: float | None = None
    server: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as data, in the shape scripts read."""

    code: str
    exit_code: int
    message: str
    reason: str | None = None
    retryable: bool = False
    provider: str | None = None
    status: int | None = None
    retry_after_s: float | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Everything known about one finished or failed call: what `--json` prints, the ledger keeps.

    `started_at` is UTC in RFC 3339 with a trailing Z.
    """

    id: str
    started_at: str
    requested: str
    provider: str | None = None
    resolved: str | None = None
    text: str = ""
    reasoning: str | None = None
    media: tuple[Media, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: FinishReason | None = None
    usage: Usage = field(default_factory=Usage)
    cost: Cost = field(default_factory=Cost)
    latency: Latency = field(default_factory=Latency)
    verdict: Verdict | None = None
    redactions: Mapping[str, int] = NOTHING
    request_id: str | None = None
    attempts: int = 0
    details: Mapping[str, Json] = NOTHING
    error: Failure | None = None
