"""The cache of answers: found again, bounded, private, and in nobody's way when it is damaged."""

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from llmctl.errors import ConfigError, IoFailed
from llmctl.store import answers as module
from llmctl.store.answers import Answers, purge_answers

KEY, OTHER = b"\x00" * 32, b"\xff" * 32
SECRET = b"what nobody else should read"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "answers.db"


def at(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmctl.store.answers.time.time", lambda: seconds)


def test_an_answer_is_found_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at(1_000, monkeypatch)
    with Answers(path) as answers:
        assert answers.get(KEY) is None
        answers.put([(KEY, b'{"text":"\xd0\xb4\xd0\xb0"}'), (OTHER, b"")])
    with Answers(path) as answers:
        assert answers.get(KEY) == (b'{"text":"\xd0\xb4\xd0\xb0"}', 1_000.0)
        assert answers.get(OTHER) == (b"", 1_000.0)
        assert answers.notes == []


def test_a_later_answer_takes_the_place_of_an_earlier_one(path: Path) -> None:
    with Answers(path) as answers:
        answers.put([(KEY, b"1")])
        answers.put([(KEY, b"2")])

        assert [value for value, _at in filter(None, [answers.get(KEY)])] == [b"2"]


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_nobody_else_can_read_it(path: Path) -> None:
    with Answers(path) as answers:
        answers.put([(KEY, SECRET)])
        modes = {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}

    assert modes == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_was_not_used_for_longest_goes_first(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty answers of 100 kB that do not compress fill 3 MB; of 2 MB the last are left, 17 after
    room was made and 20 before."""
    monkeypatch.setattr(module, "BATCH", 1)
    with Answers(path, limit=2_000_000) as answers:
        for number in range(30):
            at(30_000 + number, monkeypatch)
            answers.put([(bytes([number]) * 16, os.urandom(100_000))])
        left = [number for number in range(30) if answers.get(bytes([number]) * 16)]

    assert left == list(range(left[0], 30))
    assert 17 <= len(left) <= 20
    assert path.stat().st_size < 3_000_000


def test_an_answer_in_use_outlives_younger_ones(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 1)
    with Answers(path, limit=500_000) as answers:
        at(1_000, monkeypatch)
        answers.put([(KEY, SECRET)])
        for number in range(10):
            at(10_000 * (number + 1), monkeypatch)
            assert answers.get(KEY) is not None
            answers.put([(bytes([number]) * 16, os.urandom(100_000))])

        assert answers.get(bytes([0]) * 16) is None


def test_what_is_purged_stands_in_no_file_any_more(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmctl.store.answers.zlib.compress", lambda data, _level: data)
    with Answers(path) as answers:
        at(0, monkeypatch)
        answers.put([(KEY, SECRET)])
        at(86_400 * 10, monkeypatch)
        answers.put([(OTHER, b"young")])

        assert answers.purge(older_than_days=9.5) == 1
        assert SECRET not in b"".join(one.read_bytes() for one in path.parent.iterdir())
        assert answers.purge() == 1
        assert answers.purge() == 0


def test_what_another_program_still_reads_is_said(path: Path) -> None:
    with Answers(path) as answers:
        answers.put([(KEY, SECRET)])
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT value FROM answers").fetchall()
        assert answers._connection is not None
        answers._connection.execute("PRAGMA busy_timeout=20").close()
        with pytest.raises(IoFailed, match="another program"):
            answers.purge()
        reader.close()

        assert answers.purge() == 0
        assert SECRET not in b"".join(one.read_bytes() for one in path.parent.iterdir())


@pytest.mark.parametrize(
    "data", [b"no database at all " * 100, b"SQLite format 3\x00" + b"\x07" * 9000]
)
def test_a_damaged_file_is_no_cache_and_stays(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700)
    path.write_bytes(data)

    with Answers(path) as answers:
        answers.put([(KEY, SECRET)])
        assert answers.get(KEY) is None
        assert not answers.is_open
        assert [one.code for one in answers.notes] == ["no-cache"]
    assert path.read_bytes() == data


def test_a_damaged_answer_ends_the_cache(path: Path) -> None:
    with Answers(path) as answers:
        answers.put([(KEY, SECRET)])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE answers SET value = x'00'")
    connection.close()

    with Answers(path) as answers:
        assert answers.get(KEY) is None
        assert [one.code for one in answers.notes] == ["no-cache"]


def test_somebody_elses_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    connection.close()

    with Answers(path) as answers:
        answers.put([(KEY, SECRET)])
        assert not answers.is_open
    with pytest.raises(ConfigError):
        purge_answers(path)


def test_all_answers_are_purged_with_a_file_that_is_damaged(path: Path) -> None:
    assert purge_answers(path) == 0
    assert not path.exists()
    with Answers(path) as answers:
        answers.put([(KEY, SECRET), (OTHER, SECRET)])
    assert purge_answers(path, 1) == 0
    assert purge_answers(path) == 2

    path.write_bytes(SECRET * 100)
    with pytest.raises(IoFailed):
        purge_answers(path, 1)
    assert purge_answers(path) == 0
    assert not path.exists()


def test_two_processes_may_keep_at_once(path: Path) -> None:
    with Answers(path) as one, Answers(path) as other:
        one.put([(KEY, b"1")])
        other.put([(OTHER, b"2")])

        assert one.get(OTHER) is not None
        assert other.get(KEY) is not None
