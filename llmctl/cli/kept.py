"""The user's ledger, and how much of a run goes into it, by the settings."""

from typing import TYPE_CHECKING

from llmctl import settings

if TYPE_CHECKING:
    from llmctl.settings import Loaded
    from llmctl.store.ledger import Ledger


def open_ledger(loaded: "Loaded | None" = None) -> "Ledger":
    """The ledger, with the retention of the settings (read anew where they are not given)."""
    from llmctl.store.ledger import Ledger

    own = (loaded or settings.load()).settings
    return Ledger(settings.paths().data / "ledger.db", retention_days=own.log.keep_days)


def kept_mode(loaded: "Loaded | None" = None) -> str:
    """What is kept of a run: full, meta or off. A policy against bodies turns full into meta."""
    return kept_by(loaded or settings.load())[0]


def kept_by(loaded: "Loaded") -> tuple[str, str]:
    """The same, and by what: policy, or the layer of settings (flag, user, …)."""
    own = loaded.settings
    if own.log.mode == "full" and not own.policy.log_bodies:
        return "meta", "policy"
    return own.log.mode, loaded.origin("log.mode").kind
