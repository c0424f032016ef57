"""Calls that not every provider has a format for: who has, when the one that was named has not."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from llmctl import catalogue
from llmctl.dialects import DIALECTS
from llmctl.engine.names import find_model
from llmctl.engine.route import Route
from llmctl.errors import LlmctlError, NotFound, Rejected, UsageError
from llmctl.messages import _
from llmctl.settings import ProviderSettings
from llmctl.types import Call, Complete, Fill, Quirks

if TYPE_CHECKING:
    from llmctl.cards import Card
    from llmctl.settings import Loaded

# An encoder that is on the Hub under this name.
ENCODER = "google-bert/bert-base-uncased"
# The setting of a card that has base models, and several who run them.
SAYS_WHO = "text_generation"
# How hosts say that a model, or all of theirs, are not for that.
CHATS_ONLY = re.compile(r"chat model|completion|endpoint|\burl\b|\bpath\b|\broute", re.IGNORECASE)


def refuse_vectors(route: Route, call: Call) -> None:
    """Raises UsageError for a question to a model of which its card says that it makes vectors."""
    card = route.model_card
    if card is not None and card.kind == "embedding" and not isinstance(call, Fill):
        raise UsageError(
            _("{model} makes vectors of texts and says nothing", model=route.requested),
            hint=_('its vectors: llmctl embed -m {model} "TEXT"', model=route.requested),
        )


def refuse_unable(route: Route, call: Call, loaded: "Loaded") -> None:
    """Raises UsageError, with models that can, where the provider's format has no such call."""
    try:
        route.dialect.encode(call, route.quirks)
    except UsageError as error:
        if error.hint is not None:
            raise
        if isinstance(call, Fill):
            said = _("{provider} fills no gaps in texts", provider=route.provider)
        else:
            said = _("{provider} only chats: it continues no texts", provider=route.provider)
        raise UsageError(said, hint=_who(call, loaded)) from None


def advise(error: LlmctlError | None, call: Call, loaded: "Loaded") -> None:
    """Add those models to the error of a host that has the format, but not for this model, or not
    at all: that only it knows."""
    refused = isinstance(call, Complete) and isinstance(error, NotFound | Rejected)
    if refused and error is not None and CHATS_ONLY.search(error.message):
        error.hint = _who(call, loaded)


def _who(call: Call, loaded: "Loaded") -> str:
    able = _encoders(loaded) if isinstance(call, Fill) else _continuing(loaded)
    names = [f"{card.id}/{name}" for card, name in able if _may_be_asked(card, name, loaded)]
    if not names:
        return _("no model of any card is allowed: llmctl privacy list")
    return _("what does: {names}", names=", ".join(f"-m {name}" for name in names))


def _may_be_asked(card: "Card", name: str, loaded: "Loaded") -> bool:
    """Whether policy allows a model, as far as it is a matter of the provider and the model."""
    from llmctl.privacy.policy import judge

    own = loaded.settings.providers.get(card.id, ProviderSettings())
    model = find_model(card, name)
    return judge(card, model, base_url=catalogue.base_url(card, own), loaded=loaded).allowed


def _encoders(loaded: "Loaded") -> Iterator[tuple["Card", str]]:
    for card in _cards(loaded):
        if _has(card, Fill(ENCODER, "")):
            yield card, ENCODER


def _continuing(loaded: "Loaded") -> Iterator[tuple["Card", str]]:
    """Models that are made for it, and every model of servers that people run themselves."""
    for card in _cards(loaded):
        if card.kind == "embedded" and card.default_model:
            yield card, card.default_model
        yield from ((card, model.id) for model in card.models if model.kind == "base")
        if card.kind not in ("api", "embedded") and _has(card, Complete("m", "")):
            yield card, "MODEL"
        if any(one.name == SAYS_WHO for one in card.settings):
            yield card, "ORG/MODEL"


def _has(card: "Card", call: Call) -> bool:
    settings = {one.name: one.default for one in card.settings if one.default is not None}
    try:
        DIALECTS[card.dialect]().encode(call, Quirks(settings=settings))
    except UsageError:
        return False
    return True


def _cards(loaded: "Loaded") -> Iterator["Card"]:
    """The cards there are, a second account apart: it can what the first can."""
    for name in catalogue.provider_ids(loaded.settings):
        own = loaded.settings.providers.get(name)
        if own is None or not own.extends:
            yield catalogue.card(name, loaded.settings)
