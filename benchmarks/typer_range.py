"""CPU of a command with two options under typer 0.28 and 0.29: the reason for the version range.

From 0.29 on typer imports pydantic and builds a TypeAdapter for the parameters of every command
that runs. pyproject.toml keeps typer below it for as long as this shows.
"""

import statistics
import sys

from benchmarks.harness import (
    SCRIPTS,
    Figures,
    Program,
    arguments,
    cell,
    ratios,
    report,
    rounds,
    venv_python,
)


def main() -> int:
    count: int = arguments(__doc__, 15).parse_args().rounds
    call = (str(SCRIPTS / "two_options.py"), "hello", "-m", "x", "-n", "2")
    programs = [
        Program("python -c pass", (venv_python("typer28"), "-c", "pass")),
        Program("typer 0.28", (venv_python("typer28"), *call)),
        Program("typer 0.29", (venv_python("typer29"), *call)),
    ]

    def measure(program: Program) -> Figures:
        done = program.run().must()
        return {"wall": done.wall, "cpu": done.cpu}

    found = rounds(count, programs, measure)
    rows = [
        [name, *(cell([one[key] for one in figures], 1e3) for key in ("cpu", "wall"))]
        for name, figures in found.items()
    ]
    code = report("typer's version range", count, ["program", "CPU ms", "wall ms"], rows, [])
    times = statistics.median(ratios(found, "typer 0.29", "typer 0.28", "cpu"))
    print(f"\ntyper 0.29 takes {times:.2f} × the CPU of typer 0.28.")
    return code


if __name__ == "__main__":
    sys.exit(main())
