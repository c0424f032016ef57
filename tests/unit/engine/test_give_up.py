"""When a provider counts as down."""

import re
from datetime import datetime, timedelta

import pytest

from llmctl.engine.give_up import GiveUp, too_long
from llmctl.errors import (
    AuthFailed,
    BudgetRefused,
    CutOff,
    Filtered,
    LlmctlError,
    NetworkFailed,
    ProviderFailed,
    RateLimited,
    Rejected,
)


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def after(*heard: tuple[float, LlmctlError | None]) -> tuple[GiveUp, Clock]:
    """What heard these at such seconds."""
    clock = Clock()
    give_up = GiveUp(300, clock)
    for seconds, error in heard:
        clock.now = 50.0 + seconds
        give_up.heard(error)
    return give_up, clock


DOWN = ProviderFailed("busy", status=503, provider="acme", reason="overloaded")


def test_five_minutes_of_nothing_but_errors() -> None:
    give_up, clock = after((0, DOWN), (10, NetworkFailed("no route")), (299, DOWN))
    assert not give_up.is_over

    clock.now += 1
    assert give_up.is_over
    error = give_up.error()
    assert isinstance(error, ProviderFailed)
    assert error.message == "acme is given up: nothing has worked for 300 s; last: busy"
    assert (error.provider, error.status, error.reason) == ("acme", 503, "overloaded")


def test_429_for_ever_is_down_too() -> None:
    slow = RateLimited("slow down", provider="acme")
    give_up, _clock = after(*((second, slow) for second in range(0, 301, 10)))

    assert give_up.is_over
    assert isinstance(give_up.error(), RateLimited)


def test_two_errors_say_nothing_however_far_apart() -> None:
    give_up, _clock = after((0, DOWN), (3000, DOWN))

    assert not give_up.is_over


@pytest.mark.parametrize("alive", [None, Rejected("too long"), Filtered("no")])
def test_a_sign_of_life_begins_anew(alive: LlmctlError | None) -> None:
    give_up, _clock = after((0, DOWN), (1, DOWN), (299, DOWN), (299.5, alive), (301, DOWN))

    assert not give_up.is_over


@pytest.mark.parametrize(
    "neither",
    [AuthFailed("no"), BudgetRefused("no"), CutOff("cut"), RateLimited("x", retryable=False)],
)
def test_what_tells_nothing_counts_neither_way(neither: LlmctlError) -> None:
    give_up, clock = after((0, neither), (1, neither), (400, neither))
    assert not give_up.is_over

    for error in (DOWN, neither, DOWN, DOWN):
        give_up.heard(error)
    clock.now += 300
    assert give_up.is_over


def test_what_is_left_of_the_patience_is_known_once_enough_tries_failed() -> None:
    give_up, clock = after((0, DOWN), (1, DOWN))
    assert give_up.left is None
    clock.now += 9
    give_up.heard(DOWN)

    assert give_up.left == 290
    give_up.heard(None)
    assert give_up.left is None


@pytest.mark.parametrize(
    ("elsewhere", "told"),
    [(True, "another llmctl process, or an earlier one, was told so"),
     (False, "it has told so itself")],
)  # fmt: skip
def test_a_hold_beyond_all_patience_says_when_it_ends_and_who_was_told(
    elsewhere: bool, told: str
) -> None:
    before = datetime.now().astimezone() + timedelta(seconds=3600)
    error = too_long("acme", 3600.0, 300.0, elsewhere=elsewhere)

    assert isinstance(error, RateLimited)
    found = re.fullmatch(r"acme takes no requests until (.{19}): (.+)", error.message)
    assert found is not None
    assert found[2] == told
    end = datetime.fromisoformat(found[1]).astimezone()
    assert timedelta(seconds=-1) <= end - before < timedelta(seconds=30)
    assert "it is 300" in (error.hint or "")
