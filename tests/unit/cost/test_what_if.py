from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

import pytest

from llmctl.cards import ContextTier, Mode, Price, Source, Window
from llmctl.cost.money import Money
from llmctl.cost.prices import amount
from llmctl.cost.report import reported
from llmctl.cost.tariff import Tariff
from llmctl.cost.what_if import Compared, Repriced, exchanged, pricing
from llmctl.store.spending import Spent
from llmctl.types import Usage
from llmctl.values import replace
from tests.unit.cost.spent import nothing_came, priced, spent

TODAY = datetime(2026, 11, 25, 12, tzinfo=UTC)
SOURCE = Source(title="a price list", checked="2026-11-01")


def charged(**more: object) -> Tariff:
    """2 USD a million tokens in, 10 out."""
    figures: dict[str, object] = {"input": "2", "output": "10", **more}
    row = Price(since="2026-01-01", currency="USD", source=SOURCE, **figures)  # type: ignore[arg-type]
    return Tariff(at=TODAY, row=row)


def repriced(*runs: Spent, by: Tariff | None = None, alike: bool = True) -> Repriced:
    one = Repriced("openai/other", pricing(by or charged()), lambda _run: alike)
    reported(runs, [one])
    return one


def test_the_logged_tokens_at_other_prices() -> None:
    """1,000 in and 500 out cost 1000 × 2 / 10⁶ + 500 × 10 / 10⁶ = 0.007 USD."""
    one = repriced(priced("0.01", input_tokens=1000, output_tokens=500))

    assert one.by_currency == {"USD": Compared(1, Decimal("0.01"), Decimal("0.007"))}
    assert (one.would, one.currency, one.runs) == (Decimal("0.007"), "USD", 1)
    assert one.differences() == {"USD": Decimal("-0.003")}


def test_other_currencies_have_no_difference_until_they_are_converted() -> None:
    run: dict[str, Any] = {"input_tokens": 1000, "output_tokens": 500}
    one = repriced(priced("1", "RUB", **run), priced("0.01", "USD", **run))

    assert one.differences() == {"USD": Decimal("-0.003")}

    in_roubles = exchanged(one, "RUB", lambda amount, code: amount * (100 if code == "USD" else 1))
    # paid 1 + 0.01 × 100 = 2; would cost 2 × 0.007 × 100 = 1.4
    assert in_roubles.by_currency == {"RUB": Compared(2, Decimal(2), Decimal("1.4"))}
    assert in_roubles.differences() == {"RUB": Decimal("-0.6")}


def test_what_cost_nothing_is_compared_and_what_has_no_price_is_not() -> None:
    one = repriced(priced("0", level="device"), spent())

    # 10 × 2 / 10⁶ + 2 × 10 / 10⁶
    assert one.differences() == {"": Decimal("0.00004")}
    assert one.unpriced == Compared(1, Decimal(0), Decimal("0.00004"))


def test_runs_without_counts_and_what_is_no_text_are_left_out_and_counted() -> None:
    one = repriced(
        priced("1", input_tokens=None),
        priced("1", output_tokens=None),
        nothing_came(),
        priced("1", kind="reported", output_tokens=0)._replace(kind="embed"),
        priced("1"),
    )

    assert (one.runs, one.without_counts, one.other_kinds) == (1, 2, 1)


def test_a_model_that_costs_nothing_by_the_token() -> None:
    free = Tariff(at=TODAY, free="own hardware")
    one = repriced(priced("3"), priced("4", "RUB"), by=free, alike=False)

    assert one.differences() == {"USD": Decimal(-3), "RUB": Decimal(-4)}
    assert one.other_tokenizer == 0  # nothing is nothing by any count


def test_a_price_that_is_not_known_is_no_zero() -> None:
    one = repriced(priced("3"), by=Tariff(at=TODAY, why="no-price"))

    assert (one.runs, one.without_price) == (0, 1)


def test_each_run_pays_the_tier_of_its_own_size() -> None:
    """Above 100 tokens everything costs twice; two prompts of 100 are not one of 200."""
    tiers = (ContextTier(above_input_tokens=100, input="4", output="20"),)
    by = charged(tiers=tiers)

    small = priced("0", input_tokens=100, output_tokens=0)
    # 2 × (100 × 2) / 10⁶ + 101 × 4 / 10⁶
    one = repriced(small, small, small._replace(input_tokens=101), by=by)
    assert one.would == Decimal("0.000804")


def test_each_run_pays_for_the_hour_at_which_it_was() -> None:
    price = pricing(charged(windows=(Window(utc="01:00-02:00", factor="0.5"),)))
    run = spent(input_tokens=1_000_000, output_tokens=0)

    assert price(run._replace(started_at="2026-11-01T00:59:59Z")) == Money(Decimal(2), "USD")
    assert price(run._replace(started_at="2026-11-01T01:00:00Z")) == Money(Decimal(1), "USD")


def test_cached_tokens_pay_the_cache_or_where_it_has_no_price_in_full() -> None:
    run = spent(input_tokens=1_000_000, output_tokens=0, cached_tokens=500_000)

    # 0.5 × 2 + 0.5 × 0.2
    assert pricing(charged(cache_read="0.2"))(run) == Money(Decimal("1.1"), "USD")
    assert pricing(charged())(run) == Money(Decimal(2), "USD")
    # More cached than read: such counts mean nothing.
    assert pricing(charged())(run._replace(cached_tokens=1_000_001)) is None


def test_counts_of_another_tokenizer_are_told_apart() -> None:
    assert repriced(spent(), spent(), alike=False).other_tokenizer == 2
    assert repriced(spent()).other_tokenizer == 0


@pytest.mark.parametrize("rule", ["cliff", "marginal"])
@pytest.mark.parametrize("cache_read", ["0.2", "0"])
@pytest.mark.parametrize("tokens", [1, 99, 100, 101, 250, 300, 301, 5000])
def test_a_run_costs_what_the_price_list_says_of_its_usage(
    rule: Literal["cliff", "marginal"], cache_read: str, tokens: int
) -> None:
    """The quick way over a long ledger and the way of single answers come to the same."""
    by = charged(
        cache_read=cache_read,
        cache_write="2.5",
        request="0.01",
        windows=(Window(utc="22:00-04:00", factor="0.25"),),
        modes={"batch": Mode(factor="0.5")},
        tiers=(
            ContextTier(above_input_tokens=300, rule=rule, input="8", output="40", cache_read="0.8",
                        cache_write="9"),
            ContextTier(above_input_tokens=100, rule=rule, input="4", output="20", cache_read="0.4",
                        cache_write="5"),
        ),
    )  # fmt: skip
    by = replace(by, mode="batch", factor="1.1")
    usage = Usage(tokens, 7, tokens // 3, tokens // 5)
    run = spent(
        input_tokens=tokens, output_tokens=7, cached_tokens=tokens // 3,
        cache_write_tokens=tokens // 5, started_at="2026-11-01T23:00:00Z",
    )  # fmt: skip

    at = datetime(2026, 11, 1, 23, tzinfo=UTC)
    assert by.row is not None
    expected = amount(usage, by.row, at, "batch", "1.1")
    assert expected is not None
    assert pricing(by)(run) == Money(expected, "USD")


def test_a_price_that_the_list_leaves_out_is_not_guessed() -> None:
    run = spent(input_tokens=10, output_tokens=1)

    assert pricing(charged(output=None))(run) is None
    assert pricing(charged(output=None))(run._replace(output_tokens=0)) is not None
    assert pricing(charged(input=None))(run) is None
