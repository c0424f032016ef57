"""Rows that are lines: of JSON, or of plain text. A line ends at LF or CRLF and nowhere else."""

import json
import math
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import BinaryIO

from llmctl.messages import _
from llmctl.rows import BadRow, Row
from llmctl.types import Json

Found = Row | BadRow

# What a request for a batch says of its question, the rest being how it is to be answered.
IN_A_BODY = ("model", "messages", "prompt", "input")

LONGEST_LINE = 64 * 2**20  # bytes: room for a few pictures in base64
BOM = b"\xef\xbb\xbf"


class Gauge:
    """How many bytes of rows have been read so far."""

    __slots__ = ("read",)

    def __init__(self) -> None:
        self.read = 0


class NoNumber(ValueError):
    """A number that JSON does not have."""


def _finite(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise NoNumber(text[:40])
    return value


def _no_constant(name: str) -> Json:
    raise NoNumber(name)


JSON = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


def raw_lines(
    file: BinaryIO, gauge: Gauge, *, first: int = 1
) -> Iterator[tuple[int, bytes | None]]:
    """(number, bytes without the end of the line); None in place of a line that is too long to be
    held, which is read past. `first` is the number of the line at which the file stands."""
    number = first - 1
    while line := file.readline(LONGEST_LINE):
        number += 1
        gauge.read += len(line)
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
            yield number, None
            continue
        if number == 1:
            line = line.removeprefix(BOM)
        yield number, line.rstrip(b"\r\n")


def json_rows(
    file: BinaryIO,
    columns: Sequence[str],
    encoding: str,
    gauge: Gauge,
    skip: Container[int] = (),
    *,
    first: int = 1,
) -> Iterator[Found]:
    """A value of JSON a line: an object, or a text or a list of messages alone. Blank lines are
    passed over, and those that `skip` has; `first` is as in `raw_lines`."""
    for number, line in raw_lines(file, gauge, first=first):
        if number in skip:
            continue
        if line is None:
            yield too_long(number)
        elif line and not line.isspace():
            yield json_row(number, line, columns, encoding)


def json_row(number: int, line: bytes, columns: Sequence[str], encoding: str) -> Found:
    try:
        value = _parsed(line.decode(encoding))
    except UnicodeDecodeError as error:
        return BadRow(number, not_text(error))
    except json.JSONDecodeError as error:
        return BadRow(number, _("no JSON: {why} (character {at})", why=error.msg, at=error.pos + 1))
    except NoNumber as error:
        return BadRow(number, _("{text} is no number of JSON", text=error))
    except (ValueError, RecursionError):  # numbers and nestings beyond all bounds
        return BadRow(number, _("no JSON that can be read"))
    if isinstance(value, str):
        value = {"prompt": value}
    elif isinstance(value, list):
        value = {"messages": value}
    elif not isinstance(value, dict):
        return BadRow(number, _("a row is an object of JSON, and this is none"))
    if b"\\u" in line and b"\\ud" in line.lower() and not _is_whole(value):
        return BadRow(number, _("it holds half a character (a lone surrogate)"))
    return chosen(number, for_batch(value), columns)


def _parsed(text: str) -> Json:
    """Raises ValueError. Nearly all lines are one object from end to end, which is read without
    looking for blanks around it."""
    if text.startswith("{"):
        value, end = JSON.raw_decode(text)
        if end == len(text):
            return value
    return JSON.decode(text)


def _is_whole(value: Json) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def for_batch(value: dict[str, Json]) -> dict[str, Json]:
    """A line of OpenAI's batches as a row: what is in its body, under its own id. What a request
    has beside its model and its question are the options of the row."""
    body = value.get("body")
    if not isinstance(body, dict) or "custom_id" not in value:
        return value
    asked = {name: body[name] for name in IN_A_BODY if name in body}
    options = {name: one for name, one in body.items() if name not in IN_A_BODY}
    return {"id": value["custom_id"], **asked, **({"options": options} if options else {})}


def chosen(line: int, values: Mapping[str, Json], columns: Sequence[str]) -> Found:
    """A row with the columns that were asked for, or what is wrong with it."""
    said = values["id"] if "id" in values else values.get("custom_id")
    id = str(said) if isinstance(said, str | int) and not isinstance(said, bool) else None
    id = id or None
    if not columns:
        return Row(line, values, id)
    for name in columns:
        if name not in values:
            return BadRow(
                line,
                _("there is no column {name}; there are: {names}", name=name,
                  names=", ".join(values)[:200] or "-"),
                id,
            )  # fmt: skip
    return Row(line, {name: values[name] for name in columns}, id)


def text_rows(
    file: BinaryIO, encoding: str, gauge: Gauge, skip: Container[int] = ()
) -> Iterator[Found]:
    """A prompt a line; blank lines are passed over, and those that `skip` has."""
    for number, line in raw_lines(file, gauge):
        if number in skip:
            continue
        if line is None:
            yield too_long(number)
        elif b"\0" in line:
            yield BadRow(number, _("it holds a NUL byte"))
        elif line and not line.isspace():
            try:
                yield Row(number, {"prompt": line.decode(encoding)})
            except UnicodeDecodeError as error:
                yield BadRow(number, not_text(error))


def too_long(number: int) -> BadRow:
    return BadRow(number, _("the line is longer than {limit} MB", limit=LONGEST_LINE >> 20))


def not_text(error: UnicodeDecodeError) -> str:
    return _("not valid {name} (byte {at}); name its encoding with --encoding",
             name=error.encoding.upper(), at=error.start + 1)  # fmt: skip
