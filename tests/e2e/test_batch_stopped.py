"""A job that is stopped: by signals, by another process, by a disk that is full. What is done
stays done, and the command that goes on with it is told."""

import json
import os
import resource
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.batches import held, journal_of
from tests.e2e.batching import MODEL, Job, size, wait_until
from tests.e2e.harness import COMMAND, Llmctl
from tests.simulator import Simulator
from tests.simulator.shares import repeated

pytestmark = pytest.mark.usefixtures("warm")

SLOW = "openai/mock-fault-shares:ms=60"
VERY_SLOW = "openai/mock-fault-shares:ms=20000"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_what_is_under_way_comes_to_its_end(
    llmctl: Llmctl, sim: Simulator, number: signal.Signals, code: int
) -> None:
    """No row is begun after the signal; those in flight are paid for, so their answers are kept."""
    job = Job(llmctl, SLOW).rows(60)
    with job.start("-j", "4") as running:
        wait_until(lambda: sim.tally.requests >= 6, running)
        running.signal(number)
        stopped = running.end()

    assert stopped.code == code, stopped.err
    sent = sim.tally.requests
    assert 6 <= sent <= 6 + 8
    done = held(job.output, 60, whole=False)
    assert (done.done, done.failed) == (sent, {})
    again, *others = (line.strip() for line in stopped.err.splitlines() if "batch run" in line)
    assert others == []  # once is enough
    words = shlex.split(again[again.index("llmctl ") :])
    resumed = llmctl.run(*words[1:])
    assert resumed.code == 0, resumed.err
    assert held(job.output, 60).done == 60
    assert repeated(sim.tally.met) == 0


def test_a_second_signal_ends_it_at_once(llmctl: Llmctl, sim: Simulator) -> None:
    job = Job(llmctl, VERY_SLOW).rows(20)
    with job.start("-j", "4") as running:
        wait_until(lambda: sim.tally.requests >= 4, running)
        running.signal(signal.SIGINT)
        time.sleep(0.3)
        assert running.process.poll() is None, "it did not wait for what is in flight"
        running.signal(signal.SIGINT)
        begun = time.monotonic()
        stopped = running.end()

    assert stopped.code == 130
    assert time.monotonic() - begun < 3
    assert "Traceback" not in stopped.err
    assert sim.tally.requests == 4


def test_the_grace_has_an_end(llmctl: Llmctl, sim: Simulator) -> None:
    job = Job(llmctl, VERY_SLOW).rows(20)
    with job.start("-j", "4", "--grace", "0.3") as running:
        wait_until(lambda: sim.tally.requests >= 4, running)
        running.signal()
        begun = time.monotonic()
        stopped = running.end()

    assert stopped.code == 130, stopped.err
    assert 0.2 <= time.monotonic() - begun < 4
    assert (sim.tally.requests, job.answers) == (4, [])


def test_only_one_process_writes_an_output(llmctl: Llmctl, sim: Simulator) -> None:
    job = Job(llmctl, "openai/mock-fault-shares:ms=250").rows(60)
    with job.start("-j", "2") as running:
        wait_until(lambda: size(job.output) > 0, running)
        second = job.run("-j", "2")
        restarted = job.run("-j", "2", "--restart")
        shown = job.other("status")
        running.signal()
        first = running.end()

    assert (first.code, second.code, restarted.code) == (130, 18, 18), first.err + second.err
    assert "out.jsonl" in second.err
    assert "Traceback" not in second.err
    assert shown.code == 0, shown.err
    assert job.run("-j", "30").code == 0
    assert held(job.output, 60).done == sim.tally.requests == 60


def limited(most: int) -> None:
    """No file may become longer; a write past that is an error, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


@pytest.mark.parametrize("most", [3_000, 20_000, 200_000])
def test_a_full_disk(llmctl: Llmctl, sim: Simulator, most: int) -> None:
    """Wherever it strikes, at the journal or at the output: the run says so, and the next one goes
    on where there is room again."""
    job = Job(llmctl, "openai/mock-fault-shares:ms=1").rows(600)
    assert COMMAND
    done = subprocess.run(
        [COMMAND, *job.arguments("-j", "4")],
        cwd=llmctl.home,
        env=llmctl.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        preexec_fn=lambda: limited(most),
        timeout=60,
        check=False,
    )
    said = done.stderr.decode()

    assert done.returncode == 18, said
    assert "Traceback" not in said
    assert 0 < len(said.strip().splitlines()) <= 12
    assert sim.tally.requests < 600
    resumed = job.run("-j", "4")
    assert resumed.code == 0, resumed.err
    assert held(job.output, 600).done == 600
    assert repeated(sim.tally.met) <= 4 + 4  # what was in flight, and what could not be written


def test_a_folder_that_cannot_be_written(llmctl: Llmctl, sim: Simulator, tmp_path: Path) -> None:
    job = Job(llmctl).rows(2)
    job.output = llmctl.home / "nowhere" / "out.jsonl"
    missing = job.run()
    job.output = llmctl.home
    folder = job.run()
    job.output = Path("/proc/out.jsonl")
    refused = job.run()

    assert {missing.code, refused.code} == {18}, missing.err + refused.err
    assert folder.code in (2, 18), folder.err
    for one in (missing, folder, refused):
        assert "Traceback" not in one.err
        assert len(one.err.strip().splitlines()) <= 4
    assert sim.calls == []


def test_an_output_of_somebody_else(llmctl: Llmctl, sim: Simulator) -> None:
    """A file that no journal belongs to is not overwritten, not even by an empty job."""
    job = Job(llmctl).rows(2)
    job.output.write_text("dear diary\n")

    assert job.run().code == 2
    assert job.output.read_text() == "dear diary\n"
    assert sim.calls == []
    assert not journal_of(job.output).exists()


def test_an_output_of_another_job(llmctl: Llmctl, sim: Simulator) -> None:
    assert Job(llmctl).rows(2).run().code == 0
    asked = len(sim.calls)
    other = Job(llmctl)
    other.input = llmctl.home / "other.jsonl"
    other.documents({"prompt": "something else"})

    refused = other.run()

    assert refused.code == 2, refused.err
    assert "--restart" in refused.err
    assert len(sim.calls) == asked
    assert held(other.output, 2).done == 2


def test_what_was_changed_by_hand(llmctl: Llmctl, sim: Simulator) -> None:
    """Lines that were written for good are gone: nothing is asked again in silence."""
    job = Job(llmctl, "openai/mock-fault-shares:ms=0").rows(5)
    assert job.run().code == 0
    whole = job.output.read_bytes().splitlines(keepends=True)
    job.output.write_bytes(b"".join(whole[:3]) + whole[3][:40])
    left = job.output.read_bytes()

    refused = job.run()

    assert refused.code == 2, refused.err
    assert "--restart" in refused.err
    assert (job.output.read_bytes(), sim.tally.requests) == (left, 5)
    assert job.run("--restart").code == 0
    assert held(job.output, 5).done == 5


def test_files_are_of_nobody_else(llmctl: Llmctl) -> None:
    job = Job(llmctl, MODEL).rows(2)
    assert job.run().code == 0
    for name in job.files():
        path = llmctl.home / name
        if path.is_file() and name.startswith("out."):
            assert path.stat().st_mode & 0o077 == 0 or name == "out.jsonl", name
    assert json.loads(job.output.read_bytes().splitlines()[0])["row"]["id"] == "r00000000"
    assert os.access(journal_of(job.output), os.R_OK)
