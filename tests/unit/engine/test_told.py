"""Headers about limits, as providers document them."""

from datetime import UTC, datetime

import pytest

from llmctl.engine.told import LONGEST_S, span, used_up

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("12ms", 0.012),
        ("1h2m3.5s", 3723.5),
        ("20", 20.0),
        ("0", 0.0),
        ("2026-11-25T12:00:05Z", 5.0),
        ("2026-11-25T15:00:05+03:00", 5.0),
        ("2026-11-25T11:00:00Z", 0.0),
        (f"{NOON + 9:.0f}", 9.0),
        (f"{(NOON + 9) * 1000:.0f}", 9.0),
        ("soon", None),
        ("1s later", None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("", None),
    ],
)
def test_spans(stated: str, seconds: float | None) -> None:
    found = span(stated, NOON)

    assert found == (None if seconds is None else pytest.approx(seconds, abs=1e-3))


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1s"}, 1.0),
        ({"X-RateLimit-Remaining-Tokens": "0", "X-RateLimit-Reset-Tokens": "6s"}, 6.0),
        ({"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "1s"}, 0.0),
        ({"x-ratelimit-remaining-requests": "-1", "x-ratelimit-reset-requests": "1s"}, 0.0),
        ({"x-ratelimit-remaining-requests": "0"}, 0.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-tokens": "9s"}, 0.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOON + 3:.0f}"}, 3.0),
        (
            {
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2026-11-25T12:00:05Z",
            },
            5.0,
        ),
        ({"ratelimit": '"api";r=0;t=55'}, 55.0),
        ({"ratelimit": '"api";r=3;t=55'}, 0.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "7h"}, LONGEST_S),
        ({}, 0.0),
    ],
)
def test_what_is_used_up(limits: dict[str, str], seconds: float) -> None:
    assert used_up(limits, NOON) == pytest.approx(seconds)


def test_the_longest_counts() -> None:
    limits = {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "2s",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "8s",
    }

    assert used_up(limits, NOON) == 8.0
