"""A route: what it costs by itself, what it shows, and what it hides."""

from typing import Any

import pytest

from llmctl.cards import Card, Endpoint
from llmctl.dialects import DIALECTS
from llmctl.engine.route import Route
from llmctl.keys import Secret
from llmctl.transport.target import Target
from llmctl.types import CostKind, Level, Quirks, Verdict

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
    for kind in ("local", "embedded"):
        cost = route(kind).cost()
        assert (cost.amount, cost.currency, cost.kind) == ("0", "USD", CostKind.COMPUTED)
    paid = route().cost()
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
