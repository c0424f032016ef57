"""What Gemini's card says, beside what every card is held to."""

import pytest

from llmctl import catalogue
from llmctl.cards import Card
from llmctl.engine.resolve import find_model, merged, stated
from llmctl.errors import ConfigError
from llmctl.settings import ProviderSettings, Settings
from llmctl.types import Level


@pytest.fixture
def card() -> Card:
    return catalogue.card("gemini", Settings())


def test_the_key_goes_as_it_is_into_googles_own_header(card: Card) -> None:
    assert (card.auth.kind, card.auth.header, card.auth.scheme) == ("key", "x-goog-api-key", "")
    assert card.auth.env == ("GEMINI_API_KEY", "GOOGLE_API_KEY")


# Flagged in litellm 1.109.1 as taking no sampling, or not.
@pytest.mark.parametrize(
    ("name", "sampling"),
    [
        ("gemini-3.8-flash", False),
        ("gemini-3.7-flash", False),
        ("gemini-3.6-flash", False),
        ("gemini-3.5-flash-lite", False),
        ("gemini-3.5-flash", True),
        ("gemini-4-argon", True),
        ("gemini-2.5-pro", True),
    ],
)
def test_which_models_take_a_temperature(card: Card, name: str, sampling: bool) -> None:
    model = find_model(card, name)
    assert model is not None
    assert merged(card.quirks, model.quirks).sampling is sampling


@pytest.mark.parametrize(
    ("name", "context", "output_limit", "kind"),
    [
        ("gemini-3.8-flash", 1_048_576, 65_536, "chat"),
        ("gemini-4-argon", 1_048_576, None, "chat"),
        ("gemini-4-carbon", None, None, "chat"),  # in no list of limits: not known, never zero
        ("gemini-embedding-2", 8192, None, "embedding"),
        ("gemini-nano-banana-2.1", 131_072, 32_768, "image"),
    ],
)
def test_limits(
    card: Card, name: str, context: int | None, output_limit: int | None, kind: str
) -> None:
    model = find_model(card, name)

    assert model is not None
    assert (model.context, model.output_limit, model.kind) == (context, output_limit, kind)


def test_what_is_done_with_data_depends_on_the_tier(card: Card) -> None:
    facts = {fact.tier: fact for fact in card.privacy}

    assert (facts["free"].level, facts["free"].trains) == (Level.MAY_TRAIN, "yes")
    assert (facts["paid"].level, facts["paid"].trains) == (Level.NO_TRAINING, "no")
    assert facts["free"].retention_days is None
    assert facts["paid"].retention_days == 55
    assert (facts["free"].zero_retention, facts["paid"].zero_retention) == ("none", "contract")


def test_the_tier_is_a_choice_and_not_assumed(card: Card) -> None:
    assert stated(card, ProviderSettings()) == {}
    assert stated(card, ProviderSettings(extra={"tier": "paid"})) == {"tier": "paid"}
    with pytest.raises(ConfigError, match="free, paid"):
        stated(card, ProviderSettings(extra={"tier": "gratis"}))
