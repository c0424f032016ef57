"""`--where`: what must hold of a candidate, such as `cost<0.01USD ttft<800ms pass>=95%`."""

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Literal

from llmctl.compare.figures import Line
from llmctl.compare.shape import Candidate
from llmctl.cost.money import Money, read_money
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.types import Level
from llmctl.values import dataclass

Kind = Literal["money", "seconds", "share", "number", "bytes", "level", "word"]

# What can be bounded, and how its value is written.
NAMES: Mapping[str, Kind] = {
    "cost": "money", "ttft": "seconds", "total": "seconds", "tokens_per_s": "number",
    "pass": "share", "judged": "share", "retention": "number", "memory": "bytes",
    "privacy": "level", "region": "word", "weights": "word", "licence": "word", "provider": "word",
}  # fmt: skip
COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt,
    "!=": operator.ne, "=": operator.eq,
}  # fmt: skip
WRITTEN = re.compile(r"([a-z_]+)\s*(<=|>=|!=|<|>|=)\s*(\S.*)")
# The blank between a number and its unit or currency.
APART = re.compile(r"(?<=\d)\s+(?=(?:ms|s|m|d|%|[KMGkmg][Ii]?[Bb]|[A-Z]{3})(?:\s|$))")
FACTORS: Mapping[Kind, Mapping[str, float]] = {
    "seconds": {"": 1.0, "ms": 1e-3, "s": 1.0, "m": 60.0},
    "share": {"": 1.0, "%": 0.01},
    "number": {"": 1.0, "d": 1.0},
    "bytes": {"": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30},
}
FALLBACK = "cost<0.01USD ttft<1s pass>=95% region=RU"

# What so much money is in another currency; None where there is no rate.
Exchange = Callable[[Money, str], Decimal | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One condition: `value` is a number in the unit of its kind (seconds, a share, bytes, how
    private a level is: more is more private), or a word; `currency` that of money, None for the
    one costs are compared in."""

    text: str
    name: str
    sign: str
    value: float | str
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A condition that does not hold; `far` says by how much, as a share of what was wanted, 1 for
    what is not known or is a word."""

    why: str
    far: float = 1.0


def read_where(text: str | None) -> tuple[Bound, ...]:
    """The conditions; raises UsageError for one that is none."""
    spaced = re.sub(r"\s*(<=|>=|!=|<|>|=)\s*", r"\1", (text or "").replace(",", " "))
    return tuple(_bound(one) for one in APART.sub("", spaced).split())


def _bound(text: str) -> Bound:
    found = WRITTEN.fullmatch(text)
    if found is None or found[1] not in NAMES:
        raise UsageError(
            _("--where does not know {text}", text=text),
            hint=_("what it knows: {names}; such as {example}", names=", ".join(NAMES),
                   example=FALLBACK),
        )  # fmt: skip
    name, sign, value = found[1], found[2], found[3]
    kind = NAMES[name]
    if kind == "word" and sign not in ("=", "!="):
        raise UsageError(_("{name} has no order; write {name}=… or {name}!=…", name=name))
    try:
        number, currency = _read(kind, value)
    except ValueError:
        raise UsageError(
            _("{value} is no value of {name} (in --where)", value=value, name=name),
            hint=_("such as {example}", example=FALLBACK),
        ) from None
    return Bound(text=text, name=name, sign=sign, value=number, currency=currency)


def _read(kind: Kind, text: str) -> tuple[float | str, str | None]:
    """The value, and the currency of money; raises ValueError."""
    if kind == "word":
        return text, None
    if kind == "level":
        return _private(Level(text)), None
    if kind == "money":
        if re.fullmatch(r"[\d.]+", text):
            return float(text), None
        money = read_money(re.sub(r"(?<=\d)(?=[A-Za-z])", " ", text))
        return float(money.amount), money.currency
    number = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*|%)", text)
    if number is None:
        raise ValueError(text)
    amount, unit = Decimal(number[1]), number[2]
    factors = FACTORS[kind]
    if kind == "share" and not unit and amount > 1:
        raise ValueError(text)  # 95 is meant to be 95%
    key = unit.upper() if kind == "bytes" else unit
    if key not in factors:
        raise ValueError(text)
    return float(amount * Decimal(str(factors[key]))), None  # exactly: 35 * 0.01 > 0.35


def missed(
    bound: Bound, candidate: Candidate, line: Line, exchange: Exchange | None = None
) -> Miss | None:
    """Why the condition does not hold of the candidate; None where it does. What is not known does
    not hold."""
    value = _value(bound, candidate, line, exchange)
    if value is None:
        return Miss(why=_("{wanted}: not known", wanted=bound.text))
    if isinstance(value, str):
        same = value.casefold() == str(bound.value).casefold()
        if same == (bound.sign == "="):
            return None
        return Miss(why=_("{wanted}: it is {value}", wanted=bound.text, value=value))
    wanted = float(bound.value)
    if COMPARED[bound.sign](value, wanted):
        return None
    if bound.name == "privacy":
        said, far = _level(candidate).value, abs(value - wanted) / len(Level)
    else:
        said, far = f"{value:.4g}", abs(value - wanted) / max(abs(wanted), 1e-9)
    return Miss(why=_("{wanted}: it is {value}", wanted=bound.text, value=said), far=far)


def _private(level: Level) -> int:
    """So that `privacy>=no-training` takes that level and all that are better."""
    return -level.rank


def _level(candidate: Candidate) -> Level:
    return candidate.verdict.level if candidate.verdict else Level.UNKNOWN


def _value(
    bound: Bound, candidate: Candidate, line: Line, exchange: Exchange | None
) -> float | str | None:
    verdict = candidate.verdict
    match bound.name:
        case "cost":
            return _cost(bound, line, exchange)
        case "ttft":
            return line.ttft.median
        case "total":
            return line.total.median
        case "tokens_per_s":
            return line.speed.median
        case "pass":
            return line.pass_rate
        case "judged":
            return line.judged
        case "memory":
            return candidate.memory
        case "privacy":
            return _private(_level(candidate))
        case "retention":
            return verdict.retention_days if verdict else None
        case "region":
            return verdict.region if verdict else None
        case "weights":
            return None if candidate.weights == "unknown" else candidate.weights
        case "licence":
            return candidate.licence
        case _:
            return candidate.provider


def _cost(bound: Bound, line: Line, exchange: Exchange | None) -> float | None:
    """The cost of a run in the currency of the bound."""
    if bound.currency is None:
        return None if line.converted is None else float(line.converted)
    if line.cost is None:
        return None
    if line.cost.currency == bound.currency or not line.cost.amount:
        return float(line.cost.amount)
    amount = exchange(line.cost, bound.currency) if exchange is not None else None
    return None if amount is None else float(amount)
