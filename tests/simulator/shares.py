"""Faults that meet a share of the requests, the same ones in every run.

The model `mock-fault-shares:429=2,500=1,cut=0.5` refuses 2 % of the requests with 429, 1 % with
500, and cuts 0.5 % of the answers in the middle. `after=S` is the Retry-After of a 429 (0 by
default, whole seconds), `ms=N` the time before an answer, `seed=N` draws others. Which request
meets what follows from its prompt and from how often that prompt came before: neither the order
of requests nor how many come at a time has a part in it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b

WELL = "ok"
KINDS = ("429", "500", "cut")
NUMBERS = ("after", "ms", "seed")


@dataclass(frozen=True, slots=True)
class Shares:
    """`parts` are (what happens, the share of it and of those before it, 0 to 1); `wait` is in
    seconds."""

    parts: tuple[tuple[str, float], ...]
    after: int = 0
    wait: float = 0.0
    seed: int = 0

    def draw(self, prompt: str, nth: int) -> str:
        """What the `nth` request with this prompt meets, from 1: one of KINDS, or WELL."""
        if not self.parts:
            return WELL
        told = blake2b(f"{self.seed}\0{nth}\0{prompt}".encode(), digest_size=8).digest()
        number = int.from_bytes(told, "big") / 2**64
        return next((what for what, below in self.parts if number < below), WELL)


@lru_cache
def shares_of(model: str) -> Shares:
    """What the name of a model says after its colon; without one, no fault at all."""
    found: dict[str, float] = {}
    for part in model.partition(":")[2].split(","):
        name, _mark, value = part.partition("=")
        if part and name not in (*KINDS, *NUMBERS):
            raise ValueError(f"no share is called {name}")
        if part:
            found[name] = float(value)
    parts, below = [], 0.0
    for kind in KINDS:
        if kind in found:
            below += found[kind] / 100
            parts.append((kind, below))
    return Shares(
        tuple(parts),
        int(found.get("after", 0)),
        found.get("ms", 0.0) / 1000,
        int(found.get("seed", 0)),
    )


@dataclass(slots=True)
class Tally:
    """What became of the requests, by prompt, in their order."""

    met: dict[str, list[str]] = field(default_factory=dict)

    def note(self, prompt: str, shares: Shares) -> str:
        """What this request meets; it counts as sent from now on."""
        before = self.met.setdefault(prompt, [])
        what = shares.draw(prompt, len(before) + 1)
        before.append(what)
        return what

    @property
    def requests(self) -> int:
        return sum(map(len, self.met.values()))


def repeated(met: Mapping[str, Iterable[str]]) -> int:
    """How many requests were sent though an earlier one with the same prompt had met no fault."""
    return sum(max(0, sum(what == WELL for what in one) - 1) for one in met.values())
