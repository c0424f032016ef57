"""`compare` with four models of known delays: it is to take as long as the slowest alone, plus
under 5 %.

A server (pacedserver.py) answers after a wait that the address names and streams words at a known
pace. All trials are those of the real engine, each model at a provider of its own; opening its
connection counts. Beside them stands the slowest model compared with nobody.
"""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import BENCH, Bar, LoadServer, arguments, cell, report
from llmctl import settings
from llmctl.compare.plan import Planned, planned
from llmctl.compare.running import Entrant, Left, Running
from llmctl.compare.shape import Case, Mark, Trial
from llmctl.engine.clearance import Cleared, cleared
from llmctl.engine.resolve import resolve
from llmctl.engine.route import Route
from llmctl.types import Call, Chat, Event, Receipt, Role, message

MORE = 1.05
WORDS, GAP_MS = 30, 10
# Providers that speak chat completions, and milliseconds to the first word of each one's model.
MODELS = {"openai": 100, "deepseek": 200, "groq": 300, "mistral": 400}
CASES = (Case(id="1", text="Why is the sky blue?"),)


class Counting:
    """Hears of trials; every one is to succeed."""

    def __init__(self) -> None:
        self.trials: list[Trial] = []

    def began(self, planned: Planned) -> None:
        pass

    def event(self, planned: Planned, event: Event) -> None:
        pass

    def ended(self, trial: Trial, left: Left | None) -> None:
        assert trial.succeeded, trial.receipt.error
        self.trials.append(trial)


async def unmarked(_case: Case, _receipt: Receipt) -> tuple[Mark, ...]:
    return ()


def entrant(place: int, route: Route) -> Entrant:
    def call(case: Case) -> Call:
        return Chat(model=route.model, messages=(message(Role.USER, case.text),))

    return Entrant(candidate=place, route=route, call=call)


def compared(names: Sequence[str], repeat: int) -> float:
    """Seconds for `repeat` runs of each model."""
    loaded = settings.load()
    entrants = [entrant(place, resolve(name, loaded)) for place, name in enumerate(names)]
    heard = Counting()

    def clear(entrant: Entrant, case: Case) -> Cleared:
        return cleared(entrant.route, entrant.call(case), loaded)

    plan = planned(range(len(names)), 1, repeat=repeat, warm_up=0, seed=1)

    async def main() -> float:
        running = Running(entrants, CASES, loaded, clear=clear, mark=unmarked, watcher=heard)
        begun = time.monotonic()
        await running.run(plan)
        return time.monotonic() - begun

    took = asyncio.run(main())
    assert len(heard.trials) == len(plan)
    return took


def prepare(root: str) -> list[str]:
    """Addresses and keys in the environment; the names of the models, the slowest last."""
    home = Path(BENCH) / "homes" / "compare"
    for kind in ("CONFIG", "DATA", "CACHE"):
        os.environ[f"LLMCTL_{kind}_DIR"] = str(home / kind.lower())
    for provider, wait in MODELS.items():
        os.environ[f"{provider.upper()}_API_KEY"] = "sk-" + "mock" * 8
        place = f"{root}/w{wait}-{WORDS}-{GAP_MS}/v1"
        os.environ[f"LLMCTL_PROVIDERS__{provider.upper()}__BASE_URL"] = place
    return [f"{provider}/mock" for provider in MODELS]


def main() -> int:
    parser = arguments(__doc__, 5)
    parser.add_argument("--repeat", type=int, default=5)
    given = parser.parse_args()
    with LoadServer("pacedserver") as server:
        names = prepare(server.root)
        compared(names, 1)  # imports, caches
        alone, together = [], []
        for _round in range(given.rounds):
            alone.append(compared(names[-1:], given.repeat))
            together.append(compared(names, given.repeat))
    known = given.repeat * (max(MODELS.values()) + (WORDS - 1) * GAP_MS) / 1000
    sums = given.repeat * sum(wait + (WORDS - 1) * GAP_MS for wait in MODELS.values()) / 1000
    rows = [
        ["the slowest by its delays", f"{known:.2f}"],
        ["the slowest alone", cell(alone, 1, 3)],
        ["all four", cell(together, 1, 3)],
        ["one after the other, by their delays", f"{sums:.2f}"],
    ]
    bars = [
        Bar("all four / the slowest by its delays", [one / known for one in together], MORE),
        Bar("all four / the slowest alone",
            [one / other for one, other in zip(together, alone, strict=True)], MORE),
    ]  # fmt: skip
    title = f"4 models, {given.repeat} runs each, {WORDS} words every {GAP_MS} ms"
    return report(title, given.rounds, ["", "seconds"], rows, bars)


if __name__ == "__main__":
    sys.exit(main())
