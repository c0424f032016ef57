"""Rows of Parquet files, a group of rows at a time, by pyarrow (the `parquet` extra)."""

import datetime
import math
from base64 import b64encode
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from llmctl.errors import NotFound, UsageError
from llmctl.messages import _
from llmctl.rows import Row
from llmctl.rows.lines import chosen
from llmctl.rows.local import refuse_missing
from llmctl.types import Json

ROWS_AT_A_TIME = 1024


def parquet_rows(path: str | None, columns: Sequence[str]) -> Iterator[Row]:
    """Raises NotFound without pyarrow, UsageError for a file that is no such table."""
    if path is None:
        raise UsageError(
            _("a Parquet file cannot be read from standard input"),
            hint=_("write it to a file, and name that"),
        )
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise NotFound(
            _("this installation cannot read Parquet files"),
            hint=_("add it: pip install 'llmctl-cli[parquet]'"),
            reason="extra",
        ) from None
    try:
        file: Any = parquet.ParquetFile(path)
    except pyarrow.ArrowException as error:
        raise _damaged(path, error) from None
    with file:
        names = file.schema_arrow.names
        refuse_missing(columns, names)
        wanted = list(dict.fromkeys((*columns, *(["id"] if "id" in names else [])))) or None
        line = 0
        try:
            batches = file.iter_batches(ROWS_AT_A_TIME, columns=wanted if columns else None)
            for batch in batches:
                for values in batch.to_pylist():
                    line += 1
                    whole = {name: plain(value) for name, value in values.items()}
                    id = chosen(line, whole, ()).id
                    yield Row(line, {name: whole[name] for name in columns} or whole, id)
        except pyarrow.ArrowException as error:
            raise _damaged(path, error) from None


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
