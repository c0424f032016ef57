"""What was purged must be gone from every byte of the ledger's files, the search index included."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from llmctl.errors import IoFailed, NotFound
from llmctl.store.ledger import Ledger
from llmctl.types import Media, Message, Role, Text
from tests.unit.store.shared import chat, every_byte, receipt, user

NOVEMBER_24 = 1_795_514_400.0  # 2026-11-24T10:00:00Z
DAY = 86_400
# Long enough for pages of their own, and in letters that SQLite's index folds and cuts.
PAGE = "заповедное слово " * 600


class Clock:
    def __init__(self) -> None:
        self.now = NOVEMBER_24

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db", now=clock) as opened:
        yield opened


def keep(ledger: Ledger, id_: str, word: str, started_at: str = "2026-11-24T10:00:00Z") -> None:
    blob = Media("image/png", data=f"blob {word} ".encode() * 900)
    call = chat(Message(Role.USER, (Text(f"{PAGE} {word}"), blob)))
    run = receipt(id_, text=f"{word} answered", reasoning=word, started_at=started_at)
    assert ledger.record(run, call) is None


@pytest.mark.parametrize(
    "purge",
    [
        lambda ledger: ledger.purge(id="old"),
        lambda ledger: ledger.purge(id="ol"),
        lambda ledger: ledger.purge(older_than_days=30),
    ],
)
def test_a_purged_run_leaves_no_byte(ledger: Ledger, purge: Callable[[Ledger], int]) -> None:
    keep(ledger, "old", "needle", "2026-10-01T00:00:00Z")
    keep(ledger, "new", "other")
    assert [hit.entry.receipt.id for hit in ledger.search("needle")] == ["old"]
    assert b"needle" in every_byte(ledger.path)

    assert purge(ledger) == 1

    assert b"needle" not in every_byte(ledger.path)
    ledger.close()
    assert b"needle" not in every_byte(ledger.path)
    assert ledger.search("needle") == ()
    assert ledger.get("new").receipt.text == "other answered"


def test_everything_includes_the_words_in_the_index(ledger: Ledger) -> None:
    keep(ledger, "a", "needle")
    ledger.search("needle")

    assert ledger.purge(everything=True) == 1

    left = every_byte(ledger.path)
    assert [word for word in ("needle", "заповедное", "слово") if word.encode() in left] == []


def test_everything_includes_damaged_ledgers(ledger: Ledger) -> None:
    aside = ledger.path.with_name("ledger.db.corrupt-20261101T000000Z")
    aside.write_bytes(b"needle")
    keep(ledger, "a", "word")

    ledger.purge(everything=True)

    assert not aside.exists()


def test_purging_gives_the_space_back(ledger: Ledger) -> None:
    for number in range(30):
        keep(ledger, f"r{number}", "word")
    before = ledger.path.stat().st_size + ledger.path.with_name("ledger.db-wal").stat().st_size

    assert ledger.purge(everything=True) == 30
    assert ledger.path.stat().st_size < before / 10


def test_purging_what_is_not_there(ledger: Ledger) -> None:
    keep(ledger, "a", "word")

    with pytest.raises(NotFound):
        ledger.purge(id="x")
    assert ledger.purge(older_than_days=30) == 0
    assert len(ledger.list()) == 1


def test_a_purged_turn_is_gone_from_the_later_turns_too(ledger: Ledger) -> None:
    ledger.record(receipt("a", text="needle"), chat(user("q1")), conversation="a")
    before = ledger.messages("a")
    ledger.record(receipt("b", text="two"), chat(*before, user("q2")), conversation="a")

    ledger.purge(id="a")

    assert b"needle" not in every_byte(ledger.path)
    assert [one.text for one in ledger.messages("a")] == ["q2", "two"]


def test_a_reader_in_the_way_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger(path, retention_days=None, timeout=0.05) as ledger:
        keep(ledger, "a", "needle")
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM bodies").fetchone()
            with pytest.raises(IoFailed) as caught:
                ledger.purge(everything=True)
        assert caught.value.reason == "locked"

        assert ledger.purge(everything=True) == 0
        assert b"needle" not in every_byte(path)


def test_old_runs_go_by_themselves_once_a_day(ledger: Ledger, clock: Clock) -> None:
    keep(ledger, "old", "needle", "2026-11-24T10:00:00Z")
    ledger.search("needle")
    clock.now += 90 * DAY
    keep(ledger, "day-90", "x", "2027-02-22T10:00:00Z")
    assert len(ledger.list()) == 2

    clock.now += 1  # the same day: not looked at again
    keep(ledger, "later", "x", "2027-02-22T10:00:01Z")
    assert len(ledger.list()) == 3

    clock.now += DAY
    keep(ledger, "day-91", "x", "2027-02-23T10:00:01Z")
    assert [entry.receipt.id for entry in ledger.list()] == ["day-91", "later", "day-90"]
    assert b"needle" not in every_byte(ledger.path)


@pytest.mark.parametrize("for_ever", [None, 0])
def test_without_retention_nothing_goes(tmp_path: Path, clock: Clock, for_ever: int | None) -> None:
    with Ledger(tmp_path / "ledger.db", retention_days=for_ever, now=clock) as ledger:
        keep(ledger, "old", "x", "2001-01-01T00:00:00Z")
        keep(ledger, "new", "x")

        assert len(ledger.list()) == 2
        assert ledger.explain().retention_days is None
