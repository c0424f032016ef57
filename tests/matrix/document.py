"""docs/conformance.md: what the matrix comes to, as text."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Any

from llmctl.cli.asked import Asked
from llmctl.cli.attempt import attempt
from llmctl.cli.one import prepared
from llmctl.cli.stdin import Prompt
from llmctl.engine.clearance import cleared
from llmctl.output.envelope import envelope, json_text
from llmctl.types import Event, Receipt
from llmctl.values import replace
from tests.matrix.features import ABSENT, FEATURES, checked_by_all
from tests.matrix.lanes import carried, lanes
from tests.matrix.play import OFTEN, Stage, Stages
from tests.matrix.table import CANNOT, FAULTS, Wire
from tests.simulator.answers import Answer
from tests.simulator.exchange import FAULTS as PLAYED
from tests.simulator.exchange import Exchange

QUESTION = "Столица Австралии?"
REPLY = ("Столица Австралии ", "— ", "Канберра.")
HEAD = """\
# Conformance

Made by `python -m tests.matrix`; a test says when it is stale. Every provider with a card is asked
for every feature and meets every fault, through the engine of llmctl and over real connections to a
simulator that speaks the provider's dialect. Nothing here was run against a live service: what
shows that the simulator speaks as the services do stands in [providers.md](providers.md).
"""
NO_FEATURE = """\
A dash is a feature that the provider's card or format does not have: what is asked for is left out
with a note, or refused before anything is sent. A model's own entry may say otherwise; this is what
holds for a model that the card does not list.
"""
ABOUT_FAULTS = """\
The exit code is that of every provider. A, B and C are streams, HTTP and money, and the network. A
retry is announced, and made only before the first token; five requests are the first and four
retries. A dash is a fault that the dialect's streams cannot have.
"""
ABOUT_QUESTION = f"""\
`llmctl ask -m PROVIDER/MODEL "{QUESTION}" --json` for every provider. The envelope has the same
keys everywhere; what differs is this:
"""
ABOUT_LEVELS = """\
The level is *unknown* here: an address that is not the provider's own has none of its facts.
"""


async def _capital(exchange: Exchange) -> None:
    await exchange.well(Answer(REPLY))


PLAYED.setdefault("capital", _capital)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def written(stages: Stages) -> str:
    """The whole text."""
    return "\n".join([HEAD, *_features(stages), *_faults(), *_absences(), *_side_by_side(stages)])


def _features(stages: Stages) -> Iterator[str]:
    those = list(stages.stages.values())
    columns = [checked_by_all(those, feature) for feature in FEATURES]
    wrong = [one for column in columns for one in column if isinstance(one, BaseException)]
    if wrong:
        raise wrong[0]
    yield "## Features\n"
    yield table(
        ["provider", *(feature.name for feature in FEATURES)],
        [
            [stage.lane.name, *("yes" if column[number] else "–" for column in columns)]
            for number, stage in enumerate(those)
        ],
    )
    yield NO_FEATURE
    yield "".join(f"- **{feature.name}**: {feature.says}\n" for feature in FEATURES)


def _faults() -> Iterator[str]:
    dialects = list(dict.fromkeys(lane.dialect for lane in lanes()))
    yield "## Faults\n"
    yield ABOUT_FAULTS
    rows = []
    for row in FAULTS:
        cells = []
        for dialect in dialects:
            those = [lane for lane in lanes() if lane.dialect == dialect]
            cells.append("yes" if any(carried(row, lane) is None for lane in those) else "–")
        says = row.says + (f" (only {row.wire} streams)" if row.wire is not Wire.ANY else "")
        result = f"{row.code} {row.error or 'ok'}"
        rows.append([row.about, says.replace("|", "\\|"), result, str(row.requests), *cells])
    yield table(["", "what happens", "exit code", "requests", *dialects], rows)


def _absences() -> Iterator[str]:
    yield "What a dialect cannot carry, beside what its streams are not made of:\n"
    says = {row.fault: row.says for row in FAULTS} | {one.name: one.says for one in FEATURES}
    yield "".join(
        f"- {dialect}: {says[name]} – {why}\n"
        for (name, dialect), why in {**CANNOT, **ABSENT}.items()
    )


# ---- one question, side by side


class Silent:
    """A renderer that shows nothing."""

    def event(self, event: Event) -> None:
        pass

    def finish(self, receipt: Receipt) -> None:
        pass

    def fail(self, receipt: Receipt) -> None:
        pass


def answered(stage: Stage) -> dict[str, Any]:
    """What `llmctl ask -m PROVIDER/MODEL QUESTION --json` prints, but what each run has anew."""
    stage.forget()
    stage.sim.script(["capital"] * OFTEN)
    asked = Asked(prompt=QUESTION, json=True)
    call, _conversation = prepared(asked, Prompt(None, QUESTION), stage.loaded)
    call = replace(call, model=stage.route.model)
    ready = cleared(stage.route, call, stage.loaded)
    receipt, _error = asyncio.run(attempt(ready, stage.loaded.settings, Silent()))
    document: dict[str, Any] = json.loads(json_text(envelope(receipt)))
    measured = document["latency"]
    latency = {key: "…" if key.endswith("_s") else measured[key] for key in measured}
    return document | {"id": "…", "started_at": "…", "latency": latency, "llmctl": "…"}


def _side_by_side(stages: Stages) -> Iterator[str]:
    yield "## One question, side by side\n"
    yield ABOUT_QUESTION
    documents = {stage.lane.name: answered(stage) for stage in stages.stages.values()}
    keys = {frozenset(one) for one in documents.values()}
    assert len(keys) == 1, "the envelope is the same for all"
    rows = []
    for name, one in documents.items():
        usage, cost = one["usage"], one["cost"]
        price = "unknown" if cost["amount"] is None else f"{cost['amount']} {cost['currency']}"
        rows.append(
            [
                name,
                one["text"],
                one["finish_reason"],
                str(one["model"]["resolved"]),
                f"{usage['input_tokens']} + {usage['output_tokens']}",
                price,
                one["privacy"]["level"],
                "yes" if one["request_id"] else "–",
                ", ".join(one["details"]) or "–",
            ]
        )  # fmt: skip
    yield table(
        [
            *("provider", "text", "finish_reason", "model.resolved", "usage", "cost"),
            *("privacy.level", "request_id", "details"),
        ],
        rows,
    )
    yield ABOUT_LEVELS
    name, first = next(iter(documents.items()))
    yield f"One of them in full ({name}; `…` is what each run has anew):\n"
    yield f"```json\n{json.dumps(first, ensure_ascii=False, indent=2)}\n```\n"
