"""What a row of a job looks like as JSON, in CSV and in TSV."""

import csv
import io
import json

import pytest

from llmctl.batch.shape import Ended
from llmctl.output.batch_rows import csv_header, csv_line, line_json, row_line
from llmctl.output.envelope import envelope
from llmctl.types import Media, ToolCall
from llmctl.values import replace
from tests.unit.output.batches import HOSTILE, answered, failed, hopped
from tests.unit.output.shared import FULL

# CLI.md: the envelope, in this order, then whose row it is.
KEYS = [
    *("version", "llmctl", "id", "started_at", "text", "reasoning", "media", "model"),
    *("finish_reason", "tool_calls", "usage", "cost", "latency", "privacy", "request_id"),
    *("attempts", "details", "error", "row"),
]


def read(data: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), delimiter=delimiter))


def test_a_line_is_the_envelope_and_whose_row_it_is() -> None:
    line = row_line(answered(7))
    found = json.loads(line)

    assert list(found) == KEYS
    assert found["row"] == {"id": "r7", "line": 7}
    assert found["text"] == "Blue."
    assert found["cost"]["amount"] == "0.0000022"
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1


def test_a_failure_has_the_same_shape_with_its_error() -> None:
    found = json.loads(row_line(failed(2)))

    assert list(found) == KEYS
    assert found["error"]["code"] == "rate-limited"
    assert found["error"]["exit_code"] == 8
    assert found["text"] == "Bl"


def test_what_was_asked_before_and_what_is_carried_along_is_told_where_it_holds() -> None:
    assert json.loads(row_line(hopped(3)))["row"] == {
        "id": "r3",
        "line": 3,
        "columns": {"label": "blue", "n": 3},
        "hops": [
            {"model": "gigachat/GigaChat-2", "cause": "rate-limited"},
            {"model": "ollama/qwen3", "cause": "network"},
        ],
        "same_as": "r1",
        "cached": True,
    }


@pytest.mark.parametrize("text", [HOSTILE, "\ud800", "привет \u2028", "😀", "x" * 100_000])
def test_any_text_is_one_line_that_reads_back_as_it_was(text: str) -> None:
    line = row_line(answered(1, text, {"c": text}))

    assert len(line.splitlines()) == len(line.decode().splitlines()) == 1
    found = json.loads(line)
    assert found["text"] == found["row"]["columns"]["c"] == text


def test_hostile_text_drives_no_terminal() -> None:
    line = row_line(Ended(line=1, id=HOSTILE, receipt=replace(FULL, text=HOSTILE))).decode()

    assert line.removesuffix("\n").isprintable()


def test_pictures_are_kept_as_the_envelope_keeps_them() -> None:
    picture = Media("image/png", b"\x89PNG", name="sky.png")
    ended = Ended(line=1, id="1", receipt=replace(FULL, media=(picture,)))

    media = json.loads(row_line(ended))["media"]

    assert media == envelope(ended.receipt)["media"]
    assert media[0]["data"] == "iVBORw=="  # RFC 4648, section 4


def test_what_is_no_line_of_ours_is_none() -> None:
    assert line_json(row_line(answered(1))) is not None
    torn = row_line(answered(1))[:-20]
    for bad in (torn, b"", b"[]", b"{}", b'{"row": 3}', b"\xff", b"[" * 100_000):
        assert line_json(bad) is None


# ---- CSV ---------------------------------------------------------------------------------------

HEADER = (
    "id,line,label,text,reasoning,tool_calls,media,finish_reason,model,resolved,provider,"
    "input_tokens,output_tokens,cached_tokens,reasoning_tokens,usage_source,cost,currency,"
    "cost_kind,ttft_s,total_s,waited_s,attempts,privacy,request_id,started_at,hops,same_as,cached"
)


def test_the_columns_of_a_table_are_documented_ones_in_this_order() -> None:
    assert csv_header(["label"]) == HEADER.encode() + b"\r\n"
    assert csv_header(["label"], tabs=True) == HEADER.replace(",", "\t").encode() + b"\n"


