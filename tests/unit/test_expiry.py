"""Until when facts are relied on, and the report of what nobody has checked for long."""

from datetime import date

import pytest

from llmctl.cards import (
    Card,
    Control,
    Endpoint,
    Lowered,
    Model,
    Price,
    PriceFactor,
    Privacy,
    Source,
)
from llmctl.expiry import dated_facts, expires_on, is_stale
from llmctl.types import Level
from llmctl.values import replace
from tests.expiry import due, report, shipped


# 90 days: November has 30 days, December and January 31; 2028 is a leap year.
@pytest.mark.parametrize(
    ("source", "last"),
    [
        (Source(title="t", checked="2026-11-23"), date(2027, 2, 21)),
        (Source(title="t", checked="2027-12-31"), date(2028, 3, 30)),
        (Source(title="t", checked="2026-11-23", expires="2026-12-01"), date(2026, 12, 1)),
        (Source(title="t", checked="2026-11-23", expires="2028-01-01"), date(2028, 1, 1)),
    ],
)
def test_the_last_day_of_a_fact(source: Source, last: date) -> None:
    assert expires_on(source) == last
    assert not is_stale(source, last)
    assert is_stale(source, last.replace(day=last.day + 1))


def test_a_date_that_is_none() -> None:
    with pytest.raises(ValueError, match="soon"):
        expires_on(Source(title="t", checked="soon"))


PRICES = Source(title="Prices", checked="2026-01-01", url="https://a.example/prices")
CARD = Card(
    card=1, id="acme", name="Acme", kind="api", dialect="openai_chat",
    endpoint=Endpoint(base_url="https://a.example"),
    source=Source(title="Models", checked="2026-02-01"),
    price_factors=(
        PriceFactor(
            hosts=("eu.a.example",),
            factor="1.1",
            source=Source(title="Regions", checked="2026-03-01", expires="2026-04-10"),
        ),
    ),
    controls=(
        Control(name="store=false", value=False, effect="e", body="store",
                source=Source(title="Storing", checked="2026-02-20")),
    ),
    privacy=(
        Privacy(
            level=Level.NO_TRAINING, tier="paid",
            source=Source(title="Terms", checked="2026-03-15", expires="2026-04-20"),
            sources={"regions": Source(title="Places", checked="2026-03-01")},
            lowered=(
                Lowered(feature="batch", level=Level.MAY_TRAIN, note="n"),
                Lowered(feature="files", level=Level.MAY_TRAIN, note="n",
                        source=Source(title="Files", checked="2026-03-02")),
            ),
        ),
        Privacy(level=Level.MAY_TRAIN, when={"tier": "free"},
                source=Source(title="Terms", checked="2026-03-15", expires="2026-05-05")),
    ),
    models=(
        Model(
            id="small",
            source=Source(title="Small", checked="2026-02-15"),
            prices=(
                Price(since="2026-01-01", currency="USD", source=PRICES),
                Price(since="2025-06-01", currency="USD", source=PRICES),
            ),
        ),
    ),
)  # fmt: skip


def test_every_fact_with_its_last_day() -> None:
    assert [(one.what, one.until.isoformat()) for one in dated_facts(CARD)] == [
        ("what has no source of its own", "2026-05-02"),  # 1 February and 90 days
        ("the price factor at eu.a.example", "2026-04-10"),
        ("the control store=false", "2026-05-21"),
        ("privacy (paid tier)", "2026-04-20"),
        ("privacy (paid tier): regions", "2026-05-30"),
        ("privacy (paid tier): files", "2026-05-31"),
        ("privacy (tier=free)", "2026-05-05"),
        ("the model small", "2026-05-16"),
        ("the price of small since 2026-01-01", "2026-04-01"),
        ("the price of small since 2025-06-01", "2026-04-01"),
    ]


@pytest.mark.parametrize(
    ("today", "names"),
    [
        ("2026-03-18", []),
        ("2026-03-19", ["the price of small since 2026-01-01",
                        "the price of small since 2025-06-01"]),
        ("2026-04-07", ["the price of small since 2026-01-01",
                        "the price of small since 2025-06-01",
                        "the price factor at eu.a.example", "privacy (paid tier)"]),
    ],
)  # fmt: skip
def test_what_is_due_within_a_fortnight(today: str, names: list[str]) -> None:
    assert [one.what for one in due([CARD], date.fromisoformat(today))] == names


def test_the_report_says_what_to_check_a_line_for_each_source() -> None:
    assert list(report([CARD], date(2026, 4, 7))) == [
        "2 facts of the cards are out of date on 2026-04-07, 2 more will be within 14 days",
        "acme: the price of small since 2026-01-01 and 1 more expired on 2026-04-01: Prices"
        " <https://a.example/prices>",
        "acme: the price factor at eu.a.example expires on 2026-04-10: Regions",
        "acme: privacy (paid tier) expires on 2026-04-20: Terms",
    ]


def test_nothing_to_do() -> None:
    fresh = replace(CARD, models=(), privacy=(), price_factors=(), controls=())

    assert list(report([fresh], date(2026, 4, 1))) == [
        "0 facts of the cards are out of date on 2026-04-01, 0 more will be within 14 days"
    ]


def test_the_shipped_cards_can_be_reported_on() -> None:
    """Every one is there; long after this project nothing of them is relied on."""
    cards = list(shipped())
    lines = list(report(cards, date(2100, 1, 1)))

    assert len(cards) > 15
    assert {line.partition(":")[0] for line in lines[1:]} == {one.id for one in cards}
