"""The rows of the matrix: each provider in each dialect that its card names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from llmctl import catalogue
from llmctl.cards import Card
from llmctl.structure import build
from tests.e2e.harness import KEY, Llmctl
from tests.matrix.table import CANNOT, Row, Wire
from tests.simulator import Simulator
from tests.simulator.exchange import Dialect as Side
from tests.simulator.hosts import HOSTS, host_url
from tests.simulator.openai_chat import DONE
from tests.simulator.site import DIALECTS as SIDES

PROVIDERS = Path(__file__).parent.parent.parent / "providers"
MOCK = "mock"
# What the sides of the simulator are called where that is not the dialect's own name.
SIDE_NAMES = {"openai_chat": "openai"}


@dataclass(frozen=True, slots=True)
class LaneId:
    """One provider in one dialect: the model that leads there, and settings of the card that do."""

    provider: str
    dialect: str
    model: str
    settings: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        usual = cards()[self.provider].dialect == self.dialect
        return self.provider if usual else f"{self.provider}, {self.dialect}"


@cache
def cards() -> dict[str, Card]:
    """The shipped cards of what is reached over a wire, by id."""
    found = {
        path.stem: build(Card, catalogue.shipped_table(path.stem))
        for path in sorted(PROVIDERS.glob("*.toml"))
    }
    return {name: card for name, card in found.items() if card.kind != "embedded"}


@cache
def lanes() -> tuple[LaneId, ...]:
    """All rows, by provider."""
    return tuple(lane for card in cards().values() for lane in _lanes_of(card))


def _lanes_of(card: Card) -> Iterator[LaneId]:
    free = card.any_model or card.kind != "api" or not card.models
    yield LaneId(card.id, card.dialect, MOCK if free else card.default_model or card.models[0].id)
    seen = {card.dialect}
    for name, by_value in card.dialect_by.items():
        for value, dialect in by_value.items():
            if dialect not in seen:
                seen.add(dialect)
                yield LaneId(card.id, dialect, MOCK, {name: value})
    for model in card.models:
        if model.kind == "chat" and model.dialect and model.dialect not in seen:
            seen.add(model.dialect)
            yield LaneId(card.id, model.dialect, model.id)


def side_of(dialect: str) -> Side | None:
    """The simulator's side of a dialect, None while there is none."""
    name = SIDE_NAMES.get(dialect, dialect)
    return next((one for one in SIDES if one.name.replace("-", "_") == name), None)


def missing(lane: LaneId) -> str | None:
    """What a dialect still lacks to be in the matrix, None when nothing."""
    if find_spec(f"llmctl.dialects.{lane.dialect}") is None:
        return f"llmctl/dialects/{lane.dialect}.py is not there"
    return None if side_of(lane.dialect) else f"the simulator has no side for {lane.dialect}"


@cache
def framing(dialect: str) -> frozenset[str]:
    """What the streams of a dialect are made of: `sse` or `ndjson`, and `done` where a line
    `[DONE]` ends them."""
    side = side_of(dialect)
    assert side is not None
    from tests.simulator.answers import Answer, Asked

    kind = "sse" if side.stream_type.startswith("text/event-stream") else "ndjson"
    done = side.frames(Asked(MOCK, "hi", stream=True), Answer()).end[-1] == DONE
    return frozenset({kind, "done"} if done else {kind})


def carried(row: Row, lane: LaneId) -> str | None:
    """Why this provider's streams cannot have that fault, None when they can."""
    if why := missing(lane):
        return why
    if row.wire is not Wire.ANY and row.wire not in framing(lane.dialect):
        return f"its streams are not of the kind {row.wire}"
    if row.once and lane is not next(one for one in lanes() if one.dialect == lane.dialect):
        return "tried with another provider of this dialect"
    return CANNOT.get((row.fault, lane.dialect))


def environment(folder: Path, sim: Simulator, lane: LaneId) -> dict[str, str]:
    """The environment in which all of this provider's addresses lead to the simulator.

    What the harness of whole runs says of a provider comes first; what it does not name is had from
    the card, so that a provider is in the matrix by its card alone.
    """
    env = dict(Llmctl(folder, sim).env)
    card = cards()[lane.provider]
    prefix = f"LLMCTL_PROVIDERS__{lane.provider.upper()}__"
    env.setdefault(f"{prefix}BASE_URL", _address(card, env, sim))
    for name, url in card.endpoint.urls.items():
        place = url.partition("://")[2].partition("/")[2]
        env.setdefault(f"{prefix}{name.upper()}", f"{sim.url}/{place}".rstrip("/"))
    if card.auth.env and not any(name in env for name in card.auth.env):
        env[card.auth.env[0]] = KEY
    for one in card.settings:
        stated = any(name in env for name in one.env) or f"{prefix}{one.name.upper()}" in env
        if one.required and not stated:
            env[f"{prefix}{one.name.upper()}"] = one.choices[0] if one.choices else "simulated-one"
    for name, value in lane.settings.items():
        env[f"{prefix}{name.upper()}"] = value
    return env


def _address(card: Card, env: Mapping[str, str], sim: Simulator) -> str:
    """Where the simulator plays this very host, else where another provider of the same dialect is
    found, else the path of the card's own address."""
    if card.id in HOSTS:
        return host_url(sim.url, card.id)
    for other in cards().values():
        address = env.get(f"LLMCTL_PROVIDERS__{other.id.upper()}__BASE_URL")
        if other.dialect == card.dialect and address:
            return address
    place = card.endpoint.base_url.partition("://")[2].partition("/")[2]
    return f"{sim.url}/{place}".rstrip("/")
