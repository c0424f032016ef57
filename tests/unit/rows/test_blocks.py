"""Blocks of a file: put together they are its rows, wherever it is cut."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmctl.errors import UsageError
from llmctl.rows import BadRow, Row
from llmctl.rows.blocks import Block, block_rows, blocks_of, read_block
from llmctl.rows.local import local_rows


def together(path: Path, size: int) -> list[Row | BadRow]:
    return [row for block in blocks_of(str(path), size) for row in read_block(str(path), block)]


def test_lines_are_cut_by_their_number(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'"a"\n"bb"\n\n"c"\n"d"\n')  # 4, 5, 1, 4 and 4 bytes

    assert blocks_of(str(path), 2) == [
        Block(number=1, line=1, count=2, start=0),
        Block(number=2, line=3, count=2, start=9),
        Block(number=3, line=5, count=1, start=14),
    ]


@pytest.mark.parametrize("data", [b'"a"\n"b"\n', b'"a"\n"b"', b'"a"\r\n"b"\r\n'])
def test_a_last_line_may_have_no_end(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(data)

    assert [(one.line, one.count) for one in blocks_of(str(path), 1)] == [(1, 1), (2, 1)]
    assert [(one.line, one.count) for one in blocks_of(str(path), 5)] == [(1, 2)]


def test_an_empty_file_has_no_blocks(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"")

    assert blocks_of(str(path), 10) == []


LINES = st.sampled_from(
    [b'"a"', b'{"prompt": "\xe2\x80\xa8", "id": 7}', b"", b"  ", b"no json", b"\xff", b'"x"\r']
)


@given(lines=st.lists(LINES, max_size=12), size=st.integers(1, 14), ended=st.booleans())
def test_the_rows_of_all_blocks_are_those_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], size: int, ended: bool
) -> None:
    path = tmp_path_factory.mktemp("blocks") / "in.jsonl"
    path.write_bytes(b"\n".join(lines) + (b"\n" if ended else b""))

    assert together(path, size) == list(local_rows(str(path)))


def test_a_mark_of_byte_order_belongs_to_the_first_line_only(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'\xef\xbb\xbf"a"\n\xef\xbb\xbf"b"\n')

    first, second = together(path, 1)

    assert isinstance(first, Row)
    assert isinstance(second, BadRow)
    assert second.line == 2


@pytest.mark.parametrize("group", [3, 10, 100])
@pytest.mark.parametrize("size", [1, 4, 10, 30])
def test_parquet_is_cut_by_its_rows(tmp_path: Path, group: int, size: int) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "in.parquet"
    table = pyarrow.table({"id": list(range(100, 123)), "prompt": [f"p{n}" for n in range(23)]})
    parquet.write_table(table, path, row_group_size=group)

    rows = together(path, size)

    assert rows == [
        Row(number + 1, {"id": 100 + number, "prompt": f"p{number}"}, str(100 + number))
        for number in range(23)
    ]


async def collected(path: Path, block: Block) -> list[Row | BadRow]:
    return [row async for row in block_rows(str(path), block, columns=["prompt"])]


def test_a_block_is_read_with_the_columns_that_are_asked_for(tmp_path: Path) -> None:
    import asyncio

    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps({"prompt": n, "more": 1}) + "\n" for n in range(5)))

    rows = asyncio.run(collected(path, blocks_of(str(path), 2)[1]))

    assert rows == [Row(3, {"prompt": 2}), Row(4, {"prompt": 3})]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("in.csv", b"prompt\na\n"),
        ("in.jsonl.gz", gzip.compress(b'"a"\n', mtime=0)),
        ("in.jsonl", '"a"\n'.encode("utf-16")),
    ],
)
def test_what_cannot_be_entered_in_its_middle_is_refused(
    tmp_path: Path, name: str, data: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(data)

    with pytest.raises(UsageError, match="cannot be read in blocks"):
        blocks_of(str(path), 10)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*none\.jsonl"):
        blocks_of(str(tmp_path / "none.jsonl"), 10)
