import errno
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from llmctl import files
from llmctl.errors import ConfigError, IoFailed
from llmctl.store import database
from llmctl.store.database import Schema
from tests.unit.test_files import POSIX, mode

ONE = Schema("notebook", 0x1234, ("CREATE TABLE notes (text TEXT); ",))
TWO = Schema(
    "notebook", 0x1234, (*ONE.migrations, "ALTER TABLE notes ADD COLUMN at TEXT DEFAULT 'then'; ")
)


def pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_new_file_has_what_many_processes_need(tmp_path: Path) -> None:
    with closing(database.connect(tmp_path / "n.db", ONE)) as connection:
        assert pragma(connection, "journal_mode") == "wal"
        assert pragma(connection, "busy_timeout") == 5000
        assert pragma(connection, "foreign_keys") == 1
        assert pragma(connection, "secure_delete") == 1
        assert pragma(connection, "temp_store") == 2  # memory
        assert pragma(connection, "user_version") == 1
        assert pragma(connection, "application_id") == 0x1234


@POSIX
def test_its_files_are_private_and_repaired(tmp_path: Path) -> None:
    path = tmp_path / "data" / "n.db"
    database.connect(path, ONE).close()
    path.chmod(0o644)
    path.parent.chmod(0o755)
    with closing(database.connect(path, ONE)) as connection:
        connection.execute("INSERT INTO notes VALUES ('x')")
        wal = path.with_name("n.db-wal")
        wal.chmod(0o644)
        database.connect(path, ONE).close()

        found = {part.name: mode(part) for part in path.parent.iterdir()}

    assert found == dict.fromkeys(("n.db", "n.db-wal", "n.db-shm", "n.db.lock"), 0o600)
    assert mode(path.parent) == 0o700


def test_an_older_file_is_brought_up_to_date_with_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "n.db"
    with closing(database.connect(path, ONE)) as connection:
        connection.execute("INSERT INTO notes VALUES ('kept')")

    with closing(database.connect(path, TWO)) as connection:
        assert connection.execute("SELECT * FROM notes").fetchall() == [("kept", "then")]
        assert pragma(connection, "user_version") == 2


def test_a_newer_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "n.db"
    database.connect(path, TWO).close()
    before = path.read_bytes()

    with pytest.raises(ConfigError) as caught:
        database.connect(path, ONE)

    assert caught.value.reason == "newer"
    assert str(path) in caught.value.message
    assert path.read_bytes() == before


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "n.db"
    with closing(database.connect(path, ONE)) as connection:
        connection.execute("INSERT INTO notes VALUES ('kept')")
    broken = Schema("notebook", 0x1234, (*ONE.migrations, "DROP TABLE notes; SELECT nonsense; "))

    with pytest.raises(IoFailed):
        database.connect(path, broken)

    with closing(database.connect(path, ONE)) as connection:
        assert connection.execute("SELECT * FROM notes").fetchall() == [("kept",)]


@pytest.mark.parametrize("owner", [0, 0x9999])
def test_a_database_of_others_is_refused(tmp_path: Path, owner: int) -> None:
    path = tmp_path / "n.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"CREATE TABLE theirs (x); PRAGMA application_id={owner}")
    before = path.read_bytes()

    with pytest.raises(ConfigError) as caught:
        database.connect(path, ONE)

    assert caught.value.reason == "not-ours"
    assert path.read_bytes() == before


def test_what_is_no_database_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "n.db"
    path.write_bytes(b"this is a text, and long enough to be read as a header " * 40)

    with pytest.raises(IoFailed) as caught:
        database.connect(path, ONE)

    assert caught.value.reason == "damaged"
    assert ".recover" in str(caught.value.hint)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(IoFailed) as caught:
        database.connect(tmp_path / "file" / "n.db", ONE)

    assert str(tmp_path / "file") in caught.value.message


def test_a_file_that_is_held_for_long(tmp_path: Path) -> None:
    path = tmp_path / "n.db"
    with closing(database.connect(path, ONE)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with (
            closing(database.connect(path, ONE, timeout=0.05)) as other,
            pytest.raises(IoFailed) as caught,
            database.said_plainly(path),
            database.transaction(other),
        ):
            pass

    assert caught.value.reason == "locked"
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (sqlite3.SQLITE_FULL, "full"),
        (sqlite3.SQLITE_READONLY, "not-usable"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "not-usable"),
        (sqlite3.SQLITE_CANTOPEN, "not-usable"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "damaged"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "locked"),
        (sqlite3.SQLITE_IOERR_WRITE, "sqlite"),
    ],
)
def test_each_refusal_has_words_of_its_own(tmp_path: Path, code: int, reason: str) -> None:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code

    assert database.failure(error, tmp_path / "n.db").reason == reason


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        with database.transaction(connection):
            connection.execute("INSERT INTO notes VALUES ('x')")
            raise ZeroDivisionError

    with closing(database.connect(tmp_path / "n.db", ONE)) as connection:
        with pytest.raises(ZeroDivisionError):
            fail(connection)

        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (0,)


def test_processes_that_make_and_migrate_at_once_do_it_once(tmp_path: Path) -> None:
    """Every process stands ready at a lock, and all go at once."""
    program = """
import sys, pathlib
from llmctl.store import database
from tests.unit.store.test_database import TWO
sys.stdout.write("ready\\n"); sys.stdout.flush(); sys.stdin.readline()
connection = database.connect(pathlib.Path(sys.argv[1]), TWO)
connection.execute("INSERT INTO notes (text) VALUES ('one')")
connection.close()
"""
    path = tmp_path / "n.db"
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        for _ in range(6)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.communicate("go\n", timeout=60)

    assert [racer.returncode for racer in racers] == [0] * 6
    with closing(database.connect(path, TWO)) as connection:
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (6,)


def test_making_waits_for_whoever_is_at_it(tmp_path: Path) -> None:
    path = tmp_path / "n.db"
    with (
        files.lock(tmp_path / "n.db.lock", 1),
        pytest.raises(IoFailed) as caught,
    ):
        database.connect(path, ONE, timeout=0.05)

    assert caught.value.reason == "locked"


def test_what_the_operating_system_refuses_is_said_plainly(tmp_path: Path) -> None:
    path = tmp_path / "n.db"
    with pytest.raises(IoFailed, match="Permission denied") as caught, database.said_plainly(path):
        raise PermissionError(errno.EACCES, "Permission denied")

    assert str(path) in caught.value.message
    assert caught.value.exit_code == 18


def test_a_file_that_another_process_is_just_making_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two looks at a file that is still empty, another process makes it whole."""
    path = tmp_path / "own.db"
    looked = database.number
    passed: list[str] = []

    def number(connection: sqlite3.Connection, query: str) -> int:
        found = looked(connection, query)
        if not passed:
            passed.append(query)
            database.connect(path, ONE).close()
        return found

    monkeypatch.setattr(database, "number", number)

    with closing(database.connect(path, ONE)) as connection:
        assert looked(connection, "PRAGMA user_version") == ONE.version
    assert passed
