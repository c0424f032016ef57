"""Rows of files and of standard input, by the form that they are in."""

import gzip
import io
import os
import stat
import sys
import zlib
from collections.abc import Container, Iterator, Sequence
from contextlib import closing
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from llmctl.errors import UsageError
from llmctl.files import unreadable
from llmctl.messages import _
from llmctl.rows import BadRow, Row
from llmctl.rows.encoded import UTF_8_BOM, Recoded, lines_as_ascii, marked
from llmctl.rows.lines import Gauge

Found = Row | BadRow

ENDINGS = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv", ".tab": "tsv",
    ".parquet": "parquet", ".pq": "parquet", ".txt": "text", ".md": "text", ".text": "text",
}  # fmt: skip
FORMATS = ("jsonl", "csv", "tsv", "parquet", "text")
GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"


def local_rows(
    path: str | None,
    *,
    format: str | None = None,
    columns: Sequence[str] = (),
    limit: int | None = None,
    encoding: str | None = None,
    gauge: Gauge | None = None,
    skip: Container[int] = (),
) -> Iterator[Found]:
    """See `llmctl.rows.open_rows`; blocks while it reads, and says in `gauge` how much that was."""
    if format is not None and format not in FORMATS:
        raise UsageError(
            _("there is no format {name} for rows", name=format),
            hint=_("formats: {names}", names=", ".join(FORMATS)),
        )
    try:
        with closing(_opened(path)) as file:
            early = () if limit is not None else skip  # those read over count for the limit
            rows = _read(file, path, format, columns, encoding, gauge or Gauge(), early)
            for row in islice(rows, limit):
                if row.line not in skip:
                    yield row
    except (OSError, EOFError, zlib.error) as error:  # EOFError: gzip that was cut off
        if isinstance(error, OSError) and error.errno is not None:
            hint = _("rows are read from a file, from standard input (-) or from hf://datasets/…")
            raise unreadable(error, path or _("standard input"), hint) from None
        raise UsageError(
            _("{path} is damaged: {why}", path=path or _("standard input"), why=error)
        ) from None
    except UnicodeDecodeError as error:  # of a file that is decoded as a whole
        raise UsageError(
            _("{path} is not valid {name}", path=path or _("standard input"),
              name=error.encoding.upper()),
            hint=_("name its encoding: --encoding NAME (cp1251, cp866, koi8-r, latin-1, ...)"),
        ) from None  # fmt: skip
    except ValueError as error:  # a NUL in the path
        if path is not None and "\0" in path:
            raise UsageError(_("{path} is no path of a file", path=repr(path))) from None
        raise error


def _opened(path: str | None) -> io.BufferedReader:
    if path is None:
        return open(sys.stdin.fileno(), "rb", closefd=False)
    return open(path, "rb")


def comes_slowly(path: str | None) -> bool:
    """Whether rows may come one by one, with time between them, as from a pipe."""
    try:
        mode = os.stat(path if path is not None else sys.stdin.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode)


def _read(
    buffered: io.BufferedReader,
    path: str | None,
    format: str | None,
    columns: Sequence[str],
    encoding: str | None,
    gauge: Gauge,
    skip: Container[int],
) -> Iterator[Found]:
    start = buffered.peek(4)
    endings = Path(path or "").suffixes[-2:]
    if start.startswith(GZIP):
        unpacked = gzip.GzipFile(fileobj=buffered)
        buffered = io.BufferedReader(unpacked)
        endings = [one for one in endings if one.lower() != ".gz"]
        start = buffered.peek(4)
    encoding = encoding or marked(start) or "utf-8"
    if not lines_as_ascii(encoding):
        buffered = io.BufferedReader(Recoded(buffered, encoding))
        encoding, start = "utf-8", buffered.peek(4)
    named = ENDINGS.get(endings[-1].lower()) if endings else None
    if format is None and endings and endings[-1].lower() == ".json":
        _refuse_list(path, start)
    kind = format or named or _guessed(start)
    if start.startswith(PARQUET):
        kind = "parquet"
    match kind:
        case "parquet":
            from llmctl.rows.parquet import parquet_rows

            return parquet_rows(path, columns, gauge)
        case "csv" | "tsv":
            from llmctl.rows.tables import table_rows

            separator = "\t" if kind == "tsv" else None
            return table_rows(buffered, columns, encoding, gauge, separator=separator)
        case "jsonl":
            from llmctl.rows.lines import json_rows

            return json_rows(buffered, columns, encoding, gauge, skip)
        case _:
            from llmctl.rows.lines import text_rows

            return text_rows(buffered, encoding, gauge, skip)


def _guessed(start: bytes) -> str:
    """What a source without an ending holds, by how it begins: rows of JSON, or lines of text."""
    begins = start.removeprefix(UTF_8_BOM).lstrip()
    return "jsonl" if begins.startswith(b"{") else "text"


def _refuse_list(path: str | None, start: bytes) -> None:
    """Raises UsageError for one document of JSON that is a list: its lines are no rows."""
    if start.removeprefix(UTF_8_BOM).lstrip().startswith(b"["):
        raise UsageError(
            _("{path} is one list of JSON, and a row is a line", path=path),
            hint=_("make lines of it: jq -c '.[]' {path} > rows.jsonl", path=path),
        )


def refuse_missing(columns: Sequence[str], there: Sequence[str]) -> None:
    """Raises UsageError for columns that a table does not have."""
    for name in columns:
        if name not in there:
            near = get_close_matches(name, there, 3)
            raise UsageError(
                _("there is no column {name}", name=name),
                hint=_("did you mean: {names}", names=", ".join(near))
                if near
                else _("there are: {names}", names=", ".join(there)[:300]),
            )
