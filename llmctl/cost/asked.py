"""What the fields that the user puts into a request themselves (`-o`) mean for its cost: how long
and how many its answers may be, what is written to a cache, which tools run at the provider."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from llmctl.types import LIMITS, Chat, Complete

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llmctl.cards import Card, Model
    from llmctl.types import Call, Json

# Names of the limit beside those of LIMITS, and of how many answers are made (and paid) at once.
LENGTHS = LIMITS | {"max_new_tokens", "maxNewTokens"}
COPIES = frozenset({"n", "best_of", "candidateCount", "candidate_count", "num_return_sequences"})

# Names of fields that make a provider run something of its own.
SERVED = re.compile("search|plugin|mcp|ground|connector|brows")
# What declares functions that only the caller can run: kinds of tools, names in a tool's table.
OWN_KINDS = frozenset({"function", "custom"})
OWN_TABLES = frozenset({"function", "functions", "functionDeclarations", "function_declarations"})
DESCRIPTIONS = frozenset({"parameters", "input_schema", "inputSchema"})
OFF = (None, False, "", "none", "off", "false", "disabled")


def whole(value: Json) -> int | None:
    """A number of tokens or answers, as it or its text says, rounded up; None for anything else,
    of which only the provider knows what it makes."""
    from decimal import ROUND_CEILING, Decimal, InvalidOperation

    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value).strip())
        return int(number.to_integral_value(ROUND_CEILING)) if 0 < number < 10**12 else None
    except (InvalidOperation, ValueError):  # no number; an int of thousands of digits
        return None


def flat(options: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """Every field of the request's options, those in tables too."""
    for name, value in options.items():
        if isinstance(value, dict):
            yield from flat(value)
        else:
            yield name, value


def unclear(call: Call) -> Iterator[tuple[str, Json]]:
    """The limits and numbers of answers from which nobody can tell how many."""
    for name, value in flat(call.options):
        if name in LENGTHS | COPIES and whole(value) is None:
            yield name, value


def stated_limit(call: Call) -> int | None:
    """The longest answer that the user's own settings allow, None where they do not say. Several
    names may stand in the options; which of them the provider heeds is not known, so the highest
    counts."""
    stated = [whole(value) for name, value in flat(call.options) if name in LENGTHS]
    own = call.max_tokens if isinstance(call, Chat | Complete) else 0
    return max((one for one in (*stated, own) if one is not None), default=None)


def output_limit(call: Call, model: Model | None) -> int | None:
    """The longest answer in tokens: the call's limit, but no more than the model's, or else than
    its context."""
    if not isinstance(call, Chat | Complete):
        return 0
    known = (stated_limit(call), model_limit(model))
    return min((one for one in known if one is not None), default=None)


def model_limit(model: Model | None) -> int | None:
    """The longest answer that the card knows of; None where it says nothing."""
    if model is None:
        return None
    known = (model.output_limit, model.context)
    return min((one for one in known if one is not None), default=None)


def copies(call: Call) -> int:
    """How many answers the options ask for."""
    stated = (whole(value) for name, value in flat(call.options) if name in COPIES)
    return max((one for one in stated if one is not None), default=1)


def cache_writes(card: Card, options: Mapping[str, Json]) -> tuple[str, ...]:
    """The prices of writing to a cache that the prompt may have to pay: unasked, or because the
    request says so, for how long ever."""
    if "cache" in written(options):
        return "cache_write", "cache_write_1h"
    return () if card.cache_on_request else ("cache_write",)


def written(options: Mapping[str, Json]) -> str:
    """Options as they stand in a request."""
    return json.dumps(dict(options), ensure_ascii=False, default=dict)


def served(options: Mapping[str, Json]) -> Iterator[str]:
    """What the provider is asked to run beside the model: it is charged apart, and what it finds
    goes into the prompt. A tool of which that cannot be ruled out is among them."""
    for name, value in options.items():
        if name == "tools" and isinstance(value, list):
            yield from (_kind(one) for one in value if not _is_callers(one))
        elif SERVED.search(name) and value not in OFF:
            yield name


def _is_callers(tool: Json) -> bool:
    """Whether a tool is a function, or some, that only the caller can run."""
    if not isinstance(tool, dict):
        return False
    if "type" in tool:
        return tool["type"] in OWN_KINDS
    return not DESCRIPTIONS.isdisjoint(tool) or (bool(tool) and tool.keys() <= OWN_TABLES)


def _kind(tool: Json) -> str:
    if not isinstance(tool, dict):
        return "tools"
    return str(tool.get("type") or ", ".join(sorted(tool.keys() - OWN_TABLES)) or "tools")
