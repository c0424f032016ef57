"""Which calls can be counted by a provider, and over which route."""

import pytest

from llmctl import catalogue
from llmctl.dialects import DIALECTS
from llmctl.engine.counting import as_count, can_count, counting_route
from llmctl.engine.route import Route
from llmctl.errors import UsageError
from llmctl.settings import Settings
from llmctl.transport.target import Target
from llmctl.types import Chat, Complete, Level, Quirks, Role, Verdict, message


def route(provider: str) -> Route:
    card = catalogue.card(provider, Settings())
    url = card.endpoint.base_url
    return Route(
        requested=f"{provider}/m", provider=provider, model="m", card=card, model_card=None,
        dialect=DIALECTS[card.dialect](), quirks=Quirks(),
        target=Target(provider=provider, base_url=url, headers={"X-No-Logging": "true"}),
        verdict=Verdict(True, Level.UNKNOWN),
    )  # fmt: skip


@pytest.mark.parametrize(
    "provider", ["openai", "anthropic", "gemini", "yandexgpt", "gigachat", "llamacpp"]
)
def test_a_card_names_the_dialect_in_which_its_provider_counts(provider: str) -> None:
    asking = route(provider)
    counting = counting_route(asking)

    assert can_count(asking)
    assert counting.target is asking.target  # same address, key and headers
    call = as_count(Chat("m", (message(Role.USER, "hi"),)))
    assert counting.dialect.encode(call, Quirks()).method == "POST"


def test_others_do_not_count() -> None:
    assert not can_count(route("groq"))
    with pytest.raises(UsageError, match="no way to count"):
        counting_route(route("groq"))
    with pytest.raises(UsageError, match="to be continued"):
        as_count(Complete("m", "Once upon"))
