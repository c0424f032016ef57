"""Texts cut into requests, by number and by tokens."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from llmctl.cards import Card, Endpoint, Limits, Model
from llmctl.engine.cutting import (
    LANES,
    LANES_HERE,
    PLAIN,
    USUAL,
    USUAL_HERE,
    Plan,
    cut,
    planned,
    weight,
)
from llmctl.engine.embedding import Item
from llmctl.errors import Rejected, UsageError
from llmctl.settings import Loaded, ProviderSettings, Settings
from llmctl.values import replace
from tests.unit.engine.test_clearance import route

WORD = "word "


def plan(texts: int = 100, tokens: int | None = None) -> Plan:
    return Plan(texts=texts, tokens=tokens, lanes=1)


def sizes(texts: Iterable[str], how: Plan, model: Model | None = None) -> list[int]:
    async def source() -> AsyncIterator[Item]:
        for index, text in enumerate(texts):
            yield Item(index, text, index + 1)

    async def run() -> list[int]:
        found: list[Item] = []
        lengths = []
        async for one in cut(source(), how, model):
            lengths.append(len(one))
            found.extend(one)
        assert [item.index for item in found] == [*range(len(found))]
        return lengths

    return asyncio.run(run())


def test_by_number() -> None:
    assert sizes("abcdefg", plan(texts=3)) == [3, 3, 1]


def test_by_tokens() -> None:
    """A short text is taken to have a token a byte: 40 bytes into requests of 100."""
    assert sizes(["x" * 40] * 5, plan(tokens=100)) == [2, 2, 1]


def test_bytes_are_counted_and_not_letters() -> None:
    assert sizes(["ж" * 40] * 3, plan(tokens=100)) == [1, 1, 1]


def test_a_text_longer_than_a_request_goes_alone() -> None:
    assert sizes(["x" * 10, "x" * 400, "x" * 10], plan(tokens=100)) == [1, 1, 1]


def test_a_long_text_is_counted_better_than_by_its_bytes() -> None:
    """Two hundred words are a thousand bytes and, with the margin of the estimate, at most twice
    as many tokens as words."""
    size = weight(Item(0, WORD * 200), None)

    assert len(WORD * 200) > PLAIN
    assert 200 <= size <= 400


def test_a_text_that_no_estimate_makes_fit_is_refused_by_its_line() -> None:
    model = Model(id="m", context=100)

    with pytest.raises(Rejected, match=r"^line 7: the text has at least \d+ tokens") as caught:
        weight(Item(6, WORD * 400, 7), model)
    assert caught.value.reason == "context"


def test_a_text_that_may_fit_is_the_providers_to_judge() -> None:
    assert weight(Item(0, WORD * 110), Model(id="m", context=100)) > 100


def test_what_came_before_an_error_of_the_source_is_sent() -> None:
    async def source() -> AsyncIterator[Item]:
        yield Item(0, "a")
        raise UsageError("line 2")

    async def run() -> None:
        found = cut(source(), plan(), None)
        assert [item.text for item in await anext(found)] == ["a"]
        with pytest.raises(UsageError, match="line 2"):
            await anext(found)

    asyncio.run(run())


# ---- the plan


def planned_for(
    kind: str = "api", *, texts: int | None = None, lanes: int | None = None, **limits: Any
) -> Plan:
    way = route(kind)
    card = replace(way.card, limits=Limits(**limits))
    return planned(replace(way, card=card), Loaded(Settings(), {}), texts=texts, lanes=lanes)


def test_nobody_says_anything() -> None:
    assert planned_for() == Plan(texts=USUAL, tokens=None, lanes=LANES)
    assert (planned_for("local").texts, planned_for("local").lanes) == (USUAL_HERE, LANES_HERE)
    assert planned_for("embedded", lanes=4).lanes == 1


def test_the_card_bounds_what_is_usual_without_a_word() -> None:
    found = planned_for(embed_texts=1, embed_tokens=300, concurrency=1)

    assert found == Plan(texts=1, tokens=300, lanes=1)


def test_the_card_bounds_what_the_user_asks_for_and_says_so() -> None:
    found = planned_for(texts=500, lanes=9, embed_texts=100, concurrency=2)

    assert (found.texts, found.lanes) == (100, 2)
    assert [note.code for note in found.notes] == ["batch-size", "concurrency"]


def test_the_user_asks_for_less() -> None:
    found = planned_for(texts=5, lanes=1, embed_texts=100)

    assert (found.texts, found.lanes, found.notes) == (5, 1, ())


def test_the_settings_know_an_account_better_than_the_card() -> None:
    own = Loaded(
        Settings(providers={"a": ProviderSettings(concurrency=3, requests_per_minute=120)}), {}
    )
    way = route()
    card = replace(way.card, limits=Limits(concurrency=1, embed_requests_per_minute=600))

    found = planned(replace(way, card=card), own, texts=None, lanes=8)

    assert (found.lanes, found.every_s) == (3, 0.5)


def test_a_pace_of_the_card() -> None:
    assert planned_for(embed_requests_per_minute=600).every_s == 0.1


def test_a_card_is_complete_without_limits() -> None:
    card = Card(card=1, id="a", name="A", kind="api", dialect="d", endpoint=Endpoint(base_url="u"))

    assert card.limits.embed_texts is None
