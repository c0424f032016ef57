from collections.abc import Iterator
from pathlib import Path

import pytest

from llmctl.store.entries import Wanted
from llmctl.store.figures import By
from llmctl.store.ledger import Ledger
from llmctl.store.spending import Spent
from llmctl.types import Cost, CostKind, Latency
from tests.unit.store.shared import chat, failed, receipt, rich_receipt


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db", retention_days=None) as opened:
        yield opened


def test_a_run_as_it_was_recorded(ledger: Ledger) -> None:
    ledger.record(rich_receipt(), chat(), mode="meta", tags={"tag": "t", "project": "p"})

    [run] = ledger.spending(By.TAG)
    assert run == Spent(
        key="t",
        started_at="2026-11-24T10:00:00Z",
        kind="chat",
        provider="gigachat",
        requested="gigachat/GigaChat-2",
        resolved="GigaChat-2:2.0",
        failed=1,
        input_tokens=12,
        output_tokens=34,
        cached_tokens=5,
        cache_write_tokens=6,
        reasoning_tokens=7,
        amount="0.0000022",
        currency="RUB",
        cost_kind="computed",
        level="no-training",
        answered=1,
        speed=41.5,
    )
    assert [one.key for one in ledger.spending(By.PROJECT)] == ["p"]


@pytest.mark.parametrize(
    ("provider", "requested", "resolved", "model"),
    [
        ("openai", "openai/gpt", "gpt-2026", "openai/gpt-2026"),
        ("openai", "fast", "gpt-2026", "openai/gpt-2026"),  # an alias
        ("openai", "openai/gpt", None, "openai/gpt"),
        ("openai", "gpt", None, "openai/gpt"),
        ("openrouter", "openrouter/openai/gpt", "openai/gpt", "openrouter/openai/gpt"),
        ("local", "local/x", "local/x", "local/x"),
        (None, "nowhere/x", None, "nowhere/x"),
    ],
)
def test_a_model_is_named_by_its_provider_and_what_answered(
    ledger: Ledger, provider: str | None, requested: str, resolved: str | None, model: str
) -> None:
    ledger.record(receipt("a", provider=provider, requested=requested, resolved=resolved), chat())

    assert [run.key for run in ledger.spending(By.MODEL)] == [model]


def test_what_failed_is_there_too_and_whether_anything_had_come(ledger: Ledger) -> None:
    broken = receipt(
        "b",
        error=failed("b").error,
        latency=Latency(ttft_s=0.1),
        cost=Cost("1", "USD", CostKind.REPORTED),
    )
    for one in (failed("a"), broken):
        ledger.record(one, chat())

    assert [(run.failed, run.answered, run.amount) for run in ledger.spending(By.DAY)] == [
        (1, 0, None),
        (1, 1, "1"),
    ]


def test_runs_can_be_narrowed_by_time_project_and_tag(ledger: Ledger) -> None:
    for day, tags in (("01", {"project": "x"}), ("02", {"tag": "t"}), ("03", {"project": "x"})):
        moment = f"2026-11-{day}T00:00:00Z"
        ledger.record(receipt(day, started_at=moment), chat(), tags=tags)

    def days(wanted: Wanted) -> list[str]:
        return [run.started_at[8:10] for run in ledger.spending(By.DAY, wanted)]

    assert days(Wanted(since="2026-11-02T00:00:00Z")) == ["02", "03"]
    assert days(Wanted(until="2026-11-02T00:00:00Z")) == ["01"]
    assert days(Wanted(project="x")) == ["01", "03"]
    assert days(Wanted(tag="t")) == ["02"]
    assert days(Wanted(tag="' OR 1 --")) == []


def test_months_are_those_of_utc(ledger: Ledger) -> None:
    ledger.record(receipt("a", started_at="2026-10-31T23:59:59Z"), chat())
    ledger.record(receipt("b", started_at="2026-11-01T00:00:00Z"), chat())

    assert [run.key for run in ledger.spending(By.MONTH)] == ["2026-10", "2026-11"]
    assert [line.key for line in ledger.stats(By.MONTH)] == ["2026-10", "2026-11"]
