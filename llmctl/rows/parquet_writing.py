"""A table as a Parquet file, written a group of rows at a time by pyarrow (the `parquet` extra)."""

from collections.abc import Sequence
from types import TracebackType
from typing import IO, Any

from llmctl.errors import NotFound
from llmctl.messages import _

# What is held before a group is written, whichever is reached first; bytes of text, about.
ROWS_A_GROUP = 10_000
BYTES_A_GROUP = 16 << 20


class ParquetFile:
    """Takes rows and writes them to `file`. `schema` has names and types of the columns: string,
    int64, double, bool. To be used as a context: at its end the file is whole.

    Raises NotFound without pyarrow, OSError as the file does, ValueError for a value that is not of
    its column's type.
    """

    def __init__(self, file: IO[bytes], schema: Sequence[tuple[str, str]]) -> None:
        self._arrow, parquet = _pyarrow()
        kinds = {
            "string": self._arrow.string(),
            "int64": self._arrow.int64(),
            "double": self._arrow.float64(),
            "bool": self._arrow.bool_(),
        }
        self._schema = self._arrow.schema([(name, kinds[kind]) for name, kind in schema])
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._columns: list[list[object]] = [[] for _column in schema]
        self._size = 0

    def row(self, values: Sequence[object]) -> None:
        """One value a column, in their order; None is unknown."""
        for column, value in zip(self._columns, values, strict=True):
            if isinstance(value, str):
                self._size += len(value)
                if not value.isascii():
                    # Half of a surrogate pair is no character, and no column can hold it.
                    value = value.encode("utf-16-le", "surrogatepass").decode(
                        "utf-16-le", "replace"
                    )
            column.append(value)
        if len(self._columns[0]) >= ROWS_A_GROUP or self._size >= BYTES_A_GROUP:
            self._flush()

    def __enter__(self) -> "ParquetFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._columns[0]:
            arrays = [
                self._arrow.array(values, type=field.type)
                for values, field in zip(self._columns, self._schema, strict=True)
            ]
            self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))
            self._columns = [[] for _column in self._columns]
            self._size = 0


def _mended(text: str) -> str:
    """Half of a surrogate pair is no character, and no column can hold it."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise NotFound(
            _("this installation cannot write Parquet files"),
            hint=_("add it, in a checkout of llmctl: pip install '.[parquet]' (see docs/rows.md)"),
            reason="extra",
        ) from None
    return pyarrow, parquet
