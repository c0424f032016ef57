"""Rows of files, in each of their forms, with what may be wrong with them."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from llmctl.errors import UsageError
from llmctl.rows import BadRow, BadText, Row, text_of
from llmctl.rows.local import local_rows
from llmctl.rows.tables import likely


def rows(path: Path, data: bytes | str, **how: Any) -> list[Row | BadRow]:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return list(local_rows(str(path), **how))


def good(found: list[Row | BadRow]) -> list[tuple[int, Any]]:
    assert all(isinstance(one, Row) for one in found), found
    return [(one.line, one.values) for one in found if isinstance(one, Row)]


def bad(found: list[Row | BadRow]) -> list[int]:
    return [one.line for one in found if isinstance(one, BadRow)]


# ---- JSON lines ---------------------------------------------------------------------------------


def test_a_line_is_a_row_and_blank_ones_are_none(tmp_path: Path) -> None:
    data = '{"prompt": "а"}\r\n\n  \n{"prompt": "b", "id": 7}\n'

    found = rows(tmp_path / "in.jsonl", data)

    assert good(found) == [(1, {"prompt": "а"}), (4, {"prompt": "b", "id": 7})]
    assert [one.id for one in found] == [None, "7"]
    assert [one.name for one in found if isinstance(one, Row)] == ["1", "7"]


def test_a_text_or_messages_alone_are_rows_too(tmp_path: Path) -> None:
    data = '"Why?"\n[{"role": "user", "content": "Hi"}]\n'

    assert good(rows(tmp_path / "in.jsonl", data)) == [
        (1, {"prompt": "Why?"}),
        (2, {"messages": [{"role": "user", "content": "Hi"}]}),
    ]


def test_a_line_for_openais_batches_is_its_body_under_its_own_id(tmp_path: Path) -> None:
    line = {"custom_id": "r1", "method": "POST", "url": "/v1/chat/completions",
            "body": {"model": "m", "messages": []}}  # fmt: skip

    found = rows(tmp_path / "in.jsonl", json.dumps(line))

    assert good(found) == [(1, {"id": "r1", "model": "m", "messages": []})]
    assert found[0].id == "r1"


def test_a_line_separator_of_unicode_ends_no_line(tmp_path: Path) -> None:
    text = "one\u2028two\x85three\u2029"
    data = json.dumps({"prompt": text}, ensure_ascii=False) + "\n" + '{"prompt": "next"}'

    assert good(rows(tmp_path / "in.jsonl", data)) == [
        (1, {"prompt": text}),
        (2, {"prompt": "next"}),
    ]


@pytest.mark.parametrize(
    "line",
    [
        b'{"prompt": "cut',
        b"5",
        b"null",
        b'{"prompt": "\xff"}',
        b'{"prompt": "\xed\xa0\x80"}',
        b'{"prompt": NaN}',
        b'{"prompt": [-Infinity]}',
        b'{"prompt": 1e999}',
        b'{"prompt": "a\x00b"}',
        b'{"prompt": "\\ud83d"}',
        b'{"prompt": 1' + b"0" * 5000 + b"}",
        b"[" * 100_000,
    ],
)
def test_a_bad_row_is_named_and_the_others_go_on(tmp_path: Path, line: bytes) -> None:
    found = rows(tmp_path / "in.jsonl", b'{"prompt": "a"}\n' + line + b'\n{"prompt": "b"}\n')

    assert bad(found) == [2]
    assert [one.line for one in found] == [1, 2, 3]


def test_a_line_without_end_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmctl.rows.lines.LONGEST_LINE", 100)

    found = rows(tmp_path / "in.jsonl", '{"p": "' + "x" * 1000 + '"}\n{"p": "b"}\n')

    assert bad(found) == [1]
    assert good(found[1:]) == [(2, {"p": "b"})]


def test_the_last_line_may_be_torn(tmp_path: Path) -> None:
    found = rows(tmp_path / "in.jsonl", '{"prompt": "a"}\n{"pro')

    assert bad(found) == [2]


def test_a_mark_of_byte_order_is_none_of_the_text(tmp_path: Path) -> None:
    assert good(rows(tmp_path / "in.jsonl", b'\xef\xbb\xbf{"a": 1}\n')) == [(1, {"a": 1})]
    assert good(rows(tmp_path / "in.csv", b"\xef\xbb\xbfa\n1\n")) == [(2, {"a": "1"})]
    assert good(rows(tmp_path / "in.txt", b"\xef\xbb\xbfa\n")) == [(1, {"prompt": "a"})]


def test_columns_are_chosen_and_a_row_without_one_is_bad(tmp_path: Path) -> None:
    data = '{"id": "x", "a": 1, "b": 2}\n{"a": 1}\n'

    found = rows(tmp_path / "in.jsonl", data, columns=["b"])

    assert found[0] == Row(1, {"b": 2}, "x")
    assert isinstance(found[1], BadRow)
    assert "b" in found[1].why
    assert "a" in found[1].why


def test_a_limit_ends_it(tmp_path: Path) -> None:
    assert len(rows(tmp_path / "in.txt", "a\nb\nc\n", limit=2)) == 2


def test_a_custom_id_is_a_name_too(tmp_path: Path) -> None:
    found = rows(tmp_path / "in.csv", "custom_id,text\nr1,a\n")

    assert found == [Row(2, {"custom_id": "r1", "text": "a"}, "r1")]
    assert text_of(Row(1, {"custom_id": "r1", "what": "a"})) == "a"


# ---- tables -------------------------------------------------------------------------------------


def test_a_table_has_names_and_its_rows_their_lines(tmp_path: Path) -> None:
    data = 'id,text\n1,"two\nlines, and ""quotes"""\n\n2,plain\n'

    found = rows(tmp_path / "in.csv", data)

    assert good(found) == [
        (2, {"id": "1", "text": 'two\nlines, and "quotes"'}),
        (5, {"id": "2", "text": "plain"}),
    ]
    assert [one.id for one in found] == ["1", "2"]


