"""`llmctl models list PROVIDER --live`: the models of a provider by its own word."""

from typing import TYPE_CHECKING

from llmctl.messages import _

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmctl.cards import Card
    from llmctl.cli.models_search import Narrowed
    from llmctl.dialects import Listed
    from llmctl.settings import Loaded
    from llmctl.types import Json

# A list is short work for every server; one that takes longer has a problem.
SECONDS = 30.0


def list_live(provider: str | None, loaded: "Loaded", narrowed: "Narrowed", *, json: bool) -> None:
    """Ask the provider and print what it has of what is wanted, in its own order, with what its
    card knows of each.

    Raises UsageError without a provider or for one that cannot be asked, PrivacyRefused where
    policy forbids it, and whatever a request may raise.
    """
    from llmctl import catalogue
    from llmctl.cli.loop import run_async
    from llmctl.engine.listing import published, refuse_to_ask
    from llmctl.errors import UsageError
    from llmctl.output.envelope import document

    if provider is None:
        raise UsageError(
            _("--live asks one provider; which?"),
            hint=_("such as: llmctl models list ollama --live"),
        )
    card = catalogue.card(provider, loaded.settings)
    refuse_to_ask(card, loaded)
    models = narrowed.listed(run_async(published(card, loaded.settings, timeout=SECONDS)))
    if json:
        document({"version": 1, "live": True, "models": [row(card, one) for one in models]})
    else:
        print_table(card, models)


def row(card: "Card", live: "Listed") -> "dict[str, Json]":
    """A model for scripts, in the shape of `models list --json`; `described` says whether the card
    has an entry for it, without which all its facts are null. What the provider itself says stands
    apart in `published`, and in `offers` for each who serves it."""
    from llmctl.cli.model_facts import facts
    from llmctl.engine.resolve import find_model

    said: dict[str, Json] = {
        "published": figures(live),
        "offers": [{"model": f"{card.id}/{one.name}", **figures(one)} for one in live.offers],
    }
    if (known := find_model(card, live.name)) is not None:
        return {**facts(card, known), "id": live.name, "described": True, **said}
    from llmctl.cards import Model

    empty = facts(card, Model(id=live.name))
    unknown: dict[str, Json] = dict.fromkeys(empty)
    kept = ("provider", "id", "privacy")
    return {**unknown, **{key: empty[key] for key in kept}, "described": False, **said}


def figures(live: "Listed") -> "dict[str, Json]":
    """Prices are decimal strings for `unit` tokens; what was not said is null."""
    from llmctl.dialects.price_lists import UNIT

    return {
        "input": live.input,
        "output": live.output,
        "cache_read": live.cache_read,
        "cache_write": live.cache_write,
        "currency": live.currency,
        "unit": UNIT,
        "context": live.context,
        "output_limit": live.output_limit,
        "ttft_s": live.ttft_s,
        "output_tokens_per_s": live.output_tokens_per_s,
        "title": live.title,
        "retires": live.retires,
        "lifecycle": live.lifecycle,
        "size": live.size,
        "parameters": live.parameters,
        "quantisation": live.quantisation,
        "family": live.family,
        "licence": live.licence,
        "capabilities": list(live.capabilities),
        "elsewhere": live.elsewhere,
    }


def print_table(card: "Card", models: "list[Listed]") -> None:
    """A line a model, or each who serves it; columns for what at least one line says."""
    from llmctl.engine.resolve import find_model
    from llmctl.output.streams import err
    from llmctl.output.table import table

    if not models:
        err(_("{name} has no model.", name=card.name) + "\n")
        return
    lines = [line for one in models for line in (one.offers or (one,))]
    known = [find_model(card, line.name) for line in lines]
    columns: list[tuple[str, list[object], bool]] = [
        (_("model"), [f"{card.id}/{line.name}" for line in lines], False),
        (
            _("context"),
            [line.context or (one.context if one else None)
             for line, one in zip(lines, known, strict=True)],
            True,
        ),
        (_("described"), [_("yes") if one else _("no") for one in known], False),
        (
            _("shut down"),
            [(one.retires if one else None) or line.retires or ""
             for line, one in zip(lines, known, strict=True)],
            False,
        ),
    ]  # fmt: skip
    columns += [one for one in further(lines) if any(cell not in (None, "") for cell in one[1])]
    right = {number for number, (_title, _cells, figures) in enumerate(columns) if figures}
    rows = zip(*(cells for _title, cells, _figures in columns), strict=True)
    table([title for title, _cells, _figures in columns], list(rows), right=right)


def further(lines: "list[Listed]") -> "Iterator[tuple[str, list[object], bool]]":
    """Titles and cells of what only some providers say, and whether these are figures."""
    from llmctl.output.progress import size_text

    sizes: list[object] = [size_text(one.size) if one.size else None for one in lines]
    can: list[object] = [" ".join(one.capabilities) or None for one in lines]
    yield _("size"), sizes, True
    yield _("parameters"), [one.parameters for one in lines], True
    yield _("quantisation"), [one.quantisation for one in lines], False
    yield _("passed on to"), [one.elsewhere for one in lines], False
    yield _("state"), [one.lifecycle for one in lines], False
    yield _("can"), can, False
    priced = any(one.currency for one in lines)
    for title, name in (
        (_("in, 1M tokens"), "input"),
        (_("out, 1M tokens"), "output"),
        (_("currency"), "currency"),
    ):
        if priced:
            yield title, [getattr(one, name) for one in lines], True
    if any(one.ttft_s or one.output_tokens_per_s for one in lines):
        yield _("first token, s"), [one.ttft_s for one in lines], True
        yield _("tokens/s"), [one.output_tokens_per_s for one in lines], True
