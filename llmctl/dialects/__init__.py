"""Wire formats, translated purely: no I/O, no clock, no asyncio, and no credentials.

A dialect turns a `Call` into an `HttpCall` and the frames of the answer into `Event`s. Streamed
and whole answers take the same path: a whole answer is a stream of one frame.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol

from llmctl.errors import LlmctlError
from llmctl.types import NOTHING, Call, Event, Json, Media, Quirks
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.dialects.batches import AnyBatches


class Framing(StrEnum):
    """How the body of an answer is cut into frames."""

    SSE = "sse"
    NDJSON = "ndjson"
    WHOLE = "whole"
    BYTES = "bytes"  # a whole body that may be a picture: its bytes, unless it is text


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file as the body of a request: its bytes alone, or with `fields` as a form of several parts
    in which it stands last, under the name `field`."""

    file: Media
    fields: Mapping[str, str] | None = None
    field: str = "file"


@dataclass(frozen=True, slots=True)
class HttpCall:
    """A request without host or credentials; `path` is joined to the endpoint's base URL, or to the
    card's further URL of the name `base`. `body` is JSON, in which a `FileText` may stand for a
    string; `file` takes the place of it. A request that is to go out `once` is not sent a second
    time where a kept connection breaks before its answer: it may have arrived."""

    method: str
    path: str
    body: Mapping[str, Json] | None = None
    headers: Mapping[str, str] = NOTHING
    framing: Framing = Framing.WHOLE
    base: str | None = None
    file: FilePart | None = None
    once: bool = False


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What is to be asked next for an answer that the server is still working on, and after how
    many seconds."""

    http: HttpCall
    after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A model in a server's own list, `name` as it goes after `provider/`; what the server does not
    say is None. Prices are decimal strings for a million tokens in `currency`, `context` and
    `output_limit` tokens, `ttft_s` and `output_tokens_per_s` what the server has measured of late.
    `offers` are those who serve the model, where these figures depend on who does. `retires` is the
    day (YYYY-MM-DD) after which it answers no more, `lifecycle` and `capabilities` are the server's
    own words, `size` is in bytes, `elsewhere` the host that it is only passed on to."""

    name: str
    input: str | None = None
    output: str | None = None
    cache_read: str | None = None
    cache_write: str | None = None
    currency: str | None = None
    context: int | None = None
    output_limit: int | None = None
    ttft_s: float | None = None
    output_tokens_per_s: float | None = None
    offers: "tuple[Listed, ...]" = ()
    title: str | None = None
    retires: str | None = None
    lifecycle: str | None = None
    size: int | None = None
    parameters: str | None = None
    quantisation: str | None = None
    family: str | None = None
    licence: str | None = None
    capabilities: tuple[str, ...] = ()
    elsewhere: str | None = None


@dataclass(frozen=True, slots=True)
class PullStep:
    """What a server says while it fetches a model: in its own words, and of the piece `digest` how
    many bytes of how many are there. `over` is its word that the whole model is."""

    status: str = ""
    digest: str | None = None
    total: int | None = None
    completed: int | None = None
    over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """How a format draws: `at_once` is the most pictures that one request brings, `formats` are the
    types of files that can be asked for (none of them where it cannot be told), `seed` says whether
    it takes one, None that the model's card knows. With `by_chat` it is the models for chats that
    draw, and whether one does only its answer may tell. With `stores` a picture lies among the
    user's files at the provider, too, and comes with its name there as `ref`."""

    at_once: int = 1
    formats: tuple[str, ...] = ()
    seed: bool | None = None
    by_chat: bool = False
    stores: bool = False


class Frame(NamedTuple):
    """One unit of an answer: an SSE event, a line of NDJSON, or the whole body. A body of bytes has
    them in `raw`, their type in `media_type`, and no `data`."""

    data: str
    event: str | None = None
    raw: bytes = b""
    media_type: str = ""


class Upload(Protocol):
    """The state of one file on its way to a provider. `then` is the next request and when it goes
    out, the first one included; `read` takes what came back to it, header names in lower case, and
    sets `then` anew, or to None once the file is there: then `file` is what stands in its place.

    `read` raises an `LlmctlError` for a file that the provider could not make use of. `name` is by
    what it can be deleted again, as soon as that is known.
    """

    then: FollowUp | None
    file: Media | None = None
    name: str | None = None

    def read(self, headers: Mapping[str, str], frame: Frame) -> None: ...


class Decoder(Protocol):
    """The state of one answer while its frames come in.

    `feed` and `end` raise an `LlmctlError` for an error inside the answer. `done` turns true at the
    end mark, after which nothing more is read. `settled` turns true earlier where only trailers
    (usage) may still follow: their absence is no error. `end` is called at the end of the body
    unless `done`; it yields `Finished` where the dialect's end mark has been seen, else nothing,
    and then the engine reports the answer as cut off.

    `then` is set where the body only said that the answer is still being made: what comes back to
    that request goes into the same decoder, whose next frame either sets `then` anew or ends it.
    """

    done: bool
    settled: bool
    then: FollowUp | None = None

    def feed(self, frame: Frame) -> Iterable[Event]: ...

    def end(self) -> Iterable[Event]: ...


