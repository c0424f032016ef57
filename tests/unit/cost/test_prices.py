"""Amounts by hand: what a row says, in force at a moment, for a usage."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from llmctl import catalogue
from llmctl.cards import Card, ContextTier, Mode, Model, Price, PriceFactor, Source, Window
from llmctl.cost.prices import amount, host_factor, hour_factor, row_at, source_of
from llmctl.engine.names import find_model
from llmctl.settings import Settings
from llmctl.types import Usage

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
SOURCE = Source(title="price list", checked="2026-11-25")


def row(**given: Any) -> Price:
    given = {"since": "2026-11-01", "currency": "USD", "input": "2", "output": "10", **given}
    return Price(source=SOURCE, **given)


def used(given: int | None, answered: int | None, **more: Any) -> Usage:
    return Usage(given, answered, **more)


def shipped(provider: str, model: str) -> Model:
    found = find_model(catalogue.card(provider, Settings()), model)
    assert found is not None
    return found


def cost(provider: str, model: str, usage: Usage, at: datetime, mode: str | None = None) -> str:
    """By the card's own row, as plain digits."""
    price = row_at(shipped(provider, model), at)
    assert price is not None
    exact = amount(usage, price, at, mode)
    assert exact is not None
    return f"{exact.normalize():f}"


# ---- dates


def test_a_row_holds_from_midnight_of_its_day_in_utc() -> None:
    older, newer = row(since="2026-11-01"), row(since="2026-12-01", input="4")
    model = Model(id="m", prices=(newer, older))

    assert row_at(model, datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)) is older
    assert row_at(model, datetime(2026, 12, 1, tzinfo=UTC)) is newer
    assert row_at(model, datetime(2026, 10, 31, 23, 59, tzinfo=UTC)) is None
    moscow = timezone(timedelta(hours=3))
    assert row_at(model, datetime(2026, 12, 1, 2, 59, tzinfo=moscow)) is older
    assert row_at(model, datetime(2026, 12, 1, 3, 0, tzinfo=moscow)) is newer


def test_a_row_may_hold_for_a_setting_alone() -> None:
    business, private = row(when={"scope": "B2B"}, input="5"), row(when={"scope": "PERS"})
    model = Model(id="m", prices=(business, private))

    assert row_at(model, NOON, {"scope": "PERS"}) is private
    assert row_at(model, NOON, {"scope": "B2B", "tier": "x"}) is business
    assert row_at(model, NOON) is None


