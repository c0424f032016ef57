"""A job of 1,000,000 rows: how much memory it takes, whether that grows, how soon it is resumed.

The server answers at once. The resident set is read once a second; beside its peak stand its
medians at a tenth, half and the end of the rows. The job is killed just before its end; how long it
takes from the start of the next run to its first request is what a resume costs. Then that run goes
on to the end. `--rows N` for fewer.
"""

import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.batch import cleared, contenders, source, target
from benchmarks.harness import BENCH, Bar, LoadServer, arguments, report

ROWS, FLIGHT = 1_000_000, 64
PEAK_MB, GROWTH_MB, RESUME_S = 150.0, 10.0, 10.0
LEFT = 500  # rows that the kill leaves
PLACES = (0.1, 0.5, 0.98)


def resident(pid: int) -> tuple[float, float]:
    """MB now, and the most so far; (0, 0) for a process that is gone."""
    try:
        told = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0, 0.0
    found = {line.split(":")[0]: line.split()[1] for line in told.splitlines() if "kB" in line}
    return int(found.get("VmRSS", 0)) / 1024, int(found.get("VmHWM", 0)) / 1024


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def line_length(path: Path) -> float:
    """Bytes of a line, by the first ten thousand."""
    with path.open("rb") as lines:
        lengths = [len(line) for line, _number in zip(lines, range(10_000), strict=False)]
    return statistics.mean(lengths)


def until(process: "subprocess.Popen[bytes]", rows: int) -> tuple[list[tuple[float, float]], float]:
    """Watch until so many rows are written, then kill: (share of the rows, MB) once a second, and
    the peak."""
    seen: list[tuple[float, float]] = []
    out, most, length = target("llmctl"), 0.0, 0.0
    while process.poll() is None:
        written = size(out)
        if not length and written > 10_000_000:
            length = line_length(out)
        share = written / length / rows if length else 0.0
        now, peak = resident(process.pid)
        seen.append((share, now))
        most = max(most, peak)
        if share >= 1 - LEFT / rows:
            break
        time.sleep(0.05 if share > 0.995 else 0.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return seen, most


def main() -> int:
    parser = arguments(__doc__, 1)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--flight", type=int, default=FLIGHT)
    given = parser.parse_args()
    cleared("llmctl")
    source(given.rows)
    with LoadServer("laneserver") as server:
        program = next(iter(contenders(f"{server.root}/l0/v1", given.rows, given.flight).values()))
        home = BENCH / "homes" / "million"
        home.mkdir(parents=True, exist_ok=True)
        env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **program.env}
        begun = time.monotonic()
        started = subprocess.Popen(program.command, env=env, stdin=subprocess.DEVNULL)
        seen, most = until(started, given.rows)
        took, first = time.monotonic() - begun, server.seen()
        begun = time.monotonic()
        resumed = subprocess.run(program.command, env=env, stdin=subprocess.DEVNULL, check=False)
        whole, second = time.monotonic() - begun, server.seen()
    places = [
        statistics.median([mb for share, mb in seen if abs(share - place) < 0.02] or [0.0])
        for place in PLACES
    ]
    with target("llmctl").open("rb") as lines:
        answered = sum(1 for _line in lines)
    assert (resumed.returncode, answered) == (0, given.rows), (resumed.returncode, answered)
    head = ["", "rows", "rows/s", "s", *(f"MB at {place:.0%}" for place in PLACES), "peak MB"]
    rate = first["rows"] / first["window_s"]
    shown = [f"{mb:.1f}" for mb in places]
    ran = ["to the kill", f"{first['rows']:.0f}", f"{rate:.0f}", f"{took:.0f}", *shown]
    again = ["the resume", f"{second['rows']:.0f}", "", f"{whole:.1f}", "", "", ""]
    bars = [
        Bar("peak memory", [most], PEAK_MB, unit="MB"),
        Bar("growth from a tenth to the end", [places[-1] - places[0]], GROWTH_MB, unit="MB"),
        Bar(
            "start of a resume to its first request", [second["first"] - begun], RESUME_S, unit="s"
        ),
    ]
    title = f"{given.rows} rows, {given.flight} at once, 0 ms"
    return report(title, 1, head, [[*ran, f"{most:.1f}"], [*again, ""]], bars)


if __name__ == "__main__":
    sys.exit(main())
