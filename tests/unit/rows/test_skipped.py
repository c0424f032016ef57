"""Rows that are read over since they are through, the lines of other formats for batches, and the
column that has a row's text."""

import asyncio
import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from llmctl.rows import BadRow, Row, column_of, open_rows
from llmctl.rows.lines import for_batch
from llmctl.rows.local import local_rows
from llmctl.types import Json

TABLE = "id,prompt\n1,a\n2,b\n3,c\n4,d\n"
LINES = '{"prompt": "a"}\n\n{"prompt": "b"}\n{broken\n{"prompt": "c"}\n'


def read(path: Path, data: str, **how: Any) -> list[int]:
    path.write_text(data)
    return [one.line for one in local_rows(str(path), **how)]


def test_lines_that_are_through_are_read_over(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"

    assert read(path, LINES) == [1, 3, 4, 5]
    assert read(path, LINES, skip={1, 4}) == [3, 5]
    assert read(path, LINES, skip={2, 99}) == [1, 3, 4, 5]
    assert read(path, LINES, skip=range(100)) == []


@pytest.mark.parametrize(
    ("name", "data"),
    [("in.txt", "a\nb\n\nc\n"), ("in.csv", TABLE), ("in.tsv", "id\tx\n1\ta\n2\tb\n")],
)
def test_so_are_rows_of_every_form(tmp_path: Path, name: str, data: str) -> None:
    every = read(tmp_path / name, data)

    assert len(every) >= 2
    assert read(tmp_path / name, data, skip={every[1]}) == [every[0], *every[2:]]


def test_those_read_over_count_for_the_limit(tmp_path: Path) -> None:
    """The first three rows are the same three in each run of a job."""
    for name, data in (("in.jsonl", LINES), ("in.csv", TABLE)):
        every = read(tmp_path / name, data)
        assert read(tmp_path / name, data, limit=3) == every[:3]
        assert read(tmp_path / name, data, limit=3, skip={every[0]}) == every[1:3]
        assert read(tmp_path / name, data, limit=1, skip={every[0]}) == []


def test_they_are_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmctl.rows import lines

    parsed: list[str] = []
    usual = lines._parsed

    def noted(text: str) -> Json:
        parsed.append(text)
        return usual(text)

    monkeypatch.setattr(lines, "_parsed", noted)
    read(tmp_path / "in.jsonl", LINES, skip={1, 4})

    assert parsed == ['{"prompt": "b"}', '{"prompt": "c"}']


def test_the_open_rows_pass_them_over_too(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(LINES)

    async def lines_read() -> list[int]:
        async with aclosing(open_rows(str(tmp_path / "in.jsonl"), skip={3})) as found:
            return [one.line async for one in found]

    assert asyncio.run(lines_read()) == [1, 4, 5]


# ---- lines for batches


def test_what_a_request_has_beside_its_question_are_options() -> None:
    body = {"model": "m", "messages": [], "temperature": 0, "max_tokens": 5, "user": "u"}

    assert for_batch({"custom_id": "r1", "body": body}) == {
        "id": "r1", "model": "m", "messages": [],
        "options": {"temperature": 0, "max_tokens": 5, "user": "u"},
    }  # fmt: skip


@pytest.mark.parametrize("name", ["model", "messages", "prompt", "input"])
def test_what_it_asks_is_none(name: str) -> None:
    assert for_batch({"custom_id": "r1", "body": {name: "x"}}) == {"id": "r1", name: "x"}


@pytest.mark.parametrize(
    "value",
    [
        {"body": {"model": "m"}},
        {"custom_id": "r1", "body": "text"},
        {"custom_id": "r1", "prompt": "a"},
    ],
)
def test_other_objects_are_rows_as_they_are(value: dict[str, Any]) -> None:
    assert for_batch(dict(value)) == value


def test_their_id_is_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps({"custom_id": "r1", "body": {"id": "no", "messages": []}}))
    (row,) = local_rows(str(path))

    assert not isinstance(row, BadRow)
    assert row.name == "r1"


# ---- the column of the text


@pytest.mark.parametrize(
    ("values", "column", "wanted"),
    [
        ({"prompt": "a", "text": "b"}, None, "prompt"),
        ({"text": "b", "question": "c"}, None, "text"),
        ({"id": "1", "review": "b"}, None, "review"),
        ({"custom_id": "1", "id": "2", "review": "b"}, None, "review"),
        ({"a": "1", "b": "2"}, None, None),
        ({"id": "1"}, None, None),
        ({}, None, None),
        ({"a": "1", "b": "2"}, "b", "b"),
        ({"prompt": "a"}, "gone", "gone"),
    ],
)
def test_the_column_of_the_text(values: dict[str, Any], column: str | None, wanted: Any) -> None:
    assert column_of(Row(1, values), column) == wanted
