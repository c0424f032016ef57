"""Models that were pulled from the Hub by their own names (`local/ORG/NAME:QUANTISATION`), which no
card describes: what is known of them stands in the register of pulled files."""

import re
from collections.abc import Iterator, Mapping

from llmctl.cards import Card, Model, Source, Weights
from llmctl.types import Json
from llmctl.values import replace

HUB_NAME = re.compile(
    r"(?P<repo>[A-Za-z0-9][\w.-]*/[\w.-]+?)(?::(?P<quant>[\w.+-]+))?(?<!\.gguf)", re.ASCII
)

NEEDED = {"repo", "label", "file", "revision"}


def entry(name: str) -> Model | None:
    """The pulled model of that name, which may leave the quantisation out; None where it is not
    here. Of several quantisations the first in the order in which they are pulled."""
    asked = HUB_NAME.fullmatch(name)
    if asked is None:
        return None
    quant = (asked["quant"] or "").lower()
    for one in models():
        repo, _mark, label = one.id.partition(":")
        if repo == asked["repo"] and quant in ("", label.lower()):
            return replace(one, aliases=(name,)) if name != one.id else one
    return None


def models() -> list[Model]:
    """All of them, by repository and in the order of preference."""
    from llmctl.engine import weights
    from llmctl.engine.hub_files import ORDER

    def rank(one: Model) -> tuple[str, int, str]:
        repo, _mark, label = one.id.partition(":")
        return repo, ORDER.index(label) if label in ORDER else len(ORDER), label

    found = [one for id, record in weights.records().items() for one in _read(id, record)]
    return sorted((one for one in found if weights.present(one)), key=rank)


def with_pulled(card: Card) -> Card:
    """The card with the models that were pulled beside those it describes."""
    return replace(card, models=(*card.models, *models())) if card.kind == "embedded" else card


def _read(id: str, record: Mapping[str, Json]) -> Iterator[Model]:
    known = record.get("hub")
    if not isinstance(known, dict) or not known.keys() >= NEEDED:
        return
    size = known.get("size")
    yield Model(
        id=id,
        name=f"{known['repo']} ({known['label']})",
        kind="embedding" if known.get("embeds") else "chat",
        context=known.get("context"),
        parameters=known.get("parameters"),
        licence=known.get("licence"),
        languages=tuple(known.get("languages") or ()),
        open_weights=True,
        weights_of=known.get("base"),
        weights=Weights(
            hub=known["repo"],
            file=known["file"],
            quantisation=known.get("quant"),
            revision=known["revision"],
            size=size,
            sha256=record.get("sha256"),
            memory=known.get("memory"),
            verified=True,
        ),
        source=Source(
            title=f"huggingface.co/{known['repo']}", checked=str(record.get("pulled_at", ""))[:10]
        ),
    )
