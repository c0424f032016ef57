"""When to ask again: the server's word in all its spellings, and the bounds on waiting."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from llmctl.engine.retry import Retries, asked_wait
from llmctl.errors import AuthFailed, ProviderFailed, RateLimited

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "said", "seconds"),
    [
        ({"retry-after": "2"}, "", 2.0),
        ({"retry-after": "0.5"}, "", 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, "", 1.5),
        ({"retry-after": format_datetime(NOW.replace(second=20), usegmt=True)}, "", 20.0),
        ({"retry-after": format_datetime(NOW.replace(hour=11), usegmt=True)}, "", 0.0),
        ({"ratelimit": '"api";r=0;t=55'}, "", 55.0),
        ({"ratelimit": '"api";r=499;t=55'}, "", None),
        ({"ratelimit": '"api";r=0;t=5, "pages";r=3;t=200, "day";r=0;t=30'}, "", 30.0),
        ({"ratelimit": '"api";r=0;t=55', "retry-after": "2"}, "", 2.0),
        ({"ratelimit": "r=0"}, "", None),
        ({"retry-after": "-3"}, "", None),
        ({"retry-after": "soon"}, "", None),
        ({"retry-after": "nan"}, "", None),
        ({"retry-after": "inf"}, "", None),
        ({}, "Rate limit reached. Please try again in 2s.", 2.0),
        ({}, "Please try again in 6m0s. Visit", 360.0),
        ({}, "try again in 20ms", 0.02),
        ({}, "Please retry in 1h2m3.5s", 3723.5),
        ({}, "retry after 7 seconds", 7.0),
        ({}, "try again in 3 minutes", 180.0),
        ({}, "try again later", None),
        ({}, "", None),
    ],
)
def test_asked_wait(headers: dict[str, str], said: str, seconds: float | None) -> None:
    assert seconds == pytest.approx(asked_wait(headers, said, NOW.timestamp))


def test_back_off_doubles_up_to_its_ceiling() -> None:
    retries = Retries(attempts=9, base=0.5, ceiling=8.0, max_wait=1000.0)
    error = ProviderFailed("busy")

    waits = [retries.wait(error, tried, 0.0, chance=lambda: 0.0) for tried in range(1, 7)]

    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]


def test_chance_takes_off_at_most_a_quarter() -> None:
    assert Retries(base=1.0).wait(ProviderFailed("busy"), 1, 0.0, chance=lambda: 1.0) == 0.75


def test_the_server_decides_how_long() -> None:
    assert Retries().wait(RateLimited("slow down", retry_after_s=7.0), 1, 0.0) == 7.0


def test_a_day_is_not_waited_for() -> None:
    assert Retries().wait(RateLimited("slow down", retry_after_s=86400.0), 1, 0.0) is None


def test_all_waits_together_are_bounded() -> None:
    error = RateLimited("slow down", retry_after_s=20.0)

    assert Retries(max_wait=60.0).wait(error, 3, 40.0) == 20.0
    assert Retries(max_wait=60.0).wait(error, 4, 41.0) is None


def test_attempts_are_bounded() -> None:
    assert Retries(attempts=2).wait(ProviderFailed("busy"), 2, 0.0) is not None
    assert Retries(attempts=2).wait(ProviderFailed("busy"), 3, 0.0) is None


def test_what_cannot_succeed_is_not_repeated() -> None:
    spent = RateLimited("spent", reason="quota", retryable=False, retry_after_s=1.0)

    assert Retries().wait(AuthFailed("no"), 1, 0.0) is None
    assert Retries().wait(spent, 1, 0.0) is None


def test_a_server_that_loads_is_looked_at_until_patience_ends() -> None:
    """However often: half a second at first, then every two, and no longer when it asks for it."""
    loading = ProviderFailed("Loading model", reason="loading", retry_after_s=30.0)
    retries = Retries(attempts=2, base=0.5, max_wait=60.0)

    assert [retries.wait(loading, tried, 0.0) for tried in (1, 2, 3, 4, 99)] == [0.5, 1, 2, 2, 2]
    assert retries.wait(loading, 40, 58.0) == 2.0
    assert retries.wait(loading, 40, 58.5) is None