@pytest.mark.parametrize(
    ("line", "separator"),
    [("a,b", ","), ("имя;возраст;город, страна", ";"), ('"a,b,c";d', ";"), ("a\tb", "\t"),
     ("one", ","), ("", ",")],
)  # fmt: skip
def test_the_separator_is_what_stands_between_the_names(line: str, separator: str) -> None:
    assert likely(line) == separator


def test_a_spreadsheet_in_windows_1251(tmp_path: Path) -> None:
    data = "id;текст\n1;Привет, мир\n".encode("cp1251")

    found = rows(tmp_path / "in.csv", data, encoding="cp1251")

    assert good(found) == [(2, {"id": "1", "текст": "Привет, мир"})]


def test_without_its_encoding_the_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not valid UTF-8") as caught:
        rows(tmp_path / "in.csv", "id;текст\n".encode("cp1251"))
    assert "--encoding" in (caught.value.hint or "")


@pytest.mark.parametrize("line", ["1", "1,2,3", '"open', '1,"a"b', "1,\udcff"])
def test_a_row_that_does_not_fit_is_bad(tmp_path: Path, line: str) -> None:
    data = b"a,b\n1,2\n" + line.encode("utf-8", "surrogateescape")

    found = rows(tmp_path / "in.csv", data)

    assert bad(found) == [3]
    assert good(found[:1]) == [(2, {"a": "1", "b": "2"})]


def test_a_quote_that_is_not_closed_takes_no_other_rows_with_it(tmp_path: Path) -> None:
    data = 'a,b\n1,"open\n2,x\n\n3,y\n'

    found = rows(tmp_path / "in.csv", data)

    assert bad(found) == [2]
    assert found[1:] == [Row(3, {"a": "2", "b": "x"}), Row(5, {"a": "3", "b": "y"})]


def test_lines_of_a_torn_cell_are_no_rows(tmp_path: Path) -> None:
    """What was to be the text of one cell is not sent as if it were rows."""
    found = rows(tmp_path / "in.csv", 'a,b\n1,"Dear all,\nwe, you and they\nmeet.')

    assert bad(found) == [2]
    assert len(found) == 1
    assert "up to line 4" in str(found[0])


def test_a_quote_that_ends_too_soon_is_told_with_its_lines(tmp_path: Path) -> None:
    found = rows(tmp_path / "in.csv", 'a,b\n1,"one\n2,"two"\n3,z\n')

    assert bad(found) == [2]
    assert found[-1] == Row(4, {"a": "3", "b": "z"})


def test_a_row_without_end_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmctl.rows.tables.LONGEST_ROW", 100)
    data = 'a,b\n1,"open\n' + "".join(f"{number},x\n" for number in range(2, 500))

    found = rows(tmp_path / "in.csv", data)

    assert bad(found) == [2]
    assert len(found) == 499


