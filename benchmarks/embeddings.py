"""10,000 texts to vectors of 1,536 numbers by `llmctl embed`, 100 ms a request.

The physical limit is the time of the requests alone: requests / flight × wait, from the first byte
of the first request to the last answer, as the server sees it. CPU is that of the whole process,
from its start to its end, for each vector; the peer is a script with the official `openai` package,
which has numpy beside it where `peers` could install it.
"""

import math
import statistics
import sys
from pathlib import Path

from benchmarks.harness import (
    BENCH,
    SCRIPTS,
    Bar,
    Figures,
    LoadServer,
    Program,
    arguments,
    cell,
    ratios,
    report,
    rounds,
    venv_command,
    venv_python,
)

WAIT_MS, SIZE, FLIGHT, BATCH, TEXTS = 100, 1536, 4, 64, 10_000
SHARE = 0.90
WORDS = "the quick brown fox jumps over the lazy dog near the river bank at noon"


def source(count: int) -> Path:
    path = BENCH / f"texts-{count}.txt"
    path.write_text("".join(f"{number} {WORDS}\n" for number in range(count)))
    return path


def contenders(url: str, texts: int, batch: int, flight: int) -> list[Program]:
    env = {"OPENAI_API_KEY": "sk-" + "mock", "LLMCTL_PROVIDERS__OPENAI__BASE_URL": url}
    path = str(source(texts))
    made = []
    for form in ("f32", "jsonl"):
        command = (
            *(venv_command("llmctl", "llmctl"), "embed", "-m", "openai/mock", "--file", path),
            *("--format", form, "--output", str(BENCH / f"vectors.{form}"), "-q"),
            *("--batch-size", str(batch), "-j", str(flight)),
        )
        made.append(Program(f"llmctl, {form}", command, env))
        script = (
            *(venv_python("openai"), str(SCRIPTS / "openai_embeddings.py"), url, path),
            *(str(BENCH / f"peer.{form}"), str(batch), str(flight), form),
        )
        made.append(Program(f"openai, {form}", script))
    return made


def measured(server: LoadServer, program: Program, texts: int) -> Figures:
    done = program.run(memory=True).must()
    seen = server.seen()
    assert seen["rows"] == texts, (program.name, seen)
    return {
        "window": seen["window_s"],
        "wall": done.wall,
        "cpu": done.cpu / texts,
        "peak": done.peak_mb,
        "busy": seen["busy"],
    }


def main() -> int:
    parser = arguments(__doc__, 3)
    parser.add_argument("--texts", type=int, default=TEXTS)
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--flight", type=int, default=FLIGHT)
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--wait", type=int, default=WAIT_MS, metavar="MS")
    given = parser.parse_args()
    limit = math.ceil(math.ceil(given.texts / given.batch) / given.flight) * given.wait / 1000
    with LoadServer("vectorserver") as server:
        url = f"{server.root}/l{given.wait}-{given.size}/v1"
        programs = contenders(url, given.texts, given.batch, given.flight)
        found = rounds(
            given.rounds, programs, lambda one: measured(server, one, given.texts), warm=0
        )
    lost = [1 - limit / one["window"] for one in found["llmctl, f32"]]
    bars = [Bar(f"share of the limit ({limit:.1f} s) lost, f32", lost, 1 - SHARE, unit="")]
    head = ["program", "s from first to last", "% of limit", "s in all", "CPU µs a vector",
            "peak MB", "server busy"]  # fmt: skip
    table = [row(name, figures, limit) for name, figures in found.items()]
    title = f"{given.texts} texts, {given.batch} a request, {given.flight} in flight"
    title += f", {given.size} numbers, {given.wait} ms"
    code = report(title, given.rounds, head, table, bars)
    for form in ("f32", "jsonl"):
        ratio = statistics.median(ratios(found, f"llmctl, {form}", f"openai, {form}", "cpu"))
        print(f"\n{form}: llmctl takes {ratio:.2f} × the CPU of the script.", flush=True)
    return code


def row(name: str, figures: list[Figures], limit: float) -> list[str]:
    return [
        name,
        cell([one["window"] for one in figures], 1, 2),
        f"{statistics.median(limit / one['window'] for one in figures):.0%}",
        cell([one["wall"] for one in figures], 1, 2),
        cell([one["cpu"] for one in figures], 1e6),
        cell([one["peak"] for one in figures], 1),
        f"{statistics.median(one['busy'] for one in figures):.0%}",
    ]


if __name__ == "__main__":
    sys.exit(main())
