"""The journal of a job. Numbers in it are counted by hand; what SQLite's PRAGMAs say is theirs."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from llmctl.errors import ConfigError, IoFailed, UsageError
from llmctl.store.journal import (
    Clash,
    Counts,
    End,
    Entry,
    Journal,
    Kind,
    Lines,
    Place,
    State,
)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "out.jsonl.journal") as made:
        yield made


def entries(*lines: int) -> list[Entry]:
    return [Entry(line, -1000 - line, 5000 + line) for line in lines]


def done(line: int, size: int, length: int = 10) -> End:
    return End(line, State.DONE, size, length, 0xFFFFFFFF)


def failed(line: int, code: str = "network") -> End:
    return End(line, State.FAILED, code=code, error=b"%d\n" % line)


# ---- the file


@pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX matter")
def test_it_is_private_and_the_users_folder_stays_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    folder.chmod(0o755)
    with Journal(folder / "out.journal") as journal:
        journal.begin({"model": "a/b"})
        modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}

    assert folder.stat().st_mode & 0o777 == 0o755
    assert modes == {
        "out.journal": 0o600,
        "out.journal-wal": 0o600,
        "out.journal-shm": 0o600,
        "out.journal.lock": 0o600,
    }


@pytest.mark.skipif(os.name != "posix", reason="sticky folders are a POSIX matter")
def test_a_folder_for_everybody_will_do(tmp_path: Path) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)

    Journal(folder / "out.journal").close()

    assert folder.stat().st_mode & 0o7777 == 0o1777


def test_it_says_whose_it_is(journal: Journal) -> None:
    with closing(sqlite3.connect(journal.path)) as other:
        assert other.execute("PRAGMA application_id").fetchone() == (
            int.from_bytes(b"lmjo", "big"),
        )
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "out.journal")) as other:
        other.execute("CREATE TABLE x (y)")

    with pytest.raises(ConfigError):
        Journal(tmp_path / "out.journal")


def test_one_that_is_only_to_be_read_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.journal"):
        Journal(tmp_path / "none.journal", make=False)

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(IoFailed):
        Journal(tmp_path / "none" / "out.journal")

    assert list(tmp_path.iterdir()) == []


# ---- the job


def test_no_job_was_begun(journal: Journal) -> None:
    assert journal.job is None
    assert journal.synced == 0


def test_a_job_and_what_is_noted_of_it(journal: Journal) -> None:
    journal.begin({"model": "a/b", "options": {"seed": 1}, "odd": "\ud800"}, synced=3)
    journal.note("rows", 7)
    journal.note("rows", 8)

    assert journal.job == {"model": "a/b", "options": {"seed": 1}, "odd": "\ud800", "rows": 8}
    assert journal.synced == 3


def test_beginning_forgets_everything(journal: Journal) -> None:
    journal.begin({"old": 1})
    journal.register(entries(1, 2))
    journal.finish([done(1, 10), failed(2)])
    journal.mark(10)
    journal.begin({"new": 2})

    assert journal.job == {"new": 2}
    assert journal.synced == 0
    assert journal.counts() == Counts(0, 0, 0, 0, {})
    assert list(journal.failures()) == []
    assert journal.register(entries(1, 2)) == []


def test_a_mark_waits_for_the_disk_and_nothing_else_does(journal: Journal) -> None:
    levels: list[int] = []
    connection = journal._connection
    connection.set_trace_callback(
        lambda said: levels.append(2 if "FULL" in said else 1) if "synchronous" in said else None
    )
    journal.register(entries(1))
    journal.finish([done(1, 10)])
    assert levels == []
    journal.mark(10)

    assert levels == [2, 1]
    assert journal.synced == 10
    assert connection.execute("PRAGMA synchronous").fetchone() == (1,)


# ---- rows of the input


def test_rows_are_taken_down_once(journal: Journal) -> None:
    assert journal.register(entries(1, 2, 3)) == []
    assert journal.register(entries(1, 2, 3)) == []
    assert journal.register(entries(2, 3, 4)) == []
    assert journal.register([]) == []
    assert journal.counts().total == 4


def test_any_64_bits_are_a_name(journal: Journal) -> None:
    least, most = -(1 << 63), (1 << 63) - 1
    rows = [Entry(1, least, most), Entry(2, most, least), Entry(3, 0, 0)]

    assert journal.register(rows) == []
    assert journal.register(rows) == []


@pytest.mark.parametrize("apart", [False, True])
def test_a_second_row_of_the_same_name_is_told_with_the_first(
    journal: Journal, apart: bool
) -> None:
    first, second = Entry(1, 77, 1), Entry(5, 77, 2)
    clashes = [Clash(5, Kind.DUPLICATE, 1)]
    if apart:
        assert journal.register([first]) == []
        assert journal.register([second, Entry(6, 78, 3)]) == clashes
    else:
        assert journal.register([first, second, Entry(6, 78, 3)]) == clashes

    # It stands there, so that it can fail, and is told the same way by the next run.
    journal.finish([failed(5, "usage")])
    assert journal.counts() == Counts(3, 0, 1, 2, {"usage": 1})
    assert journal.register([first, second, Entry(6, 78, 3)]) == clashes


@pytest.mark.parametrize(
    ("entry", "first"),
    [
        (Entry(2, 102, 9), 2),  # the content of line 2
        (Entry(2, 999, 202), None),  # its id
        (Entry(2, 101, 201), 1),  # line 1 stands here now
        (Entry(3, 103, 9), None),  # the content of a line that had the id of line 1
    ],
)
def test_a_row_that_changed_is_told_and_stays_as_it_was(
    journal: Journal, entry: Entry, first: int | None
) -> None:
    rows = [Entry(1, 101, 201), Entry(2, 102, 202), Entry(3, 101, 203)]
    journal.register(rows)

    assert journal.register([entry]) == [Clash(entry.line, Kind.CHANGED, first)]
    assert journal.register(rows) == [Clash(3, Kind.DUPLICATE, 1)]


def test_rows_that_are_not_to_be_added_are_told(journal: Journal) -> None:
    journal.register(entries(1, 2))

    clashes = journal.register([*entries(1, 2, 3), Entry(4, 1, 1)], add=False)

    assert clashes == [Clash(3, Kind.NEW), Clash(4, Kind.NEW)]
    assert journal.counts().total == 2


# ---- what became of them


def test_rows_end_and_are_counted(journal: Journal) -> None:
    journal.register(entries(1, 2, 3, 4, 5, 6))
    journal.finish([done(2, 10), failed(1), failed(5, "filtered")])
    journal.finish([done(4, 25, 15), failed(6)])

    assert journal.counts() == Counts(6, 2, 3, 1, {"network": 2, "filtered": 1})
    assert [line for line in range(9) if line in journal.lines(State.DONE)] == [2, 4]
    ended = journal.lines(State.DONE, State.FAILED)
    assert [line for line in range(9) if line in ended] == [1, 2, 4, 5, 6]
    assert len(ended) == 5
    assert [journal.state(line) for line in (1, 2, 3, 7)] == [
        State.FAILED,
        State.DONE,
        State.WAITING,
        None,
    ]


def test_a_row_that_nobody_registered_cannot_end(journal: Journal) -> None:
    journal.register(entries(1))

    with pytest.raises(ValueError, match="never registered"):
        journal.finish([done(1, 10), done(2, 20)])

    assert journal.counts() == Counts(1, 0, 0, 1, {})


def test_where_lines_stand(journal: Journal) -> None:
    journal.register(entries(1, 2, 3, 4))
    journal.finish([done(3, 14, 10), done(1, 34, 20), failed(2)])

    assert journal.place(3) == Place(3, 4, 10, 0xFFFFFFFF)
    assert (journal.place(2), journal.place(4), journal.place(5)) == (None, None, None)
    ordered = [(one.line, one.start, one.end) for one in journal.in_order()]
    assert ordered == [(1, 14, 34), (3, 4, 14)]
    assert [one.line for one in journal.after(0)] == [3, 1]
    assert [one.line for one in journal.after(14)] == [1]
    assert [last and last.line for last in map(journal.last, (None, 34, 33, 13))] == [1, 1, 3, None]


def test_the_lines_of_the_failed_come_in_order(journal: Journal) -> None:
    journal.register(entries(*range(1, 501)))
    journal.finish([failed(line) for line in range(500, 0, -1) if line % 2])

    assert list(journal.failures()) == [b"%d\n" % line for line in range(1, 500, 2)]
    assert next(journal.failures(3)) == b"5\n"


def test_the_first_failure_of_each_cause(journal: Journal) -> None:
    journal.register(entries(*range(1, 8)))
    journal.finish([failed(7), failed(6, "auth"), failed(4), failed(5, "auth"), done(1, 10)])

    assert journal.first_failures() == {"network": b"4\n", "auth": b"5\n"}
    journal.wait(["auth"])
    assert journal.first_failures() == {"network": b"4\n"}


@pytest.mark.parametrize(
    ("codes", "lines", "left"),
    [
        (None, None, []),
        (["network"], None, [2, 4]),
        (["network", "auth"], None, [4]),
        ([], None, [1, 2, 3, 4]),
        (None, [2, 3, 5, 99], [1, 4]),
        (["network"], [2, 3], [1, 2, 4]),
    ],
)
def test_failed_rows_wait_again(
    journal: Journal, codes: list[str] | None, lines: list[int] | None, left: list[int]
) -> None:
    journal.register(entries(1, 2, 3, 4, 5))
    ends = [failed(1), failed(2, "auth"), failed(3), failed(4, "filtered"), done(5, 10)]
    journal.finish(ends)

    assert journal.wait(codes, lines) == 4 - len(left)
    assert [line for line in range(9) if line in journal.lines(State.FAILED)] == left
    assert list(journal.failures()) == [b"%d\n" % line for line in left]
    assert journal.place(5) is not None


def test_rows_are_forgotten_whatever_they_are(journal: Journal) -> None:
    journal.register(entries(1, 2, 3))
    journal.finish([done(1, 10), failed(2), done(3, 20)])
    journal.forget([1, 2])

    assert journal.counts() == Counts(3, 1, 0, 2, {})
    assert list(journal.failures()) == []
    assert [one.line for one in journal.in_order()] == [3]


def test_a_twin_is_a_row_that_is_done(journal: Journal) -> None:
    journal.register([Entry(line, line, 7 if line < 5 else line) for line in range(1, 7)])
    assert journal.twin(7, 1) is None
    journal.finish([done(3, 10), failed(2), done(4, 20), done(5, 30)])

    assert [journal.twin(7, 1), journal.twin(7, 3), journal.twin(5, 5)] == [3, 4, None]
    journal.forget([3, 4])
    assert journal.twin(7, 1) is None


def test_twins_are_found_through_an_index(journal: Journal) -> None:
    journal.twin(1, 1)
    plan = journal._connection.execute(
        "EXPLAIN QUERY PLAN SELECT min(line) FROM rows WHERE state = 1 AND digest = 5 AND line != 1"
    ).fetchall()

    assert "INDEX twins" in str(plan)


# ---- many rows, many processes


def test_lines_take_a_bit_each() -> None:
    found = Lines()
    found.update(range(1, 1_000_001))
    found.add(3)
    found.add(2_000_007)

    assert len(found) == 1_000_001
    assert (0 in found, 1 in found, 1_000_000 in found, 1_000_001 in found) == (
        False,
        True,
        True,
        False,
    )
    assert (2_000_006 in found, 2_000_007 in found, 9_000_000 in found) == (False, True, False)
    assert len(found._bits) == 250_001


def test_half_a_million_rows_are_taken_down_and_known_again_in_seconds(journal: Journal) -> None:
    """Bounds ten times what a quiet machine needs; the figures are in benchmarks."""
    mixed = [(line * 0x9E3779B97F4A7C15) % (1 << 64) - (1 << 63) for line in range(500_001)]
    rows = [Entry(line, mixed[line], mixed[-line]) for line in range(1, 500_001)]
    pieces = [rows[start : start + 10_000] for start in range(0, len(rows), 10_000)]
    begun = time.process_time()
    assert [clash for piece in pieces for clash in journal.register(piece)] == []
    registered = time.process_time()
    assert [clash for piece in pieces for clash in journal.register(piece)] == []
    assert len(journal.lines(State.WAITING)) == 500_000
    known = time.process_time()

    assert registered - begun < 30
    assert known - registered < 6


def test_it_is_read_while_it_is_written(journal: Journal) -> None:
    journal.begin({"model": "a/b"})
    journal.register(entries(*range(1, 301)))
    with Journal(journal.path, make=False) as status:
        for line in range(1, 301):
            journal.finish([done(line, line * 10)])
            assert status.counts().done == line
        lines = status.in_order()
        assert next(lines).line == 1
        journal.finish([failed(300)])  # a reader in the middle of it holds nobody up
        assert status.job == {"model": "a/b"}
