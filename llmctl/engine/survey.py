"""What there is to talk to: keys, local servers, local models. Looks at this machine only."""

from collections.abc import Iterator
from typing import Literal

from llmctl import catalogue
from llmctl.cards import Card
from llmctl.keys import where
from llmctl.settings import ProviderSettings, Settings
from llmctl.transport.probe import is_loopback, listens
from llmctl.values import dataclass

Kind = Literal["key", "server", "weights"]


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that is ready: where its key comes from, or the address that listens; `model` is
    what to put after -m, None where only the server knows its models."""

    provider: str
    name: str
    kind: Kind
    detail: str
    model: str | None


def survey(settings: Settings) -> Iterator[Found]:
    """Everything found, cards in the order of their ids."""
    for provider in catalogue.provider_ids(settings):
        card = catalogue.card(provider, settings)
        own = settings.providers.get(provider, ProviderSettings())
        match card.kind:
            case "api":
                yield from _key(card, own)
            case "local":
                yield from _server(card, own)
            case "embedded":
                yield from _weights(card)


def _key(card: Card, own: ProviderSettings) -> Iterator[Found]:
    if card.auth.kind in ("none", "optional-key"):
        return
    if source := next(iter(where(card, own)), None):
        model = f"{card.id}/{card.default_model}" if card.default_model else None
        yield Found(card.id, card.name, "key", source, model)


def is_up(card: Card, own: ProviderSettings) -> bool | None:
    """Whether a server of the user's own listens on this machine; None for all that is elsewhere or
    no server, which nobody looks for."""
    base_url = catalogue.base_url(card, own)
    return listens(base_url) if card.kind == "local" and is_loopback(base_url) else None


def _server(card: Card, own: ProviderSettings) -> Iterator[Found]:
    if is_up(card, own):
        yield Found(card.id, card.name, "server", catalogue.base_url(card, own), None)


def _weights(card: Card) -> Iterator[Found]:
    from llmctl.engine.weights import present

    for model in card.models:
        if model.kind != "embedding" and (path := present(model)):
            yield Found(
                card.id, model.name or model.id, "weights", str(path), f"{card.id}/{model.id}"
            )
