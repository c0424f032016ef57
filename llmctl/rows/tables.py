"""Rows of tables as text: CSV in all its forms, and TSV."""

import csv
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.rows import BadRow, Row
from llmctl.rows.lines import LONGEST_LINE, Gauge, chosen, raw_lines
from llmctl.rows.local import refuse_missing

Found = Row | BadRow

# What may stand between columns; a spreadsheet of a Russian system writes semicolons.
SEPARATORS = (",", ";", "\t", "|")

# Characters, with all the lines that belong to it: a quote that is never closed must not keep the
# whole rest of a file.
LONGEST_ROW = 16 * 2**20


class Lines:
    """Lines of text for the reader of the standard library, that knows how far it has come. Bytes
    that are no text become lone surrogates, by which their row is found."""

    def __init__(self, file: BinaryIO, encoding: str, gauge: Gauge) -> None:
        self.number = 0
        self.encoding = encoding
        self.row: list[str] = []  # those that the reader has taken for its row so far
        self._size = 0
        self._lines = raw_lines(file, gauge)
        self._waiting: deque[str] = deque()

    def peek(self) -> str:
        """The first line, "" for none."""
        line = next(self, "")
        if line:
            self.back(1)
        return line

    def begin(self) -> None:
        """A row begins with the next line."""
        self.row = []
        self._size = 0

    def back(self, count: int) -> None:
        """The last lines of this row come again."""
        self._waiting.extendleft(reversed(self.row[len(self.row) - count :]))
        self.number -= count
        self.begin()

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        if self._size > LONGEST_ROW:
            raise csv.Error(_("it is longer than {limit} MB", limit=LONGEST_ROW >> 20))
        if self._waiting:
            self.number += 1
            line = self._waiting.popleft()
        else:
            self.number, raw = next(self._lines)
            if raw is None:
                raise csv.Error(_("the line is longer than {limit} MB", limit=LONGEST_LINE >> 20))
            line = raw.decode(self.encoding, "surrogateescape") + "\n"
        self.row.append(line)
        self._size += len(line)
        return line


def table_rows(
    file: BinaryIO, columns: Sequence[str], encoding: str, gauge: Gauge, *, separator: str | None
) -> Iterator[Found]:
    """A table with a first row of names. Without `separator` it is what stands most often between
    them. Raises UsageError for a table without names and for columns that it does not have."""
    csv.field_size_limit(LONGEST_LINE)
    lines = Lines(file, encoding, gauge)
    separator = separator or _stated(lines) or likely(lines.peek())
    reader = csv.reader(lines, delimiter=separator, strict=True)
    names = _names(reader, lines)
    refuse_missing(columns, names)
    while True:
        lines.begin()
        begun = lines.number + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _broken(begun, lines, separator, len(names), error)
            continue
        if row and any(row):
            yield _row(begun, row, names, columns, lines.encoding)


def _stated(lines: Lines) -> str | None:
    """The separator that a first line of its own states, as spreadsheets read it: `sep=;`."""
    said = lines.peek().strip()
    if len(said) == 5 and said.lower().startswith("sep="):
        next(lines)
        lines.begin()
        return said[4]
    return None


def _names(reader: "Iterator[list[str]]", lines: Lines) -> list[str]:
    try:
        names = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise UsageError(_("the first row is no row of names: {why}", why=error)) from None
    _check(names, lines.encoding)
    return names


def _broken(begun: int, lines: Lines, separator: str, width: int, error: csv.Error) -> BadRow:
    """A row that does not read as one. Where a quote has made it swallow lines that look like rows
    themselves, these come again."""
    swallowed = [line for line in lines.row[1:] if not line.isspace()]
    if width > 1 and swallowed and all(one.count(separator) == width - 1 for one in swallowed):
        lines.back(len(lines.row) - 1)
        return BadRow(begun, _("it does not read as a row: {why}", why=_("a quote is not closed")))
    if lines.number > begun:
        return BadRow(
            begun,
            _("it does not read as a row, up to line {line}: {why}", line=lines.number, why=error),
        )
    return BadRow(begun, _("it does not read as a row: {why}", why=error))


def likely(line: str) -> str:
    """The separator of a row of names: the one that occurs most, quoted text left out."""
    bare = "".join(line.split('"')[::2])
    counts = Counter(sign for sign in bare if sign in SEPARATORS)
    return counts.most_common(1)[0][0] if counts else ","


def _check(names: list[str], encoding: str) -> None:
    if not any(names):
        raise UsageError(
            _("the table has no names of columns in its first row"),
            hint=_("a file of one text a line ends in .txt"),
        )
    if any(not name.isprintable() for name in names):
        raise UsageError(
            _("the names of the columns are not valid {name}", name=encoding.upper()),
            hint=_("name its encoding: --encoding NAME (cp1251, cp866, koi8-r, latin-1, ...)"),
        )
    if twice := next((name for name, times in Counter(names).items() if times > 1), None):
        raise UsageError(_("the table has two columns of the name {name}", name=twice or '""'))


def _row(
    begun: int, row: list[str], names: list[str], columns: Sequence[str], encoding: str
) -> Found:
    if len(row) != len(names):
        return BadRow(
            begun,
            _("it has {count} columns, and there are names for {names}", count=len(row),
              names=len(names)),
        )  # fmt: skip
    text = "".join(row)
    if "\0" in text:
        return BadRow(begun, _("it holds a NUL byte"))
    if not text.isascii() and any("\udc80" <= sign <= "\udcff" for sign in text):
        return BadRow(
            begun, _("not valid {name}; name its encoding with --encoding", name=encoding.upper())
        )
    values = dict(zip(names, row, strict=True))
    found = chosen(begun, values, ())
    return chosen(begun, values, columns)._replace(id=found.id)
