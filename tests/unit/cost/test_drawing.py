"""What pictures cost, before and after, by hand."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from llmctl import catalogue
from llmctl.cards import Card, Endpoint, Model, Price, PriceFactor, Source
from llmctl.cost.estimate import Counted, Estimate, estimated
from llmctl.cost.money import Money
from llmctl.cost.tariff import Terms, tariff
from llmctl.engine.names import find_model
from llmctl.settings import Settings
from llmctl.types import Cost, Image, Json, Usage

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
SOURCE = Source(title="price list", checked="2026-11-20")
HOME = "https://api.a.example/v1"
SOME = Counted(tokens=10, least=8, most=12, method="estimate")


def model(kind: Any = "image", limit: int | None = None, **row: Any) -> Model:
    price = Price(since="2026-11-01", currency="USD", source=SOURCE, **row)
    return Model(id="m", kind=kind, output_limit=limit, prices=(price,))


def card(**given: Any) -> Card:
    return Card(card=1, id="a", name="A", kind="api", dialect="openai_chat",
                endpoint=Endpoint(base_url=HOME), **given)  # fmt: skip


def guess(of: Model | None, count: int = 1, own: Card | None = None, **options: Json) -> Estimate:
    call = Image("m", "a fox", count=count, options=options)
    return estimated(own or card(), of, call, at=NOON, counted=SOME)


def micro(money: Money | None) -> Decimal | None:
    return None if money is None else money.amount * 1_000_000


def test_pictures_by_the_piece_are_known_beforehand() -> None:
    one = guess(model(image="0.04"), 3)

    assert micro(one.low) == micro(one.usual) == micro(one.high) == 120_000
    assert one.high_input == one.high
    assert one.token_price == 0


def test_a_price_by_the_piece_beside_that_of_the_prompt() -> None:
    one = guess(model(image="0.04", input="1", output="2"), 2)

    assert micro(one.low) == 80_000 + 8
    assert micro(one.high) == 80_000 + 12


def test_tokens_of_pictures_that_nothing_bounds_leave_the_most_unknown() -> None:
    one = guess(model(input="5", output="30"))

    assert micro(one.low) == 40
    assert (one.usual, one.high, one.high_input, one.token_price) == (None,) * 4


def test_the_longest_answer_bounds_tokens_at_the_dearest_of_their_prices() -> None:
    one = guess(model(limit=1_000, input="1", output="3", image_output="60"), 2)

    assert micro(one.high) == 12 + 60 * 1_000 * 2
    assert one.usual is None


def test_a_host_that_is_dearer_is_dearer_for_pictures_too() -> None:
    factor = PriceFactor(hosts=("api.a.example",), factor="1.1", source=SOURCE)
    one = guess(model(image="0.04"), 1, card(price_factors=(factor,)))

    assert micro(one.high) == 44_000


@pytest.mark.parametrize(
    ("of", "why"),
    [
        (model("chat", input="1", output="2"), "price-incomplete"),
        (Model(id="m", kind="image"), "no-price"),
        (None, "model-not-listed"),
        (model(output="30"), "price-incomplete"),
    ],
)
def test_what_no_row_tells_is_unknown(of: Model | None, why: str) -> None:
    one = guess(of)

    assert (one.low, one.high, one.why) == (None, None, why)
    assert one.output_limit is None


def test_on_a_free_tier_nothing_is_charged() -> None:
    own = card(free_when={"tier": "free"})
    terms = Terms(url=HOME, settings={"tier": "free"})

    one = estimated(own, model(image="1"), Image("m", "a"), at=NOON, counted=SOME, terms=terms)

    assert micro(one.high) == 0


# ---- afterwards


def cost(
    of: Model, usage: Usage | None, pictures: int | None, own: Card | None = None, **details: Json
) -> Cost:
    terms = Terms(url=(own or card()).endpoint.base_url)
    return tariff(own or card(), of, terms, NOON, details=details).cost(usage, pictures)


def test_each_picture_that_came_is_paid() -> None:
    assert cost(model(image="0.04"), None, 3).amount == "0.12"


def test_whether_a_refusal_is_charged_by_the_piece_is_not_known() -> None:
    assert cost(model(image="0.04"), None, 0) == Cost(why="usage-not-reported")


def test_tokens_of_a_model_for_pictures_are_those_of_pictures() -> None:
    assert cost(model(input="5", output="30"), Usage(10, 1_000), 1).amount == "0.03005"


def test_a_chat_that_draws_may_charge_for_it_apart() -> None:
    of = model("chat", input="1", output="2")

    assert cost(of, Usage(10, 5), 1) == Cost(why="price-incomplete")
    assert cost(of, Usage(10, 5), 0).amount == "0.00002"  # it only said no
    assert cost(of, Usage(10, 5), None).amount == "0.00002"  # it was only asked to talk


def test_openais_pictures_by_its_shipped_card() -> None:
    openai = catalogue.card("openai", Settings())
    of = find_model(openai, "gpt-image-1.5")
    assert of is not None
    both = {"image_tokens": 900, "text_tokens": 100}

    found = cost(of, Usage(10, 1_000), 1, openai, output_tokens_details=both)

    # 10 x 5 + 100 x 10 + 900 x 32, for a million tokens each.
    assert found.amount == "0.02985"
    assert cost(of, Usage(10, 1_000), 1, openai).amount is None  # of what kind is not said


def test_geminis_pictures_by_its_shipped_card() -> None:
    gemini = catalogue.card("gemini", Settings())
    of = find_model(gemini, "gemini-nano-banana-2.1")
    assert of is not None
    kinds = [{"modality": "IMAGE", "tokenCount": 1_120}]

    found = cost(of, Usage(10, 1_125), 1, gemini, candidatesTokensDetails=kinds)

    assert found.amount == "0.0336525"  # 10 x 1.5 + 5 x 7.5 + 1,120 x 30
