"""Conditions on candidates: how they are written, what they hold against what, what is none."""

from decimal import Decimal
from typing import Any

import pytest

from llmctl.compare.figures import Figure, Line
from llmctl.compare.shape import Candidate
from llmctl.compare.where import NAMES, Miss, missed, read_where
from llmctl.cost.money import Money
from llmctl.errors import UsageError
from llmctl.types import Level, Verdict

VERDICT = Verdict(allowed=True, level=Level.NO_TRAINING, region="RU", retention_days=30)
CANDIDATE = Candidate(
    name="a", model="gigachat/a", provider="gigachat", verdict=VERDICT, weights="open",
    licence="Apache-2.0", memory=3_000_000_000,
)  # fmt: skip
LINE = Line(
    candidate=0, runs=20, succeeded=20, passed=19, judged=0.75,
    ttft=Figure(count=20, median=0.8), total=Figure(count=20, median=2.5),
    speed=Figure(count=20, median=40.0), cost=Money(Decimal("0.5"), "RUB"),
    converted=Decimal("0.005"),
)  # fmt: skip
UNKNOWN = Candidate(name="b", model="b")


def in_roubles(money: Money, currency: str) -> Decimal | None:
    """100 roubles a dollar, and nothing else is known."""
    rates = {("RUB", "USD"): Decimal("0.01"), ("USD", "RUB"): Decimal(100)}
    rate = rates.get((money.currency, currency))
    return None if rate is None else money.amount * rate


def miss(
    text: str, candidate: Candidate = CANDIDATE, line: Line = LINE, **more: Any
) -> Miss | None:
    (bound,) = read_where(text)
    return missed(bound, candidate, line, more.get("exchange", in_roubles))


HOLDS = [
    *("ttft<1", "ttft<=0.8", "ttft=0.8", "ttft<900ms", "ttft>0.7s", "ttft<1m", "ttft!=1"),
    *("total<=2500ms", "total>2", "total<0.1m", "tokens_per_s>=40", "tokens_per_s<41"),
    *("pass>=95%", "pass>=0.95", "pass<1", "judged>=75%", "judged!=0.5"),
    *("retention<=30", "retention<31d", "memory<=3GB", "memory<3GiB", "memory>2999MB"),
    *("memory<4gb", "memory>2900000000"),
    *("region=RU", "region=ru", "region!=US", "weights=open", "weights!=closed"),
    *("licence=apache-2.0", "provider=gigachat", "provider!=openai"),
    *("cost<0.51RUB", "cost<=0.5rub", "cost<0.01", "cost<=0.005USD", "cost=0.005"),
    *("privacy=no-training", "privacy>=no-training", "privacy<=no-training"),
    *("privacy>=may-train", "privacy<device", "privacy!=unknown", "privacy>unknown"),
]
MISSES = [
    ("ttft<0.8", "ttft<0.8: it is 0.8", 0.0),
    ("ttft<400ms", "ttft<400ms: it is 0.8", 1.0),
    ("total<2", "total<2: it is 2.5", 0.25),
    ("tokens_per_s>50", "tokens_per_s>50: it is 40", 0.2),
    ("pass>=100%", "pass>=100%: it is 0.95", 0.05),
    ("retention<10", "retention<10: it is 30", 2.0),
    ("memory<2GB", "memory<2GB: it is 3e+09", 0.5),
    ("cost<0.25RUB", "cost<0.25RUB: it is 0.5", 1.0),
    ("cost<0.004", "cost<0.004: it is 0.005", 0.25),
    ("region=US", "region=US: it is RU", 1.0),
    ("region!=ru", "region!=ru: it is RU", 1.0),
    ("weights=closed", "weights=closed: it is open", 1.0),
    ("privacy>=network", "privacy>=network: it is no-training", 2 / 6),
    ("privacy=device", "privacy=device: it is no-training", 3 / 6),
    ("privacy>no-training", "privacy>no-training: it is no-training", 0.0),
]


@pytest.mark.parametrize("text", HOLDS)
def test_it_holds(text: str) -> None:
    assert miss(text) is None


@pytest.mark.parametrize(("text", "why", "far"), MISSES)
def test_it_does_not_hold(text: str, why: str, far: float) -> None:
    found = miss(text)

    assert found is not None
    assert found.why == why
    assert found.far == pytest.approx(far)


@pytest.mark.parametrize("name", [one for one in NAMES if one not in ("privacy", "provider")])
@pytest.mark.parametrize("sign", ["=", "!="])
def test_what_is_not_known_does_not_hold(name: str, sign: str) -> None:
    values = {"weights": "open", "region": "RU", "licence": "MIT"}
    found = miss(f"{name}{sign}{values.get(name, '1')}", UNKNOWN, Line(candidate=0))

    assert found == Miss(why=f"{name}{sign}{values.get(name, '1')}: not known", far=1.0)


