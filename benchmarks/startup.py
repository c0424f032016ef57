"""CPU of `llmctl --version` and `llmctl --help`, against an interpreter that does nothing."""

import sys

from benchmarks.harness import (
    Bar,
    Figures,
    Program,
    arguments,
    cell,
    ratios,
    report,
    rounds,
    venv_command,
    venv_python,
)


def main() -> int:
    count: int = arguments(__doc__, 20).parse_args().rounds
    llmctl = venv_command("llmctl", "llmctl")
    programs = [
        Program("python -c pass", (venv_python("llmctl"), "-c", "pass")),
        Program("llmctl --version", (llmctl, "--version")),
        Program("llmctl --help", (llmctl, "--help")),
        Program("llm --version", (venv_command("llm", "llm"), "--version")),
        Program("llm --help", (venv_command("llm", "llm"), "--help")),
    ]

    def measure(program: Program) -> Figures:
        done = program.run().must()
        return {"wall": done.wall, "cpu": done.cpu}

    found = rounds(count, programs, measure)
    rows = [
        [name, *(cell([one[key] for one in figures], 1e3) for key in ("cpu", "wall"))]
        for name, figures in found.items()
    ]
    bars = [
        Bar(
            "--version, CPU / python", ratios(found, "llmctl --version", "python -c pass", "cpu"), 2
        ),
        Bar("--help, CPU / python", ratios(found, "llmctl --help", "python -c pass", "cpu"), 7),
    ]
    return report("Start-up", count, ["program", "CPU ms", "wall ms"], rows, bars)


if __name__ == "__main__":
    sys.exit(main())
