"""Hugging Face's feature extraction: by hf-inference and endpoints of one's own in a format of
theirs, by partners of the router in OpenAI's.

Encoders that were not made for sentences answer with a vector for each token; the vector of the
text is then their mean, which is said.
"""

from collections.abc import Mapping, Sequence

from llmctl.dialects import HttpCall
from llmctl.dialects.vectors import Vectors, numbers, refuse_dimensions
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.types import NOTHING, Embed, Json, Notice, Quirks

# Where partners of the router have OpenAI's embeddings, below the router's root.
PARTNERS: Mapping[str, str] = {
    "deepinfra": "v1/openai/embeddings",
    "scaleway": "v1/embeddings",
    "together": "v1/embeddings",
}
OWN = "hf-inference"


def partner(call: Embed, quirks: Quirks) -> tuple[str, str] | None:
    """The model's name at a partner that speaks OpenAI's format and the path there; None where the
    format is the own one, or another host's. Raises UsageError for who makes no vectors."""
    if quirks.settings.get("text_generation") != "router":
        return None
    model, _mark, name = call.model.partition(":")
    if name in ("", OWN):
        return None
    if name not in PARTNERS:
        raise UsageError(
            _("{partner} makes no vectors through the router", partner=name),
            hint=_("name one that does: {model}:{partner}", model=model,
                   partner=", :".join(sorted((*PARTNERS, OWN)))),
        )  # fmt: skip
    return model, f"../{name}/{PARTNERS[name]}"


def place(call: Embed, quirks: Quirks) -> str | None:
    """The path for a request in the own format, None where it is OpenAI's."""
    match quirks.settings.get("text_generation"):
        case "router" if partner(call, quirks) is None:
            model = call.model.removesuffix(f":{OWN}")
            return f"../{OWN}/models/{model}/pipeline/feature-extraction"
        case "tgi":
            return "../"
        case _:
            return None


def request(call: Embed, path: str, quirks: Quirks) -> HttpCall:
    """All parameters stand beside the texts. What a question is to begin with is kept there under a
    name (`prompt_name`), where the card says that the model has it; the others refuse the field."""
    refuse_dimensions(call)
    body: dict[str, Json] = {"inputs": list(call.texts)}
    body |= quirks.purposes.get(call.purpose or "", NOTHING)
    return HttpCall("POST", path, {**body, **quirks.extra_body, **call.options})


def vectors(answer: Json) -> Vectors:
    """A list with one entry a text: its vector, or those of its tokens, maybe in a batch of one."""
    items = answer if isinstance(answer, list) else []
    values: list[Sequence[float] | None] = []
    averaged = 0
    for item in items:
        tokens = _of_tokens(item)
        if tokens is None:
            values.append(numbers(item))
        else:
            values.append(_mean(tokens))
            averaged += 1
    if not averaged:
        return Vectors(values)
    return Vectors(
        values,
        details={"pooling": "mean"},
        notices=(
            Notice(
                "pooled",
                _("this model makes a vector of each token; a text's vector is the mean of them"),
            ),
        ),
    )


def _of_tokens(item: Json) -> Sequence[Json] | None:
    """The rows where an entry is a level deeper than a vector, or two, the upper one of which has
    one entry: a batch of its own."""
    if _is_nested(item) and len(item) == 1 and _is_nested(item[0]):
        item = item[0]
    return item if _is_nested(item) else None


def _is_nested(item: Json) -> bool:
    return isinstance(item, list) and bool(item) and isinstance(item[0], list)


def _mean(rows: Sequence[Json]) -> Sequence[float] | None:
    """The mean of vectors of one length; None for anything else."""
    found = [numbers(row) for row in rows]
    vectors = [one for one in found if one]
    if len(vectors) < len(rows) or len({len(one) for one in vectors}) != 1:
        return None
    return [sum(column) / len(vectors) for column in zip(*vectors, strict=True)]
