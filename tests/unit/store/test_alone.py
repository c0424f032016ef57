"""A journal for network storage: one process has it, without the memory that processes share."""

import os
from pathlib import Path

import pytest

from llmctl.errors import IoFailed
from llmctl.store import database
from llmctl.store.journal import JOURNAL, End, Entry, Journal, State


def test_it_makes_no_shared_memory(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl.journal"

    with Journal(path, alone=True) as journal:
        journal.begin({"id": "1"})
        journal.register([Entry(1, 11, 21)])
        beside = {one.name for one in tmp_path.iterdir()}

    assert beside == {path.name, f"{path.name}-wal", f"{path.name}.lock"}


def test_nobody_else_gets_in_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl.journal"
    with Journal(path, alone=True) as journal:
        journal.begin({"id": "1"})

        with pytest.raises(IoFailed) as refused:
            database.connect(path, JOURNAL, timeout=0.05).close()

    assert refused.value.reason == "locked"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is ended in the middle")
def test_what_a_killed_process_wrote_is_there_for_the_next(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl.journal"
    if not (child := os.fork()):
        journal = Journal(path, alone=True)
        journal.begin({"id": "1"})
        journal.register([Entry(line, line, line) for line in range(1, 101)])
        journal.finish([End(line, State.DONE, line, 1, 0) for line in range(1, 51)])
        os._exit(9)
    os.waitpid(child, 0)

    with Journal(path, alone=True) as journal:
        counts = journal.counts()

    assert (counts.total, counts.done, counts.waiting) == (100, 50, 50)


def test_a_journal_that_others_made_can_be_had_alone_and_back(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl.journal"
    with Journal(path) as journal:
        journal.begin({"id": "1"})
    with Journal(path, alone=True) as journal:
        journal.note("more", 2)
    with Journal(path) as journal:
        assert journal.job == {"id": "1", "more": 2}
