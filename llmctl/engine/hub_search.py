"""Models on the Hugging Face Hub: what is found by words, and who serves it at what price."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from llmctl.dialects import Listed
from llmctl.dialects.look import at, int_at, text_at
from llmctl.engine import hub_api
from llmctl.engine.hub import PROVIDER
from llmctl.errors import LlmctlError, ProviderFailed
from llmctl.messages import _
from llmctl.types import Json
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.cards import Card
    from llmctl.settings import Settings

# What the Hub is asked to tell of every model. It tells nothing else then.
EXPAND = (
    *("pipeline_tag", "tags", "downloads", "likes", "gated", "private", "createdAt"),
    *("lastModified", "safetensors", "gguf", "inferenceProviderMapping"),
)
PAGE = 100
MOST = 1000  # models of one search
SORTS: Mapping[str, str] = {
    "downloads": "downloads",
    "likes": "likes",
    "trending": "trendingScore",
    "created": "createdAt",
    "modified": "lastModified",
}
PRICES_SECONDS = 15.0
GGUF, LICENCE = "gguf", "license:"
TASK = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A search: words that stand in the name, a task (`text-generation`), a licence
    (`apache-2.0`)."""

    text: str | None = None
    task: str | None = None
    licence: str | None = None
    gguf: bool = False
    sort: str | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Served:
    """Who of the router's partners serves a model, as the Hub knows it, and with what figures, as
    the router does; None without any."""

    partner: str
    task: str | None
    figures: Listed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A model on the Hub; None for what it does not say. `parameters` are counted, `gated` says who
    lets one in: `auto`, `manual` or `no`. Days are YYYY-MM-DD."""

    id: str
    task: str | None
    licence: str | None
    parameters: int | None
    context: int | None
    downloads: int | None
    likes: int | None
    gated: Literal["auto", "manual", "no"] | None
    private: bool
    gguf: bool
    created: str | None
    modified: str | None
    served: tuple[Served, ...] = ()


@dataclass(frozen=True, slots=True)
class Search:
    """What was found, at most as many as were wanted; `unpriced` is why the prices of who serves
    them are not known, None where they are."""

    models: tuple[Found, ...]
    unpriced: LlmctlError | None


async def search(card: "Card", wanted: Wanted, settings: "Settings") -> Search:
    """Ask the Hub, and its router for prices meanwhile. Without those a search is still one.

    Raises ProviderFailed for pages that say the same again, and what connections raise.
    """
    asked = asyncio.create_task(router_prices(card, settings))
    try:
        models = await _found(wanted, settings)
        if not any(one.served for one in models):
            return Search(tuple(models), None)
        prices, failed = await asked
        return Search(tuple(priced(one, prices) for one in models), failed)
    finally:
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)


async def router_prices(
    card: "Card", settings: "Settings"
) -> tuple[Mapping[str, Listed], LlmctlError | None]:
    """The router's own list by `model:partner`, else why it is not known."""
    from llmctl.engine.listing import published

    try:
        listed = await published(card, settings, timeout=PRICES_SECONDS, keyless=True)
    except LlmctlError as error:
        return {}, error
    return {offer.name: offer for one in listed for offer in one.offers}, None


async def _found(wanted: Wanted, settings: "Settings") -> list[Found]:
    limit = min(wanted.limit, MOST)
    found: dict[str, Found] = {}
    async for page in hub_api.pages("api/models", query(wanted), settings):
        before = len(found)
        for entry in page if isinstance(page, list) else ():
            if (one := read(entry)) is not None:
                found.setdefault(one.id, one)
        if len(found) >= limit or not page:
            break
        if len(found) == before:
            raise ProviderFailed(
                _("the Hub's list repeats itself: a page had nothing that was not there before"),
                reason="repeated-page",
                retryable=False,
                provider=PROVIDER,
            )
    return list(found.values())[:limit]


def query(wanted: Wanted) -> list[tuple[str, str]]:
    """The search in the Hub's words."""
    fields = [
        ("search", wanted.text),
        ("pipeline_tag", wanted.task),
        ("filter", GGUF if wanted.gguf else None),
        ("filter", f"{LICENCE}{wanted.licence.lower()}" if wanted.licence else None),
        ("sort", SORTS[wanted.sort] if wanted.sort else None),
        ("limit", str(min(wanted.limit, PAGE))),
    ]
    return [*((name, value) for name, value in fields if value),
            *(("expand[]", one) for one in EXPAND)]  # fmt: skip


def read(entry: Json) -> Found | None:
    """One model of a list, or the answer about one; None for what is none."""
    id = text_at(entry, "id")
    if not id or not hub_api.is_repo(id):
        return None
    gguf = at(entry, "gguf")
    return Found(
        id=id,
        task=text_at(entry, "pipeline_tag"),
        licence=licence_of(entry),
        parameters=int_at(entry, "safetensors", "total") or int_at(gguf, "total"),
        context=int_at(gguf, "context_length"),
        downloads=int_at(entry, "downloads"),
        likes=int_at(entry, "likes"),
        gated=_gated(at(entry, "gated")),
        private=at(entry, "private") is True,
        gguf=isinstance(gguf, dict) or GGUF in tags(entry),
        created=_day(text_at(entry, "createdAt")),
        modified=_day(text_at(entry, "lastModified")),
        served=tuple(_served(at(entry, "inferenceProviderMapping"))),
    )


def tags(entry: Json) -> list[str]:
    found = at(entry, "tags")
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def licence_of(entry: Json) -> str | None:
    """By the model's card, else by its tags; the name that its makers gave one of their own."""
    card = at(entry, "cardData")
    stated = text_at(card, "license")
    if stated in (None, "other"):
        named = text_at(card, "license_name")
        tag = next((one for one in tags(entry) if one.startswith(LICENCE)), LICENCE)
        return named or stated or tag.removeprefix(LICENCE) or None
    return stated


def _gated(value: Json) -> Literal["auto", "manual", "no"] | None:
    if value is False:
        return "no"
    return value if value in ("auto", "manual") else None


def _day(moment: str | None) -> str | None:
    from llmctl.dialects.price_lists import day

    return day(moment)


def _served(mapping: Json) -> Iterator[Served]:
    """Who answers now. In lists that is a list, of a single model it is a table by partner."""
    if isinstance(mapping, dict):
        entries = [(name, one) for name, one in mapping.items()]
    else:
        entries = [
            (text_at(one, "provider") or "", one)
            for one in (mapping if isinstance(mapping, list) else ())
        ]
    for partner, one in entries:
        if partner and text_at(one, "status") == "live":
            yield Served(partner, text_at(one, "task"))


def priced(found: Found, prices: Mapping[str, Listed]) -> Found:
    from llmctl.values import replace

    served = (
        Served(one.partner, one.task, prices.get(f"{found.id}:{one.partner}"))
        for one in found.served
    )
    return replace(found, served=tuple(served))
