"""What to type next after an error of a provider."""

import pytest

from llmctl.engine.advice import advice, spelt
from llmctl.errors import (
    AuthFailed,
    CutOff,
    LlmctlError,
    NotFound,
    ProviderFailed,
    RateLimited,
    Rejected,
)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AuthFailed("no", status=401), "store the right key: llmctl keys set acme"),
        (AuthFailed("no", status=403), "llmctl models list acme"),
        (AuthFailed("no", status=403, reason="region"), "serves your country"),
        (NotFound("no", status=404), "llmctl models list acme"),
        (RateLimited("no", reason="quota", retryable=False), "the account's limits"),
        (RateLimited("no", reason="rate"), "try again later"),
        (RateLimited("no", reason="rate", retry_after_s=86400.0), "wait 24 h"),
        (Rejected("no", reason="context"), "shorten the prompt"),
        (ProviderFailed("no", status=500), "try again later"),
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
