"""`python -m tests.on_ray [ROWS]`: jobs on two workers of Ray, some of which are killed meanwhile.

It is no part of the suite: it wants an environment of its own, `pip install -e '.[ray]'`, takes a
minute or two, and starts a cluster on this machine for every run. Each scenario prints what it saw;
the first that is not as it should be ends the program with 1.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from tests.batches import lines, mark, name, write_rows
from tests.simulator import Simulator
from tests.simulator.shares import repeated

LANES, WORKERS = 16, 2
FAULTY = "openai/mock-fault-shares:429=2,500=1,cut=0.5,ms=4"
WELL = "openai/mock-fault-shares:ms=4"
PRICED = "openai/gpt-6-luna"
TITLE = b"ray::MapWorker"
SECONDS = 600.0


class Runs:
    """Runs of jobs in a home of their own, against one simulator."""

    def __init__(self, home: Path, sim: Simulator) -> None:
        self.home = home
        self.sim = sim
        key = "sk-" + "5mJq9Zt2" * 5
        self.key = key
        self.env = {
            **{one: os.environ[one] for one in ("PATH", "PYTHONPATH") if one in os.environ},
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "LLMCTL_CONFIG_DIR": str(home / "config"),
            "LLMCTL_DATA_DIR": str(home / "data"),
            "LLMCTL_CACHE_DIR": str(home / "cache"),
            "LLMCTL_NETWORK__BACKOFF": "0.01",
            "LLMCTL_PROVIDERS__OPENAI__BASE_URL": sim.openai_url,
            # What it costs is what it would there, though it is asked here.
            "LLMCTL_PROVIDERS__OPENAI__FACTS": "inherit",
            "OPENAI_API_KEY": key,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "RAY_AUTH_MODE": "disabled",
        }

    def start(self, source: Path, folder: Path, model: str, *more: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "llmctl", "batch", "run", str(source), "--output", str(folder),
             "-m", model, "--engine", "ray", "-j", str(LANES), *more],
            cwd=self.home, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=(self.home / "stderr").open("wb"),
        )  # fmt: skip

    def end(self, running: subprocess.Popen[bytes]) -> int:
        try:
            return running.wait(SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            raise

    def run(self, source: Path, folder: Path, model: str, *more: str) -> int:
        return self.end(self.start(source, folder, model, *more))

    @property
    def said(self) -> str:
        return (self.home / "stderr").read_text(errors="replace")


# ---- processes


def workers_of(running: subprocess.Popen[bytes]) -> list[int]:
    """The ids of the workers that descend from a run."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if (entry / "cmdline").read_bytes().startswith(TITLE):
                    found.append(int(entry.name))
    return [one for one in found if running.pid in ancestors(one)]


def ancestors(process: int) -> Iterator[int]:
    while process > 1:
        try:
            stat = Path(f"/proc/{process}/stat").read_text()
        except OSError:
            return
        process = int(stat.rpartition(")")[2].split()[1])
        yield process


