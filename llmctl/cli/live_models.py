"""`llmctl models list PROVIDER --live`: the models of a provider by its own word."""

from typing import TYPE_CHECKING

from llmctl.messages import _

if TYPE_CHECKING:
    from llmctl.cards import Card
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
    from llmctl.engine.listing import models_of, refuse_to_ask
    from llmctl.errors import UsageError
    from llmctl.output.envelope import document

    if provider is None:
        raise UsageError(
            _("--live asks one provider; which?"),
            hint=_("such as: llmctl models list ollama --live"),
        )
    card = catalogue.card(provider, loaded.settings)
    refuse_to_ask(card, loaded)
    names = run_async(models_of(card, loaded.settings, timeout=SECONDS))
    if json:
        document({"version": 1, "live": True, "models": [row(card, name) for name in names]})
    else:
        print_table(card, names)


def row(card: "Card", name: str) -> "dict[str, Json]":
    """A model for scripts, in the shape of `models list --json`; `described` says whether the card
    has an entry for it, without which all its facts are null."""
    from llmctl.cli.model_facts import facts
    from llmctl.engine.resolve import find_model

    if (known := find_model(card, name)) is not None:
        return {**facts(card, known), "id": name, "described": True}
    from llmctl.cards import Model

    empty = facts(card, Model(id=name))
    unknown: dict[str, Json] = dict.fromkeys(empty)
    kept = ("provider", "id", "privacy")
    return {**unknown, **{key: empty[key] for key in kept}, "described": False}


def print_table(card: "Card", names: list[str]) -> None:
    from llmctl.engine.resolve import find_model
    from llmctl.output.streams import err
    from llmctl.output.table import table

    if not names:
        err(_("{name} has no model.", name=card.name) + "\n")
        return
    rows = []
    for name in names:
        known = find_model(card, name)
        rows.append(
            [
                f"{card.id}/{name}",
                known.context if known else None,
                _("yes") if known else _("no"),
                (known.retires if known else None) or "",
            ]
        )
    table([_("model"), _("context"), _("described"), _("shut down")], rows, right=(1,))
