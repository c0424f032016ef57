"""What the programs share: running a whole process under measurement, taking turns, tables.

Programs take part in turn, round by round (A B C A B C …), so that a machine that slows down slows
all of them. Ratios are taken within a round and the median of these is shown; bars are set on
ratios, because milliseconds belong to one machine and hour. Beside each median stand the least
and the greatest value, and the spread: the half of all values that lies nearest the middle, as
a share of the median. A ratio that differs from 1 by less than the spread says nothing.

Standard library only.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
BENCH = Path(os.environ.get("BENCH_DIR", Path(tempfile.gettempdir()) / "llmctl-bench"))
SCRIPTS = ROOT / "benchmarks" / "scripts"
GNU_TIME = shutil.which("time", path="/usr/bin:/bin")
KILL_AFTER_S = 120.0

Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Run:
    """One process from spawn to reaping. Times in seconds; `started` and `read` on the monotonic
    clock, which all processes of a machine share; `peak_mb` is the greatest resident set."""

    started: float
    wall: float
    cpu: float
    peak_mb: float
    code: int
    out: bytes
    err: bytes
    read: tuple[tuple[float, int], ...]
    """When each piece of stdout arrived, and its length."""

    def must(self) -> "Run":
        if self.code != 0:
            raise SystemExit(f"exit {self.code}: {self.err.decode(errors='replace')[-800:]}")
        return self


@dataclass(frozen=True, slots=True)
class Program:
    """A command under measurement, with an environment made for it alone."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)

    def run(self, *, memory: bool = False) -> Run:
        """One run; `memory` asks for the true peak, at the price of a process in between."""
        home = BENCH / "homes" / self.name.replace("/", "-").replace(" ", "-")
        home.mkdir(parents=True, exist_ok=True)
        env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb"}
        return run(self.command, {**env, **self.env}, memory=memory)


def venv_python(name: str) -> str:
    """The interpreter of a virtual environment that `python -m benchmarks peers` made."""
    path = BENCH / "venvs" / name / "bin" / "python"
    if not path.exists():
        raise SystemExit(f"{path} is not there; first run: python -m benchmarks peers")
    return str(path)


def venv_command(venv: str, name: str) -> str:
    return str(Path(venv_python(venv)).parent / name)


def run(command: Sequence[str], env: Mapping[str, str], *, memory: bool = False) -> Run:
    """Run a process to its end with nothing on standard input; times every read of its output.

    With `memory` GNU time, where there is one, stands between and reads the peak: what the system
    says of a child directly is never below the peak of this very program.
    """
    report = BENCH / f"peak-{os.getpid()}"
    argv = [str(part) for part in command]
    if GNU_TIME and memory:
        argv = [GNU_TIME, "-q", "-f", "%M", "-o", str(report), "--", *argv]
    out_r, out_w = os.pipe()
    with tempfile.TemporaryFile() as errors, open(os.devnull, "rb") as nothing:
        started = time.monotonic()
        process = subprocess.Popen(
            argv,
            stdin=nothing,
            stdout=out_w,
            stderr=errors,
            env=dict(env),
            cwd=BENCH,
            process_group=0,
        )
        os.close(out_w)
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, KILL_AFTER_S)
        pieces, read = [], []
        while piece := os.read(out_r, 1 << 16):
            read.append((time.monotonic(), len(piece)))
            pieces.append(piece)
        _pid, status, usage = os.wait4(process.pid, 0)
        ended = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        os.close(out_r)
        errors.seek(0)
        told = errors.read()
    peak = usage.ru_maxrss
    if GNU_TIME and memory and report.exists():
        peak = int(report.read_text().split()[-1])
        report.unlink()
    return Run(
        started=started,
        wall=ended - started,
        cpu=usage.ru_utime + usage.ru_stime,
        peak_mb=peak / 1024,
        code=process.returncode,
        out=b"".join(pieces),
        err=told,
        read=tuple(read),
    )


