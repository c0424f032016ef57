"""Opens an SQLite file of ours: private, versioned, and shared by any number of processes.

WAL lets readers and a writer work at once, and a process that is killed leaves the file whole.
A schema's version stands in `user_version`, whose it is in `application_id`.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from llmctl import files
from llmctl.errors import ConfigError, IoFailed, LlmctlError
from llmctl.messages import _
from llmctl.values import dataclass

BUSY_S = 5.0
BESIDE = ("-wal", "-shm")  # the files SQLite keeps next to a database

OF_VALUES = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError)
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
READ_ONLY = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM})


@dataclass(frozen=True, slots=True)
class Schema:
    """The shape of one kind of file; `migrations[n]` is SQL that leads from version n to n + 1.

    `durable` makes each commit wait for the disk, so that it outlives a power cut too. A file that
    is not in a folder of ours (`own_folder`) stands among the user's, whose folder stays as it is.
    """

    name: str
    application_id: int
    migrations: tuple[str, ...]
    durable: bool = False
    own_folder: bool = True

    @property
    def version(self) -> int:
        return len(self.migrations)


def connect(
    path: Path,
    schema: Schema,
    *,
    timeout: float = BUSY_S,
    one_thread: bool = True,
    alone: bool = False,
) -> sqlite3.Connection:
    """A connection in autocommit mode to the file at `path`, made or migrated where needed.

    `timeout` is how many seconds any statement waits for other processes. Unless it is for
    `one_thread` several may use it, one at a time, which is theirs to see to. `alone` keeps all
    others out and so needs no memory that machines cannot share: for files on network storage.

    Raises ConfigError for a file that a newer llmctl made, or that is not ours; IoFailed for one
    that cannot be used.
    """
    if schema.own_folder:
        files.private_dir(path.parent)
    try:
        files.create_private(path)
        for name in ("", *BESIDE):
            files.repair_file(path.with_name(path.name + name))
    except OSError as error:
        raise files.io_failed(error, path) from error
    with said_plainly(path):
        connection = sqlite3.connect(
            path, timeout=timeout, isolation_level=None, check_same_thread=one_thread
        )
        try:
            if alone:  # before anything else is read, else SQLite maps its index first
                connection.execute("PRAGMA locking_mode=EXCLUSIVE").close()
            _set_up(connection, schema)
            if not _is_ready(connection, schema):
                lock = path.with_name(path.name + ".lock")
                with files.lock(lock, timeout, own_folder=schema.own_folder):
                    _migrate(connection, path, schema)
        except BaseException:
            connection.close()
            raise
    return connection


def in_memory(schema: Schema) -> sqlite3.Connection:
    """An empty database of this shape: what there is to read before anything was written."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for script in schema.migrations:
        connection.executescript(script)
    return connection


def _set_up(connection: sqlite3.Connection, schema: Schema) -> None:
    """What SQLite wants told by every connection.

    secure_delete overwrites what is deleted; a temporary file would be a copy outside our folder.
    """
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON").close()
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute(f"PRAGMA synchronous={'FULL' if schema.durable else 'NORMAL'}")


def number(connection: sqlite3.Connection, query: str) -> int:
    """The single number that `query` answers with."""
    return int(connection.execute(query).fetchone()[0])


def _is_ready(connection: sqlite3.Connection, schema: Schema) -> bool:
    """Whether nothing is to be done. What another process is only just making looks like anything
    in between, so every other judgement is made under the lock."""
    owner = number(connection, "PRAGMA application_id")
    version = number(connection, "PRAGMA user_version")
    return (owner, version) == (schema.application_id, schema.version)


def _is_current(connection: sqlite3.Connection, path: Path, schema: Schema) -> bool:
    owner = number(connection, "PRAGMA application_id")
    version = number(connection, "PRAGMA user_version")
    is_new = owner == 0 and version == 0
    if is_new and number(connection, "SELECT count(*) FROM sqlite_master") == 0:
        return False
    if owner != schema.application_id:
        raise ConfigError(
            _("{path} is not a {name} of llmctl", path=path, name=schema.name),
            hint=_("move it elsewhere, then run the command again"),
            reason="not-ours",
        )
    if version > schema.version:
        raise ConfigError(
            _("{path} was made by a newer llmctl; it is left as it is", path=path),
            hint=_("update this one, as docs/install.md says"),
            reason="newer",
        )
    return version == schema.version


def _migrate(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    """Bring the file up to date; the caller holds the lock, so nobody else is at it."""
    if _is_current(connection, path, schema):
        return
    version = number(connection, "PRAGMA user_version")
    if version == 0:
        # Both must come before the first table. A file system that cannot share memory between
        # processes stays with the old journal, which is slower and as safe.
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA journal_mode=WAL").close()
    steps = "".join(schema.migrations[version:])
    try:
        connection.executescript(
            f"BEGIN EXCLUSIVE; {steps} PRAGMA application_id={schema.application_id};"
            f" PRAGMA user_version={schema.version}; COMMIT;"
        )
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, with the write lock held from the start."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # some errors have rolled back already
            connection.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Several reads of one moment, whatever other processes write meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


@contextmanager
def said_plainly(path: Path) -> Iterator[None]:
    """Turn what SQLite and the operating system raise about a file into an error that says what to
    do.

    What it raises about values (an id that is there already) is for the caller.
    """
    try:
        yield
    except OF_VALUES:
        raise
    except sqlite3.Error as error:
        raise failure(error, path) from error
    except OSError as error:
        raise files.io_failed(error, path) from error


def failure(error: sqlite3.Error, path: Path) -> LlmctlError:
    """What SQLite refused, in words; `reason` is damaged, locked, full, not-usable or sqlite."""
    code = primary_code(error)
    if code in DAMAGED:
        return damaged(path)
    if code in LOCKED:
        return IoFailed(
            _("{path} is held by another program for too long", path=path),
            hint=_("close what has it open, then run the command again"),
            reason="locked",
            retryable=True,
        )
    if code == sqlite3.SQLITE_FULL:
        return IoFailed(
            _("no space is left for {path}", path=path),
            hint=_("free some space on that disk, then run the command again"),
            reason="full",
        )
    if code in READ_ONLY:
        return IoFailed(
            _("{path} cannot be opened for writing", path=path),
            hint=_("check who owns it and its folder, or set LLMCTL_DATA_DIR to another folder"),
            reason="not-usable",
        )
    return IoFailed(_("{path}: {cause}", path=path, cause=error), reason="sqlite")


def damaged(path: Path) -> IoFailed:
    return IoFailed(
        _("{path} is damaged or no database", path=path),
        hint=_("move it elsewhere; sqlite3 FILE .recover may save what is in it"),
        reason="damaged",
    )


def primary_code(error: sqlite3.Error) -> int | None:
    """SQLite's error number without its extension; None for errors of the Python binding."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
