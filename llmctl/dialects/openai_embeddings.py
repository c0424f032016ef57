"""Embeddings as OpenAI has them, and most hosts after it."""

from llmctl.dialects import HttpCall
from llmctl.dialects.look import at
from llmctl.dialects.naming import on_the_wire
from llmctl.dialects.vectors import VectorDecoder, Vectors, openai_vectors, refuse_dimensions
from llmctl.types import NOTHING, Embed, Json, Quirks
from llmctl.values import replace

# What of the fields that a card has sent with every chat means something here, too; the others are
# unknown to this endpoint, which refuses them.
SHARED = frozenset({"provider", "user"})


def encode(call: Embed, quirks: Quirks) -> HttpCall:
    """`embeddings`; raises UsageError for a length that cannot be had. `purpose` has only the
    words that a card gives it."""
    refuse_dimensions(call, quirks)
    body: dict[str, Json] = {
        "model": on_the_wire(call.model, quirks),
        "input": list(call.texts),
        "encoding_format": quirks.vector_encoding,
    }
    if call.dimensions is not None:
        body["dimensions"] = call.dimensions
    body |= quirks.purposes.get(call.purpose or "", NOTHING)
    body |= {name: value for name, value in quirks.extra_body.items() if name in SHARED}
    return HttpCall("POST", f"{quirks.path_prefix}embeddings", body | dict(call.options))


def decoder(call: Embed, quirks: Quirks) -> VectorDecoder:
    path = quirks.cost_field.split(".") if quirks.cost_field else []

    def read(answer: Json) -> Vectors:
        found = openai_vectors(answer)
        return replace(found, cost=_stated(at(answer, *path))) if path else found

    return VectorDecoder(len(call.texts), read)


def _stated(amount: Json) -> tuple[str, str] | None:
    """US dollars, as in the answers of chats."""
    from llmctl.types.amounts import plain, read_amount

    exact = None if amount is None else read_amount(amount)
    return None if exact is None else (plain(exact), "USD")
