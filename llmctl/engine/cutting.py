"""Texts cut into requests for vectors: as many as the provider takes at a time, by their number and
by their tokens."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from llmctl.cost.tokens import count
from llmctl.engine.embedding import Item
from llmctl.engine.route import Route
from llmctl.engine.turns import concurrency
from llmctl.errors import LlmctlError, Rejected
from llmctl.messages import _
from llmctl.settings import ProviderSettings
from llmctl.types import Embed, Notice
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.cards import Model
    from llmctl.settings import Loaded

# Texts of a request where nobody says: enough that the way there and back hardly counts, and few
# enough that little is lost with one that fails. On one's own hardware it makes little difference.
USUAL, USUAL_HERE = 64, 16
# Requests at a time where nobody says; a model inside this process takes one.
LANES, LANES_HERE = 4, 2
# Bytes up to which a text is taken to have as many tokens: more it cannot have, and counting them
# better takes longer than it gains.
PLAIN = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The most `texts` and `tokens` (None: no bound) of one request, how many of them are on their
    way at a time, and how many seconds must lie between their beginnings. `notes` say what was
    asked for and cannot be had."""

    texts: int
    tokens: int | None
    lanes: int
    every_s: float = 0.0
    notes: tuple[Notice, ...] = ()


def planned(route: Route, loaded: "Loaded", *, texts: int | None, lanes: int | None) -> Plan:
    """By what the user asks for, within what the card and the settings allow."""
    card = route.card
    own = loaded.settings.providers.get(card.id, ProviderSettings())
    notes = []
    usual, common = (USUAL, LANES) if card.kind == "api" else (USUAL_HERE, LANES_HERE)
    most = card.limits.embed_texts
    if texts is not None and most is not None and texts > most:
        notes.append(
            Notice("batch-size", _("{provider} takes at most {most} texts a request",
                                   provider=card.id, most=most))
        )  # fmt: skip
    allowed = concurrency(card, own, route.quirks.settings)
    if lanes is not None and allowed is not None and lanes > allowed:
        notes.append(
            Notice("concurrency", _("{provider} takes at most {most} requests at a time",
                                    provider=card.id, most=allowed))
        )  # fmt: skip
    pace = own.requests_per_minute or card.limits.embed_requests_per_minute
    return Plan(
        texts=_within(texts or usual, most),
        tokens=card.limits.embed_tokens,
        lanes=1 if card.kind == "embedded" else _within(lanes or common, allowed),
        every_s=60 / pace if pace else 0.0,
        notes=tuple(notes),
    )


def _within(wanted: int, most: int | None) -> int:
    return wanted if most is None else min(wanted, most)


async def cut(
    items: AsyncIterator[Item], plan: Plan, model: "Model | None"
) -> AsyncIterator[Sequence[Item]]:
    """Requests, in order. What came before an error of the source is given before it; raises
    Rejected for a text that is longer than the model takes, by the lowest estimate there is."""
    batch: list[Item] = []
    total = 0
    try:
        async for item in items:
            size = weight(item, model)
            full = plan.tokens is not None and total + size > plan.tokens
            if batch and (full or len(batch) >= plan.texts):
                yield batch
                batch, total = [], 0
            batch.append(item)
            total += size
    except LlmctlError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def weight(item: Item, model: "Model | None") -> int:
    """No fewer tokens than a text has, as far as that can be told without the model's
    vocabulary."""
    size = len(item.text.encode("utf-8", "surrogatepass"))
    if size <= PLAIN:
        return size
    counted = count(Embed("", (item.text,)), model)
    longest = model.context if model else None
    if longest is not None and counted.least > longest:
        said = _("the text has at least {count} tokens, more than {model} takes ({longest})",
                 count=counted.least, model=model.id if model else "", longest=longest)  # fmt: skip
        raise Rejected(
            said if item.line is None else _("line {line}: {said}", line=item.line, said=said),
            hint=_("cut it into pieces of at most {longest} tokens", longest=longest),
            reason="context",
        )
    return min(size, counted.most)
