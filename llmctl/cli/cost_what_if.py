"""`llmctl cost report --what-if`: the other models by their names, the machine by its price."""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import cache

from llmctl import catalogue
from llmctl.cards import Card, Model
from llmctl.cost.break_even import BreakEven, Hardware, Hours, Traffic, break_even, covered
from llmctl.cost.money import Money, read_money
from llmctl.cost.report import Exchange
from llmctl.cost.tariff import Tariff, tariff
from llmctl.cost.what_if import Repriced, pricing
from llmctl.engine.names import find_model
from llmctl.engine.placed import placed
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.settings import Loaded, Settings
from llmctl.store.spending import Spent
from llmctl.types import OWN_HARDWARE
from llmctl.values import dataclass

POWER = re.compile(r"(\d+(?:[.,]\d+)?)\s*([kк]?)(?:W|Вт)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A model to compare with: the prices by which it is charged today."""

    card: Card
    model: str
    charged: Tariff
    repriced: Repriced

    @property
    def name(self) -> str:
        return f"{self.card.id}/{self.model}"

    @property
    def is_own(self) -> bool:
        return self.charged.free == OWN_HARDWARE


def other(name: str, loaded: Loaded, today: datetime) -> Other:
    """Raises UsageError, NotFound for what is no model."""
    place = placed(name, loaded)
    charged = tariff(place.card, place.model_card, place.terms, today)
    alike = _counts_alike(place.name, place.model_card, loaded.settings)
    repriced = Repriced(place.name, pricing(charged), alike)
    return Other(card=place.card, model=place.model, charged=charged, repriced=repriced)


def _counts_alike(full: str, model: Model | None, settings: Settings) -> Callable[[Spent], bool]:
    """Whether a run was counted by the tokenizer of that model, as far as the cards know."""
    known = frozenset(catalogue.provider_ids(settings))

    @cache
    def alike(provider: str | None, requested: str, resolved: str | None) -> bool:
        if full in (requested, f"{provider}/{requested}", f"{provider}/{resolved}"):
            return True
        if model is None or provider not in known:
            return False
        card = catalogue.card(provider, settings)
        bare = requested.removeprefix(f"{provider}/")
        ran = (resolved and find_model(card, resolved)) or find_model(card, bare)
        if ran is None:
            return False
        if ran.tokenizer and model.tokenizer:
            return ran.tokenizer == model.tokenizer
        return ran == model or (ran.weights_of is not None and ran.weights_of == model.weights_of)

    def same(run: Spent) -> bool:
        return alike(run.provider, run.requested, run.resolved)

    return same


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the flags say of a machine of one's own."""

    price: Money
    power_w: Decimal | None
    kwh: Money | None
    tokens_per_s: Decimal | None


def machine(
    hardware: str | None, power: str | None, kwh: str | None, tokens_per_s: float | None
) -> Machine | None:
    """None where no hardware is given; raises UsageError for flags that do not go together."""
    if hardware is None:
        if power or kwh or tokens_per_s:
            raise UsageError(
                _("--power, --kwh and --tokens-per-s are about hardware"),
                hint=_('say what it costs: --hardware "1500 USD"'),
            )
        return None
    if (power is None) != (kwh is None):
        raise UsageError(
            _("energy needs both --power and --kwh"),
            hint=_('such as: --power 200W --kwh "0.2 USD"'),
        )
    return Machine(
        price=read_money(hardware),
        power_w=None if power is None else watts(power),
        kwh=None if kwh is None else read_money(kwh),
        tokens_per_s=None if tokens_per_s is None else Decimal(str(tokens_per_s)),
    )


def watts(text: str) -> Decimal:
    """`200W`, `0.2 kW`, `200`; raises UsageError for anything else."""
    found = POWER.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            _("{text} is no electrical power", text=text), hint=_("such as: 200W, 0.2kW")
        )
    return Decimal(found[1].replace(",", ".")) * (1000 if found[2] else 1)


def the_local_one(others: list[Other]) -> Other:
    """The model that the hardware is for; raises UsageError."""
    local = [one for one in others if one.is_own]
    if len(local) != 1:
        raise UsageError(
            _("--hardware needs one local model to run on it"),
            hint=_('such as: --what-if local/MODEL --hardware "1500 USD"'),
        )
    return local[0]


def paid_off(
    traffic: Traffic,
    machine: Machine,
    *,
    currency: str,
    exchange: Exchange,
    until: datetime,
) -> BreakEven:
    """The break-even in one currency, over the days from the first run on."""
    speed, hours_from = machine.tokens_per_s, Hours.GIVEN
    if speed is None:
        measured = traffic.tokens_per_s
        speed = None if measured is None else Decimal(str(round(measured, 2)))
        hours_from = Hours.ALWAYS if speed is None else Hours.MEASURED
    kwh = machine.kwh
    hardware = Hardware(
        price=exchange(machine.price.amount, machine.price.currency),
        power_w=machine.power_w,
        kwh=None if kwh is None else exchange(kwh.amount, kwh.currency),
    )
    return break_even(
        traffic.total(currency, exchange),
        traffic.output_tokens,
        covered(traffic.first, until),
        hardware,
        tokens_per_s=speed,
        hours_from=hours_from,
        today=until.date(),
    )
