"""What a job will take, by arithmetic done by hand."""

from datetime import UTC, datetime
from typing import Any

from llmctl.batch.estimating import COUNTED, Sample, Spending, estimated_job, pace_of
from llmctl.cards import Card, Endpoint, Mode, Model, Price, Source
from llmctl.dialects import DIALECTS
from llmctl.engine.route import Route
from llmctl.transport.target import Target
from llmctl.types import Chat, Level, Media, Message, Quirks, Role, Verdict, message

HOME = "https://api.a.example/v1"
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def route(
    name: str = "a/m", currency: str = "USD", *, priced: bool = True, kind: Any = "api",
    base_url: str = HOME, **more: Any,
) -> Route:  # fmt: skip
    """A model of 2 and 10 a million tokens, whose usual answer is 50 tokens."""
    provider, _slash, model = name.partition("/")
    row = Price(since="2026-11-01", currency=currency, input="2", output="10",
                modes={"batch": Mode(factor="0.5")},
                source=Source(title="list", checked="2026-11-20"))  # fmt: skip
    card = Model(id=model, prices=(row,) if priced else (), expected_output=50,
                 **{"tokenizer": "o200k", **more})  # fmt: skip
    return Route(
        requested=name, provider=provider, model=model, model_card=card,
        card=Card(card=1, id=provider, name="A", kind=kind, dialect="openai_chat", models=(card,),
                  endpoint=Endpoint(base_url=base_url)),
        dialect=DIALECTS["openai_chat"](), quirks=Quirks(),
        target=Target(provider=provider, base_url=base_url),
        verdict=Verdict(True, Level.UNKNOWN),
    )  # fmt: skip


def sample(where: Route, text: str = "hello", limit: int | None = 100) -> Sample:
    call = Chat(where.model, (message(Role.USER, text),), max_tokens=limit)
    return Sample(where, call, len(text))


def test_every_row_was_looked_at() -> None:
    """ "hello" is one token of o200k, 4 stand around a message and 3 before the answer: 8 tokens of
    input are 0.000016, 50 of an answer 0.0005, 100 at most 0.001. Two rows of it."""
    where = route()
    found = estimated_job([sample(where), sample(where)], {"a/m": 2}, at=NOON)

    one = found.models[0]
    assert (one.input_tokens, one.input_least, one.input_most) == (16, 16, 16)
    assert one.method == "exact-local"
    assert not one.sampled
    assert found.sums == {"USD": Spending(low="0.000032", usual="0.001032", high="0.002032")}
    assert one.spending == found.sums["USD"]
    assert (found.unpriced, found.seconds, found.sampled) == (0, None, False)


def test_the_others_are_taken_to_be_like_the_sample() -> None:
    """A thousand rows by one of 8 and one of 9 tokens ("hello hello")."""
    where = route()
    samples = [sample(where), sample(where, "hello hello")]
    found = estimated_job(samples, {"a/m": 1_000}, at=NOON)

    one = found.models[0]
    assert one.sampled
    assert (one.samples, one.rows, one.input_tokens) == (2, 1_000, 8_500)
    # 8,500 × 2 / 10⁶, and 1,000 × 50 × 10 / 10⁶ or twice that.
    assert one.spending == Spending(low="0.017", usual="0.517", high="1.017")


def test_rounded_to_the_careful_side() -> None:
    """Three samples of 8, 8 and 9 tokens, a million rows: 25 / 3 × 2 = 16.6666… of input."""
    where = route()
    samples = [sample(where), sample(where), sample(where, "hello hello")]
    one = estimated_job(samples, {"a/m": 1_000_000}, at=NOON).models[0]

    assert one.spending == Spending(low="16.6666", usual="516.667", high="1016.67")
    assert one.input_tokens == 8_333_333


def test_models_stand_apart_and_currencies_are_not_added() -> None:
    dollars, roubles = route(), route("b/n", "RUB")
    other = route("a/o")
    samples = [sample(dollars), sample(roubles), sample(other)]
    rows = {"a/m": 10, "b/n": 10, "a/o": 20}
    found = estimated_job(samples, rows, at=NOON)

    assert [one.model for one in found.models] == ["a/m", "b/n", "a/o"]
    assert found.rows == 40
    assert {name: one.low for name, one in found.sums.items()} == {
        "USD": "0.00048",  # 30 × 0.000016
        "RUB": "0.00016",
    }


def test_what_nobody_knows_is_not_nothing() -> None:
    known, unknown = route(), route("b/n", priced=False)
    rows = {"a/m": 1, "b/n": 7, "c/unseen": 5}
    found = estimated_job([sample(known), sample(unknown)], rows, at=NOON)

    assert found.models[1].spending == Spending()
    assert found.models[1].currency is None
    assert found.models[1].why == "no-price"
    assert found.models[2].input_tokens is None
    assert found.unpriced == 12
    assert found.sums == {"USD": found.models[0].spending}


def test_an_answer_without_a_bound_has_no_highest_price() -> None:
    where = route()
    found = estimated_job([sample(where), sample(where, limit=None)], {"a/m": 2}, at=NOON)

    assert found.sums["USD"] == Spending(low="0.000032", usual="0.001032", high=None)


def test_parts_that_are_not_counted_leave_the_least() -> None:
    where = route()
    parts = (*message(Role.USER, "hello").parts, Media("image/png", data=b"\x89PNG"))
    seen = Sample(where, Chat("m", (Message(Role.USER, parts),), max_tokens=100), 5)
    one = estimated_job([sample(where), seen], {"a/m": 2}, at=NOON).models[0]

    assert one.left_out == ("image/png",)
    assert one.input_most is None
    assert one.method == "estimate"
    assert one.low is not None
    assert (one.usual, one.high) == (None, None)


def test_what_is_free_costs_nothing_in_no_currency() -> None:
    where = route("local/x", kind="local", base_url="http://127.0.0.1:1/v1")
    one = estimated_job([sample(where)], {"local/x": 1_000}, at=NOON)

    assert one.models[0].spending == Spending(low="0", usual="0", high="0")
    assert one.models[0].is_free
    assert one.sums == {}
    assert one.unpriced == 0


def test_a_way_of_processing_has_its_price() -> None:
    found = estimated_job([sample(route())], {"a/m": 1}, at=NOON, mode="batch")

    assert found.sums["USD"].low == "0.000008"


def test_large_samples_are_not_counted_exactly() -> None:
    where = route()
    large = Sample(where, sample(where).call, COUNTED + 1)
    one = estimated_job([large], {"a/m": 1}, at=NOON).models[0]

    assert one.method == "estimate"


def test_the_time_at_a_pace() -> None:
    """64 at once, each 0.1 s: 640 rows a second."""
    pace = pace_of(64, 0.1)

    assert pace == 640
    assert estimated_job([], {"a/m": 1_000_000}, at=NOON, pace=pace).seconds == 1_562.5
    assert pace_of(64, None) is None
