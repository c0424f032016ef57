"""What is said of a job before it is sent."""

import json

from llmctl.batch.estimating import Estimated, OfModel, Spending
from llmctl.output.batch_estimate import estimate_text, job_estimate_json
from llmctl.output.columns import cells
from llmctl.output.envelope import json_text
from llmctl.values import replace
from tests.unit.output.batches import HOSTILE

PAID = OfModel(
    model="openai/gpt-6-luna",
    rows=900_000,
    samples=200,
    sampled=True,
    input_tokens=12_345_678,
    input_least=11_000_000,
    input_most=14_000_000,
    method="estimate",
    spending=Spending(low="41.2", usual="80", high="118"),
    currency="USD",
)
FREE = OfModel(
    model="local/smollm2-135m",
    rows=10,
    samples=10,
    sampled=False,
    input_tokens=100,
    input_least=100,
    input_most=100,
    method="exact-local",
    spending=Spending(low="0", usual="0", high="0"),
    is_free=True,
)
UNPRICED = OfModel(
    model="vllm/mine", rows=7, samples=7, sampled=False, input_tokens=50, input_least=40,
    method="exact-local", left_out=("image/png",), why="model-not-listed",
)  # fmt: skip


def test_a_job_of_one_model() -> None:
    found = Estimated(rows=900_000, models=(PAID,), sums={"USD": PAID.spending}, seconds=1620.0)

    assert estimate_text(found) == (
        "rows    900,000\n"
        "tokens  12,345,678 in · between 11,000,000 and 14,000,000 · an estimate\n"
        "        reckoned from 200 of the rows\n"
        "cost    41.20 to 118.00 USD, as a rule up to 80.00 USD\n"
        "time    about 27 min at the present pace\n"
    )


def test_what_is_free_what_is_unknown_and_what_has_no_bound() -> None:
    found = Estimated(rows=900_017, models=(PAID, FREE, UNPRICED),
                      sums={"USD": Spending(low="41.2"), "RUB": Spending(low="3", high="3")},
                      unpriced=7)  # fmt: skip

    assert estimate_text(found).splitlines()[1:] == [
        "tokens  12,345,828 in · an estimate · reckoned from 217 of the rows",
        "        not counted: image/png",
        "cost    3.00 RUB",
        "        from 41.20 USD on, without a bound",
        "        rows at an unknown price: 7 (the card does not list the model)",
        "time    unknown until the first answers are there",
        "models  openai/gpt-6-luna · rows 900,000",
        "        41.20 to 118.00 USD, as a rule up to 80.00 USD",
        "        local/smollm2-135m · rows 10 · nothing is charged",
        "        vllm/mine · rows 7 · price unknown",
    ]


def test_no_line_is_wider_than_80_columns() -> None:
    dear = replace(PAID, spending=Spending(low="1.2", high="99999.99"), left_out=("image/png",))
    found = Estimated(
        rows=900_007, models=(dear, UNPRICED), sums={"USD": dear.spending}, unpriced=7
    )

    assert max(cells(line) for line in estimate_text(found, bad=10_000).splitlines()) <= 80


def test_rows_that_make_no_call_are_counted_beside_those_that_do() -> None:
    free = Estimated(rows=10, models=(FREE,))

    assert estimate_text(free, bad=1000).splitlines()[0] == "rows    10 · cannot be sent: 1,000"
    some = estimate_text(free, bad=3, at_least=True).splitlines()[0]
    assert some == "rows    10 · cannot be sent: at least 3"
    assert estimate_text(Estimated(rows=0), bad=3) == "rows  0 · cannot be sent: 3\n"


def test_where_nothing_is_sent_no_time_is_promised() -> None:
    free = Estimated(rows=10, models=(FREE,))

    assert "time" not in estimate_text(free, only_told=True)
    paced = estimate_text(replace(free, seconds=5.0), only_told=True)
    assert "time    about 5.00 s at the present pace\n" in paced


def test_unknown_is_never_nothing() -> None:
    free = estimate_text(Estimated(rows=10, models=(FREE,)))
    unpriced = estimate_text(Estimated(rows=7, models=(UNPRICED,), unpriced=7))
    unseen = OfModel(model="x/y", rows=5, samples=0, sampled=True)

    assert "cost    nothing is charged\n" in free
    assert "cost    unknown: the card does not list the model\n" in unpriced
    assert "tokens  unknown\ncost    unknown: no price is known\n" in estimate_text(
        Estimated(rows=5, models=(unseen,), unpriced=5)
    )


def test_a_hostile_name_drives_no_terminal() -> None:
    bad = OfModel(model=HOSTILE, rows=1, samples=0, sampled=True)
    text = estimate_text(Estimated(rows=2, models=(bad, FREE)))

    assert all(line.replace("\ud83d", "").isprintable() for line in text.splitlines())


def test_the_document() -> None:
    found = Estimated(rows=7, models=(UNPRICED,), unpriced=7)

    told = json.loads(json_text(job_estimate_json(found)))

    assert (told["version"], told["rows"], told["seconds"], told["cost"]) == (1, 7, None, [])
    (model,) = told["models"]
    assert model["low"] is model["high"] is model["currency"] is model["input_tokens_most"] is None
    assert (model["unknown_because"], model["not_counted"]) == ("model-not-listed", ["image/png"])
    told = job_estimate_json(Estimated(rows=1, models=(PAID,), sums={"USD": PAID.spending}))
    assert told["cost"] == [{"currency": "USD", "low": "41.2", "usual": "80", "high": "118"}]