@pytest.mark.parametrize("mark", ["sep=;", "SEP=;\r"])
def test_a_separator_may_be_stated(tmp_path: Path, mark: str) -> None:
    found = rows(tmp_path / "in.csv", f"{mark}\na,1,2;b\nx;y\n")

    assert good(found) == [(3, {"a,1,2": "x", "b": "y"})]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_spreadsheet_in_wide_unicode(tmp_path: Path, encoding: str) -> None:
    """A mark of byte order says it; LINE SEPARATOR and U+0A0A end no line."""
    data = "id\ttext\r\n1\tone\u2028two \u0a0a\r\n".encode(encoding)

    assert good(rows(tmp_path / "in.tsv", data)) == [
        (2, {"id": "1", "text": "one\u2028two \u0a0a"})
    ]
    with pytest.raises(UsageError, match="is not valid UTF"):
        rows(tmp_path / "in.tsv", data[:-1])


def test_wide_unicode_without_a_mark_is_named(tmp_path: Path) -> None:
    data = '{"a": "я"}\n'.encode("utf-16-le")

    assert good(rows(tmp_path / "in.jsonl", data, encoding="utf-16-le")) == [(1, {"a": "я"})]


@pytest.mark.parametrize("encoding", ["nosuch", "hex", "\0"])
def test_what_is_no_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(UsageError, match="no such encoding"):
        rows(tmp_path / "in.jsonl", "{}", encoding=encoding)


def test_a_missing_column_is_told_before_any_row(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no column txt") as caught:
        rows(tmp_path / "in.csv", "id,text\n1,a\n", columns=["txt"])
    assert caught.value.hint == "did you mean: text"


@pytest.mark.parametrize("data", ["", "\n", ",,\n1,2,3\n", "a,a\n1,2\n"])
def test_a_table_without_names_is_refused(tmp_path: Path, data: str) -> None:
    with pytest.raises(UsageError):
        rows(tmp_path / "in.csv", data)


def test_tabs(tmp_path: Path) -> None:
    assert good(rows(tmp_path / "in.tsv", "a\tb, c\n1\t2\n")) == [(2, {"a": "1", "b, c": "2"})]


# ---- plain text, packed files, and what is no file ----------------------------------------------


def test_a_line_of_text_is_a_prompt(tmp_path: Path) -> None:
    found = rows(tmp_path / "in.txt", b"one\r\n\n\xff\nb\x00\nlast")

    assert bad(found) == [3, 4]
    assert [one.values for one in found if isinstance(one, Row)] == [
        {"prompt": "one"},
        {"prompt": "last"},
    ]


def test_a_packed_file_is_unpacked(tmp_path: Path) -> None:
    packed = gzip.compress(b'{"a": 1}\n')

    assert good(rows(tmp_path / "in.jsonl.gz", packed)) == [(1, {"a": 1})]
    with pytest.raises(UsageError, match="damaged"):
        rows(tmp_path / "in.jsonl.gz", packed[:-9])
    with pytest.raises(UsageError, match="damaged"):
        rows(tmp_path / "in.jsonl.gz", packed[:10] + b"\xff" * 20)


def test_what_begins_like_json_is_json_without_an_ending(tmp_path: Path) -> None:
    assert good(rows(tmp_path / "in", '{"a": 1}\n')) == [(1, {"a": 1})]
    assert good(rows(tmp_path / "in", "a {\n")) == [(1, {"prompt": "a {"})]
    assert good(rows(tmp_path / "in", '{"a": 1}\n', format="text")) == [(1, {"prompt": '{"a": 1}'})]


@pytest.mark.parametrize("path", ["nosuch.jsonl", ".", "a\0b"])
def test_what_cannot_be_read_is_named(tmp_path: Path, path: str) -> None:
    with pytest.raises(UsageError):
        list(local_rows(str(tmp_path / path) if path != "a\0b" else path))


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UsageError, match="xlsx"):
        list(local_rows("in.xlsx", format="xlsx"))


# ---- the text of a row --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "column", "text"),
    [
        ({"prompt": "a", "text": "b"}, None, "a"),
        ({"id": 1, "text": "b"}, None, "b"),
        ({"id": 1, "вопрос": "c"}, None, "c"),
        ({"prompt": "a", "other": "d"}, "other", "d"),
    ],
)
def test_the_text_of_a_row(values: dict[str, Any], column: str | None, text: str) -> None:
    assert text_of(Row(1, values), column) == text


@pytest.mark.parametrize(
    ("values", "column"),
    [({"a": "x", "b": "y"}, None), ({"prompt": 5}, None), ({"prompt": " "}, None), ({}, "a")],
)
def test_a_row_without_a_text(values: dict[str, Any], column: str | None) -> None:
    with pytest.raises(BadText):
        text_of(Row(1, values), column)


