"""Names of rows that must not come twice."""

import asyncio
import tracemalloc
from pathlib import Path

from llmctl.rows import BadRow, Row, open_rows
from llmctl.rows.names import Names, unique


def test_the_line_of_the_first_is_told() -> None:
    names = Names()

    assert names.add("a", 1) is None
    assert names.add("b", 2) is None
    assert names.add("a", 3) == 1
    assert len(names) == 2


def test_it_grows_and_forgets_nothing() -> None:
    names = Names()

    assert all(names.add(f"row-{number}", number) is None for number in range(20_000))
    assert [names.add(f"row-{number}", 0) for number in (0, 1, 9_999, 19_999)] == [
        0, 1, 9_999, 19_999
    ]  # fmt: skip
    assert len(names) == 20_000


def test_a_line_is_a_name_where_there_is_no_id() -> None:
    rows: list[Row | BadRow] = [
        Row(1, {}, "2"),
        Row(2, {}),
        BadRow(3, "torn"),
        Row(4, {}, "3"),
        Row(5, {}, "2"),
    ]

    found = list(unique(rows))

    assert [one.line for one in found if isinstance(one, BadRow)] == [2, 3, 5]
    assert isinstance(found[4], BadRow)
    assert "line 1 has the id 2" in found[4].why


def test_it_takes_little_memory() -> None:
    """A place is 12 bytes, and there are at most three for each name: 8,192 are full at 5,461."""
    tracemalloc.start()
    names = Names()
    for number in range(6_000):
        names.add(f"row-{number}", number)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    assert held < 6_000 * 36 + 2_000


def test_rows_are_told_apart_where_they_are_to_be(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": "a"}\n{"id": "a"}\n')

    async def read(unique: bool) -> list[type]:
        return [type(one) async for one in open_rows(str(path), unique=unique)]

    assert asyncio.run(read(False)) == [Row, Row]
    assert asyncio.run(read(True)) == [Row, BadRow]
