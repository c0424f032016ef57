"""What goes wrong at the provider: a job ends at once where going on is of no use, within a bounded
time where it may be, and never with 0 when no row was answered."""

import json
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.batches import held
from tests.e2e.batching import MODEL, Job, wait_until
from tests.e2e.harness import Llmctl
from tests.simulator import Simulator

pytestmark = pytest.mark.usefixtures("warm")

LANES = 8


def test_a_refused_key_ends_it_at_once(llmctl: Llmctl, sim: Simulator) -> None:
    sim.key = "another"
    job = Job(llmctl).rows(300)

    result = job.run("-j", str(LANES))

    assert result.code == 6, result.err
    assert 1 <= len(sim.calls) <= LANES
    assert "Traceback" not in result.err
    sim.key = None
    assert job.run("-j", str(LANES)).code == 0
    assert held(job.output, 300).done == 300


def test_an_unknown_model_ends_it_at_once(llmctl: Llmctl, sim: Simulator) -> None:
    job = Job(llmctl, "openai/mock-fault-no-model").rows(300)

    result = job.run("-j", str(LANES))

    assert result.code == 7, result.err
    assert 1 <= len(sim.calls) <= LANES


def test_what_policy_forbids_is_not_begun(llmctl: Llmctl, sim: Simulator) -> None:
    job = Job(llmctl).rows(300)

    for flags in (("--privacy", "device"), ("--local-only",)):
        result = job.run("-j", str(LANES), *flags)
        assert result.code == 4, result.err

    assert (sim.requests, job.answers) == ([], [])


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("openai/mock-fault-rate-forever", 8),
        ("openai/mock-fault-500-forever", 10),
        ("openai/mock-fault-reset-first", 9),
    ],
)
def test_a_provider_that_is_down_is_given_up(
    llmctl: Llmctl, sim: Simulator, model: str, code: int
) -> None:
    """The rows are kept for the next run, and none counts as failed for it."""
    llmctl.env["LLMCTL_NETWORK__BACKOFF"] = "0.5"
    job = Job(llmctl, model).rows(300)

    result = job.run("-j", str(LANES), "--give-up", "1.2")

    assert result.code == code, result.err
    assert result.seconds < 15
    assert len(sim.calls) < 300 * 4
    assert "openai" in result.err.lower()
    assert (job.answers, job.failures) == ([], [])
    status = job.other("status", "--json").json
    assert status["version"] == 1
    assert status["rows"] == {"total": 300, "done": 0, "failed": 0, "waiting": 300}


def test_a_server_that_is_not_there(llmctl: Llmctl) -> None:
    llmctl.env["LLMCTL_PROVIDERS__OPENAI__BASE_URL"] = "http://127.0.0.1:9/v1"
    job = Job(llmctl).rows(300)

    result = job.run("-j", str(LANES))

    assert result.code == 9, result.err
    assert (job.answers, job.failures) == ([], [])


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("context", 16, "rejected"),
        ("filtered-first", 13, "filtered"),
        ("length", 12, "incomplete"),
        ("html", 10, "provider-error"),
    ],
)
def test_all_rows_failing_is_no_success(
    llmctl: Llmctl, sim: Simulator, fault: str, code: int, said: str
) -> None:
    job = Job(llmctl, f"openai/mock-fault-{fault}").rows(6)

    result = job.run("-j", "3")

    assert result.code == code, result.err
    assert set(job.by_id().values()) == {said}
    assert held(job.output, 6).done == 0
    assert job.other("status").code in (0, code)
    again = job.run("-j", "3")
    assert again.code == code, again.err
    assert set(job.by_id().values()) == {said}


def test_different_causes_are_partial(llmctl: Llmctl) -> None:
    job = Job(llmctl).documents(
        {"prompt": "a", "model": "openai/mock-fault-context"},
        {"prompt": "b", "model": "openai/mock-fault-filtered"},
    )

    assert job.run().code == 15


def test_a_poisoned_row_holds_nobody_up(llmctl: Llmctl, sim: Simulator) -> None:
    rows = [{"id": f"r{n:08d}", "prompt": f"Repeat: [{n:08d}]"} for n in range(40)]
    rows[0]["model"] = "openai/mock-fault-500-forever"
    job = Job(llmctl).documents(*rows)

    result = job.run("-j", "2")

    assert result.code == 15, result.err
    assert len(job.answers) == 39
    assert [one["row"]["line"] for one in job.failures] == [1]
    poisoned = [one for one in sim.calls if "500" in one.json["model"]]
    assert 2 <= len(poisoned) <= 6


