"""The caps that hold for the calls to one provider, looked up once for many calls."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmctl.cost.caps import Exchange, allows_unknown, caps_of, scopes_of

if TYPE_CHECKING:
    from llmctl.settings import Loaded


class Rules:
    """`caps` of a provider in a run on the day of `at` (UTC), the `scopes` that its calls count
    under, the `exchange` by which caps look at other currencies."""

    def __init__(self, loaded: "Loaded", provider: str, run: str, at: datetime) -> None:
        self.caps = caps_of(loaded, provider, run, at)
        self.scopes = scopes_of(self.caps, provider, at)
        self.exchange = Exchange(loaded, at.astimezone(UTC).date())
        self.allows_unknown = allows_unknown(loaded, provider)
