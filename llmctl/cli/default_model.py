"""Which model answers when none is named: the default of the settings, else a choice made once on
a terminal, else the embedded model. Never a provider that merely happens to have a key."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from llmctl import catalogue, settings
from llmctl.messages import _
from llmctl.output.streams import err
from llmctl.output.terminal import Terminal, safe_line
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.settings import Loaded


# What a server on this machine takes to say which models it has, and how many of them are shown.
LISTING_SECONDS = 1.0
MOST_MODELS = 5


@dataclass(frozen=True, slots=True)
class Choice:
    model: str
    about: str


def choose(loaded: "Loaded", terminal: Terminal, *, may_ask: bool) -> str:
    """The name of a model; what is chosen on a terminal becomes the default."""
    fallback = embedded(loaded)
    if not (may_ask and terminal.stdin_is_tty and terminal.stderr.is_tty):
        return fallback
    choices = [*_found(loaded), Choice(fallback, _("small demo model inside llmctl, free, device"))]
    if len(choices) == 1:
        return fallback  # nothing to choose from, so nothing to store either
    picked = _ask(choices)
    settings.set_value("defaults.model", picked.model)
    err(_("{model} is the default from now on (change it: llmctl models default MODEL).",
          model=picked.model) + "\n")  # fmt: skip
    return picked.model


def embedded(loaded: "Loaded") -> str:
    """The model that runs inside this process, by the first card of that kind."""
    for provider in catalogue.provider_ids(loaded.settings):
        card = catalogue.card(provider, loaded.settings)
        if card.kind == "embedded" and card.default_model:
            return f"{card.id}/{card.default_model}"
    raise AssertionError("no card of the kind embedded is shipped")


def _found(loaded: "Loaded") -> Iterator[Choice]:
    from llmctl.engine.survey import survey

    fallback = embedded(loaded)
    for one in survey(loaded.settings):
        names = served(one.provider, loaded) if one.kind == "server" else [one.model]
        for name in names:
            if name and name != fallback:
                yield Choice(name, about(one.provider, loaded))


def served(provider: str, loaded: "Loaded") -> list[str]:
    """The models of a server on this machine, those left out that it passes on to a cloud."""
    from llmctl.cli.loop import run_async
    from llmctl.engine.listing import models_of
    from llmctl.engine.names import runs_elsewhere
    from llmctl.errors import LlmctlError

    card = catalogue.card(provider, loaded.settings)
    try:
        names = run_async(models_of(card, loaded.settings, timeout=LISTING_SECONDS))
    except LlmctlError:  # it is not the server that its port stands for, or wants a key
        return []
    own = [name for name in names if not runs_elsewhere(card, name)]
    return [f"{provider}/{name}" for name in own[:MOST_MODELS]]


def about(provider: str, loaded: "Loaded") -> str:
    """Price and privacy level in a few words."""
    from llmctl.privacy.levels import HERE
    from llmctl.privacy.standing import usual_level

    card = catalogue.card(provider, loaded.settings)
    level = usual_level(card, loaded.settings)
    price = _("free") if level in HERE else _("paid")
    return f"{card.name}, {price}, {level.value}"


def _ask(choices: list[Choice]) -> Choice:
    err(_("Which model shall answer? It becomes the default.") + "\n")
    for number, one in enumerate(choices, 1):
        err(f"  {number}  {safe_line(one.model)}  ({safe_line(one.about)})\n")
    while True:
        err(_("Number [{last}]: ", last=len(choices)))
        typed = input().strip() or str(len(choices))
        if typed.isascii() and typed.isdigit() and 1 <= int(typed) <= len(choices):
            return choices[int(typed) - 1]
