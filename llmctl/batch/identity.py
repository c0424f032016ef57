"""What a row is recognised by from one run to the next."""

import json
from hashlib import blake2b

from llmctl.rows import Row
from llmctl.types import Json

NAMES = frozenset({"id", "custom_id"})


def name_of(name: str) -> int:
    """A row's id, or its line as text, as 64 bits with a sign."""
    return _hashed(name.encode("utf-8", "surrogatepass"))


def digest_of(row: Row) -> int:
    """What stands in a row beside its id, as 64 bits with a sign: rows of one digest ask the same.
    Among ten million rows two others share one with a probability of 3 in a million."""
    values = row.values
    if not NAMES.isdisjoint(values):
        values = {name: value for name, value in values.items() if name not in NAMES}
    return _hashed(_ENCODE(values).encode("utf-8", "surrogatepass"))


def _plain(value: object) -> Json:
    return str(value)


_ENCODE = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain
).encode


def _hashed(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big", signed=True)
