"""What is known of a model, as JSON, as rows of a table and as text; unknown facts say so."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from llmctl.cards import Card, Model
from llmctl.cli.model_price import column, in_force, in_words, price_facts
from llmctl.engine.tradeoffs import TradeOffs, tradeoffs
from llmctl.messages import _
from llmctl.output.progress import size_text
from llmctl.output.streams import out
from llmctl.output.table import table
from llmctl.output.terminal import safe_line
from llmctl.privacy.standing import usual_level
from llmctl.settings import Settings

if TYPE_CHECKING:
    from datetime import datetime

    from llmctl.cost.tariff import Tariff
    from llmctl.types import Json


def facts(
    card: Card,
    model: Model,
    *,
    cards: Sequence[Card] | None = None,
    settings: "Settings | None" = None,
    at: "datetime | None" = None,
) -> "dict[str, Json]":
    """A model for scripts; what is not known is null. `here` is whether a local file is there,
    `served_by` are others of `cards` with the same weights, `price` is that of the moment `at`
    (now) under the settings."""
    known = model.weights
    weighed = tradeoffs(card, model, cards)
    row: dict[str, Json] = {
        "provider": card.id,
        "id": model.id,
        "name": model.name,
        "kind": model.kind,
        "status": model.status,
        "retires": model.retires,
        "context": model.context,
        "output_limit": model.output_limit,
        "inputs": list(model.inputs) or None,
        "outputs": list(model.outputs),
        "open_weights": model.open_weights,
        "weights_of": weighed.weights_of,
        "served_by": None if weighed.served_by is None else list(weighed.served_by),
        "licence": model.licence,
        "family": weighed.family,
        "made": weighed.made,
        "tunable": weighed.tunable,
        "tunable_by": weighed.tunable_by,
        "languages": list(model.languages),
        "parameters": model.parameters,
        "privacy": usual_level(card, settings or Settings(), model).value,
        "size": known.size if known else None,
        "memory": weighed.memory,
        "memory_from": weighed.memory_from,
        "price": price_facts(price_of(card, model, settings, at)),
        "source": (known.package or known.hub) if known else None,
        "verified": verified(model) if known else None,
        "here": here(model) if known else None,
        "notes": model.notes,
    }
    return row


def price_of(
    card: Card, model: Model, settings: "Settings | None", at: "datetime | None"
) -> "Tariff":
    from datetime import UTC, datetime

    from llmctl.settings import ProviderSettings

    own = settings.providers.get(card.id) if settings else None
    return in_force(card, model, own or ProviderSettings(), at or datetime.now(UTC))


def here(model: Model) -> bool:
    from llmctl.engine.weights import present

    return present(model) is not None


def verified(model: Model) -> bool:
    """Whether the checksum comes from the file itself: the catalogue's word, or a pull of ours."""
    from llmctl.engine.weights import record_of

    stated = model.weights is not None and model.weights.verified
    return stated or bool(record_of(model).get("sha256"))


def print_models(cards: Sequence[Card], settings: "Settings | None" = None) -> None:
    """A table for models with files of their own, another for all others. Prices are those of now,
    of input and output per million tokens."""
    local = [(card, model) for card in cards for model in card.models if model.weights]
    others = [(card, model) for card in cards for model in card.models if not model.weights]
    if others:
        table(
            [
                *(_("model"), _("name"), _("context"), _("price per million"), _("privacy")),
                *(_("weights"), _("shut down")),
            ],
            [
                [
                    f"{card.id}/{model.id}",
                    model.name,
                    model.context,
                    column(price_of(card, model, settings, None)),
                    usual_level(card, settings or Settings(), model).value,
                    {True: _("open"), False: _("closed"), None: None}[model.open_weights],
                    model.retires or "",
                ]
                for card, model in others
            ],
            right=(2, 3),
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


def print_facts(
    card: Card,
    model: Model,
    *,
    cards: Sequence[Card] | None = None,
    settings: "Settings | None" = None,
    at: "datetime | None" = None,
) -> None:
    """One model for people, a fact a line."""
    shown = facts(card, model, cards=cards, settings=settings, at=at)
    weighed = tradeoffs(card, model, cards)
    out(safe_line(f"{card.id}/{model.id}") + "\n")
    for name, value in shown.items():
        if name in ("provider", "id", "memory_from", "tunable_by", "weights_of"):
            continue
        if name == "price":
            for label, text in in_words(price_of(card, model, settings, at)):
                fact_line(label, text)
        elif name in SAID:
            for text in SAID[name](weighed):
                fact_line(name, text)
        else:
            fact_line(name, _plainly(name, value))
    if model.source is not None:
        line = _("source: {title}, checked {date}", title=model.source.title,
                 date=model.source.checked)  # fmt: skip
        out(safe_line(f"  {line}") + "\n")


def fact_line(name: str, text: str) -> None:
    """One fact, made harmless."""
    out(safe_line(f"  {name:<12} {text}") + "\n")


def _plainly(name: str, value: "Json") -> str:
    if isinstance(value, list):
        value = ", ".join(value)
    elif name == "size" and value is not None:
        value = size_text(value)
    elif isinstance(value, bool):
        value = _("yes") if value else _("no")
    return _("unknown") if value in (None, "") else str(value)


def _served(weighed: TradeOffs) -> Iterator[str]:
    others = weighed.served_by
    if others is None:
        yield _("unknown")
    elif others:
        yield _("{names}, the same weights ({weights})", names=", ".join(others),
                weights=weighed.weights_of or "")  # fmt: skip
    else:
        yield _("no other card ({weights})", weights=weighed.weights_of or "")


def _memory(weighed: TradeOffs) -> Iterator[str]:
    if weighed.memory is None:
        yield _("unknown")
    elif weighed.memory_from == "derived":
        yield _("about {size}: four-bit weights (5 bits each with their scales) and a fifth more to"
                " work with", size=size_text(weighed.memory))  # fmt: skip
    else:
        yield size_text(weighed.memory)


def _tunable(weighed: TradeOffs) -> Iterator[str]:
    match weighed.tunable_by:
        case "provider":
            yield _("yes, by the provider")
        case "owner":
            yield _("yes, on hardware of your own: the weights are open")
        case None:
            yield {"yes": _("yes"), "no": _("no"), "unknown": _("unknown")}[weighed.tunable]


SAID = {"served_by": _served, "memory": _memory, "tunable": _tunable}
