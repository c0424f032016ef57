"""Rows for jobs: a file of many prompts or texts, standard input, or a data set of a hub.

    async with aclosing(open_rows("in.jsonl", columns=["text"])) as rows:
        async for one in rows:
            match one:
                case Row(line, values, id): ...
                case BadRow(line, why): ...     # the others go on

A row that cannot be read is a value like the others, since it must not keep the rest from being
read; what is wrong with the source as a whole is an error.
"""

from collections.abc import AsyncGenerator, Callable, Container, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple

from llmctl.types import Json

if TYPE_CHECKING:
    from llmctl.settings import Loaded

# Where a row has its text, when nobody names a column.
USUAL = ("prompt", "text", "content", "input", "question")

# Where it has its name, the first of them.
IDS = ("id", "custom_id")

HUB = "hf://"


class Row(NamedTuple):
    """`line` is where it begins in its source, from 1; `values` are its columns; `id` is what it
    calls itself (`id`, or `custom_id` of a line for OpenAI's batches), None where it has no name.
    """

    line: int
    values: Mapping[str, Json]
    id: str | None = None

    @property
    def name(self) -> str:
        """Its id, else its line."""
        return self.id or str(self.line)


class BadRow(NamedTuple):
    """A row that cannot be used, and why."""

    line: int
    why: str
    id: str | None = None


class BadText(Exception):
    """There is no text in a row; the message says why, for people."""


def open_rows(
    source: str | None,
    *,
    format: str | None = None,
    columns: Sequence[str] = (),
    limit: int | None = None,
    encoding: str | None = None,
    unique: bool = False,
    skip: Container[int] = (),
    loaded: "Loaded | None" = None,
    note: "Callable[[str], object] | None" = None,
) -> AsyncGenerator[Row | BadRow, None]:
    """The rows of a file, of standard input (None or "-"), or of `hf://datasets/ORG/NAME`, for
    which `loaded` are the settings, as they are read: never more than a few hundred are held, of
    large ones few.

    `format` is jsonl, csv, tsv, parquet or text; by default the ending says it, else the first
    line. With `columns` rows hold these alone, and one without them is bad. At most `limit` rows.
    Rows on the lines that `skip` has are read over, and take hardly any time where rows are lines.
    With `unique` a row is bad whose name an earlier one has, which costs 18 to 36 bytes a row.
    `note` is told, for people, what is worth knowing of a data set: that it is not whole, say.

    Raises UsageError for a file that cannot be read, columns that a table does not have and a data
    set that is not named as it should be; for a data set LlmctlError as any request does.
    """
    if source is not None and source.startswith(HUB):
        from llmctl.rows.hub import hub_rows

        found = hub_rows(source, columns=columns, limit=limit, loaded=loaded, note=note)
        found = _without(found, skip)
        return _unique(found) if unique else found
    from llmctl.rows.lines import Gauge
    from llmctl.rows.local import comes_slowly, local_rows
    from llmctl.rows.thread import from_thread

    path, gauge = None if source in (None, "-") else source, Gauge()
    rows = local_rows(
        path,
        format=format,
        columns=columns,
        limit=limit,
        encoding=encoding,
        gauge=gauge,
        skip=skip,
    )
    if unique:
        from llmctl.rows.names import unique as without_repeats

        rows = without_repeats(rows)
    return from_thread(rows, taken=lambda: gauge.read, live=comes_slowly(path))


async def _unique(rows: AsyncGenerator[Row | BadRow, None]) -> AsyncGenerator[Row | BadRow, None]:
    from llmctl.rows.names import Names, repeated

    names = Names()
    async with aclosing(rows) as found:
        async for row in found:
            yield (repeated(row, names) or row) if isinstance(row, Row) else row


async def _without(
    rows: AsyncGenerator[Row | BadRow, None], skip: Container[int]
) -> AsyncGenerator[Row | BadRow, None]:
    async with aclosing(rows) as found:
        async for row in found:
            if row.line not in skip:
                yield row


def column_of(row: Row, column: str | None = None) -> str | None:
    """The name of the column that has the text of a row, None where nothing says which it is."""
    values = row.values
    name = column or next((one for one in USUAL if one in values), None)
    if name is None and len(rest := [one for one in values if one not in IDS]) == 1:
        name = rest[0]
    return name


def text_of(row: Row, column: str | None = None) -> str:
    """The text of a row: that of `column`, else of the first column with a usual name, else of the
    only one there is. Raises BadText."""
    from llmctl.messages import _

    values, name = row.values, column_of(row, column)
    if name is None or name not in values:
        raise BadText(
            _("there is no column {name}; there are: {names}", name=name or ", ".join(USUAL),
              names=", ".join(values)[:200] or "-")
        )  # fmt: skip
    text = values[name]
    if not isinstance(text, str):
        raise BadText(_("{name} is no text", name=name))
    if not text.strip():
        raise BadText(_("{name} is empty", name=name))
    return text
