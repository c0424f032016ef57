"""Start-up with 5 and with 500 cards in the user's folder: only the card in use is read.

`llmctl ask --dry-run` with a model of one of these cards does everything up to the first byte.
"""

import shutil
import sys
from pathlib import Path

from benchmarks.harness import (
    BENCH,
    Bar,
    Figures,
    Program,
    arguments,
    cell,
    ratios,
    report,
    rounds,
    venv_command,
)

FEW, MANY = 5, 500
CARD = """\
card = 1
id = "mine{number}"
name = "Mine {number}"
kind = "local"
dialect = "openai_chat"

[endpoint]
base_url = "http://127.0.0.1:9/v1"

[[models]]
id = "mock"
context = 4096
notes = "Written by a benchmark."
"""


def folder(count: int) -> Path:
    """A folder of settings with so many cards, made anew."""
    path = BENCH / f"cards-{count}"
    shutil.rmtree(path, ignore_errors=True)
    (path / "providers").mkdir(parents=True)
    for number in range(count):
        text = CARD.format(number=number)
        (path / "providers" / f"mine{number}.toml").write_text(text, encoding="utf-8")
    return path


def main() -> int:
    count: int = arguments(__doc__, 30).parse_args().rounds
    llmctl = venv_command("llmctl", "llmctl")
    call = (llmctl, "ask", "--dry-run", "--no-stdin", "-m", "mine3/mock", "hello")
    programs = [
        Program(f"{cards} cards", call, {"LLMCTL_CONFIG_DIR": str(folder(cards))})
        for cards in (FEW, MANY)
    ]

    def measure(program: Program) -> Figures:
        done = program.run().must()
        return {"wall": done.wall, "cpu": done.cpu}

    found = rounds(count, programs, measure)
    rows = [
        [name, *(cell([one[key] for one in figures], 1e3, 1) for key in ("cpu", "wall"))]
        for name, figures in found.items()
    ]
    grown = ratios(found, f"{MANY} cards", f"{FEW} cards", "cpu")
    bars = [Bar(f"CPU with {MANY} cards / with {FEW}", grown, 1.1, good=1.03)]
    return report("Cards", count, ["cards of the user's", "CPU ms", "wall ms"], rows, bars)


if __name__ == "__main__":
    sys.exit(main())
