"""Which names of rows have been, in little memory: for jobs whose rows must not share one."""

from array import array
from collections.abc import Iterable, Iterator

from llmctl.messages import _
from llmctl.rows import BadRow, Row

FIRST_SIZE = 1 << 12  # places; a power of two
FULL = 2 / 3


class Names:
    """Names by their hashes, with the line of the first of each: 12 bytes a place, 18 to 36 a name,
    where a dictionary takes 150.

    Two names share a hash of 64 bits once in so many jobs that it does not count: among a million
    names with a probability of 3 in 100 million.
    """

    def __init__(self) -> None:
        self._size = FIRST_SIZE
        self._count = 0
        self._hashes = array("Q", bytes(8 * self._size))  # 0 is a free place
        self._lines = array("I", bytes(4 * self._size))

    def __len__(self) -> int:
        return self._count

    def add(self, name: str, line: int) -> int | None:
        """The line on which this name stood first, None where it is new."""
        hashed = hash(name) & 0xFFFF_FFFF_FFFF_FFFF or 1
        place = self._place(hashed)
        if self._hashes[place]:
            return self._lines[place]
        self._put(place, hashed, line)
        if self._count > self._size * FULL:
            self._grow()
        return None

    def _place(self, hashed: int) -> int:
        hashes, mask = self._hashes, self._size - 1
        place = hashed & mask
        while (there := hashes[place]) and there != hashed:
            place = (place + 1) & mask
        return place

    def _put(self, place: int, hashed: int, line: int) -> None:
        self._hashes[place] = hashed
        self._lines[place] = min(line, 0xFFFF_FFFF)
        self._count += 1

    def _grow(self) -> None:
        hashes, lines = self._hashes, self._lines
        self._size *= 2
        self._count = 0
        self._hashes = array("Q", bytes(8 * self._size))
        self._lines = array("I", bytes(4 * self._size))
        for hashed, line in zip(hashes, lines, strict=True):
            if hashed:
                self._put(self._place(hashed), hashed, line)


def repeated(row: Row, names: Names) -> BadRow | None:
    """The bad row that a row is whose name another one has; a row without an id has its line."""
    before = names.add(row.name, row.line)
    if before is None:
        return None
    return BadRow(
        row.line, _("the row of line {line} has the id {id}, too", line=before, id=row.name), row.id
    )


def unique(rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
    """The rows, those bad whose name an earlier one has."""
    names = Names()
    for row in rows:
        yield (repeated(row, names) or row) if isinstance(row, Row) else row