def test_gemini_costs_twice_as_much_from_december_on() -> None:
    usage = used(1_000_000, 100_000)  # 1 M × 2 + 0.1 M × 10; from December 1 M × 4 + 0.1 M × 20

    before = cost("gemini", "gemini-4-argon", usage, datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    after = cost("gemini", "gemini-4-argon", usage, datetime(2026, 12, 1, tzinfo=UTC))

    assert (before, after) == ("3", "6")


# ---- tokens


def test_input_and_output_by_the_million() -> None:
    assert amount(used(12, 2), row(), NOON) == Decimal("0.000044")  # 12 × 2 µ + 2 × 10 µ
    assert amount(used(0, 0), row(), NOON) == 0
    assert amount(used(1000, 1000), row(unit=1000), NOON) == 12


@pytest.mark.parametrize("usage", [used(None, 5), used(5, None), used(None, None), Usage()])
def test_what_was_not_reported_is_unknown_and_not_free(usage: Usage) -> None:
    assert amount(usage, row(), NOON) is None


def test_a_figure_that_the_row_lacks_is_only_missed_where_it_is_needed() -> None:
    no_output = row(output=None)

    assert amount(used(1_000_000, 0), no_output, NOON) == 2
    assert amount(used(1_000_000, 1), no_output, NOON) is None
    assert amount(used(5, 5), row(input=None), NOON) is None


def test_cached_tokens_pay_their_own_price_or_make_the_cost_unknown() -> None:
    usage = used(1_000_000, 0, cached_tokens=400_000)

    # 0.6 M × 2 + 0.4 M × 0.2
    assert amount(usage, row(cache_read="0.2"), NOON) == Decimal("1.28")
    assert amount(usage, row(cache_read="0"), NOON) == Decimal("1.2")
    assert amount(usage, row(), NOON) is None
    assert amount(used(1_000_000, 0, cached_tokens=0), row(), NOON) == 2
    assert amount(used(10, 0, cached_tokens=11), row(cache_read="0"), NOON) is None


def test_writing_to_a_cache_has_two_prices() -> None:
    usage = used(1_000_000, 0, cached_tokens=100_000, cache_write_tokens=500_000)
    price = row(cache_read="0.2", cache_write="2.5", cache_write_1h="4")

    # 0.4 M × 2 + 0.1 M × 0.2 + 0.5 M × 2.5, of which 0.2 M are kept for an hour: × 4
    assert amount(usage, price, NOON) == Decimal("2.07")
    assert amount(usage, price, NOON, apart={"cache_write_1h": 200_000}) == Decimal("2.37")
    assert amount(usage, row(cache_read="0.2"), NOON) is None


def test_reasoning_is_part_of_the_output() -> None:
    assert amount(used(0, 100_000, reasoning_tokens=90_000), row(), NOON) == 1


def test_sounds_and_pictures_cost_what_text_does_unless_the_row_says_otherwise() -> None:
    usage = used(1_000_000, 1_000_000)
    apart = {"audio_input": 500_000, "image_output": 100_000}

    assert amount(usage, row(), NOON, apart=apart) == 12
    # 0.5 M × 2 + 0.5 M × 6 + 0.9 M × 10 + 0.1 M × 120
    dearer = row(audio_input="6", image_output="120")
    assert amount(usage, dearer, NOON, apart=apart) == 25


def test_pieces_are_added() -> None:
    price = row(request="0.005", search="0.01")

    assert amount(used(0, 0), price, NOON) == Decimal("0.005")
    assert amount(used(0, 0), price, NOON, apart={"search": 3}) == Decimal("0.035")
    assert amount(used(0, 0), row(), NOON, apart={"search": 1}) is None


# ---- sizes

CLIFF = (ContextTier(above_input_tokens=272_000, input="4", output="15", cache_read="0.4"),)


def test_above_the_threshold_the_whole_prompt_pays_more() -> None:
    price = row(tiers=CLIFF, cache_read="0.2")

    # 272,000 × 2 µ + 1,000 × 10 µ; with one token more 272,001 × 4 µ + 1,000 × 15 µ
    assert amount(used(272_000, 1000), price, NOON) == Decimal("0.554")
    assert amount(used(272_001, 1000), price, NOON) == Decimal("1.103004")
    cached = used(272_001, 0, cached_tokens=272_000)  # 1 × 4 µ + 272,000 × 0.4 µ
    assert amount(cached, price, NOON) == Decimal("0.108804")


def test_what_a_tier_leaves_out_is_unknown_there() -> None:
    bare = (ContextTier(above_input_tokens=10, input="4"),)

    assert amount(used(10, 1), row(tiers=bare), NOON) == Decimal("0.00003")
    assert amount(used(11, 0), row(tiers=bare), NOON) == Decimal("0.000044")
    assert amount(used(11, 1), row(tiers=bare), NOON) is None


def test_a_marginal_tier_charges_only_what_is_above() -> None:
    tiers = (
        ContextTier(above_input_tokens=100, rule="marginal", input="3", output="10",
                    cache_read="0.3"),
        ContextTier(above_input_tokens=200, rule="marginal", input="4", output="10",
                    cache_read="0.4"),
    )  # fmt: skip
    price = row(tiers=tiers, cache_read="0.2")

    # 100 × 2 + 100 × 3 + 50 × 4
    assert amount(used(250, 0), price, NOON) == Decimal("0.0007")
    # The cache is the beginning: 100 × 0.2 + 50 × 0.3 + 50 × 3 + 50 × 4
    assert amount(used(250, 0, cached_tokens=150), price, NOON) == Decimal("0.000385")


def test_openais_threshold_by_its_own_card() -> None:
    # gpt-6-luna: 0.1 and 0.5; above 272,000 twice and one and a half times as much
    below = cost("openai", "gpt-6-luna", used(272_000, 1000), NOON)
    above = cost("openai", "gpt-6-luna", used(272_001, 1000), NOON)

    assert (below, above) == ("0.0277", "0.0551502")


# ---- modes


def test_a_mode_is_a_factor_or_has_prices_of_its_own() -> None:
    price = row(
        cache_read="0.2",
        modes={
            "batch": Mode(factor="0.5"),
            "kept": Mode(factor="0.5", cache_factor="1"),
            "own": Mode(input="1", output="3"),
        },
        tiers=CLIFF,
    )
    usage = used(100_000, 100_000, cached_tokens=50_000)

    # standard: 0.05 M × 2 + 0.05 M × 0.2 + 0.1 M × 10
    assert amount(usage, price, NOON) == Decimal("1.11")
    assert amount(usage, price, NOON, "standard") == Decimal("1.11")
    assert amount(usage, price, NOON, "batch") == Decimal("0.555")
    assert amount(usage, price, NOON, "kept") == Decimal("0.56")
    assert amount(used(100_000, 100_000), price, NOON, "own") == Decimal("0.4")
    assert amount(usage, price, NOON, "own") is None  # of the cache it says nothing
    assert amount(usage, price, NOON, "flex") is None  # nor of that mode
    # Above the threshold a factor holds, and prices of its own say nothing.
    assert amount(used(300_000, 0), price, NOON, "batch") == Decimal("0.6")
    assert amount(used(300_000, 0), price, NOON, "own") is None


def test_batches_cost_half_at_openai_and_async_less_at_yandex() -> None:
    usage = used(1_000_000, 1_000_000)

    assert cost("openai", "gpt-6-luna", used(1000, 1000), NOON, "batch") == "0.0003"
    row_of = row_at(shipped("yandexgpt", "yandexgpt-lite"), NOON)
    assert row_of is not None
    # 0.20 roubles for a thousand tokens either way, half of that later
    assert amount(usage, row_of, NOON) == 400
    assert amount(usage, row_of, NOON, "async") == 200


# ---- hours

PEAK = (Window(utc="01:00-04:00", factor="2"), Window(utc="22:30-00:30", factor="3"))


@pytest.mark.parametrize(
    ("time", "factor"),
    [("00:30", 1), ("00:59", 1), ("01:00", 2), ("03:59", 2), ("04:00", 1), ("22:29", 1),
     ("22:30", 3), ("23:59", 3), ("00:00", 3), ("00:29", 3)],
)  # fmt: skip
def test_windows_of_the_day_end_before_their_last_minute(time: str, factor: int) -> None:
    at = datetime.fromisoformat(f"2026-11-25T{time}:00+00:00")

    assert hour_factor(row(windows=PEAK), at) == factor
    assert amount(used(1_000_000, 0), row(windows=PEAK, request="1"), at) == 2 * factor + 1


def test_a_night_belongs_to_the_day_on_which_it_began() -> None:
    price = row(windows=(Window(utc="23:00-01:00", factor="2", days=("fri",)),))

    def at(text: str) -> Decimal:
        return hour_factor(price, datetime.fromisoformat(f"{text}+00:00"))

    assert at("2026-11-27T23:30") == 2  # a Friday
    assert at("2026-11-28T00:30") == 2
    assert at("2026-11-27T00:30") == 1
    assert at("2026-11-28T23:30") == 1


@pytest.mark.parametrize(
    ("moment", "times"),
    [("2026-11-25T00:59", 1), ("2026-11-25T01:00", 2), ("2026-11-25T03:59", 2),
     ("2026-11-25T04:00", 1), ("2026-11-28T01:00", 1)],
)  # fmt: skip
def test_deepseek_is_dearer_while_china_works(moment: str, times: int) -> None:
    price = row_at(shipped("deepseek", "deepseek-flash"), NOON)
    assert price is not None
    assert price.input is not None

    at = datetime.fromisoformat(f"{moment}+00:00")

    assert amount(used(1_000_000, 0), price, at) == Decimal(price.input) * times


# ---- hosts and sources


def test_a_host_may_have_a_factor_for_some_models() -> None:
    card = Card(
        card=1, id="a", name="A", kind="api", dialect="openai_chat",
        endpoint=catalogue.card("openai", Settings()).endpoint,
        price_factors=(PriceFactor(hosts=("*.a.example",), factor="1.1", source=SOURCE,
                                   models=("new-*",)),),
    )  # fmt: skip

    assert host_factor(card, "new-1", "eu.a.example") == "1.1"
    assert host_factor(card, "old-1", "eu.a.example") == "1"
    assert host_factor(card, "new-1", "a.example") == "1"
    assert amount(used(1_000_000, 0), row(), NOON, factor="1.1") == Decimal("2.2")


def test_a_doubtful_source_says_so() -> None:
    listed = Source(title="a list", checked="2026-11-25", confidence="low")
    doubtful = Price(since="2026-01-01", currency="USD", source=listed)

    assert source_of(row()) == "price list"
    assert source_of(doubtful) == "a list (confidence: low)"
