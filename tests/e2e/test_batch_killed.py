"""Killed at any moment, with no time to tidy up: nothing lost, nothing doubled, nothing torn."""

import random
import signal
import time
from itertools import pairwise

import pytest

from tests.batches import held, lines
from tests.e2e.batching import Job, wait_until
from tests.e2e.harness import Llmctl
from tests.simulator import Simulator
from tests.simulator.shares import repeated

pytestmark = pytest.mark.usefixtures("warm")

MODEL = "openai/mock-fault-shares:429=2,500=1,cut=0.5,ms=15"
LANES, ROWS, EARLY, AT_WORK = 8, 4000, 12, 38
ENDS = 12  # runs after the last kill: of a share of 0.5 % hardly anything is left after three


def killed(job: Job, sim: Simulator, draw: random.Random, *, at_work: bool) -> None:
    """Start, and kill either a moment after the start or after some more requests have come."""
    before = sim.tally.requests
    with job.start("-j", str(LANES)) as running:
        if at_work:
            goal = before + draw.randint(1, 90)
            wait_until(lambda: sim.tally.requests >= goal, running)
            time.sleep(draw.random() * 0.01)
        else:
            time.sleep(draw.random() * 0.6)
        running.signal(signal.SIGKILL)
        assert running.end().code == -signal.SIGKILL


def test_fifty_kills(llmctl: Llmctl, sim: Simulator) -> None:
    draw = random.Random(20261125)
    job = Job(llmctl, MODEL).rows(ROWS)
    moments = [True] * AT_WORK + [False] * EARLY
    draw.shuffle(moments)
    answered: list[int] = []
    for at_work in moments:
        killed(job, sim, draw, at_work=at_work)
        answered.append(job.output.read_bytes().count(b"\n") if job.output.exists() else 0)
    # What was written once stays written, but for a last line that a kill tears off.
    assert all(later >= earlier - 1 for earlier, later in pairwise(answered))
    assert answered[-1] < ROWS, "the kills came after the job was done"

    codes: list[int] = []
    while not codes or (codes[-1] != 0 and len(codes) < ENDS):
        codes.append(job.run("-j", str(LANES)).code)

    assert codes[-1] == 0, codes
    assert held(job.output, ROWS).failed == {}
    assert set(sim.tally.met) == {f"Repeat: [{n:08d}] of {ROWS}" for n in range(ROWS)}
    assert repeated(sim.tally.met) <= LANES * (AT_WORK + EARLY)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_other_outputs(llmctl: Llmctl, sim: Simulator, ending: str) -> None:
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    draw = random.Random(7)
    job = Job(llmctl, "openai/mock-fault-shares:ms=4").rows(300)
    job.output = llmctl.home / f"out.{ending}"
    for _time in range(3):
        killed(job, sim, draw, at_work=True)
    assert job.run("-j", str(LANES)).code == 0

    assert repeated(sim.tally.met) <= LANES * 3
    if ending == "csv":
        import csv

        with job.output.open(encoding="utf-8-sig", newline="") as table:
            names = [row["id"] for row in csv.DictReader(table)]
    else:
        from pyarrow import parquet

        names = [row["id"] for row in parquet.read_table(job.output).to_pylist()]
    assert sorted(names) == [f"r{number:08d}" for number in range(300)]


def test_in_order(llmctl: Llmctl, sim: Simulator) -> None:
    draw = random.Random(11)
    job = Job(llmctl, "openai/mock-fault-shares:ms=4").rows(300)
    for _time in range(3):
        before = sim.tally.requests
        with job.start("-j", str(LANES), "--ordered") as running:
            goal = before + draw.randint(20, 80)
            wait_until(lambda goal=goal: sim.tally.requests >= goal, running)
            running.signal(signal.SIGKILL)
            running.end()
    assert job.run("-j", str(LANES), "--ordered").code == 0

    assert held(job.output, 300).done == 300
    assert [one["row"]["line"] for one in lines(job.output)] == list(range(1, 301))
