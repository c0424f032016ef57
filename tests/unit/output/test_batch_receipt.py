"""Rows that were written are read again as what they were, but for what nobody asks of them."""

import json

import pytest

from llmctl.batch.shape import Ended
from llmctl.output.batch_receipt import receipt_from
from llmctl.output.batch_rows import row_line
from llmctl.types import Cost, FinishReason, Latency, Media, Receipt, ToolCall, Usage, UsageSource
from llmctl.values import replace
from tests.unit.output.batches import HOSTILE, hopped
from tests.unit.output.shared import EMPTY, FULL


def read(receipt: Receipt) -> Receipt | None:
    return receipt_from(row_line(Ended(line=7, id="x", receipt=receipt)))


def test_all_that_an_answer_is_comes_back() -> None:
    found = read(FULL)

    kept = Latency(total_s=0.913, ttft_s=0.4125)  # as they are printed
    assert found == replace(FULL, latency=kept)


def test_an_answer_of_which_little_is_known() -> None:
    assert read(EMPTY) == EMPTY
    plain = replace(EMPTY, text="Blue.", finish_reason=FinishReason.STOP)
    assert read(plain) == plain


@pytest.mark.parametrize(
    "change",
    [
        {"text": ""},
        {"text": "Почему небо синее? 😀\u2028\u2029"},
        {"text": HOSTILE},
        {"reasoning": HOSTILE},
        {"usage": Usage(10, 5, source=UsageSource.ESTIMATED)},
        {"usage": Usage(None, 5)},
        {"cost": Cost(why="no-price")},
        {"finish_reason": None},
        {"finish_reason": FinishReason.TOOL_CALLS},
        {"tool_calls": (ToolCall("1", "look", "{"), ToolCall("2", "look", HOSTILE))},
        {"media": (Media("image/png", bytes(range(256))), Media("image/jpeg", url="https://a.b/c"))},
        {"verdict": None},
        {"redactions": {}},
        {"request_id": None, "attempts": 9},
        {"details": {"a": [1, {"b": None}]}},
        {"resolved": None, "provider": None},
    ],
)  # fmt: skip
def test_each_part_comes_back(change: dict[str, object]) -> None:
    plain = replace(FULL, latency=Latency(total_s=1.5, ttft_s=0.25))
    made = replace(plain, **change)  # type: ignore[arg-type]

    assert read(made) == made


def test_whose_row_it_was_does_not_matter() -> None:
    ended = hopped(4)
    found = receipt_from(row_line(ended))

    assert found is not None
    assert found.text == ended.receipt.text


def test_twice_is_as_good_as_once() -> None:
    once = read(FULL)
    assert once is not None

    assert read(once) == once


@pytest.mark.parametrize(
    "line",
    [
        b"", b"\n", b"{", b"[]", b"null", b"5", b'"text"', b"{}", b"\xff\xfe", b"[" * 100_000,
        b'{"model": null, "usage": {}, "cost": {}, "latency": {}}',
    ],
)  # fmt: skip
def test_what_is_no_row_is_none(line: bytes) -> None:
    assert receipt_from(line) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("finish_reason", "because"),
        ("usage", None),
        ("usage", {"source": "guessed"}),
        ("usage", {"source": None, "tokens_of_tomorrow": 4}),
        ("cost", {"amount": "1"}),
        ("media", [{"media_type": "image/png", "data": "*"}]),
        ("tool_calls", [None]),
        ("privacy", {"level": "secret"}),
    ],
)
def test_a_row_of_another_shape_is_none(key: str, value: object) -> None:
    line = json.loads(row_line(Ended(line=1, id="1", receipt=FULL)))
    line[key] = value

    assert receipt_from(json.dumps(line).encode()) is None


def test_any_key_that_is_missing_makes_it_none() -> None:
    whole = json.loads(row_line(Ended(line=1, id="1", receipt=FULL)))
    spare = {"version", "llmctl", "row", "error"}
    for name in set(whole) - spare:
        rest = {key: value for key, value in whole.items() if key != name}
        assert receipt_from(json.dumps(rest).encode()) is None, name
