"""Where a call goes: everything that was decided before the first byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmctl.messages import _
from llmctl.types import Cost, CostKind
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.cards import Card, Model
    from llmctl.dialects import Dialect
    from llmctl.keys import Secret
    from llmctl.transport.exchange import Target
    from llmctl.types import Quirks, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a call goes and how. `requested` is the name the user gave, `model` the provider's."""

    requested: str
    provider: str
    model: str
    card: Card
    model_card: Model | None
    dialect: Dialect
    quirks: Quirks
    target: Target
    verdict: Verdict
    secret: Secret | None = None

    @property
    def host(self) -> str:
        """Host and port of the endpoint; empty for the model inside this process."""
        return self.target.base_url.split("://", 1)[1].split("/", 1)[0]

    def mask(self, text: str) -> str:
        """`text` without the key, should the server have repeated it."""
        return self.secret.mask(text) if self.secret else text

    def cost(self) -> Cost:
        """What the call costs by itself: nothing where the card is of a local kind."""
        if self.card.kind == "api":
            return Cost()
        return Cost("0", "USD", CostKind.COMPUTED, _("runs on your own hardware"), None)
