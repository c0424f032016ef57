"""Rows of Parquet files, a group of rows at a time, by pyarrow (the `parquet` extra)."""

import datetime
import math
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from llmctl.errors import NotFound, UsageError
from llmctl.messages import _
from llmctl.rows import IDS, BadRow, Row
from llmctl.rows.lines import Gauge, chosen
from llmctl.rows.local import refuse_missing
from llmctl.types import Json

Found = Row | BadRow

# How much is unpacked at a time, whichever is less.
ROWS_AT_A_TIME = 1024
BYTES_AT_A_TIME = 8 << 20


def parquet_rows(
    path: str | None, columns: Sequence[str], gauge: Gauge, *, first: int = 1
) -> Iterator[Found]:
    """The rows from the `first` on. Raises NotFound without pyarrow, UsageError for a file that is
    no such table."""
    if path is None:
        raise UsageError(
            _("a Parquet file cannot be read from standard input"),
            hint=_("write it to a file, and name that"),
        )
    file = _opened(path)
    import pyarrow

    with file:
        names = file.schema_arrow.names
        refuse_missing(columns, names)
        ids = [name for name in IDS if name in names][:1]
        wanted = list(dict.fromkeys((*columns, *ids))) if columns else None
        groups, line = _from(file.metadata, first)
        together = _together(file.metadata)
        try:
            for batch in file.iter_batches(together, row_groups=groups, columns=wanted):
                if line + batch.num_rows < first:
                    line += batch.num_rows
                    continue
                size = batch.nbytes // (batch.num_rows or 1)
                for values in _values(batch):
                    line += 1
                    if line < first:
                        continue
                    gauge.read += size
                    if isinstance(values, BadRow):
                        yield values._replace(line=line)
                        continue
                    yield _row(line, values, columns)
        except (pyarrow.ArrowException, OSError) as error:
            raise _damaged(path, error) from None


def row_count(path: str) -> int:
    """How many rows a Parquet file has, by its end. Raises as `parquet_rows` does."""
    with _opened(path) as file:
        return int(file.metadata.num_rows)


def _opened(path: str) -> Any:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise NotFound(
            _("this installation cannot read Parquet files"),
            hint=_("add it, in a checkout of llmctl: pip install '.[parquet]' (see docs/rows.md)"),
            reason="extra",
        ) from None
    try:
        # Without buffering ahead: a group of rows may be as large as the file.
        return parquet.ParquetFile(path, pre_buffer=False)
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged(path, error) from None


def _from(metadata: Any, first: int) -> tuple[list[int], int]:
    """The groups of rows from that on which holds the row `first`, and how many come before."""
    before = 0
    for number in range(metadata.num_row_groups):
        if before + metadata.row_group(number).num_rows >= first:
            return list(range(number, metadata.num_row_groups)), before
        before += metadata.row_group(number).num_rows
    return [], before


def _together(metadata: Any) -> int:
    """How many rows to unpack at a time: few of those that are large."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    heaviest = max((one.total_byte_size / (one.num_rows or 1) for one in groups), default=0)
    return max(1, min(ROWS_AT_A_TIME, int(BYTES_AT_A_TIME / max(heaviest, 1))))


def _row(line: int, values: Mapping[str, Any], columns: Sequence[str]) -> Row:
    whole = {name: plain(value) for name, value in values.items()}
    id = chosen(line, whole, ()).id
    return Row(line, {name: whole[name] for name in columns} if columns else whole, id)


def _values(batch: Any) -> Iterator[Mapping[str, Any] | BadRow]:
    """The rows of a batch as Python has them; where that fails, one by one."""
    batch = _to_microseconds(batch)
    try:
        rows = batch.to_pylist()
    except (ValueError, OverflowError):  # text that is none, a date in the year 20,000
        rows = None
    if rows is not None:
        yield from rows
        return
    for number in range(batch.num_rows):
        try:
            yield batch.slice(number, 1).to_pylist()[0]
        except UnicodeDecodeError as error:
            yield BadRow(
                0, _("it holds text that is not valid {name}", name=error.encoding.upper())
            )
        except (ValueError, OverflowError) as error:
            yield BadRow(0, _("it holds a value that cannot be told: {why}", why=str(error)[:200]))


def _to_microseconds(batch: Any) -> Any:
    """Times to the microsecond, as Python has them: those of other programs go to the
    nanosecond, and there is no more to them than zeros, mostly."""
    import pyarrow

    kinds = pyarrow.types
    for place, field in enumerate(batch.schema):
        kind = field.type
        if getattr(kind, "unit", None) != "ns":
            continue
        if kinds.is_timestamp(kind):
            finer = pyarrow.timestamp("us", kind.tz)
        elif kinds.is_duration(kind):
            finer = pyarrow.duration("us")
        else:
            finer = pyarrow.time64("us")
        column = batch.column(place).cast(finer, safe=False)
        batch = batch.set_column(place, field.with_type(finer), column)
    return batch


def _damaged(path: str, error: Exception) -> UsageError:
    return UsageError(
        _("{path} is no Parquet file that can be read: {why}", path=path,
          why=str(error).partition("\n")[0][:200])
    )  # fmt: skip


def plain(value: Any) -> Json:
    """A value of a table as JSON has it: times as ISO 8601, exact numbers as text, bytes in base64,
    what is no number as null."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case bool() | int() | str() | None:
            return value
        case bytes():
            return b64encode(value).decode("ascii")
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case datetime.timedelta():
            return value.total_seconds()
        case Decimal():
            return str(value)
        case dict():
            return {str(name): plain(one) for name, one in value.items()}
        case list() | tuple():
            return [plain(one) for one in value]
        case _:
            return str(value)