def wait_for(condition: Callable[[], bool], running: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert running.poll() is None, f"it ended with {running.returncode} before that"
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


# ---- what is there afterwards


def outputs(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-??????.jsonl"))


def check_rows(folder: Path, count: int) -> int:
    """Every row stands once in the outputs of all parts, with the answer to its own prompt; how
    many outputs there are."""
    seen: Counter[str] = Counter()
    for path in outputs(folder):
        for one in lines(path):
            named = one["row"]["id"]
            assert one["error"] is None, one
            assert one["text"].startswith(mark(int(named[1:]))), (named, one["text"])
            assert one["row"]["line"] == int(named[1:]) + 1, one["row"]
            seen[named] += 1
    assert not list(folder.glob("part-*.errors.jsonl"))
    doubled = [named for named, times in seen.items() if times > 1]
    assert not doubled, f"{len(doubled)} rows stand twice: {doubled[:5]}"
    missing = {name(number) for number in range(count)} - set(seen)
    assert not missing, f"{len(missing)} rows are lost: {sorted(missing)[:5]}"
    assert len(seen) == count
    return len(outputs(folder))


def check_secret(runs: Runs) -> None:
    """The key is in no file that a run has left, those of Ray included."""
    places = [runs.home, *Path("/tmp/ray").glob("session_latest/logs")]
    for place in places:
        for path in place.rglob("*"):
            with suppress(OSError):
                if path.is_file() and runs.key.encode() in path.read_bytes():
                    raise AssertionError(f"a key stands in {path}")


# ---- scenarios


def killed(runs: Runs, count: int) -> str:
    """Two workers killed in the middle, with faults of the wire besides."""
    source, folder = write_rows(runs.home / "in.jsonl", count), runs.home / "killed"
    runs.sim.reset()
    tally = runs.sim.tally
    running = runs.start(source, folder, FAULTY)
    kills = 0
    for share in (0.3, 0.6):
        wait_for(lambda goal=share * count: tally.requests >= goal, running)  # type: ignore[misc]
        os.kill(workers_of(running)[-1], signal.SIGKILL)
        kills += 1
    code = runs.end(running)
    codes = [code]
    assert code in (0, 15), (code, runs.said[-2000:])
    while codes[-1] != 0 and len(codes) < 12:  # rows that failed three times are asked by the next
        codes.append(runs.run(source, folder, FAULTY))
    assert codes[-1] == 0, (codes, runs.said[-2000:])
    parts = check_rows(folder, count)
    again, most = repeated(tally.met), kills * LANES // WORKERS
    assert again <= most, f"{again} rows were asked again for {kills} kills, {most} at most"
    before = tally.requests
    assert runs.run(source, folder, FAULTY) == 0
    assert tally.requests == before, "a job that is done was asked again"
    check_secret(runs)
    return (
        f"{count} rows in {parts} parts, {kills} workers killed: each row once; {before} requests,"
        f" of which {again} repeated an answer (at most {most} under way at the kills);"
        f" exit codes {codes}; the same command again: 0 requests"
    )


def stopped(runs: Runs, count: int) -> str:
    """The command itself is told to stop, and then killed, which ends its cluster; the next one
    goes on."""
    source, folder = write_rows(runs.home / "in.jsonl", count), runs.home / "stopped"
    runs.sim.reset()
    tally = runs.sim.tally
    codes = []
    for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        running = runs.start(source, folder, WELL)
        goal = tally.requests + count // 5
        wait_for(lambda goal=goal: tally.requests >= goal, running)  # type: ignore[misc]
        workers = workers_of(running)
        running.send_signal(sent)
        codes.append(runs.end(running))
        end = time.monotonic() + 60
        while any(Path(f"/proc/{one}").exists() for one in workers):
            assert time.monotonic() < end, "workers outlive their job"
            time.sleep(0.1)
    assert codes == [130, 143, -signal.SIGKILL], codes
    assert runs.run(source, folder, WELL) == 0, runs.said[-2000:]
    check_rows(folder, count)
    again = repeated(tally.met)
    assert again <= 3 * LANES, f"{again} rows were asked again"
    return (
        f"{count} rows; the command by Ctrl-C, by SIGTERM, killed (exit codes {codes}), and run to"
        f" its end: each row once; {again} asked again (at most {3 * LANES})"
    )


def parquet(runs: Runs, count: int) -> str:
    import pyarrow
    from pyarrow import parquet as tables

    rows = [json.loads(line) for line in write_rows(runs.home / "in.jsonl", count).open()]
    source, folder = runs.home / "in.parquet", runs.home / "parquet"
    tables.write_table(pyarrow.Table.from_pylist(rows), source, row_group_size=170)
    runs.sim.reset()
    assert runs.run(source, folder, WELL) == 0, runs.said[-2000:]
    parts = check_rows(folder, count)
    assert runs.sim.tally.requests == count
    return f"{count} rows of Parquet in {parts} parts: each row once, {count} requests"


def budget(runs: Runs, count: int) -> str:
    """A limit that is enough for half of the rows, shared by all workers."""
    source, folder = write_rows(runs.home / "in.jsonl", count), runs.home / "budget"
    row = Decimal("0.0000022")  # 12 tokens at 0.1 and 2 at 0.5 USD a million
    most = row * count / 2
    code = runs.run(source, folder, PRICED, "--max-tokens", "2", "--max-cost", f"{most} USD")
    spent, done = Decimal(0), 0
    for path in outputs(folder):
        for one in lines(path):
            spent += Decimal(one["cost"]["amount"])
            done += 1
    assert code == 5, (code, runs.said[-2000:])
    assert spent <= most, f"{spent} spent of {most}"
    assert done > count / 4, f"only {done} rows"
    return f"{most} USD for {count} rows: {done} answered, {spent} USD spent, exit 5"


def pace(runs: Runs, count: int) -> str:
    """Ten requests a second, of both workers together."""
    source, folder = write_rows(runs.home / "in.jsonl", count), runs.home / "pace"
    runs.sim.reset()
    moments: list[float] = []
    running = runs.start(source, folder, WELL, "--rpm", "600")
    seen = 0
    while running.poll() is None:
        if (now := runs.sim.tally.requests) > seen:
            moments += [time.monotonic()] * (now - seen)
            seen = now
        time.sleep(0.005)
    assert running.returncode == 0, runs.said[-2000:]
    check_rows(folder, count)
    took = moments[-1] - moments[0]
    least = (count - 5 - 1) / 10 - 1.0  # half a second of burst; the clock of this loop is coarse
    assert took >= least, f"{count} requests in {took:.1f} s"
    return f"{count} requests at 600 a minute took {took:.1f} s (no less than {least:.1f})"


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    scenarios: list[tuple[Callable[[Runs, int], Any], int]] = [
        (killed, count), (stopped, max(2000, count // 4)), (parquet, 1000), (budget, 1000),
        (pace, 150),
    ]  # fmt: skip
    only = sys.argv[2:]
    for scenario, rows in scenarios:
        if only and scenario.__name__ not in only:
            continue
        home = Path(mkdtemp(prefix="llmctl-ray-"))
        begun = time.monotonic()
        with Simulator() as sim:
            runs = Runs(home, sim)
            try:
                told = scenario(runs, rows)
            except AssertionError as wrong:
                print(f"{scenario.__name__}: WRONG: {wrong}\n{runs.said[-1500:]}", flush=True)
                return 1
        shutil.rmtree(home, ignore_errors=True)
        print(f"{scenario.__name__}: {told} ({time.monotonic() - begun:.0f} s)", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