def test_a_level_that_is_not_known_is_the_worst() -> None:
    assert miss("privacy>=may-train", UNKNOWN) is not None
    assert miss("privacy=unknown", UNKNOWN) is None


def test_every_level_in_its_order() -> None:
    """`>=` takes the level and all that are better, as --privacy does."""
    for wanted in Level:
        for level in Level:
            verdict = Verdict(allowed=True, level=level)
            candidate = Candidate(name="a", model="a", verdict=verdict)
            better = list(Level).index(level) <= list(Level).index(wanted)
            assert (miss(f"privacy>={wanted}", candidate) is None) == better


# ---- money


def test_money_of_another_currency_is_converted_where_there_is_a_rate() -> None:
    assert miss("cost<0.006USD") is None
    assert miss("cost<0.004USD") is not None
    found = miss("cost<1EUR")
    assert found is not None
    assert found.why == "cost<1EUR: not known"
    assert miss("cost<0.006USD", exchange=None) is not None


def test_nothing_is_nothing_in_any_currency() -> None:
    free = Line(candidate=0, cost=Money(Decimal(0), "USD"), converted=Decimal(0))

    assert miss("cost<=0EUR", line=free, exchange=None) is None
    assert miss("cost=0", line=free) is None


def test_without_a_currency_it_is_the_one_costs_are_compared_in() -> None:
    alone = Line(candidate=0, cost=Money(Decimal("0.5"), "RUB"))

    found = miss("cost<1", line=alone)
    assert found is not None
    assert found.why == "cost<1: not known"


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("cost<0.01", 0.01, None),
        ("cost<0.01USD", 0.01, "USD"),
        ("cost<0.01 USD", 0.01, "USD"),
        ("cost < 0.01usd", 0.01, "USD"),
        ("cost<$3", 3.0, "USD"),
        ("cost<100₽", 100.0, "RUB"),
        ("cost<5", 5.0, None),
    ],
)
def test_how_money_is_written(text: str, amount: float, currency: str | None) -> None:
    (bound,) = read_where(text)

    assert (bound.value, bound.currency) == (amount, currency)


# ---- writing


def test_several_are_parted_by_blanks_or_commas() -> None:
    for text in ("cost<0.01 ttft<1s pass>=95%", "cost<0.01,ttft<1s,pass>=95%",
                 " cost < 0.01 , ttft <1 s  pass >= 95 % "):  # fmt: skip
        found = read_where(text)
        assert [(one.name, one.sign, one.value) for one in found] == [
            ("cost", "<", 0.01), ("ttft", "<", 1.0), ("pass", ">=", 0.95),
        ]  # fmt: skip


@pytest.mark.parametrize("share", range(101))
def test_a_share_is_exactly_that(share: int) -> None:
    """35 of 100 are 35 %, whatever 35 * 0.01 is in binary."""
    (bound,) = read_where(f"pass>={share}%")

    assert bound.value == share / 100


def test_units_by_hand() -> None:
    values = {
        "ttft<250ms": 0.25, "ttft<2m": 120.0, "memory<2KB": 2000.0, "memory<2KiB": 2048.0,
        "memory<1.5GB": 1.5e9, "memory<1GiB": 2.0**30, "memory<1MiB": 2.0**20, "pass>.5": None,
        "retention<7 d": 7.0, "ttft<250 ms": 0.25, "memory<8 GB": 8e9,
    }  # fmt: skip
    for text, value in values.items():
        if value is None:
            with pytest.raises(UsageError):
                read_where(text)
        else:
            assert read_where(text)[0].value == value


def test_nothing_is_no_condition() -> None:
    assert read_where(None) == read_where("") == read_where("  ") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("speed<1", "does not know speed<1"),
        ("ttft", "does not know ttft"),
        ("ttft<", "does not know ttft<"),
        ("<1", "does not know <1"),
        ("Cost<1", "does not know Cost<1"),
        ("cost<1 and ttft<1", "does not know and"),
        ("ttft<fast", "fast is no value of ttft"),
        ("ttft<1h", "1h is no value of ttft"),
        ("ttft<-1", "-1 is no value of ttft"),
        ("ttft<nan", "nan is no value of ttft"),
        ("ttft<1e400", "no value of ttft"),
        ("ttft==1", "=1 is no value of ttft"),
        ("pass>95s", "95s is no value of pass"),
        ("memory<8XB", "8XB is no value of memory"),
        ("cost<1.2.3", "1.2.3 is no value of cost"),
        ("cost<.", ". is no value of cost"),
        ("cost<cheap", "cheap"),
        ("cost<0.01EURO", "0.01"),
        ("privacy=high", "high is no value of privacy"),
        ("region>RU", "region has no order"),
        ("weights<=open", "weights has no order"),
    ],
)
def test_what_is_no_condition(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_where(text)

    assert said in str(caught.value)
