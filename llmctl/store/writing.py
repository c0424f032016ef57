"""Puts runs into the ledger, and moves a damaged ledger out of the way."""

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from llmctl import files
from llmctl.store.conversations import history
from llmctl.store.database import BESIDE, DAMAGED, primary_code
from llmctl.store.facts import exit_code, facts
from llmctl.store.shape import (
    Mode,
    asked,
    pack_messages,
    pack_part,
    split_system,
    spoken,
    storable,
    written,
)
from llmctl.types import Call, Json, Receipt


def insert_run(
    connection: sqlite3.Connection,
    receipt: Receipt,
    call: Call,
    mode: Mode,
    conversation: str | None,
    tags: Mapping[str, Json],
) -> int:
    """A row of numbers and names; returns its number."""
    values = (
        receipt.id,
        receipt.started_at,
        type(call).__name__.lower(),
        mode,
        receipt.provider,
        storable(receipt.requested),
        None if receipt.resolved is None else storable(receipt.resolved),
        receipt.finish_reason,
        exit_code(receipt),
        conversation,
        facts(receipt),
        written(tags),
    )
    cursor = connection.execute(
        "INSERT INTO runs (id, started_at, kind, mode, provider, requested, resolved,"
        " finish_reason, exit_code, conversation, facts, tags)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )
    assert cursor.lastrowid is not None  # noqa: S101  an INSERT that did not raise has one
    return cursor.lastrowid


def insert_body(
    connection: sqlite3.Connection,
    number: int,
    receipt: Receipt,
    call: Call,
    conversation: str | None,
) -> None:
    """Every text of a run, and its media."""
    system, said = split_system(spoken(call))
    before = [] if conversation is None else history(connection, conversation, before=number)
    continues = bool(before) and said[: len(before)] == before
    blobs: list[bytes] = []
    messages = pack_messages(said[len(before) :] if continues else said, blobs)
    media = [pack_part(one, blobs) for one in receipt.media]
    error = receipt.error
    values = (
        number,
        continues,
        None if system is None else storable(system),
        written(messages),
        written(asked(call)),
        storable(receipt.text),
        None if receipt.reasoning is None else storable(receipt.reasoning),
        written(receipt.tool_calls),
        written(media),
        written(receipt.details),
        None if error is None else storable(error.message),
    )
    connection.execute("INSERT INTO bodies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    connection.executemany(
        "INSERT INTO blobs VALUES (?, ?, ?)",
        [(number, place, data) for place, data in enumerate(blobs)],
    )


def move_damaged(path: Path, now: float, timeout: float) -> Path | None:
    """Rename a damaged ledger, with the files beside it, and return where it is now.

    None where the file at `path` is whole: another process has begun a new one meanwhile.
    """
    with files.lock(path.with_name(path.name + ".lock"), timeout):
        if not is_damaged(path):
            return None
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        aside, again = path.with_name(f"{path.name}.corrupt-{stamp}"), 1
        while aside.exists():
            again += 1
            aside = path.with_name(f"{path.name}.corrupt-{stamp}-{again}")
        for suffix in (*BESIDE, ""):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
    return aside


def is_damaged(path: Path) -> bool:
    """Whether SQLite finds fault with the file itself."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
    except sqlite3.DatabaseError as error:
        return primary_code(error) in DAMAGED
