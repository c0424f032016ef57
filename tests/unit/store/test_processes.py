"""The ledger among processes: many at once, one killed at any moment, a disk that is full."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from llmctl.store.ledger import Ledger

ROOT = Path(__file__).parents[3]

# argv: ledger, name of the writer, how many runs (0: until killed). Prints each id it has kept.
WRITER = """
import itertools, pathlib, sys
from llmctl.store.ledger import Ledger
from tests.unit.store.shared import chat, receipt, user
path, name, count = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in itertools.islice(itertools.count(), count or None):
    with Ledger(path, retention_days=None) as ledger:
        id_ = f"{name}-{number}"
        call = chat(user(id_ + " x" * 3000))
        warning = ledger.record(receipt(id_, text=id_), call, conversation="all")
        sys.stdout.write(f"{warning or id_}\\n")
        sys.stdout.flush()
"""


def writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, path, name, str(count)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def kept(path: Path) -> set[str]:
    with Ledger(path) as ledger:
        return {entry.receipt.id for entry in ledger.list(-1)}


def is_whole(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)])


def test_ten_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "data" / "ledger.db"
    writers = [writer(path, f"w{number}", 10) for number in range(10)]
    said = [line for one in writers for line in one.communicate(timeout=120)[0].split()]

    expected = {f"w{number}-{run}" for number in range(10) for run in range(10)}
    assert expected == set(said)
    assert expected == kept(path)
    assert is_whole(path)


def test_killed_at_any_moment_the_ledger_is_whole_and_has_what_was_kept(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    chance = random.Random(5)
    said: set[str] = set()
    for turn in range(8):
        one = writer(path, f"t{turn}", 0)
        assert one.stdout is not None
        said.add(one.stdout.readline().strip())
        try:
            one.wait(chance.uniform(0.0, 0.12))
        except subprocess.TimeoutExpired:
            one.send_signal(signal.SIGKILL)
        said.update(one.stdout.read().split("\n")[:-1])
        one.wait()
        one.stdout.close()
        assert is_whole(path)
        assert said <= kept(path)

    with Ledger(path) as ledger:
        assert all(len(entry.messages) == 1 for entry in ledger.each())
    assert len(said) > 8


@pytest.mark.skipif(os.name != "posix", reason="limits of file size are a POSIX matter")
@pytest.mark.parametrize("room", [0, 1 << 16])
def test_a_full_disk_costs_one_warning_and_no_run_before(tmp_path: Path, room: int) -> None:
    """A limit on file sizes stops SQLite's writes half-way, as a full disk does."""
    path = tmp_path / "ledger.db"
    one = writer(path, "before", 3)
    one.communicate(timeout=60)
    limited = f"import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n"
    full = subprocess.run(
        [sys.executable, "-c", limited + WRITER, path, "during", "30"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        check=True,
        timeout=60,
    )

    assert any("ledger" in line for line in full.stdout.splitlines())
    assert is_whole(path)
    during = {line for line in full.stdout.splitlines() if line.startswith("during-")}
    assert {"before-0", "before-1", "before-2"} | during == kept(path)
