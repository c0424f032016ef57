"""The rows of an output read back, whatever its form: as `row_line` writes them."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from llmctl.errors import UsageError
from llmctl.files import unreadable
from llmctl.messages import _
from llmctl.output.batch_rows import AFTER, BEFORE, Line, line_json
from llmctl.types import Json

NUMBERS = {"int64": int, "double": float}
LONGEST_CELL = 64 << 20


def read_lines(path: Path) -> Iterator[Line | None]:
    """Every row of an output or of its errors, one held at a time; None for what is no row. The
    ending says the form: JSON lines, CSV, TSV or Parquet. A table says less, and of copies (an
    apostrophe before a formula) what stands there.

    Raises UsageError for a file that cannot be read or is no such table, NotFound without the extra
    `parquet`.
    """
    match path.suffix.lower():
        case ".csv":
            yield from _table(path, ",")
        case ".tsv" | ".tab":
            yield from _table(path, "\t")
        case ".parquet" | ".pq":
            yield from _parquet(path)
        case _:
            try:
                with path.open("rb") as file:
                    for line in file:
                        yield line_json(line)
            except OSError as error:
                raise unreadable(error, path, _hint()) from None


def read_all(paths: Iterable[Path]) -> Iterator[Line | None]:
    """The rows of several files, one after the other; one that is not there has none."""
    for path in paths:
        if path.is_file():
            yield from read_lines(path)


def _hint() -> str:
    return _("name the output of a job: llmctl batch report OUT --output report.html")


def _table(path: Path, separator: str) -> Iterator[Line | None]:
    csv.field_size_limit(LONGEST_CELL)
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            rows = csv.reader(file, delimiter=separator)
            names = next(rows, [])
            _refuse_others(path, names)
            for row in rows:
                whole = len(row) == len(names)
                yield line_of(dict(zip(names, row, strict=True))) if whole else None
    except OSError as error:
        raise unreadable(error, path, _hint()) from None
    except csv.Error as error:
        raise UsageError(
            _("{path} is no table that can be read: {why}", path=path, why=error), hint=_hint()
        ) from None


def _parquet(path: Path) -> Iterator[Line | None]:
    from llmctl.rows import Row
    from llmctl.rows.lines import Gauge
    from llmctl.rows.parquet import parquet_rows

    checked = False
    for row in parquet_rows(str(path), (), Gauge()):
        if isinstance(row, Row):
            if not checked:
                _refuse_others(path, list(row.values))
                checked = True
            yield line_of(row.values)
        else:
            yield None


def _refuse_others(path: Path, names: list[str]) -> None:
    missing = [name for name in (*BEFORE, "text", "model") if name not in names]
    if missing:
        raise UsageError(
            _("{path} is no output of a job: it has no column {name}", path=path, name=missing[0]),
            hint=_hint(),
        )


def line_of(cells: Mapping[str, Json]) -> Line:
    """A row of a table in the shape of a line of JSON, with all that it says."""

    def cell(name: str) -> Json:
        value = cells.get(name)
        kind = (AFTER.get(name) or BEFORE[name])[0]
        if value is None or value == "":
            return "" if name == "text" else None
        if kind not in NUMBERS or not isinstance(value, str):
            return value
        try:
            return NUMBERS[kind](value)
        except ValueError:
            return None

    usage = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")
    row = {"id": cell("id"), "line": cell("line")}
    if cells.get("same_as"):
        row["same_as"] = cell("same_as")
    if cells.get("cached") not in (None, "", False):
        row["cached"] = True
    return {
        "text": cell("text"),
        "reasoning": cell("reasoning"),
        "finish_reason": cell("finish_reason"),
        "model": {
            "requested": cell("model"),
            "resolved": cell("resolved"),
            "provider": cell("provider"),
        },
        "usage": {name: cell(name) for name in usage},
        "cost": {"amount": cell("cost"), "currency": cell("currency"), "kind": cell("cost_kind")},
        "latency": {name: cell(name) for name in ("ttft_s", "total_s", "waited_s")},
        "privacy": {"level": cell("privacy")},
        "attempts": cell("attempts"),
        "error": None,
        "row": row,
    }
