"""Ollama's `/api/embed`."""

from collections.abc import Mapping, Sequence

from llmctl.dialects import HttpCall
from llmctl.dialects.look import at, count_at, int_at, text_at
from llmctl.dialects.vectors import VectorDecoder, Vectors, numbers, refuse_dimensions
from llmctl.types import Embed, Json, Quirks

# Fields of a request beside `options`, in which everything else belongs.
TOP_LEVEL = frozenset({"truncate", "keep_alive"})


def encode(call: Embed, quirks: Quirks, told: Mapping[str, Json]) -> HttpCall:
    """`told` is what the card and the settings say beside. A text that is too long is an error: the
    server would cut it off and say nothing."""
    refuse_dimensions(call, quirks)
    body: dict[str, Json] = {"model": call.model, "input": list(call.texts), "truncate": False}
    if call.dimensions is not None:
        body["dimensions"] = call.dimensions
    options: dict[str, Json] = {}
    for name, value in {**told, **call.options}.items():
        (body if name in TOP_LEVEL else options)[name] = value
    if options:
        body["options"] = options
    return HttpCall("POST", "api/embed", body)


def decoder(call: Embed) -> VectorDecoder:
    return VectorDecoder(len(call.texts), _read)


def _read(answer: Json) -> Vectors:
    items = at(answer, "embeddings")
    items = items if isinstance(items, list) else []
    values: list[Sequence[float] | None] = [numbers(one) for one in items]
    loading = int_at(answer, "load_duration")  # nanoseconds
    host = text_at(answer, "remote_host")
    return Vectors(
        values,
        count_at(answer, "prompt_eval_count"),
        text_at(answer, "model"),
        load_s=None if loading is None else loading / 1e9,
        passed_on_to=host,
        details={"remote_host": host} if host else {},
    )
