"""`llmctl models list PROVIDER --live`: the models of a provider by its own word."""

from typing import TYPE_CHECKING

from llmctl.messages import _

if TYPE_CHECKING:
    from llmctl.cards import Card
    from llmctl.dialects import Listed
    from llmctl.settings import Loaded
    from llmctl.types import Json

# A list is short work for every server; one that takes longer has a problem.
SECONDS = 30.0


def list_live(provider: str | None, loaded: "Loaded", *, json: bool) -> None:
    """Ask the provider and print what it has, in its own order, with what its card knows of each.

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
    models = run_async(published(card, loaded.settings, timeout=SECONDS))
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
    }


def print_table(card: "Card", models: "list[Listed]") -> None:
    from llmctl.engine.resolve import find_model
    from llmctl.output.streams import err
    from llmctl.output.table import table

    if not models:
        err(_("{name} has no model.", name=card.name) + "\n")
        return
    lines = [line for one in models for line in (one.offers or (one,))]
    priced = any(line.currency for line in lines)
    timed = any(line.ttft_s or line.output_tokens_per_s for line in lines)
    headers = [_("model"), _("context"), _("described"), _("shut down")]
    if priced:
        headers += [_("in, 1M tokens"), _("out, 1M tokens"), _("currency")]
    if timed:
        headers += [_("first token, s"), _("tokens/s")]
    rows = []
    for line in lines:
        known = find_model(card, line.name)
        cells: list[object] = [
            f"{card.id}/{line.name}",
            line.context or (known.context if known else None),
            _("yes") if known else _("no"),
            (known.retires if known else None) or "",
        ]
        if priced:
            cells += [line.input, line.output, line.currency]
        if timed:
            cells += [line.ttft_s, line.output_tokens_per_s]
        rows.append(cells)
    right = {number for number, name in enumerate(headers) if number not in (0, 2, 3)}
    table(headers, rows, right=right)
