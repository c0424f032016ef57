"""Whether a provider takes sets of requests for later, and under which settings."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from llmctl.dialects.batches import Batches, OneByOne
from llmctl.engine.route import Route
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.settings import Loaded, ProviderSettings
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.dialects.batches import AnyBatches


def offered(route: Route) -> "AnyBatches":
    """How sets of rows are handed in where a route leads. Raises UsageError where the provider
    takes none, or none from this account."""
    card = route.card
    stated = route.quirks.settings
    if card.batches:
        for name, value in card.batch_when.items():
            if stated.get(name) != value:
                raise UsageError(
                    _("{provider} takes batches with {name} = {value} only, and it is {given} here",
                      provider=card.name, name=name, value=value,
                      given=stated.get(name) or _("not set")),
                    hint=_("if that is your account: llmctl config set providers.{id}.{name}"
                           " {value}; or send the rows one by one: llmctl batch run", id=card.id,
                           name=name, value=value),
                    reason="no-batches",
                    provider=card.id,
                )  # fmt: skip
        if (batches := route.dialect.batches()) is not None:
            return batches
    raise UsageError(
        _("{provider} takes no batches that llmctl knows of", provider=card.name),
        hint=_("send the rows one by one: llmctl batch run; who takes batches: docs/"
               "provider-batches.md"),
        reason="no-batches",
        provider=card.id,
    )  # fmt: skip


def settings_for(batches: "AnyBatches", provider: str, loaded: Loaded) -> Loaded:
    """The settings with those values of the provider's under which it takes rows for later."""
    wanted: Mapping[str, str] = batches.settings if isinstance(batches, OneByOne) else {}
    own = loaded.settings.providers.get(provider, ProviderSettings())
    if wanted.items() <= own.extra.items():
        return loaded
    own = replace(own, extra={**own.extra, **wanted})
    providers = {**loaded.settings.providers, provider: own}
    return replace(loaded, settings=replace(loaded.settings, providers=providers))


def by_batch(route: Route, batches: "AnyBatches") -> Route:
    """The route of a row that goes in a set: priced and judged as such."""
    return replace(route, mode=batches.mode) if isinstance(batches, Batches) else route
