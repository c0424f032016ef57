"""The output of a job whose lines cannot be appended in their final form: in the order of the
input, or as Parquet. It is made of the working file, and there under its name only when it is
whole; what stood there before stays until then."""

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from llmctl.errors import IoFailed
from llmctl.messages import _
from llmctl.output.batch_rows import (
    csv_header,
    csv_row,
    line_json,
    table_schema,
    table_values,
)
from llmctl.output.streams import write_failed

# Bytes that are copied at a time, at most.
PIECE = 1 << 20

Place = tuple[int, int]


def write_ordered(source: Path, places: Iterable[Place], goal: Path, header: bytes = b"") -> None:
    """Make `goal` of `header` and the pieces of `source` at `places` (offset and length in bytes),
    in their order. Memory does not grow with their number.

    Raises IoFailed; then `goal` is what it was, and nothing else is left.
    """
    with _reading(source) as file, whole_file(goal) as fresh:
        fresh.write(header)
        for piece in pieces(file, _joined(places), source):
            fresh.write(piece)


def write_parquet(
    source: Path, places: Iterable[Place], goal: Path, columns: Sequence[str] = ()
) -> None:
    """Make `goal` of the lines of JSON at `places`: a table in Parquet with the columns of the CSV
    form, written by groups of rows.

    Raises IoFailed as `write_ordered` does, and NotFound without the extra `parquet`.
    """
    from llmctl.rows.parquet_writing import ParquetFile

    schema = table_schema(columns)
    with _reading(source) as file, whole_file(goal) as fresh, ParquetFile(fresh, schema) as table:
        for place in places:
            line = line_json(b"".join(pieces(file, [place], source)))
            if line is None:
                raise _torn(source, place[0])
            table.row(list(table_values(line, columns)))


def write_table(
    source: Path,
    places: Iterable[Place],
    goal: Path,
    columns: Sequence[str] = (),
    *,
    tabs: bool = False,
) -> None:
    """Make `goal` of the lines of JSON at `places`: CSV, or TSV with `tabs`; see `csv_line`.

    Raises IoFailed as `write_ordered` does.
    """
    with _reading(source) as file, whole_file(goal) as fresh:
        fresh.write(csv_header(columns, tabs=tabs))
        for place in places:
            line = line_json(b"".join(pieces(file, [place], source)))
            if line is None:
                raise _torn(source, place[0])
            fresh.write(csv_row(line, columns, tabs=tabs))


def pieces(file: IO[bytes], places: Iterable[Place], source: Path) -> Iterator[bytes]:
    """What stands at `places`, never more than PIECE at a time; raises IoFailed where the file is
    shorter."""
    for offset, length in places:
        file.seek(offset)
        left = length
        while left:
            try:
                piece = file.read(min(left, PIECE))
            except OSError as error:
                raise _unread(source, error) from None
            if not piece:
                raise _torn(source, offset + length - left)
            left -= len(piece)
            yield piece


def _joined(places: Iterable[Place]) -> Iterator[Place]:
    """The same bytes with pieces that stand side by side as one."""
    begun = end = 0
    for offset, length in places:
        if offset != end:
            if end > begun:
                yield begun, end - begun
            begun = offset
        end = offset + length
    if end > begun:
        yield begun, end - begun


@contextlib.contextmanager
def _reading(source: Path) -> Iterator[IO[bytes]]:
    try:
        file = source.open("rb")
    except OSError as error:
        raise _unread(source, error) from None
    with file:
        yield file


@contextlib.contextmanager
def whole_file(goal: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of `goal` when the body is through: written to the disk first,
    then renamed. One that was there keeps its mode, a link stays a link; what is no file (a device,
    a named pipe) is written in place. Raises IoFailed, and leaves nothing where the body raises."""
    target = Path(os.path.realpath(goal))
    # The same name each time: what a kill leaves is written over by the next run.
    temporary = target.with_name(f".{target.name}.tmp")
    try:
        mode = _mode(target)
        if mode is not None and not stat.S_ISREG(mode):
            temporary = target
        with open(temporary, "wb", opener=_opened) as file:
            if temporary is not target and mode is not None:
                os.fchmod(file.fileno(), stat.S_IMODE(mode))
            yield file
            file.flush()
            if temporary is not target:
                os.fsync(file.fileno())
        if temporary is not target:
            temporary.replace(target)
            _sync_folder(target.parent)
    except OSError as error:
        _drop(temporary, target)
        raise write_failed(str(goal), error) from None
    except BaseException:
        _drop(temporary, target)
        raise


def _opened(path: str, flags: int) -> int:
    """A link that somebody has laid under the temporary name is not followed."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _mode(target: Path) -> int | None:
    with contextlib.suppress(FileNotFoundError):
        return target.stat().st_mode
    return None


def _drop(temporary: Path, target: Path) -> None:
    if temporary is not target:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _sync_folder(folder: Path) -> None:
    """Make the rename last through a power cut, where folders can be synced at all."""
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _unread(source: Path, error: OSError) -> IoFailed:
    return IoFailed(
        _("cannot read {path}: {why}", path=source, why=error.strerror or type(error).__name__)
    )


def _torn(source: Path, at: int) -> IoFailed:
    return IoFailed(
        _("{path} has no whole row at byte {at}: it was changed by others", path=source, at=at),
        reason="changed",
    )  # fmt: skip
