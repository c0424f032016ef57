"""Clears a call for sending, and says on a terminal what takes so long where it does."""

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from llmctl.messages import _

if TYPE_CHECKING:
    from llmctl.engine.clearance import Cleared
    from llmctl.engine.route import Route
    from llmctl.privacy.screening import Screened
    from llmctl.settings import Loaded
    from llmctl.types import Call


def cleared_patiently(
    route: "Route",
    call: "Call",
    loaded: "Loaded",
    *,
    quiet: bool,
    run: str | None = None,
    earlier: "Screened | None" = None,
) -> "Cleared":
    """What `llmctl.engine.clearance.cleared` gives and raises."""
    from llmctl.engine.clearance import cleared

    with while_searching(length(call), quiet=quiet):
        return cleared(route, call, loaded, run=run, earlier=earlier)


def while_searching(length: int, *, quiet: bool = False) -> AbstractContextManager[None]:
    """For the time in which so many characters are searched."""
    from llmctl.privacy.searching import LARGE

    if length < LARGE:
        return nullcontext()
    from llmctl.output.waiting import told_if_long

    text = _("Searching {size:.2f} million characters for secrets and personal data ...",
             size=length / 1e6)  # fmt: skip
    return told_if_long(text, quiet=quiet)


def length(call: "Call") -> int:
    """Characters of the prompt."""
    from llmctl.types import Chat, Count, Embed

    if isinstance(call, Chat | Count):
        return sum(len(one.text) for one in call.messages)
    return sum(map(len, call.texts)) if isinstance(call, Embed) else len(call.prompt)
