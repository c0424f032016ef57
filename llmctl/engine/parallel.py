"""How many requests at a time are worth sending to a model on hardware of the user's own.

The model inside this process makes a token for each of several requests in about the time of one,
since its weights are read once for all of them. What that takes is memory: each request keeps the
keys and values of its own context.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

from llmctl.dialects import HttpCall
from llmctl.engine.memory import TIMES_SMALL, WORKING, available, needed
from llmctl.errors import LlmctlError
from llmctl.messages import _
from llmctl.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmctl.engine.route import Route
    from llmctl.transport.exchange import Lane
    from llmctl.types import Json

# Beyond it a request more makes all slower, and no more of them: docs/models.md has the figures.
WORTH = 8
# Of the memory that is there, what a model may take.
NUMERATOR, DENOMINATOR = 9, 10
USUAL = 4096  # tokens that the figures of engine/memory.py are for
HALF = 2  # bytes of a number among keys and values
SECONDS = 5.0

HEADS, LAYERS = "attention.head_count", "block_count"
FIELDS = (
    *(LAYERS, HEADS, "attention.head_count_kv", "embedding_length"),
    *("attention.key_length", "attention.value_length"),
)


def with_parallel(route: Route, lanes: int) -> Route:
    """The route on which all lanes of this process share one model that serves `lanes` requests at
    a time, or as many as there is memory for (`lanes_of` tells); lanes beyond wait for their turn.
    The context of a request is the same as alone. A route that leads to no such model stays as it
    is."""
    if not _is_shared(route):
        return route
    slots = max(1, min(lanes, _fitting(route, lanes)))
    target = replace(route.target, options={**route.target.options, "parallel": slots})
    return replace(route, target=target)


def lanes_of(route: Route) -> int:
    """How many requests at a time the model on a route of `with_parallel` serves."""
    return int(route.target.options.get("parallel") or 1)


def suggested_lanes(route: Route) -> int:
    """How many requests at a time are worth it for the model inside this process, memory heeded; 1
    for any other route, of which `server_slots` may know more. Reads the head of the file."""
    return min(WORTH, _fitting(route, WORTH)) if _is_shared(route) else 1


def too_little(route: Route, lanes: int) -> str | None:
    """What to say to whoever wanted more `lanes` than a route of `with_parallel` has."""
    slots = lanes_of(route)
    if not _is_shared(route) or slots >= lanes:
        return None
    return _(
        "{model}: there is memory for {slots} requests at a time, not for {lanes}; less context"
        " takes less: llmctl config set local.context 2048",
        model=route.requested, slots=slots, lanes=lanes,
    )  # fmt: skip


async def server_slots(route: Route, lane: Lane) -> int | None:
    """How many requests at a time a server on the user's own hardware says that it serves; None
    where it does not say. Of the known ones only llama.cpp's does: neither vLLM nor Ollama nor LM
    Studio tell anybody their limit. Raises nothing: who has no answer has no page for it."""
    if route.target.weights is not None:
        return lanes_of(route)
    if route.card.kind == "api":
        return None
    try:
        async with (
            asyncio.timeout(SECONDS),
            lane.exchange(HttpCall("GET", "../props")) as reply,
        ):
            told = json.loads(await reply.text()) if reply.status == 200 else None
    except (LlmctlError, TimeoutError, ValueError):
        return None
    slots = told.get("total_slots") if isinstance(told, dict) else None
    return slots if isinstance(slots, int) and slots > 0 else None


def _is_shared(route: Route) -> bool:
    """Whether the model is one that llmctl itself loads by llama.cpp."""
    from llmctl.engine.weights import is_bundled

    bundled = route.model_card is not None and is_bundled(route.model_card)
    return route.target.weights is not None and not bundled


def _fitting(route: Route, lanes: int) -> int:
    """How many requests at a time there is memory for, 1 at least: `lanes` where the system does
    not say how much there is."""
    from llmctl.transport.llama_model import context_of

    path = Path(route.target.weights or "")
    free = available()
    try:
        size = path.stat().st_size
        context = context_of(path, route.target.options)
    except OSError:
        return lanes  # loading it will say that it is not there
    if free is None:
        return lanes
    room = free * NUMERATOR // DENOMINATOR - needed(size)
    return 1 + max(0, room) // max(1, per_request(path, size, context))


def per_request(path: Path, size: int, context: int) -> int:
    """Bytes that one request more takes, by what the file says of the model's layers; where it does
    not say it, as much as models up to ten billion parameters need at most."""
    from llmctl.transport.gguf import NoHead, head

    try:
        kind = head(path, {"general.architecture"}).get("general.architecture")
        names = {f"{kind}.{name}": name for name in FIELDS}
        found = head(path, names)
    except (NoHead, OSError):
        found, names = {}, {}
    token = per_token({names[name]: value for name, value in found.items()})
    return context * (token or min(WORKING, TIMES_SMALL * size) // USUAL)


def per_token(said: Mapping[str, Json]) -> int | None:
    """Bytes of the keys and values of one token, two a number; None where the head of the file does
    not say enough. Models that keep less in some layers take less than this."""
    numbers = {name: value for name, value in said.items() if isinstance(value, int) and value > 0}
    layers, heads = numbers.get(LAYERS), numbers.get(HEADS)
    if not layers or not heads:
        return None
    if "attention.head_count_kv" in said and "attention.head_count_kv" not in numbers:
        return None  # another number in each layer
    length = numbers.get("embedding_length", 0) // heads
    each = sum(
        numbers.get(name, length) for name in ("attention.key_length", "attention.value_length")
    )
    return layers * numbers.get("attention.head_count_kv", heads) * each * HALF or None
