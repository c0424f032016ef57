"""Where a call to a model would go, as far as that is known without a key and without policy: for
asking it, and for all that tells beforehand what asking it would cost or disclose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmctl import catalogue
from llmctl.engine.names import find_model, near_models, runs_elsewhere, split, unalias
from llmctl.errors import NotFound
from llmctl.messages import _
from llmctl.settings import Loaded, ProviderSettings
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.cards import Card, Model
    from llmctl.cost.tariff import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`model` is the provider's name for the model, `model_card` the card's entry for it, None for
    one that it does not list; `spoken` the name of the dialect. `passed_on` says that the server
    there only passes that model on to a cloud."""

    card: Card
    own: ProviderSettings
    model: str
    model_card: Model | None
    spoken: str
    base_url: str
    passed_on: bool

    @property
    def name(self) -> str:
        return f"{self.card.id}/{self.model}"

    @property
    def terms(self) -> Terms:
        """What a price there depends on beside card and model."""
        from llmctl.cost.tariff import Terms

        values = {one.name: catalogue.setting_of(self.card, self.own, one)
                  for one in self.card.settings}  # fmt: skip
        return Terms(
            url=self.base_url,
            inherit=self.own.facts == "inherit",
            passed_on=self.passed_on,
            settings={name: value for name, value in values.items() if value is not None},
        )


def placed(name: str, loaded: Loaded) -> Place:
    """Raises UsageError for a bare id that no card or several have, NotFound for a model that a
    card rules out, ConfigError for settings of a provider that there is not."""
    settings = loaded.settings
    catalogue.refuse_strangers(loaded)
    provider, model = split(unalias(name, settings), settings)
    card = catalogue.card(provider, settings)
    own = settings.providers.get(provider, ProviderSettings())
    found = find_model(card, model)
    if found is None and card.kind == "api" and card.models and not card.any_model:
        raise NotFound(
            _("{provider} has no model {model}", provider=provider, model=model),
            hint=near_models(card, model)
            or _("see what there is: llmctl models list {provider}", provider=provider),
            provider=provider,
        )
    return place_of(card, own, found.id if found and model in found.aliases else model, found)


def place_of(card: Card, own: ProviderSettings, model: str, found: Model | None) -> Place:
    """The place of a model with or without an entry in the card."""
    spoken = catalogue.dialect_of(card, found, own)
    return Place(
        card=card,
        own=own,
        model=model,
        model_card=found,
        spoken=spoken,
        base_url=catalogue.base_url(card, own),
        passed_on=runs_elsewhere(card, model),
    )
