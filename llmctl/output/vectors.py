"""Vectors as rows: JSON lines, CSV, raw floats, NumPy's file; or all in one JSON document."""

import json
import sys
from array import array
from collections.abc import Sequence
from typing import Protocol

from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.output.envelope import envelope, json_text
from llmctl.output.sink import OutputFile, Sink
from llmctl.types import Json, Receipt
from llmctl.values import dataclass

FORMATS = ("jsonl", "csv", "f32", "npy")
BINARY = frozenset({"f32", "npy"})
# Bytes of a head of NumPy's files: room for any shape, and a multiple of 64 as NumPy has it.
NPY_HEAD = 128


@dataclass(frozen=True, slots=True)
class Row:
    """A vector and whose it is; `text` is None where it is not to be shown."""

    index: int
    line: int | None
    id: Json
    text: str | None
    values: Sequence[float]


class Rows(Protocol):
    """Takes rows in order, then hears how it ended; each may raise PipeClosed or IoFailed."""

    def row(self, row: Row) -> None: ...

    def finish(self, receipt: Receipt) -> None: ...

    def fail(self, receipt: Receipt) -> None:
        """The run broke off; in a file, what came stays as `NAME.part`."""


def rows_to(sink: Sink, form: str, *, with_text: bool) -> Rows:
    """`form` is one of FORMATS, or "json"; raises UsageError for one that cannot go there."""
    match form:
        case "json":
            return Document(sink)
        case "csv":
            return Csv(sink, with_text=with_text)
        case "f32":
            return Floats(sink)
        case "npy":
            if not isinstance(sink, OutputFile):
                raise UsageError(
                    _("a file of NumPy begins with the number of its rows, which only a file can"),
                    hint=_("name one with --output FILE.npy"),
                )
            return Npy(sink)
        case _:
            return Lines(sink)


class _Plain:
    """What ends a format without a head and without a foot."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def finish(self, receipt: Receipt) -> None:
        self._sink.keep()

    def fail(self, receipt: Receipt) -> None:
        self._sink.abandon()


class Lines(_Plain):
    """A JSON object a line."""

    def row(self, row: Row) -> None:
        self._sink.write(object_text(row) + "\n")


class Csv(_Plain):
    """A line of names first, a column for each number of the vectors; the least quoting there
    is."""

    def __init__(self, sink: Sink, *, with_text: bool) -> None:
        super().__init__(sink)
        self._with_text = with_text
        self._begun = False

    def row(self, row: Row) -> None:
        if not self._begun:
            self._begun = True
            names = ["index", "line", "id", *(["text"] if self._with_text else [])]
            names += [f"v{number}" for number in range(len(row.values))]
            self._sink.write(",".join(names) + "\n")
        told = [row.index, row.line, row.id, *([row.text] if self._with_text else [])]
        cells = ",".join(_cell(one) for one in told)
        self._sink.write(f"{cells},{spelt(row.values, ',')}\n")


class Floats(_Plain):
    """Little-endian floats of 32 bits, row after row, and nothing else."""

    def row(self, row: Row) -> None:
        self._sink.put(packed(row.values))


class Npy(_Plain):
    """NumPy's own format, version 1.0: a head with the shape, then what `Floats` writes."""

    def __init__(self, sink: OutputFile) -> None:
        super().__init__(sink)
        self._file = sink
        self._rows = self._size = 0

    def row(self, row: Row) -> None:
        if not self._rows:
            self._size = len(row.values)
            self._file.put(npy_head(0, self._size))
        self._rows += 1
        self._file.put(packed(row.values))

    def finish(self, receipt: Receipt) -> None:
        if not self._rows:
            self._file.put(npy_head(0, 0))
        self._file.begin_with(npy_head(self._rows, self._size))
        self._file.keep()

    def fail(self, receipt: Receipt) -> None:
        if self._rows:
            self._file.begin_with(npy_head(self._rows, self._size))
        self._file.abandon()


class Document:
    """One JSON object: the list of rows first, as they come, then the receipt, also of a run that
    broke off."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._begun = False

    def row(self, row: Row) -> None:
        begin = "," if self._begun else '{"embeddings":['
        self._begun = True
        self._sink.write(begin + object_text(row))

    def finish(self, receipt: Receipt) -> None:
        end = "]," if self._begun else '{"embeddings":[],'
        rest = json_text(envelope(receipt), ascii_only=not self._sink.unicode)
        self._sink.write(end + rest[1:] + "\n")
        self._sink.keep()

    def fail(self, receipt: Receipt) -> None:
        self.finish(receipt)


def object_text(row: Row) -> str:
    """A row as JSON; `text` only where there is one."""
    told: dict[str, Json] = {"index": row.index, "line": row.line, "id": row.id}
    if row.text is not None:
        told["text"] = row.text
    return f'{json_text(told)[:-1]}, "embedding": [{spelt(row.values)}]}}'


def spelt(values: Sequence[float], sign: str = ", ") -> str:
    """Numbers as they came in JSON; those of 32 bits with nine digits, which always say which they
    are (the fewest that do would take three times as long to find)."""
    if isinstance(values, array):
        return sign.join(["%.9g"] * len(values)) % tuple(values)
    return sign.join(map(repr, values))


def packed(values: Sequence[float]) -> bytes:
    floats = values if isinstance(values, array) and values.typecode == "f" else array("f", values)
    if sys.byteorder == "big":
        floats = floats[:]
        floats.byteswap()
    return floats.tobytes()


def npy_head(rows: int, size: int) -> bytes:
    """The first NPY_HEAD bytes of a file of that shape."""
    told = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {size}), }}"
    head = b"\x93NUMPY\x01\x00" + (NPY_HEAD - 10).to_bytes(2, "little")
    return head + told.ljust(NPY_HEAD - 11).encode("ascii") + b"\n"


def _cell(value: Json) -> str:
    """Quoted where it has to be; what is no text as JSON, nothing as nothing."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if any(sign in text for sign in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
