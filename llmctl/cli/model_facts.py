"""What is known of a model, as JSON, as rows of a table and as text; unknown facts say so."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmctl.cards import Card, Model
from llmctl.messages import _
from llmctl.output.progress import size_text
from llmctl.output.streams import out
from llmctl.output.table import table
from llmctl.output.terminal import safe_line

if TYPE_CHECKING:
    from llmctl.types import Json


def facts(card: Card, model: Model) -> "dict[str, Json]":
    """A model for scripts; what is not known is null. `here` is whether a local file is there."""
    known = model.weights
    row: dict[str, Json] = {
        "provider": card.id,
        "id": model.id,
        "name": model.name,
        "kind": model.kind,
        "status": model.status,
        "retires": model.retires,
        "context": model.context,
        "output_limit": model.output_limit,
        "inputs": list(model.inputs),
        "outputs": list(model.outputs),
        "open_weights": model.open_weights,
        "licence": model.licence,
        "languages": list(model.languages),
        "parameters": model.parameters,
        "privacy": card.privacy[0].level.value if card.privacy else "unknown",
        "size": known.size if known else None,
        "memory": known.memory if known else None,
        "source": (known.package or known.hub) if known else None,
        "verified": verified(model) if known else None,
        "here": here(model) if known else None,
        "notes": model.notes,
    }
    return row


def here(model: Model) -> bool:
    from llmctl.engine.weights import present

    return present(model) is not None


def verified(model: Model) -> bool:
    """Whether the checksum comes from the file itself: the catalogue's word, or a pull of ours."""
    from llmctl.engine.weights import record_of

    stated = model.weights is not None and model.weights.verified
    return stated or bool(record_of(model).get("sha256"))


def print_models(cards: Sequence[Card]) -> None:
    """A table for models with files of their own, another for all others."""
    local = [(card, model) for card in cards for model in card.models if model.weights]
    others = [(card, model) for card in cards for model in card.models if not model.weights]
    if others:
        table(
            [_("model"), _("name"), _("context"), _("privacy"), _("weights"), _("shut down")],
            [
                [
                    f"{card.id}/{model.id}",
                    model.name,
                    model.context,
                    card.privacy[0].level.value if card.privacy else "unknown",
                    {True: _("open"), False: _("closed"), None: None}[model.open_weights],
                    model.retires or "",
                ]
                for card, model in others
            ],
            right=(2,),
        )
    if others and local:
        out("\n")
    if local:
        table(
            [
                *(_("model"), _("here"), _("size"), _("memory"), _("parameters"), _("licence")),
                *(_("languages"), _("checked")),
            ],
            [local_row(card, model) for card, model in local],
            right=(2, 3),
        )
    silent = [card for card in cards if card.any_model and not card.models]
    for card in silent:
        out(_("{name}: only its server knows its models (llmctl models list {id} --live); name"
              " them as {id}/MODEL", name=card.name, id=card.id) + "\n")  # fmt: skip


def local_row(card: Card, model: Model) -> list[object]:
    known = model.weights
    return [
        f"{card.id}/{model.id}",
        _("yes") if here(model) else _("no"),
        size_text(known.size) if known and known.size else None,
        size_text(known.memory) if known and known.memory else None,
        model.parameters,
        model.licence,
        " ".join(model.languages),
        _("verified") if verified(model) else _("unverified"),
    ]


def print_facts(card: Card, model: Model) -> None:
    """One model for people, a fact a line."""
    shown = facts(card, model)
    out(safe_line(f"{card.id}/{model.id}") + "\n")
    for name, value in shown.items():
        if name in ("provider", "id"):
            continue
        if isinstance(value, list):
            value = ", ".join(value)
        elif name in ("size", "memory") and value is not None:
            value = size_text(value)
        elif isinstance(value, bool):
            value = _("yes") if value else _("no")
        said = _("unknown") if value in (None, "") else value
        out(safe_line(f"  {name:<13}{said}") + "\n")
    if model.source is not None:
        line = _("source: {title}, checked {date}", title=model.source.title,
                 date=model.source.checked)  # fmt: skip
        out(safe_line(f"  {line}") + "\n")
