"""When the cost of a call is looked at before it is sent, and when that would be for nothing."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from llmctl import catalogue
from llmctl.cards import Card, Endpoint, Model, Price, Source
from llmctl.cli.costly import UNASKED
from llmctl.cost.bound import at_most
from llmctl.cost.budgets import open_store
from llmctl.dialects import DIALECTS
from llmctl.engine.clearance import SMALL, cleared, has_budget
from llmctl.engine.route import Route
from llmctl.errors import BudgetRefused
from llmctl.settings import Budget, Loaded, ProviderSettings, Settings
from llmctl.transport.target import Target
from llmctl.types import Chat, Complete, Level, Quirks, Role, Verdict, message

HOME = "https://api.a.example/v1"
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
ROW = Price(since="2026-11-01", currency="USD", input="1", output="1",
            source=Source(title="list", checked="2026-11-20"))  # fmt: skip


def route(kind: Any = "api", base_url: str = HOME, **more: Any) -> Route:
    model = Model(id="m", output_limit=100, prices=(ROW,))
    return Route(
        requested="a/m", provider="a", model="m", model_card=model,
        card=Card(card=1, id="a", name="A", kind=kind, dialect="openai_chat", models=(model,),
                  endpoint=Endpoint(base_url=HOME)),
        dialect=DIALECTS["openai_chat"](), quirks=Quirks(),
        target=Target(provider="a", base_url=base_url, headers={}),
        verdict=Verdict(True, Level.UNKNOWN), **more,
    )  # fmt: skip


def loaded(**settings: Any) -> Loaded:
    return Loaded(Settings(**settings), {})


def chat(length: int, **more: Any) -> Chat:
    return Chat("m", (message(Role.USER, "a " * (length // 2)),), **more)


def test_a_small_prompt_without_a_budget_is_not_priced() -> None:
    assert cleared(route(), chat(SMALL), loaded(), at=NOON).estimate is None


def test_what_is_not_priced_is_far_from_what_is_asked_about() -> None:
    """At the dearest price in any card, and with a token for each character."""
    for provider in catalogue.shipped_ids():
        for model in catalogue.card(provider, Settings()).models:
            for row in model.prices:
                price = max(
                    Decimal(one)
                    for one in (row.input, *(tier.input for tier in row.tiers), "0")
                    if one is not None
                )
                assert price / row.unit * SMALL < UNASKED[row.currency] / 2, model.id


@pytest.mark.parametrize(
    "call",
    [
        chat(SMALL + 2),
        chat(2, schema={"type": "object"}),
        chat(2, options={"tools": [{"type": "function", "description": "a " * SMALL}]}),
        Complete("m", "", options={"suffix": "a " * SMALL}),
    ],
)
def test_a_larger_one_is(call: Chat | Complete) -> None:
    ready = cleared(route(), call, loaded(), at=NOON)

    assert ready.estimate is not None
    assert ready.estimate.low is not None


def test_on_ones_own_hardware_there_is_nothing_to_price() -> None:
    own = loaded(budget=Budget(per_call="1 USD"))

    here = route("local", "http://127.0.0.1:8000/v1")
    assert cleared(here, chat(SMALL * 2), own, at=NOON).estimate is None


def test_a_server_of_somebody_else_is_refused_under_a_budget_of_whatever_kind_it_is() -> None:
    own = loaded(budget=Budget(per_call="1 USD"))

    with pytest.raises(BudgetRefused) as caught:
        cleared(route("local", "https://api.example.com/v1"), chat(2), own, at=NOON)
    assert caught.value.reason == "unknown-cost"


@pytest.fixture
def budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    monkeypatch.setenv("LLMCTL_DATA_DIR", str(tmp_path))
    return loaded(budget=Budget(per_day="1 USD"))


def test_under_a_budget_the_prompt_counts_with_what_its_script_may_take(budget: Loaded) -> None:
    """At a millionth of a dollar a token, and a hundred tokens of an answer."""
    text = "ᏣᎳᎩ " * 100
    call = Chat("m", (message(Role.USER, text),))

    ready = cleared(route(), call, budget, at=NOON)

    assert ready.estimate is not None
    assert ready.reservation is not None
    assert ready.estimate.input_most >= at_most(text) > 900
    with open_store() as store:
        [total] = store.standing(["day 2026-11-25"])["day 2026-11-25"].values()
    assert total.reserved == Decimal(ready.estimate.input_most + 100) / 1_000_000
    ready.reservation.give_back()


def test_under_a_budget_limits_and_answers_count_as_they_are_written(budget: Loaded) -> None:
    call = chat(2, options={"max_completion_tokens": 1e6, "n": 5.0})

    with pytest.raises(BudgetRefused) as caught:
        cleared(route(), call, budget, at=NOON)
    assert "up to 5.0000" in caught.value.message


def test_under_a_budget_what_runs_at_the_provider_needs_a_yes(budget: Loaded) -> None:
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 50}

    with pytest.raises(BudgetRefused, match="what web_search_20250305 in it cost is not counted"):
        cleared(route(), chat(2, options={"tools": [search]}), budget, at=NOON)


def test_budgets_are_those_of_all_and_of_each() -> None:
    assert not has_budget(loaded())
    assert not has_budget(loaded(budget=Budget(allow_unknown_cost=True)))
    assert has_budget(loaded(budget=Budget(per_month="5 USD")))
    assert has_budget(loaded(budget=Budget(per_day="")))
    assert has_budget(loaded(providers={"b": ProviderSettings(budget=Budget(per_day="1 RUB"))}))
