"""5,000 prompts, 64 in flight, without and with a wait of 100 ms at the server.

Rows a second are taken from the first byte of the first request to the last answer, as the server
sees them; with a wait there is a physical limit, flight / wait. CPU is that of the program between
the start of its first worker and the end of its last. `busy` is the server's own share of a core:
well under 100 % for every program, and far from it at the rate of `by hand`, it holds nobody up.
"""

import json
import statistics
import sys

from benchmarks.harness import (
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
    venv_python,
)

WAIT_MS = 100
SHARE = 0.85
FLAT_MB = 2.0
LONG = 4  # times as many rows, to see whether memory grows
WARM_ROWS = 128

# Name, virtual environment, the kind that scripts/many_prompts.py knows it by.
CLIENTS = (
    ("llmctl", "llmctl", "llmctl"),
    ("llmctl, aiohttp below", "llmctl-aiohttp", "llmctl-aiohttp"),
    ("httpx, one client", "httpx", "one-client"),
    ("httpx, a client per slot", "httpx", "client-per-slot"),
    ("httpx, aiohttp below", "httpx-aiohttp", "httpx-aiohttp"),
    ("aiohttp", "aiohttp", "aiohttp"),
    ("by hand", "httpx", "by-hand"),
)


def contenders(url: str, rows: int, flight: int) -> list[Program]:
    env = {"OPENAI_API_KEY": "sk-" + "mock", "LLMCTL_PROVIDERS__OPENAI__BASE_URL": url}
    script = str(SCRIPTS / "many_prompts.py")
    return [
        Program(name, (venv_python(venv), script, kind, url, str(rows), str(flight)), env)
        for name, venv, kind in CLIENTS
    ]


def measured(server: LoadServer, program: Program, rows: int) -> Figures:
    """One run of `rows` prompts; every answer must be there and fit its prompt."""
    done = program.run(memory=True).must()
    seen, told = server.seen(), json.loads(done.out)
    assert told["right"] == seen["rows"] == rows, (program.name, told, seen)
    return {
        "rate": rows / seen["window_s"],
        "cpu": told["cpu"] / rows,
        "peak": done.peak_mb,
        "connections": seen["connections"],
        "in_flight": seen["in_flight"],
        "busy": seen["busy"],
    }


def growth(server: LoadServer, rows: int, flight: int) -> list[float]:
    """MB that four times the rows take more, for llmctl."""
    found = []
    for _ in range(3):
        few, many = (
            measured(server, contenders(f"{server.root}/l0/v1", count, flight)[0], count)["peak"]
            for count in (rows, rows * LONG)
        )
        found.append(many - few)
    return found


def at_wait(server: LoadServer, wait: int, count: int, rows: int, flight: int) -> int:
    url = f"{server.root}/l{wait}/v1"
    for program in contenders(url, WARM_ROWS, flight):
        measured(server, program, WARM_ROWS)
    found = rounds(
        count,
        contenders(url, rows, flight),
        lambda program: measured(server, program, rows),
        warm=0,
    )
    limit = flight / wait * 1000 if wait else None
    bars = []
    if limit:
        # The part of the limit that is lost, because a bar is something not to be passed.
        lost = [1 - one["rate"] / limit for one in found["llmctl"]]
        bars.append(Bar(f"share of {limit:.0f}/s lost", lost, 1 - SHARE, unit=""))
    else:
        bars.append(
            Bar(f"memory growth, {rows} to {rows * LONG} rows", growth(server, rows, flight),
                FLAT_MB, unit="MB")
        )  # fmt: skip
    head = ["client", "rows/s", *(["% of limit"] if limit else []), "CPU µs a row", "peak MB"]
    head += ["connections", *(["most in flight"] if limit else []), "server busy"]
    table = [row(name, figures, limit) for name, figures in found.items()]
    code = report(f"{rows} rows, {flight} in flight, {wait} ms", count, head, table, bars)
    for other in ("llmctl, aiohttp below", "httpx, a client per slot"):
        ratio = statistics.median(ratios(found, "llmctl", other, "cpu"))
        print(f"\nllmctl takes {ratio:.2f} × the CPU of: {other}.", flush=True)
    return code


def row(name: str, figures: list[Figures], limit: float | None) -> list[str]:
    def column(key: str, scale: float = 1.0, digits: int = 0) -> str:
        return cell([one[key] for one in figures], scale, digits)

    # Without a wait the server answers each request before it reads the next.
    share, flight = [], []
    if limit:
        share = [f"{statistics.median(one['rate'] for one in figures) / limit:.0%}"]
        flight = [f"{max(one['in_flight'] for one in figures):.0f}"]
    return [
        name,
        column("rate"),
        *share,
        column("cpu", 1e6),
        column("peak", 1, 1),
        f"{max(one['connections'] for one in figures):.0f}",
        *flight,
        f"{statistics.median(one['busy'] for one in figures):.0%}",
    ]


def main() -> int:
    parser = arguments(__doc__, 3)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--flight", type=int, default=64)
    parser.add_argument("--wait", type=int, nargs="*", default=[0, WAIT_MS], metavar="MS")
    given = parser.parse_args()
    with LoadServer("laneserver") as server:
        codes = [
            at_wait(server, wait, given.rounds, given.rows, given.flight) for wait in given.wait
        ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
