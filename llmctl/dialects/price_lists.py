"""What lists of models say beside names: prices, sizes and speeds, as servers publish them."""

from collections.abc import Iterator

from llmctl.dialects import Listed
from llmctl.dialects.look import at, float_at, int_at, text_at
from llmctl.types import Json

UNIT = 1_000_000

# Where hosts of OpenAI's format say how many tokens fit into a model.
CONTEXTS = ("context_length", "context_window", "max_context_length", "max_model_len")


def openai_like(answer: Json) -> Iterator[Listed]:
    """The entries of `data`. Where they have prices of `prompt` and `completion`, these are US
    dollars for one token, as OpenRouter has them."""
    for entry, name in _entries(answer):
        pricing = at(entry, "pricing")
        read, written = per_million(at(pricing, "prompt")), per_million(at(pricing, "completion"))
        yield Listed(
            name=name,
            input=read,
            output=written,
            cache_read=per_million(at(pricing, "input_cache_read")),
            cache_write=per_million(at(pricing, "input_cache_write")),
            currency="USD" if read or written else None,
            context=_context(entry),
            output_limit=int_at(entry, "top_provider", "max_completion_tokens"),
        )


def partners(answer: Json) -> Iterator[Listed]:
    """Hugging Face's router: each model with the partners that serve it now, US dollars for a
    million tokens."""
    for entry, name in _entries(answer):
        known = at(entry, "providers")
        offers = tuple(
            one
            for partner in (known if isinstance(known, list) else ())
            if (one := _partner(partner, name)) is not None
        )
        yield Listed(name=name, offers=offers)


def _partner(partner: Json, name: str) -> Listed | None:
    by = text_at(partner, "provider")
    if not by or (text_at(partner, "status") or "live") != "live":
        return None
    read, written = (
        per_million(at(partner, "pricing", side), UNIT) for side in ("input", "output")
    )
    milliseconds = float_at(partner, "first_token_latency_ms")
    return Listed(
        name=f"{name}:{by}",
        input=read,
        output=written,
        currency="USD" if read or written else None,
        context=int_at(partner, "context_length"),
        ttft_s=None if milliseconds is None else milliseconds / 1000,
        output_tokens_per_s=float_at(partner, "throughput"),
    )


def _entries(answer: Json) -> Iterator[tuple[Json, str]]:
    data = at(answer, "data")
    for entry in data if isinstance(data, list) else ():
        if name := text_at(entry, "id"):
            yield entry, name


def _context(entry: Json) -> int | None:
    found = (int_at(entry, key) for key in CONTEXTS)
    return next((size for size in found if size), None)


def per_million(amount: Json, unit: int = 1) -> str | None:
    """A price for `unit` tokens as one for a million, exactly; None for what is no price. A float
    is read as it was spelt, to its last digit; a negative figure stands for "it depends"."""
    from decimal import Context, Decimal

    from llmctl.types.amounts import plain, read_amount

    if (exact := read_amount(amount)) is None:
        return None
    return plain(Context(prec=100).multiply(exact, Decimal(UNIT) / unit))
