"""A route: what it costs by itself, what it shows, and what it hides."""

from datetime import UTC, datetime
from typing import Any

import pytest

from llmctl.cards import Card, Endpoint, Model, Price, Source
from llmctl.dialects import DIALECTS
from llmctl.engine.route import Route, is_version
from llmctl.keys import Secret
from llmctl.transport.target import Target
from llmctl.types import (
    Chat,
    CostKind,
    Finished,
    FinishReason,
    Level,
    Quirks,
    Role,
    Usage,
    Verdict,
    message,
)
from llmctl.values import replace

KEY = "sk-" + "v" * 30


def route(kind: Any = "api", base_url: str = "https://a.example:8443/v1", **more: Any) -> Route:
    return Route(
        requested="a/m",
        provider="a",
        model="m",
        card=Card(card=1, id="a", name="A", kind=kind, dialect="openai_chat",
                  endpoint=Endpoint(base_url=base_url)),
        model_card=None,
        dialect=DIALECTS["openai_chat"](),
        quirks=Quirks(),
        target=Target(provider="a", base_url=base_url, headers={"Authorization": f"Bearer {KEY}"}),
        verdict=Verdict(True, Level.UNKNOWN),
        secret=Secret(KEY, "A_KEY"),
        **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("base_url", "host"),
    [
        ("https://a.example:8443/v1", "a.example:8443"),
        ("http://127.0.0.1", "127.0.0.1"),
        ("http://[::1]:8080/v1", "[::1]:8080"),
        ("https://me:secret@a.example/v1", "a.example"),
        ("llama:///models/a.gguf", ""),
    ],
)
def test_the_host_is_the_endpoints(base_url: str, host: str) -> None:
    assert host == route(base_url=base_url).host


def test_hardware_of_ones_own_costs_nothing_and_an_unknown_price_is_unknown() -> None:
    for kind, url in (("local", "http://127.0.0.1:8000/v1"), ("embedded", "llama://local")):
        cost = route(kind, url).verdict_and_cost(None)[1]
        assert (cost.amount, cost.currency, cost.kind) == ("0", "USD", CostKind.COMPUTED)
    rented = route("local", "https://api.example.com/v1").verdict_and_cost(None)[1]
    assert (rented.amount, rented.kind) == (None, CostKind.UNKNOWN)
    paid = route().verdict_and_cost(None)[1]
    assert (paid.amount, paid.currency, paid.kind) == (None, None, CostKind.UNKNOWN)


def test_what_a_local_server_passes_on_is_neither_free_nor_here() -> None:
    there = Verdict(True, Level.UNKNOWN)

    verdict, cost = route("local", elsewhere=there, passed_on=True).verdict_and_cost(None)

    assert verdict is there
    assert cost.amount is None


def test_the_key_is_neither_shown_nor_left_in_what_a_server_says() -> None:
    one = route()

    assert KEY not in repr(one)
    assert one.mask(f"bad key {KEY}") == "bad key ***"


# ---- what an answer cost

SOURCE = Source(title="price list", checked="2026-11-20")
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
CALL = Chat("small", (message(Role.USER, "hi"),))


def priced(name: str, price: str) -> Model:
    row = Price(since="2026-11-01", currency="USD", source=SOURCE, input=price, output=price)
    return Model(id=name, match=(f"{name}-20*",), prices=(row,))


def paid() -> Route:
    one = route()
    small, large = priced("small", "1"), priced("large", "5")
    card = replace(one.card, models=(small, large))
    return replace(one, requested="a/small", model="small", card=card, model_card=small)


def done(model: str | None = None, **more: Any) -> Finished:
    return Finished(FinishReason.STOP, Usage(1_000_000, 0), model=model, **more)


@pytest.mark.parametrize(
    ("resolved", "amount"),
    [
        (None, "1"),
        ("small", "1"),
        ("models/small", "1"),
        ("small-2026-09-01", "1"),
        ("small-0613", "1"),
        ("SMALL:2.0.28.2", "1"),
        ("large", "5"),
        ("large-2026-01-01", "5"),
        ("small-mini", None),
        ("small.1", None),
        ("somebody/else", None),
    ],
)
def test_the_model_that_answered_is_what_is_paid_for(
    resolved: str | None, amount: str | None
) -> None:
    cost = paid().verdict_and_cost(done(resolved), CALL, NOON)[1]

    assert cost.amount == amount
    assert cost.why == (None if amount else "model-not-listed")


def test_what_the_provider_states_beats_the_price_list() -> None:
    cost = paid().verdict_and_cost(done(reported_cost=("0.5", "EUR")), CALL, NOON)[1]

    assert (cost.amount, cost.currency, cost.kind) == ("0.5", "EUR", CostKind.REPORTED)


def test_a_price_holds_at_the_providers_own_host_and_at_its_time() -> None:
    elsewhere = replace(paid(), target=replace(paid().target, base_url="https://b.example/v1"))

    assert elsewhere.verdict_and_cost(done(), CALL, NOON)[1].why == "other-host"
    inherited = replace(elsewhere, inherited=True)
    assert inherited.verdict_and_cost(done(), CALL, NOON)[1].amount == "1"
    october = datetime(2026, 10, 1, tzinfo=UTC)
    assert paid().verdict_and_cost(done(), CALL, october)[1].why == "no-price"
    assert paid().verdict_and_cost(None, CALL, NOON)[1].why == "no-answer"


@pytest.mark.parametrize("reason", [FinishReason.LENGTH, FinishReason.FILTER, FinishReason.ERROR])
def test_an_answer_that_ended_badly_is_paid_for_as_far_as_its_usage_is_known(
    reason: FinishReason,
) -> None:
    cost = paid().verdict_and_cost(replace(done(), reason=reason), CALL, NOON)[1]
    unknown = paid().verdict_and_cost(Finished(reason), CALL, NOON)[1]

    assert cost.amount == "1"
    assert unknown.why == "usage-not-reported"


def test_versions() -> None:
    assert is_version("gpt-6-luna-2026-09-01", "gpt-6-luna")
    assert not is_version("gpt-6.1", "gpt-6")
    assert not is_version("gpt-6-mini", "gpt-6")
    assert not is_version("other-0613", "gpt-6")
    # One or two digits are a model of its own, with a price of its own.
    assert not is_version("claude-opus-5-6", "claude-opus-5")
    assert not is_version("claude-opus-5-12", "claude-opus-5")
    assert is_version("claude-opus-5-20260901", "claude-opus-5")