def test_the_whole_job_obeys_a_wait(llmctl: Llmctl, sim: Simulator) -> None:
    """One row is told to come back in a second: no row is begun before that."""
    job = Job(llmctl, "openai/mock-fault-shares:ms=30").rows(40)
    sim.script(["rate-seconds"])

    result = job.run("-j", "4")

    assert result.code == 0, result.err
    assert held(job.output, 40).done == 40
    moments = [one.at for one in sim.calls]
    gaps = [later - before for before, later in pairwise(moments)]
    longest = max(gaps)
    assert longest >= 0.9, longest
    assert gaps.index(longest) + 1 <= 4 * 2, "requests went on after the refusal"
    assert len(sim.calls) <= 41 + 2


def test_waiting_ends_with_a_signal(llmctl: Llmctl, sim: Simulator) -> None:
    """Nothing is in flight: there is nothing to wait for."""
    job = Job(llmctl, "openai/mock-fault-shares:429=100,after=30").rows(20)
    with job.start("-j", "2") as running:
        wait_until(lambda: sim.tally.requests >= 1, running)
        time.sleep(0.5)
        running.signal()
        begun = time.monotonic()
        stopped = running.end()

    assert stopped.code == 130, stopped.err
    assert time.monotonic() - begun < 3
    assert sim.tally.requests <= 2


def test_a_hold_beyond_an_hour_ends_later_jobs_at_once_too(llmctl: Llmctl, sim: Simulator) -> None:
    job = Job(llmctl, "openai/mock-fault-shares:429=100,after=7200").rows(20)
    assert job.run("-j", "2").code == 8
    sent = sim.tally.requests

    again = job.run("-j", "2")

    assert again.code == 8, again.err
    assert "openai takes no requests until" in again.err
    assert "or an earlier one, was told so" in again.err
    assert sim.tally.requests == sent


def test_a_hold_that_an_earlier_job_was_told_is_waited_for_and_explained(
    llmctl: Llmctl, sim: Simulator
) -> None:
    limited = Job(llmctl, "openai/mock-fault-shares:429=100,after=2").rows(20)
    assert limited.run("-j", "2", "--give-up", "1").code == 8

    result = llmctl.on_terminal(*Job(llmctl).rows(20).arguments("-j", "2", "--restart"))

    assert result.code == 0, result.out
    assert "(told to another run)" in result.out
    assert held(limited.output, 20).done == 20


def test_spent_money_ends_it_at_once(llmctl: Llmctl, sim: Simulator) -> None:
    job = Job(llmctl, "openai/mock-fault-quota").rows(100)

    result = job.run("-j", str(LANES))

    assert result.code == 8, result.err
    assert len(sim.calls) <= LANES


CLOCK = """
import time

begun, real = time.monotonic(), time.time

def time_that_jumps():
    passed = time.monotonic() - begun
    return real() + (-86_400 if 0.4 < passed % 1.2 < 0.8 else 7_200 if passed % 1.2 >= 0.8 else 0)

time.time = time_that_jumps
"""


def test_a_clock_that_jumps(llmctl: Llmctl, sim: Simulator, tmp_path: Path) -> None:
    """A day back and two hours ahead, again and again: nothing hangs, and nothing is lost."""
    folder = tmp_path / "jumping"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(CLOCK)
    job = Job(llmctl, "openai/mock-fault-shares:429=2,ms=20").rows(200)

    result = job.run("-j", "4", env={"PYTHONPATH": str(folder)}, timeout=30)

    assert result.code == 0, result.err
    assert held(job.output, 200).done == 200
    assert all(0 <= one["latency"]["total_s"] < 10 for one in job.answers)


def test_the_summary_says_what_became_of_them(llmctl: Llmctl) -> None:
    job = Job(llmctl).documents(
        {"prompt": "Repeat: a"},
        {"prompt": "Repeat: b"},
        {"prompt": "x", "model": "openai/mock-fault-context"},
    )
    summary = llmctl.home / "summary.json"

    result = job.run("--summary", str(summary))

    assert result.code == 15
    told = json.loads(summary.read_text())
    assert told["version"] == 1
    assert told["rows"] == {"total": 3, "done": 2, "failed": 1, "waiting": 0}
    assert told["causes"] == {"rejected": 1}
    assert (told["run"]["stopped"], told["run"]["exit_code"], told["run"]["rows"]) == (None, 15, 3)
    assert result.out == ""
    assert MODEL in json.dumps(told)
