from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from llmctl.store.figures import By, Sums
from llmctl.store.ledger import Ledger
from llmctl.store.percentiles import Spread
from llmctl.types import Cost, CostKind, Latency, Level, Usage, Verdict
from llmctl.values import replace
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
        # Of two values 1 and 3 at share 0.9: 1 + 0.9 × 2; of 2, 4, 9: 4 + 0.8 × 5.
        ttft_s=Spread(2, 2.0, 2.8, None, None),
        ttft_ready_s=Spread(2, 2.0, 2.8, None, None),
        total_s=Spread(3, 4.0, 8.0, None, None),
    )


def test_cold_runs_are_told_apart(ledger: Ledger) -> None:
    """0.5 s to connect and 2 s to load; then twice over the connection, the model in memory."""
    cold = Latency(connect_s=0.5, ttft_s=3.5, load_s=2.0, output_tokens_per_s=10.0)
    warm = Latency(reused=True, ttft_s=1.0, load_s=0.02, output_tokens_per_s=40.0)
    for id_, latency in (("a", cold), ("b", warm), ("c", replace(warm, ttft_s=1.5))):
        ledger.record(receipt(id_, latency=latency), chat())
    ledger.record(replace(failed("d"), latency=cold), chat())

    [sums] = ledger.stats(By.PROVIDER)
    assert (sums.connected, sums.reused, sums.loaded) == (1, 2, 1)
    assert (sums.ttft_s.count, sums.ttft_s.p50) == (3, 1.5)
    assert sums.ttft_ready_s.p50 == pytest.approx(1.0)  # 0.98, 1.0 and 1.48
    assert (sums.output_tokens_per_s.count, sums.output_tokens_per_s.p50) == (3, 40.0)


def test_models_are_those_that_answered_under_their_provider(ledger: Ledger) -> None:
    ledger.record(receipt("a", requested="openai/m", resolved="m-2026-09-01"), chat())
    ledger.record(receipt("b", requested="mini", resolved="m-2026-09-01"), chat())
    ledger.record(receipt("c", requested="openai/m", resolved=None), chat())

    assert [(line.key, line.runs) for line in ledger.stats(By.MODEL)] == [
        ("openai/m", 1),
        ("openai/m-2026-09-01", 2),
    ]


def test_groups_are_in_order(ledger: Ledger) -> None:
    for id_, day, model in (("a", "02", "x/b"), ("b", "01", "x/a"), ("c", "02", "x/a")):
        ledger.record(receipt(id_, started_at=f"2026-11-{day}T10:00:00Z", requested=model), chat())

    assert [(line.key, line.runs) for line in ledger.stats(By.DAY)] == [
        ("2026-11-01", 1),
        ("2026-11-02", 2),
    ]
    assert [(line.key, line.runs) for line in ledger.stats(By.MODEL)] == [
        ("openai/x/a", 2),
        ("openai/x/b", 1),
    ]
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


def test_a_cut_off_answer_has_an_unknown_price_as_in_reports(ledger: Ledger) -> None:
    """Three failed runs: one that had begun to answer, one whose tokens were counted, and one of
    which nothing came; then one of this machine, which costs nothing."""
    ledger.record(replace(failed("a"), latency=Latency(ttft_s=1)), chat())
    ledger.record(replace(failed("b"), usage=Usage(5, None)), chat())
    ledger.record(failed("c"), chat())
    here = Verdict(True, Level.DEVICE)
    ledger.record(receipt("d", verdict=here), chat())

    [sums] = ledger.stats(By.PROVIDER)
    assert (sums.runs, sums.failed, sums.unpriced, sums.cost) == (4, 3, 2, {})


def test_what_a_server_made_up_is_an_unknown_price(ledger: Ledger) -> None:
    for number, amount in enumerate(("1e99999999999", "NaN", "-1", "abc", "0.1", "1e-30")):
        ledger.record(receipt(f"{number}", cost=spent(amount, "USD")), chat())

    [sums] = ledger.stats(By.PROVIDER)
    assert (sums.unpriced, sums.cost) == (4, {"USD": Decimal("0.100000000000000000000000000001")})


def test_what_the_ledger_says_of_itself(ledger: Ledger) -> None:
    ledger.record(receipt("a", started_at="2026-11-01T00:00:00Z"), chat(), conversation="a")
    ledger.record(receipt("b", started_at="2026-11-02T00:00:00Z"), chat(), mode="meta")
    known = ledger.explain()

    assert known.path == ledger.path
    assert (known.runs, known.with_text, known.conversations) == (2, 1, 1)
    assert (known.oldest, known.newest) == ("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z")
    parts = [*ledger.path.parent.glob("ledger.db"), *ledger.path.parent.glob("ledger.db-*")]
    assert known.size == sum(part.stat().st_size for part in parts) > 0
