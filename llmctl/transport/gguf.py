"""The head of a GGUF file: what it says of itself, before a single weight is read."""

import struct
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO

from llmctl.types import Json

MAGIC = b"GGUF"
# Codes of values, and how those of one size are packed.
STRING, ARRAY = 8, 9
PACKED = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
# No head has more entries, none of them longer texts or lists: what claims it is no such file.
MOST_ENTRIES, MOST_LENGTH = 1 << 16, 1 << 24


class NoHead(Exception):
    """The file is not in this form, or is cut off within its head."""


def head(path: Path, wanted: Collection[str]) -> dict[str, Json]:
    """Those of the `wanted` entries that the file has; lists count as None. Reads no further than
    the last of them. Raises NoHead, OSError."""
    found: dict[str, Json] = {}
    with open(path, "rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise NoHead
        version, _tensors, entries = _unpacked(file, "IQQ")
        if version < 2 or entries > MOST_ENTRIES:
            raise NoHead
        for _entry in range(entries):
            if len(found) == len(wanted):
                break
            name = _text(file)
            value = _value(file, _unpacked(file, "I")[0])
            if name in wanted:
                found[name] = value
    return found


def _value(file: BinaryIO, kind: int) -> Json:
    if kind == STRING:
        return _text(file)
    if kind != ARRAY:
        if kind not in PACKED:
            raise NoHead
        return _unpacked(file, PACKED[kind])[0]
    inner, length = _unpacked(file, "IQ")
    if length > MOST_LENGTH or inner not in (STRING, *PACKED):
        raise NoHead
    if inner == STRING:
        for _one in range(length):
            _text(file)
    else:
        file.seek(length * struct.calcsize(PACKED[inner]), 1)
    return None


def _text(file: BinaryIO) -> str:
    (length,) = _unpacked(file, "Q")
    if length > MOST_LENGTH:
        raise NoHead
    return _read(file, length).decode("utf-8", "replace")


def _unpacked(file: BinaryIO, form: str) -> tuple[Json, ...]:
    return struct.unpack(f"<{form}", _read(file, struct.calcsize(f"<{form}")))


def _read(file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) < length:
        raise NoHead
    return data
