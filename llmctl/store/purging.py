"""Takes runs out of the ledger so that nothing of them stays in its files."""

import sqlite3
import time

from llmctl.store.database import number, transaction

DAY_S = 86_400


def cutoff(days: float, now: float) -> str:
    """The moment `days` before `now` (seconds since 1970), as receipts write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - days * DAY_S))


# Comparisons hold the texts of their runs once more, and go when these do.
OF_RUN = "number IN (SELECT comparison FROM compared WHERE run = ?)"


def purge_before(connection: sqlite3.Connection, moment: str) -> int:
    """Delete the runs and comparisons that started before `moment`; how many runs there were."""
    return _purge(connection, "started_at < ?", "started_at < ?", [moment])


def purge_all(connection: sqlite3.Connection) -> int:
    return _purge(connection, "1", "1", [])


def purge_one(connection: sqlite3.Connection, id_: str) -> int:
    return _purge(connection, "id = ?", OF_RUN, [id_])


def _purge(connection: sqlite3.Connection, runs: str, comparisons: str, values: list[str]) -> int:
    """`runs` and `comparisons` are conditions of our own, with the same `values`."""
    with transaction(connection):
        connection.execute(f"DELETE FROM comparisons WHERE {comparisons}", values)  # noqa: S608
        purged = connection.execute(f"DELETE FROM runs WHERE {runs}", values).rowcount  # noqa: S608
        if purged:
            forget(connection)
    # Give the space back. Not execute(): it would stop after the first page.
    connection.executescript("PRAGMA incremental_vacuum")
    return purged


def flush(connection: sqlite3.Connection) -> bool:
    """Write the journal back and empty it; False while another process still reads from it."""
    busy, _pages, _written = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def purge_daily(connection: sqlite3.Connection, days: int, now: float) -> bool:
    """Inside a transaction: delete what is older than `days`, at most once a day.

    Returns whether anything was deleted, and `flush` is due.
    """
    today = cutoff(0, now)[:10]
    row = connection.execute("SELECT value FROM meta WHERE name = 'purged_on'").fetchone()
    if row is not None and row[0] == today:
        return False
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('purged_on', ?)", [today])
    connection.execute("DELETE FROM comparisons WHERE started_at < ?", [cutoff(days, now)])
    compared = number(connection, "SELECT changes()")
    connection.execute("DELETE FROM runs WHERE started_at < ?", [cutoff(days, now)])
    if not number(connection, "SELECT changes()"):
        return bool(compared)
    forget(connection)
    return True


def forget(connection: sqlite3.Connection) -> None:
    """Drop the index of the module search: what it held is overwritten, and the next search makes
    it again."""
    connection.execute("DROP TABLE IF EXISTS search")
    connection.execute("DELETE FROM meta WHERE name = 'indexed_to'")
