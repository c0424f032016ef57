"""What a job amounts to: its exit code, and one record a model."""

import json
from pathlib import Path
from typing import Any

import pytest

from llmctl.batch.shape import Ended, JobSummary
from llmctl.batch.tally import Sum
from llmctl.batch.work import unsent
from llmctl.cli.batch_end import _receipt, budget_hint, near, outcome, reasons
from llmctl.errors import (
    BudgetRefused,
    Filtered,
    Interrupted,
    IoFailed,
    LlmctlError,
    Rejected,
)
from llmctl.output.batch_rows import row_line
from llmctl.store.journal import End, Entry, Journal, State
from llmctl.types import Cost, CostKind, Usage
from llmctl.values import replace
from tests.unit.batch.lanes import MAIN, receipt


def summary(done: int, **causes: int) -> JobSummary:
    failed = {name.replace("_", "-"): count for name, count in causes.items()}
    return JobSummary(
        job="1", output="out.jsonl", errors="out.errors.jsonl", input="in.jsonl",
        started_at="2026-11-25T12:00:00Z", rows=done + sum(causes.values()), done=done,
        failed=sum(causes.values()), waiting=0, causes=failed,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (summary(5, filtered=1), 15),
        (summary(5, filtered=1, usage=2), 15),
        (summary(0, filtered=1, usage=2), 15),
        (summary(0, filtered=3), 13),
        (summary(0, usage=3), 2),
        (summary(0, rate_limited=3), 8),
        (summary(0, network=3), 9),
        (summary(0, privacy_refused=3), 4),
        (summary(0, schema_mismatch=1), 14),
        (summary(0, cause_of_tomorrow=1), 15),
    ],
)
def test_a_job_with_failures_never_ends_well(found: JobSummary, code: int) -> None:
    """15 where some rows failed or not all in one way, else the code of what all failed in."""
    error = outcome(found, None)

    assert error is not None
    assert error.exit_code == code
    assert f"{found.failed} of {found.rows} rows failed" in error.message
    assert "out.errors.jsonl" in error.message


def test_what_went_to_standard_output_has_no_file_of_failures() -> None:
    error = outcome(replace(summary(5, filtered=1), output="-"), None)

    assert error is not None
    assert error.message == "1 of 6 rows failed"


@pytest.mark.parametrize("found", [summary(5), summary(0)])
def test_without_any_it_does(found: JobSummary) -> None:
    assert outcome(found, None) is None


@pytest.mark.parametrize("stopped", [Interrupted("stopped"), IoFailed("full")])
@pytest.mark.parametrize("found", [summary(5), summary(5, filtered=1), summary(0, usage=3)])
def test_what_stopped_it_is_told_before_all(stopped: LlmctlError, found: JobSummary) -> None:
    assert outcome(found, stopped) is stopped


def test_each_cause_has_the_message_of_its_first_row(tmp_path: Path) -> None:
    with Journal(tmp_path / "out.jsonl.journal") as journal:
        journal.register([Entry(line, line, line) for line in range(1, 5)])
        rows = {
            1: Filtered("no"), 2: Rejected("too long", hint="shorten it"), 3: Rejected("too wide")
        }  # fmt: skip
        lines = {
            line: row_line(Ended(line=line, id=str(line), receipt=unsent(None, error)))
            for line, error in rows.items()
        }
        journal.finish([
            End(line, State.FAILED, code=rows[line].code, error=data)
            for line, data in lines.items()
        ])  # fmt: skip
        journal.finish([End(4, State.FAILED, code="network", error=b"{")])

        assert reasons(journal) == {"filtered": "no", "rejected": "too long"}
    assert json.loads(lines[2])["error"]["hint"] == "shorten it"


def test_paths_are_as_one_types_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert near(tmp_path / "a" / "out.jsonl") == "a/out.jsonl"
    assert near(Path("/elsewhere/out.jsonl")) == "/elsewhere/out.jsonl"


def taken(*costs: tuple[str | None, str]) -> Sum:
    found = Sum()
    for amount, currency in costs:
        cost = Cost(amount, currency if amount else None, CostKind.COMPUTED)
        found.add(replace(receipt(MAIN, "x"), cost=cost, usage=Usage(10, 2)))
    return found


@pytest.mark.parametrize(
    ("costs", "wanted"),
    [
        ([("0.1", "USD"), ("0.2", "USD")], ("0.3", "USD")),
        ([("0.1", "USD"), ("7", "RUB")], (None, None)),
        ([("0.1", "USD"), (None, "")], (None, None)),
        ([], (None, None)),
    ],
)
def test_the_record_has_a_cost_where_all_of_it_is_known(costs: Any, wanted: Any) -> None:
    found = _receipt("a/m", taken(*costs), {"job": "1"}, 12.5)

    assert (found.cost.amount, found.cost.currency) == wanted
    assert found.usage.input_tokens == 10 * len(costs)
    assert (found.attempts, found.requested) == (len(costs), "a/m")
    assert found.latency.total_s == 12.5
    assert found.details == {"batch": {"job": "1"}}


def test_a_budget_that_is_reached_is_to_be_raised() -> None:
    """Never by shorter answers: they would be another job."""
    own = BudgetRefused("the budget of 5 USD (--max-cost) …", hint="--max-tokens 3")
    daily = BudgetRefused("the budget of 5 USD a day (budget.per_day, …)", hint="--max-tokens 3")

    assert "more for --max-cost" in budget_hint(own)
    assert "llmctl cost budgets" in budget_hint(daily)
