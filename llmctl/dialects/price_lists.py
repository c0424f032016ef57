"""What lists of models say beside names: prices, sizes and speeds, as servers publish them."""

import re
from collections.abc import Iterator
from urllib.parse import quote

from llmctl.dialects import HttpCall, Listed
from llmctl.dialects.look import at, float_at, int_at, text_at
from llmctl.types import Json

UNIT = 1_000_000

# Where hosts of OpenAI's format say how many tokens fit into a model.
CONTEXTS = ("context_length", "context_window", "max_context_length", "max_model_len")
# Where they say when a model ends.
ENDS = ("shutdown_date", "deprecation", "expiration_date")
# What a model is for, where a host says it in one word; other words there are about its making.
KINDS = frozenset(
    {
        *("chat", "language", "code", "image", "audio", "video", "embedding", "embedder"),
        *("moderation", "rerank", "transcribe", "aicheck", "filter"),
    }
)
DAY = re.compile(r"\d{4}-\d\d-\d\d")


def resource(model: str, *, slashes: bool = False) -> HttpCall:
    """The request for one model of such a list; `slashes` says whether its name keeps them."""
    return HttpCall("GET", f"models/{quote(model, safe='/' if slashes else '')}")


def openai_like(answer: Json) -> Iterator[Listed]:
    """The entries of `data`, or of a bare list, as Together sends it. Prices of `prompt` and
    `completion` are US dollars for one token, as OpenRouter has them; those of `input` and `output`
    for a million."""
    for entry, name in _entries(answer):
        pricing = at(entry, "pricing")
        read = _either(pricing, "prompt", "input")
        written = _either(pricing, "completion", "output")
        title = text_at(entry, "display_name") or text_at(entry, "name")
        parameters = int_at(entry, "meta", "n_params")
        yield Listed(
            name=name,
            input=read,
            output=written,
            cache_read=per_million(at(pricing, "input_cache_read")),
            cache_write=per_million(at(pricing, "input_cache_write")),
            currency="USD" if read or written else None,
            context=_context(entry),
            output_limit=int_at(entry, "top_provider", "max_completion_tokens")
            or int_at(entry, "max_completion_tokens"),
            title=title if title != name else None,
            retires=next(filter(None, (day(text_at(entry, key)) for key in ENDS)), None),
            lifecycle="inactive" if at(entry, "active") is False else None,
            size=int_at(entry, "meta", "size"),
            parameters=counted(parameters) if parameters else None,
            licence=text_at(entry, "license"),
            capabilities=tuple(_capabilities(entry)),
        )


def _either(pricing: Json, for_one: str, for_million: str) -> str | None:
    if (price := at(pricing, for_one)) is not None:
        return per_million(price)
    return per_million(at(pricing, for_million), UNIT)


def _capabilities(entry: Json) -> Iterator[str]:
    """What the model is for, and what a table of capabilities has as true."""
    kind = text_at(entry, "type")
    if kind in KINDS:
        yield kind
    table = at(entry, "capabilities")
    if isinstance(table, dict):
        yield from (name for name, has in table.items() if has is True)


def day(moment: str | None) -> str | None:
    """The day of a date or of a moment with its time; None for what is neither."""
    found = DAY.match(moment or "")
    return found[0] if found else None


def counted(parameters: int) -> str:
    """A count of parameters in the words of the trade: 1777088000 is 1.78B."""
    for unit, size in (("B", 10**9), ("M", 10**6)):
        if parameters >= size:
            return f"{float(f'{parameters / size:.3g}'):g}{unit}"
    return str(parameters)


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
    data = answer if isinstance(answer, list) else at(answer, "data")
    for entry in data if isinstance(data, list) else ():
        if name := text_at(entry, "id"):
            yield entry, name


def _context(entry: Json) -> int | None:
    found = (int_at(entry, key) for key in CONTEXTS)
    return next((size for size in found if size), None) or int_at(entry, "meta", "n_ctx_train")


def per_million(amount: Json, unit: int = 1) -> str | None:
    """A price for `unit` tokens as one for a million, exactly; None for what is no price. A float
    is read as it was spelt, to its last digit; a negative figure stands for "it depends"."""
    from decimal import Context, Decimal

    from llmctl.types.amounts import plain, read_amount

    if (exact := read_amount(amount)) is None:
        return None
    return plain(Context(prec=100).multiply(exact, Decimal(UNIT) / unit))
