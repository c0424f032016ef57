"""A job whose lines can be told from their number, and what must hold of its files at any time."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from llmctl.batch.results import Results, Written
from llmctl.store.journal import Entry, Journal, State

OUT, ERRORS = "out.jsonl", "out.errors.jsonl"


def entries(count: int) -> list[Entry]:
    return [Entry(line, line, line) for line in range(1, count + 1)]


def answer(line: int) -> bytes:
    """The line of a row in the output; their lengths differ."""
    row = {"text": "я" * (line % 50), "row": {"id": f"r{line}", "line": line}}
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def refusal(line: int) -> bytes:
    return b'{"error": "no", "row": %d}\n' % line


def written(*lines: int) -> list[Written]:
    return [Written(line, answer(line)) for line in lines]


def unwritten(*lines: int) -> list[Written]:
    return [Written(line, None, refusal(line), "network") for line in lines]


def line_of(data: bytes) -> int | None:
    """What the job says of a line: which row it is of."""
    try:
        line = json.loads(data)["row"]["line"]
    except (ValueError, TypeError, KeyError):
        return None
    return line if isinstance(line, int) and data == answer(line) else None


Adopt = Callable[[bytes], int | None] | None


@contextmanager
def job(
    folder: Path, *, header: bytes = b"", working: bool = False, adopt: Adopt = line_of
) -> Iterator[tuple[Results, Journal]]:
    """The job of a folder, held and neither begun nor resumed."""
    output, errors = folder / OUT, folder / ERRORS
    with (
        Journal(folder / "out.jsonl.journal") as journal,
        Results.open(
            output, journal, working=working, header=header, errors=errors, adopt=adopt
        ) as results,
    ):
        yield results, journal


def begun(folder: Path, count: int, *more: list[Written], header: bytes = b"") -> None:
    """Begin a job of so many rows, write some, and end in order."""
    folder.mkdir(exist_ok=True)
    with job(folder, header=header) as (results, journal):
        results.begin({"model": "a/b"})
        journal.register(entries(count))
        for rows in more:
            results.append(rows)


def check(folder: Path, journal: Journal, header: bytes = b"") -> tuple[set[int], set[int]]:
    """What must hold: the output is the lines of the rows that are done, each once and whole, where
    the journal says; the errors file those of the failed, in order. Returns both."""
    data = (folder / OUT).read_bytes()
    assert data.startswith(header)
    places = sorted(journal.in_order(), key=lambda place: place.start)
    end = len(header)
    for place in places:
        assert place.start == end
        assert data[place.start : place.end] == answer(place.line)
        end = place.end
    assert end == len(data)
    failed = journal.lines(State.FAILED)
    wrong = [line for line in range(1, journal.counts().total + 1) if line in failed]
    errors = folder / ERRORS
    assert (errors.read_bytes() if errors.exists() else b"") == b"".join(map(refusal, wrong))
    assert errors.exists() == bool(wrong)
    assert not [name for name in os.listdir(folder) if name.startswith(".")]
    return {place.line for place in places}, set(wrong)
