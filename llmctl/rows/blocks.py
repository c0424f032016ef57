"""Blocks of a file: rows that follow one another, which one machine can read without the others.

Where a block begins and ends follows from the file and the size of blocks alone, so that who comes
again cuts as before; the rows keep the lines that they have in the file.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from itertools import takewhile
from pathlib import Path

from llmctl.errors import UsageError
from llmctl.files import unreadable
from llmctl.messages import _
from llmctl.rows import BadRow, Row
from llmctl.rows.encoded import marked
from llmctl.rows.lines import LONGEST_LINE, Gauge, json_rows
from llmctl.rows.local import ENDINGS, GZIP, PARQUET
from llmctl.values import dataclass

Found = Row | BadRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The `number`th of a file, from 1: `count` lines from `line` on, which begins `start` bytes
    after the file does (0 for Parquet, which is found by its rows)."""

    number: int
    line: int
    count: int
    start: int = 0

    @property
    def end(self) -> int:
        """The line after its last."""
        return self.line + self.count


def blocks_of(path: str, size: int) -> list[Block]:
    """A file of JSON lines or Parquet in blocks of `size` lines; the last one has what is left. Of
    JSON lines the whole file is read for it, some gigabytes in as many seconds.

    Raises UsageError for a file that cannot be read or that cannot be entered in its middle,
    NotFound for Parquet without the extra.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(4)
        if start == PARQUET:
            return list(_of_rows(_row_count(path), size))
        _refuse_whole(path, start)
        return list(_of_lines(path, size))
    except OSError as error:
        raise unreadable(error, path, _hint()) from None


def block_rows(
    path: str, block: Block, *, columns: Sequence[str] = (), encoding: str | None = None
) -> AsyncGenerator[Found, None]:
    """The rows of a block, as `llmctl.rows.open_rows` has those of a file."""
    from llmctl.rows.thread import from_thread

    gauge = Gauge()
    return from_thread(
        read_block(path, block, columns=columns, encoding=encoding, gauge=gauge),
        taken=lambda: gauge.read,
    )


def read_block(
    path: str,
    block: Block,
    *,
    columns: Sequence[str] = (),
    encoding: str | None = None,
    gauge: Gauge | None = None,
) -> Iterator[Found]:
    """The same; blocks while it reads."""
    gauge = gauge or Gauge()
    try:
        with open(path, "rb") as file:
            found: Iterator[Found]
            if file.read(4) == PARQUET:
                from llmctl.rows.parquet import parquet_rows

                found = parquet_rows(path, columns, gauge, first=block.line)
            else:
                file.seek(block.start)
                found = json_rows(file, columns, encoding or "utf-8", gauge, first=block.line)
            yield from takewhile(lambda row: row.line < block.end, found)
    except OSError as error:
        raise unreadable(error, path, _hint()) from None


def _of_rows(rows: int, size: int) -> Iterator[Block]:
    for number, line in enumerate(range(1, rows + 1, size), 1):
        yield Block(number=number, line=line, count=min(size, rows + 1 - line))


def _of_lines(path: str, size: int) -> Iterator[Block]:
    number, first, begins = 1, 1, 0
    line, offset, torn = 0, 0, False
    with open(path, "rb") as file:
        while piece := file.readline(LONGEST_LINE):
            offset += len(piece)
            torn = not piece.endswith(b"\n")
            line += not torn
            if not torn and line == first + size - 1:
                yield Block(number=number, line=first, count=size, start=begins)
                number, first, begins = number + 1, line + 1, offset
    if offset > begins:
        yield Block(number=number, line=first, count=line + torn + 1 - first, start=begins)


def _row_count(path: str) -> int:
    from llmctl.rows.parquet import row_count

    return row_count(path)


def _refuse_whole(path: str, start: bytes) -> None:
    """Raises UsageError for what can only be read from its beginning."""
    named = ENDINGS.get(Path(path).suffix.lower())
    if start.startswith(GZIP) or marked(start) or named not in (None, "jsonl"):
        raise UsageError(
            _("{path} cannot be read in blocks: that takes JSON lines in UTF-8, not packed, or"
              " Parquet", path=path),
            hint=_("or cut the job by its rows: --shard 1/8, 2/8, ..."),
        )  # fmt: skip


def _hint() -> str:
    return _("every machine must see the file under this name, on storage that they share")
