from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from llmctl.store.figures import By, Sums, median
from llmctl.store.ledger import Ledger
from llmctl.types import Cost, CostKind, Latency, Usage
from tests.unit.store.shared import chat, failed, receipt


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db", retention_days=None) as opened:
        yield opened


def spent(amount: str, currency: str) -> Cost:
    return Cost(amount, currency, CostKind.COMPUTED)


def test_sums_are_exact_by_currency_and_leave_out_what_nobody_knows(ledger: Ledger) -> None:
    ledger.record(
        receipt(
            "a", usage=Usage(10, 1), cost=spent("0.1", "USD"), latency=Latency(ttft_s=1, total_s=2)
        ),
        chat(),
    )
    ledger.record(
        receipt(
            "b",
            usage=Usage(5, None),
            cost=spent("0.2", "USD"),
            latency=Latency(ttft_s=3, total_s=9),
        ),
        chat(),
    )
    ledger.record(receipt("c", cost=spent("7.25", "RUB"), latency=Latency(total_s=4)), chat())
    ledger.record(receipt("d"), chat())
    ledger.record(failed("e"), chat())

    [sums] = ledger.stats(By.PROVIDER)

    assert sums == Sums(
        key="openai",
        runs=5,
        failed=1,
        input_tokens=15,
        output_tokens=1,
        cost={"USD": Decimal("0.3"), "RUB": Decimal("7.25")},
        unpriced=1,
        median_ttft_s=2.0,
        median_total_s=4.0,
    )


def test_groups_are_in_order(ledger: Ledger) -> None:
    for id_, day, model in (("a", "02", "x/b"), ("b", "01", "x/a"), ("c", "02", "x/a")):
        ledger.record(receipt(id_, started_at=f"2026-11-{day}T10:00:00Z", requested=model), chat())

    assert [(line.key, line.runs) for line in ledger.stats(By.DAY)] == [
        ("2026-11-01", 1),
        ("2026-11-02", 2),
    ]
    assert [(line.key, line.runs) for line in ledger.stats(By.MODEL)] == [("x/a", 2), ("x/b", 1)]
    assert [(line.key, line.runs) for line in ledger.stats(By.DAY, "2026-11-02")] == [
        ("2026-11-02", 2)
    ]


def test_what_was_paid_for_an_answer_that_failed_counts(ledger: Ledger) -> None:
    run = failed("a", text="half")
    ledger.record(
        receipt("a", error=run.error, cost=spent("0.5", "USD"), latency=Latency(total_s=99)), chat()
    )

    [sums] = ledger.stats(By.DAY)
    assert (sums.cost, sums.unpriced, sums.median_total_s) == ({"USD": Decimal("0.5")}, 0, None)


@pytest.mark.parametrize(
    ("values", "middle"), [([], None), ([3.0], 3.0), ([5, 1, 3], 3), ([4, 1, 2, 9], 3.0)]
)
def test_median(values: list[float], middle: float | None) -> None:
    assert median(values) == middle


def test_what_the_ledger_says_of_itself(ledger: Ledger) -> None:
    ledger.record(receipt("a", started_at="2026-11-01T00:00:00Z"), chat(), conversation="a")
    ledger.record(receipt("b", started_at="2026-11-02T00:00:00Z"), chat(), mode="meta")
    known = ledger.explain()

    assert known.path == ledger.path
    assert (known.runs, known.with_text, known.conversations) == (2, 1, 1)
    assert (known.oldest, known.newest) == ("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z")
    parts = [*ledger.path.parent.glob("ledger.db"), *ledger.path.parent.glob("ledger.db-*")]
    assert known.size == sum(part.stat().st_size for part in parts) > 0
