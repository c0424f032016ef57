"""Encoder models at hf-inference: a text with a gap in, guesses out. `mock-bert…` calls its gap
`[MASK]`, `mock-roberta…` calls it `<mask>` and puts a blank before its words."""

import json
from collections.abc import Mapping
from typing import Any

from tests.simulator.answers import Answer, Asked
from tests.simulator.exchange import Exchange, Route, fault
from tests.simulator.huggingface import INFERENCE, TOP, HuggingFaceSide
from tests.simulator.wire import Request

SIGNS = {"mock-bert": "[MASK]", "mock-roberta": "<mask>"}
WORDS = (("capital", 0.9), ("heart", 0.05), ("center", 0.03), ("city", 0.01), ("soul", 0.005))
# The root of an endpoint of one's own is the same address for every model: there the header tells.
ENDPOINT = f"{TOP}/encoder/"


class MaskSide(HuggingFaceSide):
    def routes(self) -> Mapping[tuple[str, str], Route]:
        places = (*(f"{INFERENCE}{name}" for name in SIGNS), ENDPOINT)
        return {("POST", place): _fill for place in places}

    def asked(self, request: Request) -> Asked | None:
        if request.method != "POST":
            return None
        model = request.path.removeprefix(INFERENCE)
        if request.path == ENDPOINT:
            model = "mock-bert"
        elif model == request.path or not model.startswith(tuple(SIGNS)):
            return None
        return Asked(model=model, prompt=request.json["inputs"], kind="fill")

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        return json.dumps(guesses(asked, sign_of(asked.model), 5)).encode()


def sign_of(model: str) -> str:
    return next(sign for name, sign in SIGNS.items() if model.startswith(name))


def guesses(asked: Asked, sign: str, count: int) -> Any:
    """A list of guesses; for several gaps one for each, in which the others stay open."""
    pieces = asked.prompt.split(sign)
    blank = " " if sign == "<mask>" else ""

    def at(gap: int) -> list[dict[str, Any]]:
        before, after = sign.join(pieces[:gap]), sign.join(pieces[gap:])
        return [
            {"score": score, "token": 1000 + number, "token_str": blank + word,
             "sequence": f"{before}{word}{after}"}
            for number, (word, score) in enumerate(WORDS[:count])
        ]  # fmt: skip

    gaps = [at(gap) for gap in range(1, len(pieces))]
    return gaps[0] if len(gaps) == 1 else gaps


async def _fill(exchange: Exchange) -> None:
    sign = sign_of(exchange.asked.model)
    if sign not in exchange.asked.prompt:
        said = f"No mask_token ({sign}) found on the input"
        await exchange.json(
            {"error": said, "warnings": [f"There was an inference error: {said}"]}, 400
        )
        return
    parameters = exchange.request.json.get("parameters") or {}
    if unknown := sorted(set(parameters) - {"top_k", "targets"}):
        await exchange.refuse(422, f"unexpected parameter {unknown[0]}", None, "validation")
        return
    count = parameters.get("top_k", 5)
    await exchange.json(guesses(exchange.asked, sign, count))


@fault
async def no_guesses(exchange: Exchange) -> None:
    await exchange.json([])


@fault
async def no_mask_named(exchange: Exchange) -> None:
    """The text is refused without a word about which sign would do."""
    await exchange.json({"error": "No mask found on the input"}, 400)
