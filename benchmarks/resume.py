"""How soon a job of which 1,000,000 rows are finished goes on: from its start to its first request.

The job is begun and killed; then the answers of nearly all rows are written to output and journal
by the code that does so in a run, only without asking anybody. `--rows N` for fewer.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.batch import cleared, contenders, source, target
from benchmarks.harness import BENCH, Bar, LoadServer, Program, arguments, report
from llmctl.batch.results import Results, Written
from llmctl.batch.shape import State
from llmctl.store.journal import Journal
from tests.batches import errors_of, journal_of

ROWS, LEFT, FLIGHT, RESUME_S = 1_000_000, 500, 64, 10.0
CHUNK = 5000


def environment(program: Program) -> dict[str, str]:
    home = BENCH / "homes" / "resume"
    home.mkdir(parents=True, exist_ok=True)
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **program.env}


def begun(program: Program) -> bytes:
    """Start the job, kill it when its first answer is written, and give that."""
    out = target("llmctl")
    with subprocess.Popen(program.command, env=environment(program)) as process:
        while process.poll() is None and not (out.exists() and out.stat().st_size):
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    with out.open("rb") as lines:
        return lines.readline()


def made(sample: bytes, numbers: Iterator[int]) -> Iterator[Written]:
    """The answer of one row as that of others: with their ids, lines and marks."""
    found = re.search(rb'"id": ?"r(\d{8})"', sample), re.search(rb'"line": ?\d+', sample)
    named, placed = found
    assert named is not None, sample
    assert placed is not None, sample
    mark, line = named[1], placed[0]
    before = line.rstrip(b"0123456789")
    for number in numbers:
        data = sample.replace(mark, b"%08d" % number).replace(line, b"%b%d" % (before, number + 1))
        yield Written(number + 1, data)


def finish(path: Path, sample: bytes, rows: int) -> None:
    with (
        Journal(journal_of(path)) as journal,
        Results.open(path, journal, errors=errors_of(path), adopt=None) as results,
    ):
        results.resume()
        done = {line for line in range(1, FLIGHT * 4) if journal.state(line) is State.DONE}
        numbers = (number for number in range(rows - LEFT) if number + 1 not in done)
        chunk: list[Written] = []
        for one in made(sample, numbers):
            chunk.append(one)
            if len(chunk) == CHUNK:
                results.append(chunk)
                chunk = []
        results.append(chunk)


def main() -> int:
    parser = arguments(__doc__, 1)
    parser.add_argument("--rows", type=int, default=ROWS)
    given = parser.parse_args()
    cleared("llmctl")
    source(given.rows)
    with LoadServer("laneserver") as server:
        program = next(iter(contenders(f"{server.root}/l100/v1", given.rows, FLIGHT).values()))
        finish(target("llmctl"), begun(program), given.rows)
        server.seen()
        times = []
        for _round in range(given.rounds):
            started = time.monotonic()
            with subprocess.Popen(program.command, env=environment(program)) as process:
                while process.poll() is None and not (seen := server.seen())["first"]:
                    time.sleep(0.05)
                times.append(seen["first"] - started)
                code = process.wait()
        ended = server.seen()
    assert code == 0, code
    answered = f"{LEFT} left" if ended["rows"] <= LEFT else f"{ended['rows']:.0f} asked again"
    bars = [Bar("from the start to the first request", times, RESUME_S, unit="s")]
    head = ["rows", "finished", "s"]
    row = [str(given.rows), answered, f"{times[0]:.1f}"]
    return report("Resume", given.rounds, head, [row], bars)


if __name__ == "__main__":
    sys.exit(main())
