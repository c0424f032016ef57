"""What is asked of a model: messages and their parts, and the union of calls."""

from collections.abc import Mapping
from enum import StrEnum

from llmctl.values import NOTHING, Json, dataclass


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text in a message; `name` is the file it comes from, whose name and bounds are in
    the text. It is for what is said to the user, and is neither sent nor kept."""

    text: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """A picture, sound, video or document: in a message, or as an event in an answer.

    Exactly one of `data` (raw bytes), `path` (a file of `size` bytes that is read while it is
    sent), `url` and `ref` (what a provider calls a file that was uploaded to it) is set; in an
    answer `ref` may stand beside `data`, where the provider keeps the file, too.
    `modified` is when the file at `path` was last written, in nanoseconds since 1970. Of a file
    that was too large to be kept in a conversation and lies nowhere else, none of these is set, but
    `sha256` (hexadecimal) and `size`.
    """

    media_type: str
    data: bytes | None = None
    url: str | None = None
    name: str | None = None
    path: str | None = None
    size: int | None = None
    ref: str | None = None
    modified: int | None = None
    sha256: str | None = None

    @property
    def length(self) -> int | None:
        """Bytes; None for what lies elsewhere."""
        return self.size if self.data is None else len(self.data)


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
class Fill:
    """A text with a gap, in the words of an encoder model (`[MASK]`), answered by one `TextDelta`
    a guess (`score`, word and whole text, with tabs between, and a line feed), the likeliest first,
    and by `Finished.details["guesses"]`: a list of `{"score", "word", "text"}`."""

    model: str
    prompt: str
    count: int | None = None
    options: Mapping[str, Json] = NOTHING


@dataclass(frozen=True, slots=True)
class Embed:
    """Texts to be turned into vectors, answered by one `Vector` event a text, in order. `purpose`
    is "document" or "query", where a model tells them apart."""

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
    """Messages whose input tokens a provider is asked to count, with all that would be sent beside
    them; answered by `Finished.usage`."""

    model: str
    messages: tuple[Message, ...]
    schema: Mapping[str, Json] | None = None
    tools: tuple[Tool, ...] = ()
    options: Mapping[str, Json] = NOTHING


Call = Chat | Complete | Fill | Embed | Image | Count

# The limit by the names that formats have for it, where the user sets it with -o.
LIMITS = frozenset(
    {
        *("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens"),
        *("maxTokens", "num_predict", "n_predict"),
    }
)