# What the call itself says, by the names that formats have for it. An option of such a name would
# send another call than the one that was judged, priced and recorded.
OWN_FIELDS = frozenset(
    {
        *("model", "modelUri", "messages", "prompt", "contents", "input", "inputs"),
        *("system", "systemInstruction", "system_instruction", "instructions"),
        # Other models than the one that was named, before it or after it.
        *("models", "preset", "fallbacks", "fallback_models"),
    }
)


class Dialect(Protocol):
    """One wire format. `lacks` names the knobs (fields of `Quirks`) that the format has no word
    for, whatever a card says."""

    lacks: frozenset[str] = frozenset()

    def encode(self, call: Call, quirks: Quirks) -> HttpCall:
        """The request for `call`; raises UsageError for a feature the format cannot express."""
        ...

    def decoder(self, call: Call, quirks: Quirks) -> Decoder:
        """A fresh decoder for the answer to `call`."""
        ...

    def failure(self, status: int, headers: Mapping[str, str], body: str) -> LlmctlError:
        """The error that a status outside 2xx stands for; header names are lower case."""
        ...

    def to_upload(self, call: Call, quirks: Quirks) -> tuple[Media, ...]:
        """The files of a call that go to the provider before it, and not inside its request, in
        which they stand as uploaded all the same when it is encoded before that."""
        return ()

    def upload(self, file: Media, quirks: Quirks) -> Upload | None:
        """A fresh upload of one of those files; None where the format has none."""
        return None

    def deletion(self, name: str) -> HttpCall | None:
        """The request that deletes an uploaded file, by the `name` of its upload."""
        return None

    def batches(self) -> "AnyBatches | None":
        """How sets of requests are handed in that are answered later, for less; None where the
        format has no words for that. Whether a host takes them, its card says."""
        return None

    def drawing(self) -> Drawing | None:
        """How it draws pictures; None where it has no words for that."""
        return None

    def listing(self) -> HttpCall | None:
        """A request for the models that a server has, None where it cannot be asked."""
        return None

    def listed(self, answer: Json) -> list[str]:
        """The names in an answer to `listing`."""
        return []

    def published(self, answer: Json) -> list[Listed]:
        """The same names in the same order, each with what else the answer says of it."""
        return [Listed(name=name) for name in self.listed(answer)]

    def more(self, answer: Json) -> HttpCall | None:
        """The request for the next page of the list, None after the last one."""
        return None

    def description(self, model: str) -> HttpCall | None:
        """A request for what a server says of one model, None where it is only in the list."""
        return None

    def described(self, answer: Json) -> Listed | None:
        """What an answer to `description` says, None where it is none."""
        return None

    def pulling(self, model: str) -> HttpCall | None:
        """A request that makes the server fetch a model; None where it does no such thing."""
        return None

    def pulled(self, frame: Frame) -> PullStep:
        """What a frame of the answer to `pulling` says; raises for an error in it."""
        return PullStep(over=True)

    def removal(self, model: str) -> HttpCall | None:
        """A request that makes the server delete a model; None where it does no such thing."""
        return None

    def balance(self) -> HttpCall | None:
        """A request for what is left of the tokens that were paid in advance, None where a provider
        does not tell; a status of 403 says that none are."""
        return None

    def balances(self, answer: Json) -> list[tuple[str, int]]:
        """(what the tokens are for, how many are left) in an answer to `balance`."""
        return []

    def whereabouts(self, model: str) -> HttpCall | None:
        """A request to the local server whose answer tells where the model runs."""
        return None

    def elsewhere(self, answer: Json) -> str | None:
        """The other host that an answer to `whereabouts` names, None for a model that runs here."""
        return None

    def taken(self, answer: Json) -> tuple[str, ...] | None:
        """The kinds of files (`image`, `audio`, ...) that an answer to `whereabouts` says the model
        takes; None where it does not say."""
        return None


def _loaded(name: str) -> Dialect:
    made: Dialect = import_module(f"llmctl.dialects.{name}").DIALECT()
    return made


# A new dialect is one name here and a module of that name with a `DIALECT`; modules are imported
# when a card first names them.
DIALECTS: Mapping[str, Callable[[], Dialect]] = {
    name: partial(_loaded, name)
    for name in (
        "anthropic",
        "gemini",
        "gigachat",
        "gigachat_v2",
        "huggingface",
        "ollama",
        "openai_chat",
        "openai_responses",
        "vllm",
        "yandexgpt",
    )
}
