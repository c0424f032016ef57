"""5,000 rows of a file by `llmctl batch run`, 64 at once, beside loops over SDKs that do the same.

Rows a second are taken from the first byte of the first request to the last answer, as the server
sees them. CPU is that of the whole process, from its start to its end, for each row; that of
llmctl has journal and output in it; beside it stands the same command with both taken out.
`bare loop` are llmctl's own runs alone, over prompts made on the way; `by hand` is what Python can
do at most. Every answer is held against its row.
"""

import json
import statistics
import sys
from collections.abc import Iterator
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

WAIT_MS, ROWS, FLIGHT, WARM_ROWS = 100, 5000, 64, 128
OURS, BARE, BEST, LITELLM = "llmctl batch run", "bare loop", "openai, aiohttp below", "litellm"
UNWRITTEN, BY_HAND = "the same, nothing written", "by hand"
SHARE, GOOD_SHARE = 0.85, 0.92
# Against whom, how many times as fast, at which wait.
FASTER = {100: ((LITELLM, 1.9), (BEST, 1.4)), 0: ((BEST, 1.8), (LITELLM, 10.0))}
CPU_OF_BARE = 1.5
OF_UNWRITTEN = 0.85


def source(count: int) -> Path:
    """So many rows, each with a prompt of 200 bytes that begins with a mark of its own."""
    path = BENCH / f"rows-{count}.jsonl"
    if not path.exists():
        with path.open("w", encoding="utf-8") as out:
            for number in range(count):
                prompt = f"[{number:08d}]".ljust(200, "x")
                out.write(json.dumps({"id": f"r{number:08d}", "prompt": prompt}) + "\n")
    return path


def target(kind: str) -> Path:
    return BENCH / f"answers-{kind}.jsonl"


def cleared(kind: str) -> None:
    """Nothing is left of an earlier run, or it would be carried on."""
    for path in BENCH.glob(f"{target(kind).stem}.*"):
        path.unlink()


def contenders(url: str, rows: int, flight: int) -> dict[str, Program]:
    """By name; the first is ours."""
    path, many = str(source(rows)), (str(rows), str(flight))
    env = {"OPENAI_API_KEY": "sk-" + "mock", "LLMCTL_PROVIDERS__OPENAI__BASE_URL": url}
    ours = (
        *(venv_command("llmctl", "llmctl"), "batch", "run", path, "-m", "openai/mock"),
        *("--output", str(target("llmctl")), "-j", str(flight), "-q"),
    )
    loop = str(SCRIPTS / "many_prompts.py")
    unwritten = (venv_python("llmctl"), str(SCRIPTS / "unwritten.py"))
    made = {
        OURS: Program(OURS, ours, env),
        UNWRITTEN: Program(UNWRITTEN, (*unwritten, *ours[1:]), env),
        BARE: Program(BARE, (venv_python("llmctl"), loop, "llmctl", url, *many), env),
        BY_HAND: Program(BY_HAND, (venv_python("httpx"), loop, "by-hand", url, *many)),
    }
    for name, kind in (("openai", "openai"), (BEST, "openai-aiohttp"), (LITELLM, "litellm")):
        script = (venv_python(kind), str(SCRIPTS / "many_rows.py"), kind, path)
        quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        made[name] = Program(name, (*script, str(target(kind)), url, str(flight)), quiet)
    return made


def answered(kind: str) -> Iterator[tuple[str, str]]:
    """Id and text of each row of an output."""
    with target(kind).open(encoding="utf-8") as lines:
        for line in lines:
            one = json.loads(line)
            yield one["row"]["id"], one["text"]


def measured(server: LoadServer, program: Program, rows: int) -> Figures:
    """One run of `rows` rows; every one must have the answer to its own prompt."""
    kind = {OURS: "llmctl", UNWRITTEN: "llmctl", BEST: "openai-aiohttp"}.get(
        program.name, program.name
    )
    cleared(kind)
    done = program.run(memory=True)
    seen = server.seen()
    if program.name == UNWRITTEN:  # of which its journal says that all is still to be done
        right = rows if done.code != 1 else 0
    elif program.name in (BARE, BY_HAND):
        right = json.loads(done.must().out)["right"]
    else:
        done.must()
        found = dict(answered(kind))
        right = sum(text.startswith(f"[{name[1:]}]") for name, text in found.items())
    assert right == rows == seen["rows"], (program.name, right, seen)
    return {
        "rate": rows / seen["window_s"],
        "wall": done.wall,
        "cpu": done.cpu / rows,
        "peak": done.peak_mb,
        "in_flight": seen["in_flight"],
        "busy": seen["busy"],
    }


def at_wait(server: LoadServer, wait: int, count: int, rows: int, flight: int, only: str) -> int:
    url = f"{server.root}/l{wait}/v1"
    chosen = {name for name in contenders(url, rows, flight) if only in name or name == OURS}
    for name, program in contenders(url, WARM_ROWS, flight).items():
        if name in chosen:
            measured(server, program, WARM_ROWS)
    programs = [one for name, one in contenders(url, rows, flight).items() if name in chosen]
    found = rounds(count, programs, lambda program: measured(server, program, rows), warm=0)
    limit = flight / wait * 1000 if wait else None
    bars = []
    if limit:
        shares = [one["rate"] / limit for one in found[OURS]]
        bars.append(
            Bar(f"share of {limit:.0f}/s", shares, SHARE, GOOD_SHARE, unit="", at_least=True)
        )
    for other, times in FASTER.get(wait, ()):
        if other in found:
            what = f"rows a second, to {other}"
            bars.append(Bar(what, ratios(found, OURS, other, "rate"), times, at_least=True))
    if not wait and UNWRITTEN in found:
        what = "rows a second, to the same without writing"
        values = ratios(found, OURS, UNWRITTEN, "rate")
        bars.append(Bar(what, values, OF_UNWRITTEN, at_least=True))
    if not wait and BARE in found:
        what = "CPU a row, to the bare loop"
        bars.append(Bar(what, ratios(found, OURS, BARE, "cpu"), CPU_OF_BARE))
    head = ["program", "rows/s", *(["% of limit"] if limit else []), "CPU µs a row", "s in all"]
    head += ["peak MB", "most in flight", "server busy"]
    table = [row(name, figures, limit) for name, figures in found.items()]
    return report(f"{rows} rows, {flight} at once, {wait} ms", count, head, table, bars)


def row(name: str, figures: list[Figures], limit: float | None) -> list[str]:
    def column(key: str, scale: float = 1.0, digits: int = 0) -> str:
        return cell([one[key] for one in figures], scale, digits)

    rate = statistics.median(one["rate"] for one in figures)
    return [
        name,
        column("rate"),
        *([f"{rate / limit:.0%}"] if limit else []),
        column("cpu", 1e6),
        column("wall", 1, 1),
        column("peak", 1, 1),
        f"{max(one['in_flight'] for one in figures):.0f}",
        f"{statistics.median(one['busy'] for one in figures):.0%}",
    ]


def main() -> int:
    parser = arguments(__doc__, 4)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--flight", type=int, default=FLIGHT)
    parser.add_argument("--wait", type=int, nargs="*", default=[WAIT_MS, 0], metavar="MS")
    parser.add_argument("--only", default="", help="of the others, those with this in their name")
    given = parser.parse_args()
    with LoadServer("laneserver") as server:
        codes = [
            at_wait(server, wait, given.rounds, given.rows, given.flight, given.only)
            for wait in given.wait
        ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
