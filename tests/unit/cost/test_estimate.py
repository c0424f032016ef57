"""The range of a cost before anything is sent, by hand."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from llmctl.cards import Card, ContextTier, Endpoint, Mode, Model, Price, Source, Window
from llmctl.cost.asked import output_limit
from llmctl.cost.estimate import (
    EXACT_REMOTE,
    Counted,
    Estimate,
    estimated,
    exactly,
)
from llmctl.cost.money import Money
from llmctl.cost.tariff import Terms
from llmctl.output.estimates import estimate_json
from llmctl.types import Chat, Complete, Embed, Media, Message, Role, Text, message

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
SOURCE = Source(title="price list", checked="2026-11-20")
HOME = "https://api.a.example/v1"
SOME = Counted(tokens=1_000, least=800, most=1_250, method="estimate")


def model(**given: Any) -> Model:
    row = {"since": "2026-11-01", "currency": "USD", "input": "1", "output": "4", **given}
    return Model(id="m", output_limit=2_000, prices=(Price(source=SOURCE, **row),))


def card(**given: Any) -> Card:
    given = {"kind": "api", **given}
    return Card(card=1, id="a", name="A", dialect="openai_chat",
                endpoint=Endpoint(base_url=HOME), **given)  # fmt: skip


def chat(**given: Any) -> Chat:
    return Chat("m", (message(Role.USER, "hi"),), **given)


def guess(
    of: Model | None = None, own: Card | None = None, call: Any = None, **given: Any
) -> Estimate:
    given = {"counted": SOME, "at": NOON, **given}
    return estimated(own or card(), of or model(), call or chat(), **given)


def micro(money: Money | None) -> Decimal | None:
    return None if money is None else money.amount * 1_000_000


def test_low_is_the_input_alone_and_high_all_that_may_be_charged() -> None:
    one = guess()

    assert micro(one.low) == 800
    assert micro(one.high) == 1_250 + 2_000 * 4
    assert micro(one.high_input) == 1_250
    assert one.token_price == Decimal("0.000004")
    assert (one.usual, one.output_usual) == (None, None)
    assert (one.input_tokens, one.input_least, one.input_most) == (1_000, 800, 1_250)
    assert (one.price_source, one.price_date, one.vat) == ("price list", "2026-11-20", "unknown")
    assert (one.method, one.mode, one.why) == ("estimate", "standard", None)


def test_a_usual_answer_is_within_the_limit() -> None:
    own = card(expected_output=500)

    assert micro(guess(own=own).usual) == 1_000 + 500 * 4
    assert guess(own=own, call=chat(max_tokens=100)).output_usual == 100
    assert micro(guess(own=own, call=chat(max_tokens=100)).high) == 1_250 + 100 * 4


def test_an_answer_of_a_given_length_is_in_the_low_end_too() -> None:
    one = guess(output=100, counted=exactly(1_000, "given"))

    assert micro(one.low) == micro(one.usual) == micro(one.high) == 1_400


def test_without_a_bound_there_is_no_high_end() -> None:
    boundless = Model(id="m", prices=model().prices)

    one = guess(boundless)

    assert (one.output_limit, one.high) == (None, None)
    assert micro(one.low) == 800
    assert micro(one.high_input) == 1_250


def test_the_limit_of_an_answer() -> None:
    assert output_limit(chat(), Model(id="m")) is None
    assert output_limit(chat(), Model(id="m", context=9)) == 9
    assert output_limit(chat(max_tokens=5), model()) == 5
    assert output_limit(chat(max_tokens=100_000_000), model()) == 2_000
    assert output_limit(chat(max_tokens=100), Model(id="m", output_limit=50, context=40)) == 40
    assert output_limit(chat(max_tokens=5, options={"max_completion_tokens": 7}), model()) == 7
    assert output_limit(chat(options={"maxTokens": "8"}), model()) == 8
    assert output_limit(chat(options={"maxTokens": 8, "num_predict": "9"}), model()) == 9
    unbounded = Model(id="m")
    assert output_limit(chat(options={"config": {"maxOutputTokens": 1e6}}), unbounded) == 1_000_000
    assert output_limit(chat(options={"max_tokens": "many"}), model()) == 2_000
    assert output_limit(Complete("m", "a"), model()) == 2_000
    assert output_limit(Embed("m", ("a",)), model()) == 0


def test_the_price_of_writing_to_a_cache_counts_where_that_may_happen() -> None:
    written = model(cache_write="1.25")

    assert micro(guess(written).high_input) == Decimal("1562.5")
    on_request = card(cache_on_request=True)
    assert micro(guess(written, on_request).high_input) == 1_250
    asked = chat(options={"cache_control": {"type": "ephemeral"}})
    assert micro(guess(written, on_request, asked).high_input) == Decimal("1562.5")
    assert micro(guess(written).low) == 800


def test_the_dearer_way_to_write_to_a_cache_counts_where_the_request_may_ask_for_it() -> None:
    """Five minutes cost 1.25 of the input, an hour 2; 1,250 tokens of input at most."""
    written = model(cache_write="1.25", cache_write_1h="2")
    on_request = card(cache_on_request=True)

    def asking(**options: Any) -> Decimal | None:
        return micro(guess(written, on_request, chat(options=options)).high_input)

    hour = {"type": "ephemeral", "ttl": "1h"}
    assert asking() == 1_250
    assert asking(cache_control=hour) == 2_500
    assert asking(system=[{"type": "text", "text": "a", "cache_control": hour}]) == 2_500
    assert micro(guess(written).high_input) == Decimal("1562.5")  # unasked, and not for an hour


def test_each_of_several_answers_costs() -> None:
    one = guess(call=chat(max_tokens=100, options={"n": 3}))

    assert one.token_price == Decimal("0.000012")
    assert micro(one.high) == 1_250 + 3 * 100 * 4
    assert one.output_limit == 100


def test_a_threshold_between_the_ends_counts_with_its_dearer_side() -> None:
    def tiers(**prices: Any) -> Model:
        return model(tiers=(ContextTier(above_input_tokens=1_100, **prices),))

    dearer = guess(tiers(input="2", output="8"))
    assert micro(dearer.low) == 800
    assert micro(dearer.high) == 1_250 * 2 + 2_000 * 8
    cheaper = guess(tiers(input="0.5", output="2"))
    assert micro(cheaper.high) == 1_250 + 2_000 * 4
    unknown = guess(tiers(input="2"))
    assert micro(unknown.high_input) == 2_500
    assert (unknown.high, unknown.token_price) == (None, None)
    assert guess(tiers(output="8")).why == "price-incomplete"
    dear = ContextTier(above_input_tokens=900, input="3", output="12")
    after = ContextTier(above_input_tokens=1_200, input="2", output="8")
    between = guess(model(tiers=(dear, after)))  # dearest at neither of the two ends
    assert micro(between.high) == 1_250 * 3 + 2_000 * 12
    assert micro(between.low) == 800
    below = guess(tiers(input="2", output="8"), counted=exactly(1_100, "given"))
    assert micro(below.high) == 1_100 + 2_000 * 4


def test_hours_modes_and_requests() -> None:
    one = model(request="0.01", windows=(Window(utc="11:00-13:00", factor="2"),),
                modes={"batch": Mode(factor="0.5")})  # fmt: skip

    assert micro(guess(one).low) == 1_600 + 10_000
    assert micro(guess(one, mode="batch").low) == 800 + 10_000
    assert micro(guess(one, at=NOON.replace(hour=13)).low) == 800 + 10_000
    assert guess(one, mode="flex").why == "mode-not-priced"
    own = card(mode_by={"service_tier": {"flex": "batch"}})
    assert micro(guess(one, own, chat(options={"service_tier": "flex"})).low) == 10_800


def test_what_is_not_known_is_none() -> None:
    for unknown in (
        guess(Model(id="m")),
        guess(terms=Terms(url="https://proxy.example")),
        estimated(card(), None, chat(), at=NOON, counted=SOME),
    ):
        assert (unknown.low, unknown.usual, unknown.high, unknown.price_source) == (None,) * 4
        assert unknown.why is not None
        assert unknown.input_tokens == 1_000


def test_ones_own_hardware_is_free() -> None:
    one = guess(own=card(kind="local"), terms=Terms(url="http://127.0.0.1:8000"))

    assert one.low == one.high == Money(Decimal(0), "USD")
    assert one.price_source == "own hardware"
    assert one.token_price == 0


def test_counts_of_the_provider_are_taken_as_they_are() -> None:
    one = guess(counted=exactly(7, EXACT_REMOTE, ("template",)))

    assert (one.input_tokens, one.method, one.left_out) == (7, "exact-remote", ("template",))
    assert micro(one.low) == 7


def test_what_is_not_counted_has_no_bound() -> None:
    picture = Media("image/png", b"x")
    with_it = Chat("m", (Message(Role.USER, (picture, Text("hello"))),))
    one = guess(call=with_it, counted=None)
    at_home = guess(call=with_it, counted=None, own=card(kind="local"),
                    terms=Terms(url="http://127.0.0.1:8000"))  # fmt: skip
    beside = exactly(7, EXACT_REMOTE, ("template",))

    assert one.low is not None
    assert (one.usual, one.high, one.left_out) == (None, None, ("image/png",))
    assert estimate_json(one)["input_tokens_most"] is None
    assert at_home.high == Money(Decimal(0), "USD")
    assert guess(counted=beside).high is not None
    assert estimate_json(guess(counted=beside))["input_tokens_most"] == 7


def test_a_prompt_is_counted_where_no_count_is_given() -> None:
    one = guess(counted=None)

    assert one.method == "estimate"
    assert one.input_least <= 1 + 7 <= one.input_most  # one token of text, seven around it


@pytest.mark.parametrize("exact", [True, False])
def test_exact_counts_only_where_they_are_asked_for(exact: bool) -> None:
    known = Model(id="m", tokenizer="o200k", prices=model().prices)

    one = guess(known, counted=None, exact=exact)

    assert one.method == ("exact-local" if exact else "estimate")
