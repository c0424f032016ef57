"""What a journal is told about the rows of a job, and what it says of them."""

from collections.abc import Mapping, Sequence
from enum import Enum, IntEnum
from typing import NamedTuple

from llmctl.values import dataclass


class State(IntEnum):
    """What stands in the journal of a row."""

    WAITING = 0
    DONE = 1  # its answer is in the output
    FAILED = 2  # its error is beside the output


class Entry(NamedTuple):
    """A row of the input: its line, from 1, and 64 bits, signed, of its id and of its content.

    A tuple, as are Clash, End and Place: a million of them are made, and SQLite takes tuples.
    """

    line: int
    name: int
    digest: int


class Kind(Enum):
    """What is odd about an entry."""

    DUPLICATE = "duplicate"  # an earlier line has the same name; it stands in the journal, nameless
    CHANGED = "changed"  # the line stands in the journal with another name or content
    NEW = "new"  # it was not to be added


class Clash(NamedTuple):
    """`first` is the other line that has the name of this one, if any."""

    line: int
    kind: Kind
    first: int | None = None


class End(NamedTuple):
    """What became of a row: where its line ends in the output (`size`), its `length` in bytes and
    crc32, or the code of its error and its line for the errors file."""

    line: int
    state: State
    size: int = 0
    length: int = 0
    crc: int = 0
    code: str | None = None
    error: bytes | None = None


class Place(NamedTuple):
    """Where the line of a done row stands in the output, in bytes."""

    line: int
    start: int
    length: int
    crc: int

    @property
    def end(self) -> int:
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows there are, by what became of them; `causes` has the failed by their code."""

    total: int
    done: int
    failed: int
    waiting: int
    causes: Mapping[str, int]


class Lines:
    """A set of lines, one bit each: 125 kB for a million."""

    def __init__(self) -> None:
        self._bits = bytearray()
        self._count = 0

    def __contains__(self, line: object) -> bool:
        if not isinstance(line, int):
            return False
        place = line >> 3
        return place < len(self._bits) and bool(self._bits[place] >> (line & 7) & 1)

    def __len__(self) -> int:
        return self._count

    def add(self, line: int) -> None:
        if line not in self:
            self.update([line])

    def update(self, lines: Sequence[int]) -> None:
        """Add lines, in rising order, that are not in it yet."""
        if not lines:
            return
        bits = self._bits
        bits.extend(bytes(max(0, (lines[-1] >> 3) + 1 - len(bits))))
        for line in lines:
            bits[line >> 3] |= 1 << (line & 7)
        self._count += len(lines)
