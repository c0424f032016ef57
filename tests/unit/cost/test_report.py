from decimal import Decimal

import pytest

from llmctl.cost.report import converted, paid, reported, total
from llmctl.store.spending import Spent
from tests.unit.cost.spent import nothing_came, priced, spent


def test_money_is_summed_exactly_and_by_currency() -> None:
    """0.1 + 0.2 is 0.3, and no sum has both currencies in it."""
    found = reported(
        [
            priced("0.1"),
            priced("0.2", kind="reported"),
            priced("7.25", "RUB"),
            priced("0.0000000000000000000000000001"),
        ]
    )

    [line] = found.lines
    assert line.cost == {
        "RUB": Decimal("7.25"),
        "USD": Decimal("0.3000000000000000000000000001"),
    }
    assert line.parts["USD"].reported == Decimal("0.2")
    assert (line.whole.reported_runs, line.whole.computed_runs) == (1, 3)
    assert found.total.cost == line.cost


def test_a_large_and_a_tiny_amount_lose_no_digit() -> None:
    found = reported([priced("1000000000000.5"), priced("0.00000000000000000000000000000001")])

    assert found.total.cost["USD"] == Decimal("1000000000000.50000000000000000000000000000001")


def test_runs_are_counted_by_what_is_known_of_them() -> None:
    found = reported(
        [
            priced(
                "1", failed=1, input_tokens=7, output_tokens=1
            ),  # cut off, and paid all the same
            spent(),  # answered, its price unknown
            spent(failed=1, input_tokens=None, output_tokens=None),  # broke off after some text
            nothing_came(),  # no such host: nothing to pay for
            spent(level="device", output_tokens=None),  # ran here
        ]
    )

    whole = found.total.whole
    assert (whole.runs, whole.failed, whole.unpriced, whole.uncounted) == (5, 3, 2, 2)
    assert found.total.cost == {"USD": Decimal(1)}


def test_tokens_are_summed_as_far_as_they_were_counted() -> None:
    found = reported(
        [
            spent(cached_tokens=4, cache_write_tokens=1, reasoning_tokens=2),
            spent(input_tokens=None, output_tokens=5),
        ]
    )

    whole = found.total.whole
    assert (whole.input_tokens, whole.output_tokens) == (10, 7)
    assert (whole.cached_tokens, whole.cache_write_tokens, whole.reasoning_tokens) == (4, 1, 2)


def test_lines_are_in_the_order_of_their_keys_and_know_their_time() -> None:
    found = reported(
        [
            spent(key="b", started_at="2026-11-02T00:00:00Z"),
            spent(key="a", started_at="2026-11-03T00:00:00Z"),
            spent(key="b", started_at="2026-11-01T00:00:00Z"),
        ]
    )

    assert [(line.key, line.whole.runs) for line in found.lines] == [("a", 1), ("b", 2)]
    assert (found.first, found.last) == ("2026-11-01T00:00:00Z", "2026-11-03T00:00:00Z")
    empty = reported([])
    assert (empty.lines, empty.first, empty.total.whole.runs) == ((), None, 0)


@pytest.mark.parametrize(
    "run",
    [
        priced("NaN"),
        priced("Infinity"),
        priced("-1"),
        priced("1e999999"),
        priced("1e-99"),
        priced("much"),
        spent(amount="1", cost_kind="reported"),  # of no currency
    ],
)
def test_what_a_server_makes_up_is_no_price(run: Spent) -> None:
    assert paid(run) is None
    assert reported([run]).total.whole.unpriced == 1


def test_nothing_paid_has_no_currency() -> None:
    """What runs here costs 0 of any currency, so it adds none to a report in roubles."""
    found = reported([priced("0", "USD", level="device"), priced("5", "RUB")])

    assert found.total.cost == {"RUB": Decimal(5)}
    assert found.total.whole.unpriced == 0


def test_conversion_changes_money_alone() -> None:
    found = reported(
        [
            priced("2", "USD", kind="reported"),
            priced("1.5", "USD"),
            priced("10", "RUB"),
            spent(),
        ]
    )

    def to_roubles(amount: Decimal, code: str) -> Decimal:
        return amount * {"USD": Decimal("80.5"), "RUB": Decimal(1)}[code]

    changed = converted(found, "RUB", to_roubles)

    # 2 × 80.5 = 161; 1.5 × 80.5 + 10 = 130.75
    part = changed.total.parts["RUB"]
    assert (part.reported, part.computed) == (Decimal(161), Decimal("130.75"))
    assert changed.total.cost == {"RUB": Decimal("291.75")}
    assert (part.runs, part.reported_runs, changed.total.whole.unpriced) == (3, 1, 1)
    assert found.total.cost["USD"] == Decimal("3.5")
    assert total(changed.lines) == changed.total
