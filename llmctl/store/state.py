"""The state file: what must be right or refused, unlike the ledger.

Every commit waits for the disk, and a file that cannot be used is an error, never a warning.
"""

import sqlite3
from pathlib import Path

from llmctl.store import database

# Amounts are decimals as text: SQLite would make floats of them. `totals` has what was spent and
# what is reserved under one scope (a day, a month, a run, of all or of one provider) in one
# currency, so that a reservation costs the same however many came before it. `reservations` are the
# calls that have not ended; `scopes` is a JSON list, `process` the id of who made it.
RESERVATIONS = """
CREATE TABLE totals (
    scope TEXT NOT NULL,
    currency TEXT NOT NULL,
    spent TEXT NOT NULL,
    reserved TEXT NOT NULL,
    touched TEXT NOT NULL,
    PRIMARY KEY (scope, currency)
) WITHOUT ROWID;
CREATE TABLE reservations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    made_at TEXT NOT NULL,
    scopes TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    process INTEGER NOT NULL
);
"""

# How an account may be used by all processes of this machine: times are Unix seconds, `account` is
# a digest. `hold_until` is when the next request may begin, `requests_at` and `tokens_at` when the
# schedule of that rate is even again; 0 says nothing. `touched` lets old ones be forgotten.
PACES = """
CREATE TABLE paces (
    account TEXT PRIMARY KEY,
    hold_until REAL NOT NULL DEFAULT 0,
    requests_at REAL NOT NULL DEFAULT 0,
    tokens_at REAL NOT NULL DEFAULT 0,
    touched REAL NOT NULL
) WITHOUT ROWID;
"""

STATE = database.Schema(
    name="state file",
    application_id=0x6C6D7374,  # "lmst"
    migrations=(RESERVATIONS, PACES),
    durable=True,
)


def open_state(path: Path) -> sqlite3.Connection:
    """A connection to the state file at `path`, which is made where there is none.

    Raises ConfigError for a file that is not ours or is newer, IoFailed for one that cannot be
    written, so that whoever needs a guarantee can refuse.
    """
    connection = database.connect(path, STATE)
    try:
        with database.said_plainly(path), database.transaction(connection):
            pass  # SQLite opens a file it may only read without a word; the write lock tells
    except BaseException:
        connection.close()
        raise
    return connection
