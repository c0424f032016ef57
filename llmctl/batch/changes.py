"""What of a job is another than its journal says, for people: nothing is carried on that would mix
two jobs in one output."""

import difflib
import json
from collections.abc import Iterator, Mapping

from llmctl.messages import _
from llmctl.types import Json

LONGEST = 60  # characters of a value in a line
MOST = 12  # lines that are shown of a text


def differences(before: Mapping[str, Json], now: Mapping[str, Json]) -> list[str]:
    """A line, or a few, for each that differs, by its name; empty where all is the same."""
    names = [*now, *(name for name in before if name not in now)]
    return [
        line
        for name in names
        if before.get(name) != now.get(name)
        for line in _difference(name, before.get(name), now.get(name))
    ]


def _difference(name: str, before: Json, now: Json) -> Iterator[str]:
    old, new = _written(before), _written(now)
    if "\n" not in old + new and len(old) <= LONGEST and len(new) <= LONGEST:
        yield _("{name}: {before} → {now}", name=name, before=old, now=new)
        return
    yield _("{name}:", name=name)
    found = difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm="")
    lines = [line for line in found if not line.startswith(("---", "+++", "@@"))]
    for line in lines[:MOST]:
        yield f"  {line[:200]}"
    if len(lines) > MOST:
        yield _("  and {count} lines more", count=len(lines) - MOST)


def _written(value: Json) -> str:
    if value is None:
        return _("(none)")
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1)
