"""The state file: what must be right or refused, unlike the ledger.

Its tables come with what needs them. What is here already holds for all of them: every commit
waits for the disk, and a file that cannot be used is an error, never a warning.
"""

import sqlite3
from pathlib import Path

from llmctl.store import database

STATE = database.Schema(
    name="state file",
    application_id=0x6C6D7374,  # "lmst"
    migrations=(),
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
            # SQLite opens a file it may only read without a word; taking the write lock tells.
            connection.execute(f"PRAGMA user_version={STATE.version}")
    except BaseException:
        connection.close()
        raise
    return connection