def test_a_row_of_a_table() -> None:
    (row,) = read(csv_header(["label", "n"]) + csv_line(hopped(3), ["label", "n"]))

    assert row == {
        "id": "r3",
        "line": "3",
        "label": "blue",
        "n": "3",
        "text": "Blue.",
        "reasoning": "Rayleigh",
        "tool_calls": "",
        "media": "0",
        "finish_reason": "stop",
        "model": "openai/gpt-6-luna",
        "resolved": "gpt-6-luna-2026-09-01",
        "provider": "openai",
        "input_tokens": "12",
        "output_tokens": "2",
        "cached_tokens": "4",
        "reasoning_tokens": "0",
        "usage_source": "reported",
        "cost": "0.0000022",
        "currency": "USD",
        "cost_kind": "computed",
        "ttft_s": "0.4125",
        "total_s": "0.913",
        "waited_s": "0",
        "attempts": "1",
        "privacy": "no-training",
        "request_id": "req_1",
        "started_at": "2026-11-23T15:00:00Z",
        "hops": "gigachat/GigaChat-2: rate-limited; ollama/qwen3: network",
        "same_as": "r1",
        "cached": "1",
    }


def test_unknown_is_empty_and_never_zero() -> None:
    bare = replace(FULL, usage=type(FULL.usage)(), cost=type(FULL.cost)(), media=())
    ended = Ended(line=1, id="1", receipt=replace(bare, latency=type(FULL.latency)()))

    (row,) = read(csv_header() + csv_line(ended))

    unknown = ["input_tokens", "output_tokens", "cost", "currency", "ttft_s", "total_s"]
    assert [row[name] for name in unknown] == [""] * 6
    assert row["cost_kind"] == "unknown"


def test_a_cell_may_hold_line_breaks_quotes_and_separators() -> None:
    text = 'one\ntwo, "three"\tfour;'
    data = csv_line(answered(1, text), [])

    assert b'"one\ntwo, ""three""\tfour;"' in data  # RFC 4180, 2.6 and 2.7
    assert read(csv_header() + data)[0]["text"] == text
    tabs = csv_header(tabs=True) + csv_line(answered(1, text), [], tabs=True)
    assert read(tabs, "\t")[0]["text"] == text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\n", "\r"])
def test_no_spreadsheet_takes_a_text_for_a_formula(start: str) -> None:
    ended = answered(1, f'{start}HYPERLINK("http://x")', {f"{start}c": f"{start}1"})
    data = csv_header([f"{start}c"]) + csv_line(replace(ended, id=f"{start}id"), [f"{start}c"])

    (head, row) = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert head[2].startswith("'")
    assert [cell[0] for cell in (row[0], row[2], row[3])] == ["'"] * 3


def test_hostile_text_in_a_table_drives_no_terminal_and_ends_no_row() -> None:
    data = csv_header(["c"]) + csv_line(answered(1, HOSTILE, {"c": HOSTILE}), ["c"])

    assert len(data.decode().splitlines()) == 2 + 2  # the line break of each cell, and no other
    (row,) = read(data)
    assert row["text"].replace("\n", "").isprintable()
    assert row["text"].startswith(
        "a␛]0;t␇b<U+2028>c<U+2029>d<U+0085>e␀f<U+202E>g\ufffdh\ni</script"
    )


def test_a_carried_column_with_a_name_of_ours_is_told_apart() -> None:
    columns = ["text", "row_text", "label"]
    ended = answered(1, "Blue.", {"text": "Why?", "row_text": "other", "label": ["a", 1]})

    (row,) = read(csv_header(columns) + csv_line(ended, columns))

    assert (row["text"], row["row_text"], row["row_row_text"]) == ("Blue.", "Why?", "other")
    assert row["label"] == '["a", 1]'


def test_calls_of_functions_are_json_and_pictures_are_counted() -> None:
    receipt = replace(FULL, tool_calls=(ToolCall("c", "look", "{}"),))
    (row,) = read(csv_header() + csv_line(Ended(line=1, id="1", receipt=receipt)))

    assert json.loads(row["tool_calls"]) == [{"id": "c", "name": "look", "arguments": "{}"}]
    assert row["media"] == "1"
