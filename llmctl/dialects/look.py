"""Tolerant look-ups in decoded JSON: what strangers send may lack any key or have any type."""

import json

from llmctl.errors import ProviderFailed
from llmctl.messages import _
from llmctl.types import Json

LONGEST = 20  # digits from which on a number counts nothing here
TOO_MANY = 10 ** (LONGEST - 1)
MOST = 10**12  # of tokens: what claims more has not counted


def at(value: Json, *path: str | int) -> Json:
    """The value at `path`, None where a step is missing."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def text_at(value: Json, *path: str | int) -> str | None:
    one_step = len(path) == 1 and isinstance(value, dict)  # as nearly always
    found = value.get(path[0]) if one_step else at(value, *path)
    return found if isinstance(found, str) else None


def texts_at(value: Json, rows: str, key: str) -> list[str]:
    """The texts under `key` in the list of tables under `rows`."""
    found = at(value, rows)
    texts = (text_at(row, key) for row in found) if isinstance(found, list) else ()
    return [text for text in texts if text]


def int_at(value: Json, *path: str | int) -> int | None:
    """A whole number of fewer than LONGEST digits; as strings they count too, as some servers send
    them."""
    found = at(value, *path)
    if found is None:
        return None
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < LONGEST:
        return int(found)
    if not isinstance(found, int) or isinstance(found, bool):
        return None
    return found if abs(found) < TOO_MANY else None


def count_at(value: Json, *path: str | int) -> int | None:
    """A count of tokens; what cannot be one counts as not reported."""
    if value is None:
        return None
    found = int_at(value, *path)
    return found if found is not None and 0 <= found <= MOST else None


def float_at(value: Json, *path: str | int) -> float | None:
    found = at(value, *path)
    if found is None or isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        return float(found)
    except OverflowError:
        return None


def parse(data: str) -> Json:
    """One frame as JSON; raises ProviderFailed for anything else."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise ProviderFailed(
            _("the answer is not JSON: {start}", start=repr(data[:60])), reason="not-json"
        ) from None
