"""Budgets for programs: every amount in the one way in which amounts are written."""

import json
from decimal import Decimal

import pytest

from llmctl.cli.budgets import as_json
from llmctl.cost.caps import Cap, Stand, Window
from llmctl.cost.money import Money
from llmctl.settings import Origin
from llmctl.store.reservations import Pending


def test_amounts_have_no_zeros_that_say_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    cap = Cap(
        window=Window.DAY, provider=None, money=Money(Decimal("2.00"), "USD"), scope="day",
        key="budget.per_day", origin=Origin("user"),
    )  # fmt: skip
    stand = Stand(cap=cap, spent=Decimal("0.000028000"), reserved=Decimal("0E-9"))
    pending = Pending(
        number=1, made_at="2026-11-25T00:00:00Z", provider="acme", model="m",
        amount=Decimal("1.50"), currency="USD", process=1,
    )  # fmt: skip

    as_json([stand], [pending])

    shown = json.loads(capsys.readouterr().out)
    [budget] = shown["budgets"]
    assert {name: budget[name] for name in ("limit", "spent", "reserved", "left")} == {
        "limit": "2", "spent": "0.000028", "reserved": "0", "left": "1.999972",
    }  # fmt: skip
    assert shown["open"][0]["amount"] == "1.5"
