"""Comparisons in the ledger's file."""

import sqlite3
from pathlib import Path

import pytest

from llmctl.errors import NotFound, UsageError
from llmctl.store.compares import Kept
from llmctl.store.database import connect
from llmctl.store.ledger import Ledger
from llmctl.store.shape import FIRST, LEDGER, Mode
from llmctl.types import Chat, Receipt, Role, message
from llmctl.values import replace

DAY_S = 86_400
NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z
OLD, YOUNG = "2026-12-01T00:00:00Z", "2027-01-15T07:00:00Z"
WORDS = "никому не показывать"


def kept(id_: str, started_at: str = YOUNG, runs: tuple[str, ...] = ()) -> Kept:
    return Kept(
        id=id_, started_at=started_at, figures={"runs": 2}, document={"text": WORDS}, runs=runs
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db", now=lambda: NOW)


def ids(ledger: Ledger) -> list[str]:
    return [one.id for one in ledger.comparisons(-1)]


def run(id_: str, started_at: str = YOUNG) -> tuple[Receipt, Chat]:
    return Receipt(id_, started_at, "openai/m"), Chat("m", (message(Role.USER, "hi"),))


def test_one_is_found_by_its_id_the_beginning_of_it_and_as_the_last(ledger: Ledger) -> None:
    for one in ("01ab", "01ac", "02zz"):
        assert ledger.record_comparison(kept(one)) is None

    assert ids(ledger) == ["02zz", "01ac", "01ab"]
    assert ledger.comparisons(1)[0].document is None
    whole = ledger.comparison("01ac")
    assert (whole.id, whole.document, whole.figures, whole.mode) == (
        "01ac", {"text": WORDS}, {"runs": 2}, Mode.FULL,
    )  # fmt: skip
    assert ledger.comparison("02").id == ledger.comparison("last").id == "02zz"
    with pytest.raises(UsageError, match="several"):
        ledger.comparison("01")


def test_a_whole_id_is_that_one_even_where_others_begin_so(ledger: Ledger) -> None:
    for one in ("01ab", "01a"):
        ledger.record_comparison(kept(one))

    assert ledger.comparison("01a").id == "01a"


def test_what_is_not_there_is_said(ledger: Ledger) -> None:
    for name in ("last", "", "%", "_1"):
        with pytest.raises(NotFound, match="kept"):
            ledger.comparison(name)
    assert ledger.comparisons() == ()


def test_they_go_with_the_runs(ledger: Ledger) -> None:
    ledger.record(*run("r1"))
    ledger.record(*run("r2", OLD))
    ledger.record_comparison(kept("a", runs=("r1",)))
    ledger.record_comparison(kept("b", OLD, runs=("r2",)))
    ledger.record_comparison(kept("c", runs=("r3",)))

    assert ledger.purge(older_than_days=10) == 1
    assert ids(ledger) == ["c", "a"]
    assert ledger.purge(id="r1") == 1
    assert ids(ledger) == ["c"]
    assert ledger.purge(everything=True) == 0
    assert ids(ledger) == []


def test_nothing_of_a_purged_one_stays_in_the_file(ledger: Ledger) -> None:
    plain = replace(kept("a"), figures={"models": [WORDS]})
    ledger.record_comparison(plain)
    assert WORDS.encode() in every_byte(ledger.path)

    ledger.purge(everything=True)
    ledger.close()

    assert WORDS.encode() not in every_byte(ledger.path)


def every_byte(path: Path) -> bytes:
    return b"".join(one.read_bytes() for one in path.parent.iterdir() if one.is_file())


def test_they_are_kept_no_longer_than_runs(ledger: Ledger) -> None:
    ledger.record_comparison(kept("old", "2026-01-01T00:00:00Z"))
    ledger.record(*run("r"))  # once a day what is older than the retention goes

    assert ids(ledger) == []


def test_a_ledger_of_the_version_before_gets_the_table(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    earlier = replace(LEDGER, migrations=(FIRST,))
    connect(path, earlier).close()
    ledger = Ledger(path, now=lambda: NOW)

    assert ledger.comparisons() == ()
    assert ledger.record_comparison(kept("a")) is None
    assert ledger.explain().comparisons == 1


def test_trouble_is_one_warning(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").mkdir()

    warning = Ledger(tmp_path / "ledger.db").record_comparison(kept("a"))

    assert warning is not None
    assert "ledger" in warning


def test_what_cannot_be_written_is_one_warning_too(ledger: Ledger) -> None:
    ledger.record_comparison(kept("a"))

    for odd in (kept("a"), replace(kept("b"), document={"x": object()})):
        assert "ledger" in str(ledger.record_comparison(odd))
    assert ids(ledger) == ["a"]


def test_the_document_is_not_readable_by_accident(ledger: Ledger) -> None:
    """It is packed small; whoever looks into the file with SQLite sees figures only."""
    ledger.record_comparison(kept("a"))
    ledger.close()
    with sqlite3.connect(ledger.path) as connection:
        ((document,),) = connection.execute("SELECT document FROM comparisons").fetchall()
    connection.close()

    assert isinstance(document, bytes)
    assert len(document) < 100
