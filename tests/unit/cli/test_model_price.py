"""Prices of models as they are shown: per million tokens, and unknown is never nothing."""

from datetime import UTC, datetime

import pytest

from llmctl.cards import Card, ContextTier, Endpoint, Mode, Model, Price, Setting, Source, Window
from llmctl.cli.model_price import column, in_force, in_words, per_million, price_facts
from llmctl.cost.tariff import Tariff
from llmctl.settings import ProviderSettings
from llmctl.types import OWN_HARDWARE

SOURCE = Source(title="Acme, Pricing", checked="2026-11-01", confidence="low")
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
OWN = Tariff(at=NOON, free=OWN_HARDWARE)


def card(*, kind: str = "api") -> Card:
    return Card(
        card=1, id="acme", name="Acme", kind=kind, dialect="openai_chat",  # type: ignore[arg-type]
        endpoint=Endpoint(base_url="https://a.example"), free_when={"scope": "FREE"},
        currency="RUB",
        settings=(Setting(name="scope", help="h", choices=("PERS", "B2B"), default="PERS"),),
    )  # fmt: skip


def by(price: Price | None) -> Tariff:
    return Tariff(at=NOON, row=price, why=None if price else "no-price")


def row(**figures: object) -> Price:
    return Price(since="2026-01-01", currency="RUB", source=SOURCE, **figures)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("figure", "unit", "shown"),
    [
        ("0.80", 1000, "800"),
        ("0.065", 1000, "65"),
        ("0.0375", 1_000_000, "0.0375"),
        ("10", 1_000_000, "10"),
        ("100", 1_000_000, "100"),
        ("0", 1000, "0"),
        (None, 1000, None),
    ],
)
def test_per_million_tokens(figure: str | None, unit: int, shown: str | None) -> None:
    assert per_million(figure, row(unit=unit)) == shown


@pytest.mark.parametrize(
    ("price", "shown"),
    [
        (row(input="0.8", output="1.2", unit=1000), "800 / 1200 RUB"),
        (row(input="2"), "2 RUB"),  # an embedding has no output
        (row(output="2"), "? / 2 RUB"),
        (row(input="0", output="0"), "0 / 0 RUB"),
        (row(image="5"), "unknown"),
        (None, "unknown"),
    ],
)
def test_the_column(price: Price | None, shown: str) -> None:
    assert column(by(price)) == shown


def test_hardware_of_ones_own_charges_nothing() -> None:
    facts = price_facts(OWN)

    assert facts is not None
    assert (facts["input"], facts["output"], facts["currency"]) == ("0", "0", None)
    assert column(OWN) == "none"
    assert list(in_words(OWN)) == [("price", "none: it runs on hardware of your own")]


def test_a_price_that_depends_on_a_setting() -> None:
    model = Model(id="m", prices=(row(input="1", when={"scope": "B2B"}),))

    def found(**extra: str) -> Tariff:
        return in_force(card(), model, ProviderSettings(extra=extra), NOON)

    assert found().why == "no-price"
    assert column(found(scope="B2B")) == "1 RUB"
    assert list(in_words(found(scope="FREE"))) == [
        ("price", "none: free of charge under your settings")
    ]


def test_at_an_address_of_somebody_else_no_price_is_known() -> None:
    model = Model(id="m", prices=(row(input="1"),))
    gateway = ProviderSettings(base_url="https://gw.example/v1")

    for kind in ("api", "local"):
        elsewhere = in_force(card(kind=kind), model, gateway, NOON)
        assert price_facts(elsewhere) is None
        assert column(elsewhere) == "unknown"
        [(_label, text)] = in_words(elsewhere)
        assert text.startswith("unknown: the address is not the provider's own")
    inherited = ProviderSettings(base_url="https://gw.example/v1", facts="inherit")
    assert column(in_force(card(), model, inherited, NOON)) == "1 RUB"


def test_for_scripts_every_key_is_there_and_what_is_unknown_is_null() -> None:
    price = row(
        input="0.5", output="1.2", unit=1000, vat="included", search="3",
        tiers=(ContextTier(above_input_tokens=1000, input="1", output="2"),),
        modes={"async": Mode(factor="0.5", output="1.00")},
        windows=(Window(utc="01:00-04:00", factor="2", days=("mon",)),),
    )  # fmt: skip
    facts = price_facts(by(price))
    bare = price_facts(by(row()))

    assert facts is not None
    assert bare is not None
    assert facts.keys() == bare.keys() == price_facts(OWN).keys()  # type: ignore[union-attr]
    assert (facts["input"], facts["output"], facts["cache_read"]) == ("500", "1200", None)
    assert (facts["search"], facts["vat"], facts["currency"]) == ("3", "included", "RUB")
    assert facts["tiers"] == [
        {"above_input_tokens": 1000, "rule": "cliff", "input": "1000", "output": "2000",
         "cache_read": None, "cache_write": None, "cache_write_1h": None}
    ]  # fmt: skip
    assert facts["modes"]["async"]["output"] == "1000"
    assert facts["modes"]["async"]["factor"] == "0.5"
    assert facts["windows"] == [{"utc": "01:00-04:00", "factor": "2", "days": ["mon"]}]
    assert facts["source"]["confidence"] == "low"
    assert bare["input"] is None
    assert price_facts(by(None)) is None


def test_in_words() -> None:
    price = row(
        input="2", output="10", cache_read="0", vat="included", search="0.01",
        cache_write="2.5", cache_write_1h="4",
        tiers=(ContextTier(above_input_tokens=272_000, input="4", output="15", cache_read="0.2"),),
        modes={"batch": Mode(factor="0.5", cache_factor="1"), "async": Mode(input="1.50"),
               "fast": Mode(factor="2", output="9")},
        windows=(Window(utc="01:00-04:00", factor="2", days=("mon", "fri")),),
    )  # fmt: skip

    assert [text for _label, text in in_words(by(price))] == [
        "input 2, output 10, read from cache 0, written to cache 2.5, for an hour 4 RUB per million"
        " tokens with VAT, since 2026-01-01",
        "from 272001 tokens of input on: input 4, output 15, read from cache 0.2",
        "batch: times 0.5, read from cache times 1",
        "async: input 1.5",
        "fast: output 9, times 2",
        "times 2 at 01:00-04:00 UTC mon fri",
        "a search 0.01 RUB",
        "by: Acme, Pricing (low confidence), checked 2026-11-01",
    ]
    assert list(in_words(by(None))) == [("price", "unknown")]
