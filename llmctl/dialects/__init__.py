"""Wire formats, translated purely: no I/O, no clock, no asyncio, and no credentials.

A dialect turns a `Call` into an `HttpCall` and the frames of the answer into `Event`s. Streamed
and whole answers take the same path: a whole answer is a stream of one frame.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import partial
from importlib import import_module
from typing import NamedTuple, Protocol

from llmctl.errors import LlmctlError
from llmctl.types import NOTHING, Call, Event, Json, Quirks
from llmctl.values import dataclass


class Framing(StrEnum):
    """How the body of an answer is cut into frames."""

    SSE = "sse"
    NDJSON = "ndjson"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class HttpCall:
    """A request without host or credentials; `path` is joined to the endpoint's base URL, or to the
    card's further URL of the name `base`."""

    method: str
    path: str
    body: Mapping[str, Json] | None = None
    headers: Mapping[str, str] = NOTHING
    framing: Framing = Framing.WHOLE
    base: str | None = None


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
    `offers` are those who serve the model, where these figures depend on who does."""

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


class Frame(NamedTuple):
    """One unit of an answer: an SSE event, a line of NDJSON, or the whole body."""

    data: str
    event: str | None = None


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

    def listing(self) -> HttpCall | None:
        """A request for the models that a server has, None where it cannot be asked."""
        return None

    def listed(self, answer: Json) -> list[str]:
        """The names in an answer to `listing`."""
        return []

    def published(self, answer: Json) -> list[Listed]:
        """The same names in the same order, each with what else the answer says of it."""
        return [Listed(name=name) for name in self.listed(answer)]

    def whereabouts(self, model: str) -> HttpCall | None:
        """A request to the local server whose answer tells where the model runs."""
        return None

    def elsewhere(self, answer: Json) -> str | None:
        """The other host that an answer to `whereabouts` names, None for a model that runs here."""
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
        "yandexgpt",
    )
}
