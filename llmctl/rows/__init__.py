"""Rows for jobs: a file of many prompts or texts, standard input, or a data set of a hub.

    async with aclosing(open_rows("in.jsonl", columns=["text"])) as rows:
        async for one in rows:
            match one:
                case Row(line, values, id): ...
                case BadRow(line, why): ...     # the others go on

A row that cannot be read is a value like the others, since it must not keep the rest from being
read; what is wrong with the source as a whole is an error.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from llmctl.types import Json

if TYPE_CHECKING:
    from llmctl.settings import Loaded

# Where a row has its text, when nobody names a column.
USUAL = ("prompt", "text", "content", "input", "question")

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
    loaded: "Loaded | None" = None,
) -> AsyncGenerator[Row | BadRow, None]:
    """The rows of a file, of standard input (None or "-"), or of `hf://datasets/ORG/NAME`, for
    which `loaded` are the settings, as they are read: never more than a few hundred are held.

    `format` is jsonl, csv, tsv, parquet or text; by default the ending says it, else the first
    line. With `columns` rows hold these alone, and one without them is bad. At most `limit` rows.

    Raises UsageError for a file that cannot be read, columns that a table does not have and a data
    set that is not named as it should be; for a data set LlmctlError as any request does.
    """
    if source is not None and source.startswith(HUB):
        from llmctl.rows.hub import hub_rows

        return hub_rows(source, columns=columns, limit=limit, loaded=loaded)
    from llmctl.rows.local import local_rows
    from llmctl.rows.thread import from_thread

    path = None if source in (None, "-") else source
    return from_thread(
        local_rows(path, format=format, columns=columns, limit=limit, encoding=encoding)
    )


def text_of(row: Row, column: str | None = None) -> str:
    """The text of a row: that of `column`, else of the first column with a usual name, else of the
    only one there is. Raises BadText."""
    from llmctl.messages import _

    values = row.values
    name = column or next((one for one in USUAL if one in values), None)
    if name is None and len(rest := [one for one in values if one != "id"]) == 1:
        name = rest[0]
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