class LoadServer(AbstractContextManager["LoadServer"]):
    """The server of loadserver.py, or another of ours, in a process of its own."""

    def __init__(self, module: str = "loadserver") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.{module}"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._lines = self._process.stdout
        self.root = f"http://127.0.0.1:{json.loads(self._lines.readline())['port']}"

    def url(self, tokens: int) -> str:
        """The base URL under which every answer has this many tokens."""
        return f"{self.root}/t{tokens}/v1"

    def request(self) -> dict[str, float]:
        """What the next request looked like from the server's side; waits for its end."""
        line = json.loads(self._lines.readline())
        return {key: float(value) for key, value in line.items()}

    def seen(self) -> dict[str, float]:
        """What laneserver.py saw since the last time it was asked."""
        with urllib.request.urlopen(f"{self.root}/seen", timeout=10) as answer:
            return {key: float(value) for key, value in json.load(answer).items()}

    def tally(self) -> dict[str, list[str]]:
        """What the requests of each mark met at crowdserver.py."""
        with urllib.request.urlopen(f"{self.root}/tally", timeout=60) as answer:
            found: dict[str, list[str]] = json.load(answer)
            return found

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(5)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def rounds(
    count: int,
    programs: Sequence[Program],
    measure: Callable[[Program], Figures],
    *,
    warm: int = 1,
) -> dict[str, list[Figures]]:
    """Measure each program `count` times in turn; `warm` rounds before these do not count: they
    warm files and caches."""
    found: dict[str, list[Figures]] = {program.name: [] for program in programs}
    for number in range(count + warm):
        for program in programs:
            figures = measure(program)
            if number >= warm:
                found[program.name].append(figures)
    return found


def ratios(found: Mapping[str, Sequence[Figures]], of: str, to: str, key: str) -> list[float]:
    """`of` divided by `to`, round by round."""
    pairs = zip(found[of], found[to], strict=True)
    return [one[key] / other[key] for one, other in pairs]


def spread(values: Sequence[float]) -> float:
    """The distance between the quartiles as a share of the median; 0 for fewer than 4 values."""
    if len(values) < 4 or not statistics.median(values):
        return 0.0
    low, middle, high = statistics.quantiles(values, n=4)
    return (high - low) / middle


def cell(values: Sequence[float], scale: float = 1.0, digits: int = 0) -> str:
    """least / median / greatest, and the spread where there are values enough for one."""
    three = (min(values), statistics.median(values), max(values))
    text = " / ".join(f"{value * scale:.{digits}f}" for value in three)
    return f"{text} ±{spread(values) * 50:.0f}%" if len(values) >= 4 else text


@dataclass(frozen=True, slots=True)
class Bar:
    """A limit that a median must not pass, or with `at_least` one that it must reach."""

    what: str
    values: Sequence[float]
    limit: float
    good: float | None = None
    unit: str = "×"
    at_least: bool = False

    @property
    def value(self) -> float:
        return statistics.median(self.values)

    @property
    def passed(self) -> bool:
        return self.within(self.limit)

    def within(self, limit: float) -> bool:
        return self.value >= limit if self.at_least else self.value <= limit

    def row(self) -> list[str]:
        verdict = "pass" if self.passed else "FAIL"
        if self.good is not None and self.within(self.good):
            verdict = "pass (good)"
        limit = f"{'≥ ' * self.at_least}{self.limit:g}" + (
            f", good {self.good:g}" if self.good is not None else ""
        )
        return [self.what, f"{cell(self.values, 1, 2)} {self.unit}", limit, verdict]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns line up on a terminal too."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |"
        for row in [head, *rows]
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines)


def report(
    title: str, count: int, head: Sequence[str], rows: Sequence[Sequence[str]], bars: Sequence[Bar]
) -> int:
    """Print the figures and the bars; 1 when a bar was missed."""
    print(f"\n## {title}\n\n{machine()}; {count} rounds; least / median / greatest ± half spread\n")
    print(table(head, rows))
    if bars:
        print("\n" + table(["bar", "measured", "limit", ""], [bar.row() for bar in bars]))
    sys.stdout.flush()
    return 0 if all(bar.passed for bar in bars) else 1


def machine() -> str:
    """Date and kind of machine; nothing that names this one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return (
        f"{time.strftime('%Y-%m-%d')}, {processor()}, {cores} cores, {memory:.0f} GiB,"
        f" {platform.system()}, Python {platform.python_version()}, load {load:.1f}"
    )


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def arguments(text: str | None, rounds_: int) -> argparse.ArgumentParser:
    """The options that every program has."""
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("-n", "--rounds", type=int, default=rounds_, help=f"default: {rounds_}")
    BENCH.mkdir(parents=True, exist_ok=True)
    return parser
