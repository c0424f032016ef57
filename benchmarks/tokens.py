"""5,000 streamed tokens without any delay: time, first token, memory."""

import statistics
import sys

from benchmarks.contenders import contenders
from benchmarks.harness import (
    Bar,
    Figures,
    LoadServer,
    Program,
    arguments,
    cell,
    ratios,
    report,
    rounds,
)

FLAT_MB = 2.0


def memory(server: LoadServer, tokens: int, count: int) -> dict[str, list[float]]:
    """Peak of each program for an answer of so many tokens, in MB."""
    found: dict[str, list[float]] = {}
    for _ in range(count):
        for program in contenders(server, tokens):
            found.setdefault(program.name, []).append(program.run(memory=True).must().peak_mb)
            server.request()
    return found


def main() -> int:
    parser = arguments(__doc__, 9)
    parser.add_argument("--tokens", type=int, default=5000)
    parsed = parser.parse_args()
    count: int = parsed.rounds
    tokens: int = parsed.tokens
    with LoadServer() as server:

        def measure(program: Program) -> Figures:
            done = program.run().must()
            seen = server.request()
            assert f"w{tokens - 1}".encode() in done.out, done.out[-200:]
            first = next(when for when, _length in done.read if when >= seen["first"])
            return {
                "wall": done.wall,
                "cpu": done.cpu,
                "first": first - seen["first"],
                "all": done.read[-1][0] - seen["first"],
                "reads": len(done.read),
            }

        found = rounds(count, contenders(server, tokens), measure)
        short, long = memory(server, 1, 3), memory(server, tokens, 3)
    growth = {
        name: [many - statistics.median(short[name]) for many in peaks]
        for name, peaks in long.items()
    }
    rows = [
        [
            name,
            cell([one["wall"] for one in figures], 1e3),
            cell([one["cpu"] for one in figures], 1e3),
            cell([one["first"] for one in figures], 1e3, 1),
            cell([one["all"] for one in figures], 1e3),
            cell([one["reads"] for one in figures]),
            cell(long[name], 1, 1),
            cell(growth[name], 1, 1),
        ]
        for name, figures in found.items()
    ]
    bars = [
        Bar("wall / llm", ratios(found, "llmctl", "llm", "wall"), 0.25),
        Bar("first token printed / httpx script", ratios(found, "llmctl", "httpx", "first"), 1.5),
        Bar("memory growth over one token", growth["llmctl"], FLAT_MB, unit="MB"),
    ]
    head = [
        *("program", "wall ms", "CPU ms", "first token ms", "all tokens ms", "reads"),
        *("peak MB", "growth MB"),
    ]
    return report(f"{tokens} streamed tokens", count, head, rows, bars)


if __name__ == "__main__":
    sys.exit(main())
