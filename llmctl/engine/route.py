"""Where a call goes: everything that was decided before the first byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmctl.types import NOTHING, Cost, CostKind
from llmctl.values import dataclass

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from llmctl.cards import Card, Model
    from llmctl.cost.tariff import Terms
    from llmctl.dialects import Dialect
    from llmctl.keys import Secret
    from llmctl.transport.exchange import Target
    from llmctl.types import Call, Finished, Quirks, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a call goes and how. `requested` is the name the user gave, `model` the provider's.

    `elsewhere` is set for a local server that may pass a call on: the verdict should it do so.
    `passed_on` says that the model's name tells already that it does. `inherited` says that the
    card's facts hold whatever the host, as the user's settings have it. `turn` is the file to be
    locked during a call to a provider that takes one at a time. `mode` is a way of processing that
    the request itself does not name, since it goes in by another door (`batch`): a price has it
    among its `modes`, privacy among what lowers a level.
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
    inherited: bool = False
    turn: Path | None = None
    mode: str | None = None

    @property
    def host(self) -> str:
        """Host and port of the endpoint; empty for the model inside this process."""
        return self.target.host

    def mask(self, text: str) -> str:
        """`text` without the key, should the server have repeated it."""
        return self.secret.mask(text) if self.secret else text

    def terms(self, call: Call | None = None) -> Terms:
        """What the price of a call depends on beside card and model."""
        from llmctl.cost.tariff import Terms, media_of

        return Terms(
            url=self.target.base_url,
            inherit=self.inherited,
            passed_on=self.passed_on,
            settings=self.quirks.settings,
            options=NOTHING if call is None else call.options,
            media=frozenset() if call is None else media_of(call),
        )

    @property
    def is_free(self) -> bool:
        """Whether nothing is charged, whatever is sent: on hardware of the user's own."""
        from llmctl.privacy.levels import is_own

        own = self.inherited or is_own(self.card, self.target.base_url)
        return self.card.kind != "api" and not self.passed_on and own

    def verdict_and_cost(
        self,
        finished: Finished | None,
        call: Call | None = None,
        at: datetime | None = None,
        pictures: int | None = None,
    ) -> tuple[Verdict, Cost]:
        """The privacy and the cost of a call as it went, that began at a moment of UTC: nothing is
        to be paid on hardware of one's own, and what a local server passed on to a cloud did not
        stay there. Without an answer (`finished`) a cost is not known. `pictures` is how many came
        where some were asked for."""
        if self.elsewhere and (self.passed_on or (finished and finished.passed_on_to)):
            return self.elsewhere, Cost(why="passed-on")
        return self.verdict, self._cost(finished, call, at, pictures)

    def _cost(
        self,
        finished: Finished | None,
        call: Call | None,
        at: datetime | None,
        pictures: int | None,
    ) -> Cost:
        if finished is not None and finished.reported_cost is not None:
            # No price list could know better.
            return Cost(*finished.reported_cost, CostKind.REPORTED, self.card.name)
        if finished is None and not self.is_free:
            return Cost(why="no-answer")
        from datetime import UTC, datetime

        from llmctl.cost.tariff import tariff

        charged = tariff(
            self.card,
            self._answering(finished.model if finished else None),
            self.terms(call),
            at or datetime.now(UTC),
            mode=self.mode,
            details=finished.details if finished else None,
        )
        return charged.cost(finished.usage if finished else None, pictures)

    def _answering(self, resolved: str | None) -> Model | None:
        """The card's entry for the model that has answered; None for one that it does not list,
        whatever was asked for."""
        if resolved is None:
            return self.model_card
        from llmctl.engine.names import find_model

        resolved = resolved.removeprefix("models/")
        names = (self.model, self.model_card.id if self.model_card else self.model)
        return find_model(self.card, resolved) or (
            self.model_card if any(is_version(resolved, name) for name in names) else None
        )


def is_version(resolved: str, name: str) -> bool:
    """Whether `resolved` is `name` with a date or a number of its version (`-2026-09-01`, `-0613`,
    `:2.0.28.2`), not a name that only begins alike (`-mini`, `.1`)."""
    import re

    rest = resolved.lower().removeprefix(name.lower())
    same = len(rest) < len(resolved) or not name
    return same and re.fullmatch(r"(?:[-@]\d{3,}[\d.-]*|:\d[\d.]*)?", rest) is not None
