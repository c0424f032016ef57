"""Where a call goes: everything that was decided before the first byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmctl.messages import _
from llmctl.types import Cost, CostKind
from llmctl.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from llmctl.cards import Card, Model
    from llmctl.dialects import Dialect
    from llmctl.keys import Secret
    from llmctl.transport.exchange import Target
    from llmctl.types import Finished, Quirks, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a call goes and how. `requested` is the name the user gave, `model` the provider's.

    `elsewhere` is set for a local server that may pass a call on: the verdict should it do so.
    `passed_on` says that the model's name tells already that it does. `turn` is the file to be
    locked during a call to a provider that takes one at a time.
    """

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
    elsewhere: Verdict | None = None
    passed_on: bool = False
    turn: Path | None = None

    @property
    def host(self) -> str:
        """Host and port of the endpoint; empty for the model inside this process."""
        return self.target.host

    def mask(self, text: str) -> str:
        """`text` without the key, should the server have repeated it."""
        return self.secret.mask(text) if self.secret else text

    def cost(self) -> Cost:
        """What the call will cost by itself, as far as that is known before it."""
        return self.verdict_and_cost(None)[1]

    def verdict_and_cost(self, finished: Finished | None) -> tuple[Verdict, Cost]:
        """The privacy and the cost of a call as it went: nothing is to be paid on hardware of one's
        own, and what a local server passed on to a cloud did not stay there."""
        if self.elsewhere and (self.passed_on or (finished and finished.passed_on_to)):
            return self.elsewhere, Cost()
        if self.card.kind == "api":
            return self.verdict, stated_cost(finished, self.card.name)
        here = Cost("0", "USD", CostKind.COMPUTED, _("runs on your own hardware"), None)
        return self.verdict, here


def stated_cost(finished: Finished | None, name: str) -> Cost:
    """What the provider says it charges, which no price list could know better."""
    if finished is None or finished.reported_cost is None:
        return Cost()
    amount, currency = finished.reported_cost
    return Cost(amount, currency, CostKind.REPORTED, name)
