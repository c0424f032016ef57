"""What rows that are handed in together may cost, reserved at once and settled by the sum."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from llmctl import catalogue, settings
from llmctl.cost.estimate import Estimate, estimated, exactly
from llmctl.cost.together import Worst, bounded, more, settle
from llmctl.errors import BudgetRefused
from llmctl.settings import Settings
from llmctl.types import Chat, Cost, CostKind, Role, message
from llmctl.values import replace

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
CALL = Chat("gpt-4.1", (message(Role.USER, "Why?"),), max_tokens=1000)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind.lower()))


def estimate(call: Chat = CALL, mode: str | None = "batch") -> Estimate:
    """Of 1,000 tokens of input to a model at 2 and 8 USD a million, by half in a batch."""
    card = catalogue.card("openai", Settings())
    model = next(one for one in card.models if one.id == "gpt-4.1")
    [row, *_older] = model.prices
    model = replace(model, prices=(replace(row, input="2", output="8"),))
    return estimated(card, model, call, at=AT, mode=mode, counted=exactly(1000, "given"))


def loaded(cap: str) -> settings.Loaded:
    return settings.load({"budget.per_call": cap})


def test_the_worst_case_of_all_rows_is_reserved_at_half_price() -> None:
    # A row: 1,000 × 1 + 1,000 × 4 USD a million = 0.005 USD; three of them 0.015.
    worst = Worst()
    for _row in range(3):
        worst.add(CALL, estimate())

    with pytest.raises(BudgetRefused, match=r"0\.015"):
        worst.reserve(loaded("0.0149 USD"), provider="openai", run="r")
    number, _notes = worst.reserve(loaded("0.015 USD"), provider="openai", run="r")
    assert number is not None
    # What is reserved counts for whoever shares the run, until it is settled by what it cost.
    other = Worst()
    other.add(CALL, estimate())
    with pytest.raises(BudgetRefused):
        other.reserve(loaded("0.015 USD"), provider="openai", run="r")
    settle(number, {"USD": "0.01"})
    assert other.reserve(loaded("0.015 USD"), provider="openai", run="r")[0] is not None


def test_what_is_not_known_counts_at_its_worst() -> None:
    worst = Worst()
    worst.add(CALL, estimate())
    number, _notes = worst.reserve(loaded("0.005 USD"), provider="openai", run="r")
    assert number is not None
    settle(number, None)
    with pytest.raises(BudgetRefused):
        worst.reserve(loaded("0.005 USD"), provider="openai", run="r")


def test_a_row_without_a_price_is_refused_under_a_budget() -> None:
    worst = Worst()
    worst.add(CALL, estimate())
    worst.add(CALL, estimate(mode="of nobody"))
    with pytest.raises(BudgetRefused, match="price is not known"):
        worst.reserve(loaded("1 USD"), provider="openai", run="r")


def test_without_a_budget_nothing_is_reserved() -> None:
    worst = Worst()
    worst.add(CALL, estimate())
    assert worst.reserve(settings.load(), provider="openai", run="r") == (None, ())


def test_an_answer_gets_a_limit() -> None:
    open_ended = replace(CALL, max_tokens=None)
    found = estimate(open_ended)
    limited = bounded(open_ended, found)
    assert isinstance(limited, Chat)
    assert limited.max_tokens == found.output_usual
    assert bounded(CALL, found) == CALL


def test_sums_of_costs() -> None:
    cost = Cost("0.1", "USD", CostKind.COMPUTED)
    assert more({}, [cost, Cost("0.2", "USD", CostKind.COMPUTED)]) == ({"USD": "0.3"}, False)
    spent, unknown = more({"USD": "1"}, [cost, Cost()])
    assert (Decimal(spent["USD"]), unknown) == (Decimal("1.1"), True)
