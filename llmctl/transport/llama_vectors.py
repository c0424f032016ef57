"""Vectors from the model of llama.cpp inside this process: how it is loaded for them, and what its
answers lack."""

import os
import re
from collections.abc import Callable, Mapping, Set
from pathlib import Path
from typing import Any

from llmctl.messages import _
from llmctl.transport.gguf import NoHead, head
from llmctl.types import Json

EMBEDDINGS = "/embeddings"
# Texts at a time, each with the whole context: four short ones are more than twice as fast so.
SLOTS = 4
LEAST_BATCH = 512  # tokens
# What a request for vectors may say here; the library passes over all else in silence.
FIELDS = frozenset({"model", "input", "encoding_format", "dimensions", "embd_normalize", "user"})
TOO_LARGE = re.compile(r"input \((\d+) tokens\) is too large")


def prepare(engine: Any, parameters: Any, path: Path, context: int) -> None:
    """Load the model for vectors of texts of up to `context` tokens, as well as for answers. Where
    it says nothing of how a text's vector is made of those of its tokens, it is their mean."""
    parameters.embedding = True
    if not own_pooling(path):
        parameters.pooling_type = engine.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    parameters.n_parallel = SLOTS
    parameters.n_ctx = context * SLOTS
    # A text is read in one piece.
    parameters.n_batch = parameters.n_ubatch = max(context, LEAST_BATCH)


def own_pooling(path: Path) -> bool:
    """Whether the file says how vectors are made, as those of models do that were made for that."""
    try:
        kind = head(path, {"general.architecture"}).get("general.architecture")
        name = f"{kind}.pooling_type"
        return bool(head(path, {name}).get(name))
    except (NoHead, OSError):
        return False


def unknown(body: Mapping[str, Json], fields: Set[str]) -> Mapping[str, Json] | None:
    """The error of a request with other fields than these, as a provider would answer it."""
    names = ", ".join(name for name in body if name not in fields)
    if not names:
        return None
    return {"error": {"code": 400, "message": _("there is no option {names} here", names=names)}}


def cores() -> int:
    """Those that this process may use; unlike answers, vectors are made faster by all of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def answered(
    handle: Callable[[Mapping[str, Json]], Mapping[str, Json]], body: Mapping[str, Json], kind: str
) -> Mapping[str, Json]:
    """What the library answers, a text that is too long as an error of the `kind` that prompts
    have for it."""
    if refused := unknown(body, FIELDS):
        return refused
    answer = handle(dict(body))
    said = str((answer.get("error") or {}).get("message"))
    if found := TOO_LARGE.match(said):
        return {"error": {"code": 400, "type": kind, "n_prompt_tokens": int(found[1])}}
    return answer
