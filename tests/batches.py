"""What tests and benchmarks of jobs share: an input whose answers can be told apart, and its
output held against it, row by row."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The simulator answers such a prompt by what follows it.
REPEAT = "Repeat: "


def mark(number: int) -> str:
    return f"[{number:08d}]"


def name(number: int) -> str:
    return f"r{number:08d}"


def write_rows(path: Path, count: int, *, first: int = 0, **more: Any) -> Path:
    """Rows `first` to `first + count - 1`, each with an id and a prompt of its own."""
    with path.open("w", encoding="utf-8") as out:
        for number in range(first, first + count):
            prompt = f"{REPEAT}{mark(number)} of {count}"
            row = {"id": name(number), "prompt": prompt, **more}
            out.write(json.dumps(row) + "\n")
    return path


def errors_of(output: Path) -> Path:
    """Where the rows that failed stand."""
    return output.with_name(f"{output.name.removesuffix('.jsonl')}.errors.jsonl")


def journal_of(output: Path) -> Path:
    return output.with_name(f"{output.name}.journal")


def lines(path: Path) -> Iterator[Any]:
    """The documents of a file of lines; raises where one is torn or is no JSON."""
    if not path.exists():
        return
    data = path.read_bytes()
    assert not data or data.endswith(b"\n"), f"{path.name} ends in {data[-80:]!r}"
    for line in data.splitlines():
        yield json.loads(line)


@dataclass(frozen=True, slots=True)
class Held:
    """An output held against its input: how many rows it has, and of which cause those failed that
    stand beside it."""

    done: int
    failed: Mapping[str, int]


def held(output: Path, count: int, *, whole: bool = True) -> Held:
    """Every row stands in the output once, with the answer to its own prompt, or once among the
    errors; raises AssertionError with what is wrong. With `whole` none may be missing."""
    seen: Counter[str] = Counter()
    for one in lines(output):
        named = one["row"]["id"]
        assert one["error"] is None, one
        assert one["text"].startswith(mark(int(named[1:]))), (named, one["text"])
        seen[named] += 1
    causes: Counter[str] = Counter()
    done = len(seen)
    for one in lines(errors_of(output)):
        seen[one["row"]["id"]] += 1
        causes[one["error"]["code"]] += 1
    doubled = [named for named, times in seen.items() if times > 1]
    assert not doubled, f"{len(doubled)} rows stand twice: {doubled[:5]}"
    strange = set(seen) - {name(number) for number in range(count)}
    assert not strange, f"rows of nobody: {sorted(strange)[:5]}"
    if whole:
        missing = {name(number) for number in range(count)} - set(seen)
        assert not missing, f"{len(missing)} rows are lost: {sorted(missing)[:5]}"
    return Held(done, causes)
