"""From exec to the first byte of the request at a server on loopback."""

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


def main() -> int:
    count: int = arguments(__doc__, 15).parse_args().rounds
    with LoadServer() as server:

        def measure(program: Program) -> Figures:
            done = program.run().must()
            seen = server.request()
            assert b"w0" in done.out, done.out
            return {
                "wire": seen["request"] - done.started,
                "tail": done.started + done.wall - seen["last"],
                "wall": done.wall,
                "cpu": done.cpu,
            }

        found = rounds(count, contenders(server, 1), measure)
    rows = [
        [
            name,
            *(cell([one[key] for one in figures], 1e3) for key in ("wire", "tail", "wall", "cpu")),
        ]
        for name, figures in found.items()
    ]
    bars = [
        Bar("first byte / llm", ratios(found, "llmctl", "llm", "wire"), 0.3, 0.2),
        Bar("first byte / httpx script", ratios(found, "llmctl", "httpx", "wire"), 1.4, 1.1),
    ]
    head = ["program", "exec to first byte ms", "last token to exit ms", "wall ms", "CPU ms"]
    return report("First byte of one streamed prompt", count, head, rows, bars)


if __name__ == "__main__":
    sys.exit(main())
