"""GigaChat's embeddings: OpenAI's shape, but tokens are counted text by text."""

from llmctl.dialects import HttpCall
from llmctl.dialects.look import at, count_at
from llmctl.dialects.vectors import Vectors, openai_vectors, refuse_dimensions
from llmctl.types import Embed, Json, Quirks
from llmctl.values import replace


def request(call: Embed, quirks: Quirks) -> HttpCall:
    """The second version of the API has none of its own."""
    refuse_dimensions(call)
    body: dict[str, Json] = {"model": call.model, "input": list(call.texts)}
    return HttpCall("POST", "embeddings", {**body, **quirks.extra_body, **call.options})


def vectors(answer: Json) -> Vectors:
    """Its tokens are the sum over all texts, unknown as soon as one of them is not counted."""
    found = openai_vectors(answer)
    items = at(answer, "data") or []
    counts = [count_at(one, "usage", "prompt_tokens") for one in items]
    known = [one for one in counts if one is not None]
    total = sum(known) if known and len(known) == len(counts) else None
    return replace(found, input_tokens=total)
