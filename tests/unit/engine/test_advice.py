"""What to type next after an error of a provider."""

import pytest

from llmctl import catalogue
from llmctl.engine.advice import abroad, advice, spelt
from llmctl.errors import (
    AuthFailed,
    CutOff,
    LlmctlError,
    NotFound,
    ProviderFailed,
    RateLimited,
    Rejected,
)
from llmctl.settings import Settings


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AuthFailed("no", status=401), "store the right key: llmctl keys set acme"),
        (AuthFailed("no", status=403), "llmctl models list acme"),
        (AuthFailed("no", status=403, reason="region"), "refuses the country you ask from"),
        (AuthFailed("no", status=403, reason="region"), "config set providers.acme.proxy URL"),
        (NotFound("no", status=404), "llmctl models list acme --live"),
        (RateLimited("no", reason="quota", retryable=False), "the account's limits"),
        (RateLimited("no", reason="rate"), "try again later"),
        (RateLimited("no", reason="rate", retry_after_s=86400.0), "wait 24 h"),
        (Rejected("no", reason="context"), "shorten the prompt"),
        (ProviderFailed("no", status=500), "try again later"),
        (ProviderFailed("no", status=503, reason="loading"), "config set network.max_wait"),
        (ProviderFailed("no", reason="not-json"), "llmctl config get providers.acme.base_url"),
    ],
)
def test_each_kind_has_its_own(error: LlmctlError, words: str) -> None:
    error.provider = "acme"

    assert words in (advice(error, has_key=True) or "")


def test_without_a_key_none_was_wrong() -> None:
    error = AuthFailed("no", status=401, provider="acme")

    assert advice(error, has_key=False) == "it wants a key: llmctl keys set acme"


@pytest.mark.parametrize("error", [CutOff("x"), ProviderFailed("x"), Rejected("x")])
def test_nothing_is_better_than_something_empty(error: LlmctlError) -> None:
    assert advice(error, has_key=True) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0.4 s"), (20.0, "20 s"), (119.0, "119 s"), (600.0, "10 min"), (86400.0, "24 h")],
)
def test_waits_in_words(seconds: float, text: str) -> None:
    assert spelt(seconds) == text


def test_who_is_abroad_is_read_from_the_cards() -> None:
    american = abroad(catalogue.card("openai", Settings()))

    assert "mistral (FR)" in american
    assert "gigachat (RU)" in american
    assert not any("(US)" in one for one in american)
    assert "openai (US)" in abroad(catalogue.card("gigachat", Settings()))


def test_providers_of_other_countries_are_named() -> None:
    error = AuthFailed("no", status=403, reason="region", provider="acme")

    said = advice(error, has_key=True, others=["two (FR)", "three (RU)"])

    assert said is not None
    assert said.endswith("two (FR), three (RU)")
