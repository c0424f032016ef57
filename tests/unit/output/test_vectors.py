"""Vectors as rows of four formats and as one document."""

import csv
import io
import json
import math
import struct
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from llmctl.errors import UsageError
from llmctl.output.sink import sink_to
from llmctl.output.vectors import NPY_HEAD, Row, npy_head, packed, rows_to, spelt
from tests.unit.output.shared import EMPTY, FAILED

ROWS = (
    Row(0, 1, None, "a, b", array("f", [0.5, -0.1])),
    Row(1, 3, "id-2", 'x "y"', array("f", [1.0, 1e-20])),
)
F32 = struct.pack("<4f", 0.5, -0.1, 1.0, 1e-20)


def written(form: str, path: Path, *, with_text: bool = False) -> bytes:
    rows = rows_to(sink_to(str(path)), form, with_text=with_text)
    for row in ROWS:
        rows.row(row)
    rows.finish(EMPTY)
    return path.read_bytes()


def test_a_line_of_json_a_row(tmp_path: Path) -> None:
    lines = written("jsonl", tmp_path / "o").splitlines()

    first, second = (json.loads(line) for line in lines)
    assert list(first) == ["index", "line", "id", "text", "embedding"]
    assert (first["line"], second["line"], second["id"]) == (1, 3, "id-2")
    assert [*first["embedding"], *second["embedding"]] == pytest.approx([0.5, -0.1, 1.0, 1e-20])


def test_csv_reads_back(tmp_path: Path) -> None:
    text = written("csv", tmp_path / "o", with_text=True).decode()

    head, first, second = csv.reader(io.StringIO(text))
    assert head == ["index", "line", "id", "text", "v0", "v1"]
    assert first[:5] == ["0", "1", "", "a, b", "0.5"]
    assert second[:4] == ["1", "3", "id-2", 'x "y"']


def test_raw_floats_are_all_there_is(tmp_path: Path) -> None:
    assert written("f32", tmp_path / "o") == F32


def test_a_file_of_numpy(tmp_path: Path) -> None:
    """By the description of the format: magic, version, length of the head in two bytes, the head
    as a literal of Python that ends in a line feed, all of it a multiple of 64 bytes."""
    data = written("npy", tmp_path / "o")

    assert data[:8] == b"\x93NUMPY\x01\x00"
    length = int.from_bytes(data[8:10], "little")
    assert (10 + length) % 64 == 0
    head = data[10 : 10 + length]
    assert head.startswith(b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }")
    assert head.endswith(b"\n")
    assert data[10 + length :] == F32


def test_numpy_itself_reads_it(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    written("npy", tmp_path / "o.npy")

    assert numpy.load(tmp_path / "o.npy").tolist() == [list(row.values) for row in ROWS]


def test_a_head_of_numpy_has_room_for_any_shape() -> None:
    assert len(npy_head(10**15, 100_000)) == NPY_HEAD


def test_numpy_wants_a_file() -> None:
    with pytest.raises(UsageError, match="only a file can"):
        rows_to(sink_to(None), "npy", with_text=False)


def test_all_in_one_document(tmp_path: Path) -> None:
    document = json.loads(written("json", tmp_path / "o"))

    assert [row["index"] for row in document["embeddings"]] == [0, 1]
    assert (document["version"], document["error"]) == (1, None)


def test_a_document_of_nothing_but_an_error(tmp_path: Path) -> None:
    path = tmp_path / "o"
    rows_to(sink_to(str(path)), "json", with_text=False).fail(FAILED)

    document = json.loads(path.read_bytes())
    assert document["embeddings"] == []
    assert document["error"]["code"] == "rate-limited"


@pytest.mark.parametrize("form", ["jsonl", "csv", "f32", "npy"])
def test_what_broke_off_is_whole_rows_in_part(form: str, tmp_path: Path) -> None:
    path = tmp_path / "o"
    rows = rows_to(sink_to(str(path)), form, with_text=False)
    rows.row(ROWS[0])
    rows.fail(FAILED)

    assert [one.name for one in tmp_path.iterdir()] == ["o.part"]
    data = (tmp_path / "o.part").read_bytes()
    if form == "npy":
        assert b"'shape': (1, 2)" in data
        assert data[NPY_HEAD:] == F32[:8]
    elif form == "f32":
        assert data == F32[:8]
    else:
        assert data.endswith(b"\n")


@pytest.mark.parametrize("form", ["jsonl", "csv", "f32", "npy"])
def test_what_broke_off_before_the_first_row_leaves_nothing(form: str, tmp_path: Path) -> None:
    rows_to(sink_to(str(tmp_path / "o")), form, with_text=False).fail(FAILED)

    assert list(tmp_path.iterdir()) == []


@given(some.lists(some.floats(width=32, allow_nan=False, allow_infinity=False), max_size=8))
def test_nine_digits_say_which_float_of_32_bits_it_is(values: list[float]) -> None:
    row = array("f", values)
    again = array("f", json.loads(f"[{spelt(row)}]"))

    assert again == row


def test_numbers_of_json_stay_as_they_came() -> None:
    assert spelt([0.1, -2, 1e-7]) == "0.1, -2, 1e-07"


def test_packed_is_little_endian() -> None:
    assert packed([1.0, math.pi]) == struct.pack("<2f", 1.0, math.pi)
