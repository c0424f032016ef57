"""The input of a job from one run to the next: rows that changed, that are new or gone, a look that
was not finished."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from llmctl.batch import registering
from llmctl.errors import UsageError
from llmctl.rows import BadRow, Row
from tests.unit.cli.batches import Run, refused, run, write, written


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


# ---- another input


def test_changed_rows_are_refused_by_their_lines() -> None:
    write(*"abcdefgh")
    run()
    write(*"aBcDEFGH")
    error = refused()

    assert "changed rows: 6 (lines 2, 4, 5, 6, 7, …)" in error.message
    assert "--restart" in str(error.hint)
    assert "--only-new" not in str(error.hint)
    assert refused(only_new=True).message == error.message


def test_new_rows_are_taken_where_that_is_said() -> None:
    write("a", "b")
    run()
    write("a", "b", "c", "d")
    error = refused()

    assert "new rows: 2 (lines 3, 4)" in error.message
    assert "--only-new" in str(error.hint)
    assert run(only_new=True).lines == [3, 4]
    assert run().lines == []  # it is the input of the job now
    assert written() == [1, 2, 3, 4]


def test_rows_that_are_gone_are_refused() -> None:
    write("a", "b", "c")
    run(lambda _row: False)
    write("a", "b")
    error = refused()

    assert "rows that are not there any more: 1" in error.message
    assert refused(only_new=True).message == error.message


def test_all_of_it_is_told_at_once() -> None:
    write("a", "b", "c")
    run()
    Path("in.jsonl").write_text('{"prompt": "A"}\n\n{"prompt": "c"}\n{"prompt": "d"}\n')
    message = refused().message

    assert "changed rows: 1 (lines 1); new rows: 1 (lines 4); " in message
    assert "not there any more: 1" in message


def test_an_input_that_differs_in_no_row_is_the_same() -> None:
    write("a", "b")
    run(lambda row: row.line == 1)
    Path("in.jsonl").write_bytes(b'{ "prompt":"a" }\r\n{"prompt":  "b"}\r\n\r\n')

    assert run().lines == [2]


def test_a_row_that_was_bad_and_is_mended_is_a_changed_one() -> None:
    write("b", first="{\n")
    run()
    write("a", "b")

    assert "changed rows: 1 (lines 1)" in refused().message


# ---- a stream


def piped(*texts: str, **flags: Any) -> Run:
    """A run whose rows come through standard input."""
    write(*texts)
    with Path("in.jsonl").open() as stdin, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", stdin)
        return run(input=None, **flags)


def test_rows_that_do_not_come_any_more_are_told_of_at_the_end() -> None:
    piped("a", "b", "c")
    found = piped("a", "b")

    assert found.gone is not None
    assert "rows that are not there any more: 1" in found.gone.message
    assert found.gone.exit_code == 2
    assert piped("a", "b", "c").gone is None


def test_of_a_stream_that_is_cut_short_on_purpose_nothing_is_missed() -> None:
    piped("a", "b", "c")

    assert piped("a", "b", "c", limit=2).gone is None
    assert piped("a", "b", limit=3).gone is not None
    assert piped("a", "b", "c", "d").lines == [4]


def test_a_row_that_changed_says_nothing_of_those_to_come() -> None:
    piped("a", "b", "c")
    with pytest.raises(UsageError) as caught:
        piped("A", "b", "c")

    assert "changed rows: 1 (lines 1)" in caught.value.message
    assert "any more" not in caught.value.message


# ---- a limit


def test_a_limit_that_grows_adds_rows() -> None:
    write(*"abcdefgh")

    assert run(limit=2).lines == [1, 2]
    assert run(limit=5).lines == [3, 4, 5]
    assert run().lines == [6, 7, 8]
    assert written() == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_limit_that_shrinks_leaves_rows_waiting() -> None:
    write(*"abcdef")
    run(lambda row: row.line == 1)

    assert run(limit=3).lines == [2, 3]
    assert run().lines == [4, 5, 6]


# ---- a look that was not finished


class Killed(BaseException):
    """As if the process was not there any more, but for what it held."""


def killed_while_reading(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    taken = 0

    def dying(self: Any, piece: Sequence[Row | BadRow]) -> list[Row]:
        nonlocal taken
        if taken >= after:
            raise Killed
        taken += 1
        return usual(self, piece)

    usual = registering.Registering.take
    monkeypatch.setattr(registering, "PIECE", 2)
    monkeypatch.setattr(registering.Registering, "take", dying)
    with pytest.raises(Killed):
        run()
    monkeypatch.undo()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A patch that is undone in the middle of a test, which the folders outlive."""
    return pytest.MonkeyPatch()


@pytest.mark.parametrize("after", [0, 1, 2])
def test_killed_while_reading_it_reads_again(here: pytest.MonkeyPatch, after: int) -> None:
    write("a", "b", "c", "d", first="{\n")
    killed_while_reading(here, after)
    found = run()

    assert found.lines == [2, 3, 4, 5]
    assert (found.counts.total, found.counts.failed) == (5, 1)
    assert len(Path("out.errors.jsonl").read_text().splitlines()) == 1
    assert run().lines == []


@pytest.mark.parametrize("texts", ["XbcY", "ab", "abcdef", ""])
def test_killed_while_reading_an_input_that_changes_then(
    here: pytest.MonkeyPatch, texts: str
) -> None:
    """Nothing was asked yet: it is as if the job had not begun."""
    write(*"abcd")
    killed_while_reading(here, 1)
    write(*texts)
    if not texts:
        with pytest.raises(UsageError, match="has no rows"):
            run()
        return
    found = run()

    assert [row.values["prompt"] for _line, row in sorted(found.asked.items())] == list(texts)  # type: ignore[union-attr]
    assert found.counts.total == found.counts.done == len(texts)
    assert run().lines == []
