"""100,000 rows, 2 % of the requests refused with 429, 1 % with 500, 0.5 % of the answers cut, and
the job killed three times without warning: no row lost, none twice, no line torn, and no more
requests repeated than were in flight at the kills. The output is held against the input row by row.
"""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.harness import BENCH, Bar, LoadServer, arguments, report, venv_command
from tests.batches import held, write_rows
from tests.simulator.shares import repeated

ROWS, KILLS, FLIGHT = 100_000, 3, 64
MODEL = "openai/mock-fault-shares:429=2,500=1,cut=0.5"
RUNS = 10  # after the last kill
OUTPUT = BENCH / "crash.jsonl"


def command(rows: int, flight: int) -> list[str]:
    path = write_rows(BENCH / f"crash-{rows}-in.jsonl", rows)
    return [
        *(venv_command("llmctl", "llmctl"), "batch", "run", str(path), "-m", MODEL),
        *("--output", str(OUTPUT), "-j", str(flight), "-q"),
    ]


def environment(url: str) -> dict[str, str]:
    home = BENCH / "homes" / "crash"
    home.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "OPENAI_API_KEY": "sk-" + "mock",
        "LLMCTL_PROVIDERS__OPENAI__BASE_URL": url,
    }


def written(path: Path) -> int:
    """Lines so far."""
    if not path.exists():
        return 0
    with path.open("rb") as lines:
        return sum(1 for _line in lines)


def killed_at(goal: int, argv: list[str], env: dict[str, str]) -> int:
    """Kill a run when it has written so many lines; how many there are then."""
    lines = read = 0
    with subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL) as process:
        while lines < goal and process.poll() is None:
            time.sleep(0.01)
            if OUTPUT.exists():
                with OUTPUT.open("rb") as output:
                    output.seek(read)
                    fresh = output.read()
                lines, read = lines + fresh.count(b"\n"), read + len(fresh)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL, f"it ended before: {process.returncode}"
    return written(OUTPUT)


def main() -> int:
    parser = arguments(__doc__, 1)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--flight", type=int, default=FLIGHT)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for path in BENCH.glob(f"{OUTPUT.stem}.*"):
        path.unlink()
    draw = random.Random(given.seed)
    goals = sorted(draw.sample(range(given.rows // 50, given.rows * 9 // 10), given.kills))
    argv = command(given.rows, given.flight)
    rows = []
    with LoadServer("crowdserver") as server:
        env = environment(f"{server.root}/v1")
        for number, goal in enumerate(goals, 1):
            begun = time.monotonic()
            lines = killed_at(goal, argv, env)
            rows.append([f"kill {number}", f"{time.monotonic() - begun:.1f}", str(lines), ""])
        codes: list[int] = []
        while not codes or (codes[-1] != 0 and len(codes) < RUNS):
            begun = time.monotonic()
            codes.append(subprocess.run(argv, env=env, stdin=subprocess.DEVNULL).returncode)
            took = f"{time.monotonic() - begun:.1f}"
            rows.append([f"run {len(codes)}", took, str(written(OUTPUT)), str(codes[-1])])
        met = server.tally()
    found = held(OUTPUT, given.rows)
    requests = sum(map(len, met.values()))
    faults = {kind: sum(one.count(kind) for one in met.values()) for kind in ("429", "500", "cut")}
    shown = ", ".join(f"{count} × {kind}" for kind, count in faults.items())
    again = repeated(met)
    bars = [
        Bar("rows not answered", [float(given.rows - found.done)], 0.0, unit=""),
        Bar("requests repeated", [float(again)], float(given.flight * given.kills), unit=""),
    ]
    code = report(
        f"{given.rows} rows, {given.kills} kills",
        1,
        ["what", "s", "lines then", "exit code"],
        rows,
        bars,
    )
    print(f"\n{requests} requests, of which {shown}; every row was held against its answer.")
    return code


if __name__ == "__main__":
    sys.exit(main())
