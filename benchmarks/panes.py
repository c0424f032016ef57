"""What the panes of `compare` cost: the CPU of showing four answers of 200 tokens a second each.

The tokens come in real time, as the streams of four models would bring them, and the panes are
drawn for terminals of two sizes into memory. Shares are CPU time by the time that passed; that of
the panes is what they take besides the same events without a view.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from io import StringIO

from benchmarks.harness import Bar, arguments, cell, report
from llmctl.compare.plan import Planned
from llmctl.compare.shape import Candidate, Comparison
from llmctl.output.compare_live import Silence, View
from llmctl.output.panes import Panes
from llmctl.output.terminal import Screen
from llmctl.types import TextDelta

MODELS, TOKENS_A_SECOND = 4, 200
SECONDS = 3.0
LIMIT = 10.0  # per cent of one core
SIZES = ((80, 24), (200, 50))
# Models send a token or two at a time; words of two languages, wide characters, and code.
PIECES = (
    "The ", "capital ", "of ", "Australia ", "is ", "Канберра", ", ", "а ", "не ", "Сидней", ".\n",
    "日本", "語", " 👍 ", "```\n", "    return ", "x\n", "```\n",
)  # fmt: skip


def main() -> int:
    count: int = arguments(__doc__, 3).parse_args().rounds
    rows, bars = [], []
    for width, height in SIZES:
        without, shares, renders = [], [], []
        for _round in range(count):
            bare = asyncio.run(watched(lambda: Silence()))
            view = panes(width, height)
            shown = asyncio.run(watched(lambda view=view: view))  # type: ignore[misc]
            without.append(bare * 100)
            shares.append(max(0.0, shown - bare) * 100)
            drawn = sum(pane.renders for pane in view.panes.values())
            renders.append(drawn / len(view.panes) / SECONDS)
        name = f"{width} × {height}"
        rows.append([name, cell(without, 1, 2), cell(shares, 1, 2), cell(renders, 1, 1)])
        bars.append(Bar(f"{name}, % of one core", shares, LIMIT, unit="%"))
    head = ["terminal", "events alone, %", "panes besides, %", "renders a pane and second"]
    return report("Panes of four models, 200 tokens/s each", count, head, rows, bars)


def panes(width: int, height: int) -> Panes:
    screen = Screen(is_tty=True, colour=True, cursor=True, width=width, height=height)
    names = [f"provider/model-{number}" for number in range(MODELS)]
    made = Comparison(
        id="1",
        started_at="2026-11-25T10:00:00Z",
        seed=1,
        candidates=tuple(Candidate(name=name, model=name) for name in names),
        planned=MODELS,
    )
    return Panes(made, screen, measure=lambda: (width, height))


async def watched(made: Callable[[], View]) -> float:
    """The share of one core, from 0 to 1, that a view takes with all its events."""
    terminal, sys.stdout = sys.stdout, StringIO()
    try:
        with made() as view:
            for at in range(MODELS):
                view.began(Planned(at, 0, 1))
            began, busy = time.monotonic(), time.process_time()
            async with asyncio.TaskGroup() as tasks:
                for at in range(MODELS):
                    tasks.create_task(stream(view, at, began))
            return (time.process_time() - busy) / (time.monotonic() - began)
    finally:
        sys.stdout = terminal


async def stream(view: View, at: int, began: float) -> None:
    """One model's tokens, each when it is due."""
    for number in range(round(SECONDS * TOKENS_A_SECOND)):
        due = began + number / TOKENS_A_SECOND
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        view.event(Planned(at, 0, 1), TextDelta(PIECES[(number + at) % len(PIECES)]))


if __name__ == "__main__":
    sys.exit(main())
