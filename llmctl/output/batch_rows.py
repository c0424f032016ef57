"""A row of a job as it is written: a line of JSON, or a row of a table (CSV, TSV, Parquet)."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from llmctl.batch.shape import Ended
from llmctl.output.cells import no_formula
from llmctl.output.encoding import mended
from llmctl.output.envelope import envelope, json_text
from llmctl.output.terminal import safe
from llmctl.types import Json

Line = Mapping[str, Json]


# ---- JSON lines --------------------------------------------------------------------------------


def row_json(ended: Ended) -> dict[str, Json]:
    """The envelope of `--json`, and under `row` whose it is: `id` and `line` always, the others
    only where they hold."""
    row: dict[str, Json] = {"id": ended.id, "line": ended.line}
    if ended.columns:
        row["columns"] = ended.columns
    if ended.hops:
        row["hops"] = [{"model": hop.model, "cause": hop.cause} for hop in ended.hops]
    if ended.same_as is not None:
        row["same_as"] = ended.same_as
    if ended.cached:
        row["cached"] = True
    line = envelope(ended.receipt)
    line["row"] = row
    return line


def row_line(ended: Ended) -> bytes:
    """A row, answered or failed, as one line of UTF-8 with LF at its end and nowhere else."""
    return json_text(row_json(ended)).encode() + b"\n"


# ---- tables ------------------------------------------------------------------------------------


def _place(first: str, second: str | None = None) -> Callable[[Line], Json]:
    """What stands at that place of a line, None where there is no such place."""

    def outer(line: Line) -> Json:
        return line.get(first)

    def inner(line: Line) -> Json:
        part = line.get(first)
        return part.get(second) if isinstance(part, dict) else None

    return outer if second is None else inner


def _hops(line: Line) -> str | None:
    """`openai/gpt-6-luna: rate-limited; …`: the models that were asked in vain."""
    hops = _place("row", "hops")(line)
    return "; ".join(f"{one['model']}: {one['cause']}" for one in hops) if hops else None


def _calls(line: Line) -> str | None:
    calls = line.get("tool_calls")
    return json_text(calls) if calls else None


def _media(line: Line) -> int:
    return len(line.get("media") or ())


# What stands before the columns that are carried along, and after them: names that never change,
# in this order, each with its type in a Parquet file.
BEFORE: Mapping[str, tuple[str, Callable[[Line], Json]]] = {
    "id": ("string", _place("row", "id")),
    "line": ("int64", _place("row", "line")),
}
AFTER: Mapping[str, tuple[str, Callable[[Line], Json]]] = {
    "text": ("string", _place("text")),
    "reasoning": ("string", _place("reasoning")),
    "tool_calls": ("string", _calls),
    "media": ("int64", _media),
    "finish_reason": ("string", _place("finish_reason")),
    "model": ("string", _place("model", "requested")),
    "resolved": ("string", _place("model", "resolved")),
    "provider": ("string", _place("model", "provider")),
    "input_tokens": ("int64", _place("usage", "input_tokens")),
    "output_tokens": ("int64", _place("usage", "output_tokens")),
    "cached_tokens": ("int64", _place("usage", "cached_tokens")),
    "reasoning_tokens": ("int64", _place("usage", "reasoning_tokens")),
    "usage_source": ("string", _place("usage", "source")),
    "cost": ("string", _place("cost", "amount")),
    "currency": ("string", _place("cost", "currency")),
    "cost_kind": ("string", _place("cost", "kind")),
    "ttft_s": ("double", _place("latency", "ttft_s")),
    "total_s": ("double", _place("latency", "total_s")),
    "waited_s": ("double", _place("latency", "waited_s")),
    "attempts": ("int64", _place("attempts")),
    "privacy": ("string", _place("privacy", "level")),
    "request_id": ("string", _place("request_id")),
    "started_at": ("string", _place("started_at")),
    "hops": ("string", _hops),
    "same_as": ("string", _place("row", "same_as")),
    "cached": ("bool", lambda line: bool(_place("row", "cached")(line))),
}


def table_schema(columns: Sequence[str]) -> list[tuple[str, str]]:
    """Names and types (string, int64, double, bool) of a table with these columns carried along.
    Of two with one name, the carried one is called `row_NAME`."""
    before = [(name, kind) for name, (kind, _of) in BEFORE.items()]
    after = [(name, kind) for name, (kind, _of) in AFTER.items()]
    taken = {name for name, _kind in (*before, *after)}
    carried = []
    for name in columns:
        free = name
        while free in taken:
            free = f"row_{free}"
        taken.add(free)
        carried.append((free, "string"))
    return [*before, *carried, *after]


def table_values(line: Line, columns: Sequence[str]) -> Iterator[Json]:
    """The cells of a line by `table_schema`: None is unknown; carried columns are text, what is
    none as JSON."""
    for _kind, of in BEFORE.values():
        yield of(line)
    carried = _place("row", "columns")(line) or {}
    for name in columns:
        value = carried.get(name)
        yield value if value is None or isinstance(value, str) else json_text(value)
    for _kind, of in AFTER.values():
        yield of(line)


def csv_header(columns: Sequence[str] = (), *, tabs: bool = False) -> bytes:
    """The first row of a table; the names of our own columns never change with the language."""
    return _written([_cell(name) for name, _kind in table_schema(columns)], tabs=tabs)


def csv_line(ended: Ended, columns: Sequence[str] = (), *, tabs: bool = False) -> bytes:
    """A row by RFC 4180, or with tabs between cells: UTF-8, CRLF (LF beside tabs) at its end. A
    cell with line breaks is quoted. Unknown is empty, times are seconds, money is a decimal; text
    is such that it drives no terminal and no spreadsheet takes it for a formula."""
    return csv_row(row_json(ended), columns, tabs=tabs)


def csv_row(line: Line, columns: Sequence[str] = (), *, tabs: bool = False) -> bytes:
    """The same of a row as `row_json` has it."""
    return _written(map(_cell, table_values(line, columns)), tabs=tabs)


def _written(cells: "Iterator[str] | list[str] | map[str]", *, tabs: bool) -> bytes:
    text = io.StringIO()
    csv.writer(
        text, delimiter="\t" if tabs else ",", lineterminator="\n" if tabs else "\r\n"
    ).writerow(cells)
    return text.getvalue().encode()


def _cell(value: Json) -> str:
    match value:
        case None | False:
            return ""
        case True:
            return "1"
        case float():
            return f"{value:.6f}".rstrip("0").rstrip(".")
        case int():
            return f"{value}"
        case _:
            text = no_formula(str(value))
            if text.isprintable():
                return text
            return mended(safe(text.replace("\r\n", "\n").replace("\r", "\n")))


def line_json(line: bytes) -> dict[str, Json] | None:
    """What `row_line` has written; None for what is no such line."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and isinstance(value.get("row"), dict) else None
