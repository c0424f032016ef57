"""Gemini's `:batchEmbedContents`: a list of requests, each of which repeats model and options."""

import re
from collections.abc import Sequence

from llmctl.dialects import HttpCall
from llmctl.dialects.look import at
from llmctl.dialects.vectors import VectorDecoder, Vectors, numbers, refuse_dimensions
from llmctl.types import Embed, Json, Quirks

TASKS = {"document": "RETRIEVAL_DOCUMENT", "query": "RETRIEVAL_QUERY"}


def encode(call: Embed, quirks: Quirks, path: str, resource: str) -> HttpCall:
    """The request to `path` for the model that is called `resource` there."""
    refuse_dimensions(call, quirks)
    beside: dict[str, Json] = {}
    if call.dimensions is not None:
        beside["outputDimensionality"] = call.dimensions
    if call.purpose is not None:
        beside["taskType"] = TASKS[call.purpose]
    beside |= {_camel(name): value for name, value in call.options.items()}
    requests: list[Json] = [
        {"model": resource, "content": {"parts": [{"text": text}]}, **beside} for text in call.texts
    ]
    return HttpCall("POST", path, {"requests": requests})


def decoder(call: Embed) -> VectorDecoder:
    return VectorDecoder(len(call.texts), _read)


def _read(answer: Json) -> Vectors:
    """Tokens are counted only by the service for enterprises, vector by vector."""
    items = at(answer, "embeddings")
    items = items if isinstance(items, list) else []
    values: list[Sequence[float] | None] = [numbers(at(one, "values")) for one in items]
    return Vectors(values)


def _camel(name: str) -> str:
    """`task_type` as `taskType`: the service takes both, and twice would be an error."""
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)
