"""All that the Hub says of one model: its facts, its files, and who serves it."""

import asyncio
from typing import TYPE_CHECKING

from llmctl.dialects.look import text_at
from llmctl.engine import hub_api, hub_files
from llmctl.engine.hub_files import Variant
from llmctl.engine.hub_pull import facts_of
from llmctl.engine.hub_search import EXPAND, Found, priced, read, router_prices
from llmctl.errors import AuthFailed, LlmctlError, ProviderFailed
from llmctl.messages import _
from llmctl.types import Json
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.cards import Card
    from llmctl.settings import Settings

MORE = ("cardData", "sha", "library_name")
WEIGHTS = (".safetensors", ".bin", ".pt", ".onnx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """`files` counts all of them and `size` their bytes, `weights` those of the weights that are
    not in GGUF form; None where the list of files is not for everybody. `unpriced` is why the
    prices of who serves it are not known."""

    found: Found
    base: str | None
    languages: tuple[str, ...]
    library: str | None
    revision: str | None
    files: int | None
    size: int | None
    weights: int | None
    variants: tuple[Variant, ...]
    unpriced: LlmctlError | None


async def shown(card: "Card", repo: str, settings: "Settings") -> Shown:
    """Ask the Hub, and its router for prices meanwhile. Raises NotFound for a model that there is
    not, and what connections raise."""
    asked = asyncio.create_task(router_prices(card, settings))
    try:
        answer = await hub_api.model(repo, (*EXPAND, *MORE), settings)
        found = read(answer)
        if found is None:
            raise ProviderFailed(
                _("the Hub's answer about {repo} is none", repo=repo), reason="no-answer"
            )
        entries = await _tree(found.id, text_at(answer, "sha"), settings)
        failed = None
        if found.served:
            prices, failed = await asked
            found = priced(found, prices)
    finally:
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
    return _put_together(found, answer, entries, failed)


async def _tree(repo: str, revision: str | None, settings: "Settings") -> list[Json] | None:
    try:
        return await hub_api.tree(repo, revision or "main", settings)
    except AuthFailed:  # the files of some gated models are not even listed
        return None


def _put_together(
    found: Found, answer: Json, entries: list[Json] | None, failed: LlmctlError | None
) -> Shown:
    facts = facts_of(answer, found.id)
    listed = None if entries is None else hub_files.remote_files(entries)
    return Shown(
        found=found,
        base=facts["base"],
        languages=tuple(facts["languages"]),
        library=text_at(answer, "library_name"),
        revision=text_at(answer, "sha"),
        files=None if listed is None else len(listed),
        size=None if listed is None else sum(one.size for one in listed),
        weights=None
        if listed is None
        else sum(one.size for one in listed if one.path.lower().endswith(WEIGHTS)),
        variants=tuple(hub_files.variants(listed or ())),
        unpriced=failed,
    )
