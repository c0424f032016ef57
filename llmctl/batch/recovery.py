"""Brings the output of a job and its journal to agree, whatever ended the process before.

A kill leaves lines that were written and not taken down yet, the last one perhaps torn. A power cut
may also take what was written since the last durable mark: from the output, from the journal, or
leave zeros in its place. Anything else was done by somebody, and is refused before a byte of it is
touched.
"""

import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.store.journal import End, Journal, Place, State
from llmctl.values import dataclass

GROUP = 1000  # rows taken over in one transaction


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found: the length of the output now, how many rows were taken over from it that the
    journal did not know to be done, how many it knew are gone and wait again, and how many bytes
    were cut off."""

    size: int
    adopted: int = 0
    lost: int = 0
    cut: int = 0


def recover(
    fd: int,
    path: Path,
    journal: Journal,
    header: bytes,
    adopt: Callable[[bytes], int | None] | None,
) -> Recovered:
    """Bring the output `fd` and the journal to agree; see `Results.open` for the rest.

    Rows are put back to waiting after their bytes are cut off for good, so that a process that is
    killed in the middle of this leaves what the next one can go on with. Raises UsageError, with
    every byte of the output as it was, where this job did not write it.
    """
    length = os.fstat(fd).st_size
    begins = journal.last() is None and length < len(header)
    if begins:  # it was removed before it had a row
        os.ftruncate(fd, 0)
        os.write(fd, header)
        length = len(header)
    _check_ours(fd, path, journal, header, length)
    end, lost = _verified(fd, journal, header, length)
    if lost:
        os.ftruncate(fd, end)
        os.fsync(fd)
        journal.forget(lost)
        return Recovered(end, lost=len(lost), cut=length - end)
    size, adopted = end, 0
    if adopt is not None:
        for group in _taken_over(path, journal, adopt, end):
            journal.forget([one.line for one in group])  # what was said of one that failed before
            journal.finish(group)
            size, adopted = group[-1].size, adopted + len(group)
    if size < length:
        os.ftruncate(fd, size)
    return Recovered(size, adopted=adopted, cut=length - size)


def _check_ours(fd: int, path: Path, journal: Journal, header: bytes, length: int) -> None:
    """Refuse an output whose durable part is not what it was: what is cut off behind it would be
    somebody's."""
    synced = journal.synced
    last = journal.last(synced)
    if last is not None and length < synced:
        raise UsageError(
            _("{path} does not have all the rows any more that this job wrote", path=path),
            hint=_("put it back as it was, or do the whole job again with --restart"),
            reason="changed",
        )
    if read_at(fd, 0, len(header)) != header or (last is not None and not _is_there(fd, last)):
        raise changed(path)


def changed(path: Path) -> UsageError:
    return UsageError(
        _("{path} was changed by another program, or is of another job", path=path),
        hint=_("put it back as it was, or do the whole job again with --restart"),
        reason="changed",
    )


def _verified(fd: int, journal: Journal, header: bytes, length: int) -> tuple[int, list[int]]:
    """Where the last row ends that is known to be done and there, and the lines of those that are
    not: from the first that a power cut took on, since the output has no holes."""
    last = journal.last(journal.synced)
    end = len(header) if last is None else last.end
    places = journal.after(journal.synced)
    for number, place in enumerate(places):
        if place.end > length or not _is_there(fd, place):
            return end, [one.line for one in places[number:]]
        end = place.end
    return end, []


def _is_there(fd: int, place: Place) -> bool:
    return zlib.crc32(read_at(fd, place.start, place.length)) == place.crc


def _taken_over(
    path: Path, journal: Journal, adopt: Callable[[bytes], int | None], start: int
) -> Iterator[list[End]]:
    """The rows whose lines stand in the output from `start` on, in groups, up to what is torn."""
    group: dict[int, End] = {}
    with open(path, "rb") as file:
        file.seek(start)
        size = start
        for data in file:
            if not data.endswith(b"\n"):
                if data[:1] not in (b"{", b"\0"):  # no line of ours begins like that
                    raise changed(path)
                break
            if b"\0" in data:  # never in JSON: the disk has the length, and not the bytes
                break
            line = adopt(data)
            state = None if line is None else journal.state(line)
            if line is None or state is State.DONE or line in group:
                raise changed(path)
            if state is None:  # the power cut took the row out of the journal; it comes again
                break
            size += len(data)
            group[line] = End(line, State.DONE, size, len(data), zlib.crc32(data))
            if len(group) == GROUP:
                yield list(group.values())
                group.clear()
    if group:
        yield list(group.values())


def read_at(fd: int, start: int, length: int) -> bytes:
    """The bytes of a file from `start` on: `length` of them, or as many as there are."""
    os.lseek(fd, start, os.SEEK_SET)
    found = os.read(fd, length)
    while len(found) < length and (more := os.read(fd, length - len(found))):
        found += more
    return found