def test_a_long_file_is_not_held(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "in.jsonl"
    with path.open("w") as file:
        file.writelines(f'{{"prompt": "row {number} {"x" * 100}"}}\n' for number in range(30_000))
    tracemalloc.start()
    count = sum(isinstance(one, Row) for one in local_rows(str(path)))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert count == 30_000
    assert most < 500_000


def test_parquet(tmp_path: Path) -> None:
    import datetime
    from decimal import Decimal

    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "in.parquet"
    table = pyarrow.table(
        {
            "id": ["a", "b"],
            "text": ["один", "two"],
            "when": [datetime.date(2026, 11, 25), None],
            "price": [Decimal("0.10"), None],
            "score": [1.5, float("nan")],
            "tags": [["x"], []],
            "raw": [b"\x00\x01", None],
        }
    )
    parquet.write_table(table, path)

    found = list(local_rows(str(path)))

    assert found[0] == Row(
        1,
        {"id": "a", "text": "один", "when": "2026-11-25", "price": "0.10", "score": 1.5,
         "tags": ["x"], "raw": "AAE="},
        "a",
    )  # fmt: skip
    assert found[1].id == "b"
    assert found[1] == Row(
        2, {"id": "b", "text": "two", "when": None, "price": None, "score": None, "tags": [],
            "raw": None}, "b",
    )  # fmt: skip
    assert next(local_rows(str(path), columns=["text"])) == Row(1, {"text": "один"}, "a")
    with pytest.raises(UsageError, match="no column txet"):
        list(local_rows(str(path), columns=["txet"]))


def test_a_damaged_parquet_file(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")

    with pytest.raises(UsageError, match="no Parquet file"):
        rows(tmp_path / "in.parquet", b"PAR1" + b"\0" * 100)


def test_parquet_from_programs_that_count_nanoseconds(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "in.parquet"
    when = pyarrow.array([1_700_000_000_123_456_789], pyarrow.timestamp("ns", "UTC"))
    table = pyarrow.table(
        {
            "when": when,
            "day": pyarrow.array([3_600_000_000_001], pyarrow.time64("ns")),
            "took": pyarrow.array([1_500_000_001], pyarrow.duration("ns")),
        }
    )
    parquet.write_table(table, path)

    # 1,700,000,000 s after 1970 is 2023-11-14, 22:13:20 in Greenwich.
    assert list(local_rows(str(path))) == [
        Row(1, {"when": "2023-11-14T22:13:20.123456+00:00", "day": "01:00:00", "took": 1.5})
    ]


def test_text_in_parquet_that_is_none_is_one_bad_row(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "in.parquet"
    ends = b"".join(number.to_bytes(4, "little") for number in (0, 1, 2, 3))
    buffers = [None, pyarrow.py_buffer(ends), pyarrow.py_buffer(b"a\xffb")]
    texts = pyarrow.Array.from_buffers(pyarrow.string(), 3, buffers)
    parquet.write_table(pyarrow.table({"text": texts}), path)

    found = list(local_rows(str(path)))

    assert bad(found) == [2]
    assert [found[0], found[2]] == [Row(1, {"text": "a"}), Row(3, {"text": "b"})]


def test_large_rows_of_parquet_are_unpacked_a_few_at_a_time() -> None:
    from types import SimpleNamespace

    from llmctl.rows.parquet import _together

    def file(*groups: tuple[int, int]) -> Any:
        there = [SimpleNamespace(total_byte_size=size, num_rows=count) for size, count in groups]
        return SimpleNamespace(num_row_groups=len(groups), row_group=there.__getitem__)

    assert _together(file()) == 1024
    assert _together(file((1000, 100))) == 1024
    assert _together(file((1000, 100), (10 * 2**20, 10))) == 8  # of 1 MiB each
    assert _together(file((2**40, 2))) == 1


def test_standard_input_is_read_as_it_comes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "piped"
    path.write_bytes(b'{"a": 1}\n')
    with path.open("rb") as file:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(file))
        assert good(list(local_rows(None))) == [(1, {"a": 1})]


def test_a_list_in_one_document_is_no_rows(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one list of JSON") as caught:
        rows(tmp_path / "in.json", '[{"text": "a"},\n{"text": "b"}]')
    assert "jq -c" in (caught.value.hint or "")
    assert good(rows(tmp_path / "in.json", '{"text": "a"}\n')) == [(1, {"text": "a"})]
