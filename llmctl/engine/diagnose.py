"""Why a provider does not answer: one check a layer, from the settings to the answer.

The layers below the answer need no probes of their own: a real request fails at the layer that is
broken, and having got that far proves those before it.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from llmctl import catalogue
from llmctl.cards import Card, Model
from llmctl.engine.resolve import auth_of, find_model, judged, key_for, merged, stated
from llmctl.errors import (
    AuthFailed,
    LlmctlError,
    NetworkFailed,
    NotFound,
    ProviderFailed,
    RateLimited,
)
from llmctl.messages import _
from llmctl.settings import Loaded, ProviderSettings
from llmctl.values import dataclass, replace


class State(StrEnum):
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """`layer` is a stable word; `error` is what failed."""

    layer: str
    state: State
    text: str
    error: LlmctlError | None = None


# What only an answer that goes into the request can prove.
ANSWERED = frozenset({"auth", "quota", "model"})
WIRE = ("proxy", "dns", "tcp", "tls", "auth", "quota", "model", "answer")

_REASONS = {
    "proxy": "proxy",
    "dns": "dns",
    "connect": "tcp",
    "timeout": "answer",
    "tls": "tls",
    "idle": "answer",
    "reset": "answer",
}


def offline(provider: str, loaded: Loaded) -> Iterator[Check]:
    """What can be checked without a network: card, address, certificates, policy, key."""
    settings = loaded.settings
    card = catalogue.card(provider, settings)
    own = settings.providers.get(provider, ProviderSettings())
    yield Check("card", State.OK, _("{name}, dialect {dialect}", name=card.name,
                                    dialect=card.dialect))  # fmt: skip
    base_url = catalogue.base_url(card, own)
    known = card.kind != "api" or catalogue.is_own_host(card, base_url)
    if known:
        about = ""
    elif own.facts == "inherit":
        about = _(" (not a host of the provider: its price and privacy hold by your settings)")
    else:
        about = _(" (not a host of the provider: price and privacy are unknown)")
    yield Check("address", State.OK, base_url + about)
    yield _certificates(own.ca_file or settings.network.ca_file)
    try:
        verdict = judged(card, _default(card), base_url, loaded, elsewhere=False)
        yield Check("policy", State.OK, _("level {level}", level=verdict.level.value))
    except LlmctlError as error:
        yield Check("policy", State.FAILED, error.message, error)
    try:
        settled = stated(card, own)
        if settled:
            yield Check("settings", State.OK, ", ".join(settled))
    except LlmctlError as error:
        yield Check("settings", State.FAILED, error.message, error)
        return
    yield _key(card, own, base_url, settled)


def _key(card: Card, own: ProviderSettings, base_url: str, settled: Mapping[str, str]) -> Check:
    try:
        secret = key_for(card, own, base_url)
        auth = auth_of(card, own, secret, replace(merged(card.quirks), settings=settled))
        if secret:
            said = _("from {source}", source=secret.source)
        else:
            said = _("none stored; another proof of identity is used") if auth else _("none needed")
        return Check("key", State.OK, said)
    except LlmctlError as error:
        return Check("key", State.FAILED, error.message, error)


def _default(card: Card) -> Model | None:
    return find_model(card, card.default_model) if card.default_model else None


def _certificates(ca_file: str | None) -> Check:
    if ca_file is None:
        return Check("certificates", State.OK, _("the operating system's"))
    from llmctl.transport.tls import ssl_context

    try:
        ssl_context(ca_file)
    except LlmctlError as error:
        return Check("certificates", State.FAILED, error.message, error)
    return Check("certificates", State.OK, _("the system's and {file}", file=ca_file))


def wire_checks(error: LlmctlError | None, answered: str) -> Iterator[Check]:
    """The layers of the wire from what one real request came to; what it proves nothing about is
    said to be unknown."""
    broken = layer_of(error) if error else None
    for layer in WIRE:
        if layer == broken and error is not None:
            yield Check(layer, State.FAILED, error.message, error)
        elif broken is not None and WIRE.index(layer) > WIRE.index(broken):
            yield Check(layer, State.SKIPPED, _("not reached"))
        elif error is not None and layer in ANSWERED and not _was_answered(error):
            yield Check(layer, State.UNKNOWN, _("no answer tells"))
        else:
            yield Check(layer, State.OK, answered if layer == "answer" else "")


def _was_answered(error: LlmctlError) -> bool:
    """Whether the provider has looked at the key and the model before it failed: a fault of its
    own or of the way may have come before that."""
    return not isinstance(error, NetworkFailed | ProviderFailed)


def layer_of(error: LlmctlError) -> str:
    """The layer of the wire that an error lies in."""
    match error:
        case NetworkFailed():
            return _REASONS.get(error.reason or "", "tcp")
        case AuthFailed():
            return "auth"
        case RateLimited():
            return "quota"
        case NotFound():
            return "model"
        case _:
            return "answer"
