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
    picked = choices[0] if len(choices) == 1 else _ask(choices)
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
        if one.model and one.model != fallback:
            yield Choice(one.model, about(one.provider, loaded))


def about(provider: str, loaded: "Loaded") -> str:
    """Price and privacy level in a few words."""
    card = catalogue.card(provider, loaded.settings)
    price = _("paid") if card.kind == "api" else _("free")
    level = card.privacy[0].level.value if card.privacy else "unknown"
    return f"{card.name}, {price}, {level}"


def _ask(choices: list[Choice]) -> Choice:
    err(_("Which model shall answer? It becomes the default.") + "\n")
    for number, one in enumerate(choices, 1):
        err(f"  {number}  {safe_line(one.model)}  ({safe_line(one.about)})\n")
    while True:
        err(_("Number [{last}]: ", last=len(choices)))
        typed = input().strip() or str(len(choices))
        if typed.isascii() and typed.isdigit() and 1 <= int(typed) <= len(choices):
            return choices[int(typed) - 1]
