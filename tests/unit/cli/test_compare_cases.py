"""The cases of a comparison: the prompt of the command line, or rows, good and bad."""

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest

from llmctl import settings
from llmctl.cli.compare_asked import CompareAsked
from llmctl.cli.compare_cases import prompt_of, read_cases
from llmctl.cli.compare_checks import refuse_missing, refuse_wishes, wanted_checks
from llmctl.compare.shape import Case, Skipped
from llmctl.errors import UsageError


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    return tmp_path


def read(**flags: Any) -> tuple[tuple[Case, ...], tuple[Skipped, ...]]:
    asked = CompareAsked(quiet=True, **flags)
    return asyncio.run(read_cases(asked, settings.load()))


def rows(folder: Path, text: str, name: str = "a.jsonl", **flags: Any) -> Any:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read(prompts=str(path), **flags)


def test_the_prompt_alone_is_one_case(folder: Path) -> None:
    (case,), skipped = read(prompt="Столица Австралии?", no_stdin=True)

    assert (case.id, case.text, case.line, case.expected) == ("1", "Столица Австралии?", None, None)
    assert skipped == ()
    found = prompt_of(case, CompareAsked(prompt="other"))
    assert (found.input, found.argument) == (None, "Столица Австралии?")


def test_rows_have_their_id_or_their_line(folder: Path) -> None:
    text = '{"id": "x7", "prompt": "One?", "expected": "1"}\n{"prompt": "Two?", "n": 5}\n'
    cases, skipped = rows(folder, text)

    assert [(one.id, one.line, one.text) for one in cases] == [("x7", 1, "One?"), ("2", 2, "Two?")]
    assert [one.expected for one in cases] == ["1", None]
    assert cases[1].columns["n"] == 5
    assert skipped == ()


def test_a_row_stands_before_the_prompt_of_the_command_line(folder: Path) -> None:
    (case,), _skipped = rows(folder, '{"prompt": "A long text."}\n')

    found = prompt_of(case, CompareAsked(prompt="Summarise it."))
    assert found.text() == "A long text.\n\nSummarise it."


def test_bad_rows_are_named_and_the_others_go_on(folder: Path) -> None:
    lines = [
        '{"prompt": "One?"}',
        "{broken",
        '{"other": "x", "more": "y"}',
        '{"prompt": "  "}',
        '{"prompt": 7}',
        '["a list"]',
        '{"id": "1", "prompt": "Again?"}',
        '{"prompt": "Eight?"}',
    ]
    cases, skipped = rows(folder, "\n".join(lines))

    assert [one.text for one in cases] == ["One?", "Eight?"]
    assert [one.line for one in skipped] == [2, 3, 4, 5, 6, 7]
    assert all(one.why for one in skipped)
    assert "is empty" in skipped[2].why
    assert "is no text" in skipped[3].why


def test_a_table_with_a_column_named(folder: Path) -> None:
    text = 'frage,antwort\n"Was ist 2 + 2?",4\n"Und 3 + 3?",\n'
    cases, skipped = rows(folder, text, "a.csv", column="frage", expected="antwort")

    assert [(one.text, one.expected) for one in cases] == [("Was ist 2 + 2?", "4")]
    assert skipped == (Skipped(line=3, why="the row has no antwort"),)


def test_so_many_and_no_more(folder: Path) -> None:
    cases, _skipped = rows(folder, "".join(f'{{"prompt": "{n}"}}\n' for n in range(9)), limit=3)

    assert [one.text for one in cases] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("value", "text"),
    [('"Канберра"', "Канберра"), ("4", "4"), ("true", "true"), ('["a", "б"]', '["a", "б"]'),
     ("4.50", "4.5"), ("null", None)],
)  # fmt: skip
def test_right_answers_that_are_no_text(folder: Path, value: str, text: str | None) -> None:
    (case,), _skipped = rows(folder, f'{{"prompt": "?", "expected": {value}}}\n')

    assert case.expected == text


@pytest.mark.parametrize("value", ["null", '""', "[]"])
def test_a_row_without_the_answer_that_was_named_is_none(folder: Path, value: str) -> None:
    text = (
        f'{{"prompt": "a", "right": "x"}}\n{{"prompt": "b", "right": {value}}}\n{{"prompt": "c"}}'
    )
    cases, skipped = rows(folder, text, expected="right")

    assert [one.text for one in cases] == ["a"]
    assert skipped == tuple(Skipped(line=n, why="the row has no right") for n in (2, 3))


@pytest.mark.parametrize("text", ["", "\n\n", "{broken\n", '{"other": "x", "more": "y"}\n'])
def test_nothing_to_ask(folder: Path, text: str) -> None:
    said = "line 1" if text.strip() else "has no prompt in it"
    with pytest.raises(UsageError, match=said):
        rows(folder, text)


def test_a_column_of_answers_that_there_is_not(folder: Path) -> None:
    with pytest.raises(UsageError, match="line 1: the row has no rihgt"):
        rows(folder, '{"prompt": "a", "right": "x"}\n', expected="rihgt")


def test_a_file_that_there_is_not(folder: Path) -> None:
    with pytest.raises(UsageError, match="missing"):
        read(prompts=str(folder / "missing.csv"))


def test_nothing_on_the_command_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(UsageError):
        read(no_stdin=True)


# ---- checks


def texts(**flags: Any) -> list[str]:
    return [one.text for one in wanted_checks(CompareAsked(**flags))]


def test_right_answers_mean_a_check_where_none_is_about_them() -> None:
    assert texts() == []
    assert texts(expected="right") == ["expected"]
    assert texts(expected="right", checks=["length<9"]) == ["length<9", "expected"]
    assert texts(expected="right", checks=["contains=@right"]) == ["contains=@right"]


def test_the_column_that_was_named_holds_whatever_else_the_row_has(folder: Path) -> None:
    """A column `expected` is not the one that --expected names."""
    (check,) = wanted_checks(CompareAsked(expected="right"))
    (case,), _skipped = rows(
        folder, '{"prompt": "?", "right": "4", "expected": "5"}\n', expected="right"
    )

    assert case.expected == "4"
    assert asyncio.run(check.mark("4", case)).passed
    assert not asyncio.run(check.mark("5", case)).passed


def test_a_check_of_a_column_that_no_row_has() -> None:
    case = Case(id="1", text="?", columns={"right": "4"})
    refuse_missing(wanted_checks(CompareAsked(checks=["equals=@right", "length<5"])), [case])
    refuse_missing(wanted_checks(CompareAsked(checks=["equals=@expected"])),
                   [Case(id="1", text="?", expected="4")])  # fmt: skip
    for checks in (["equals=@wrong"], ["length<5", "contains=@wrong"], ["equals=@expected"]):
        with pytest.raises(UsageError, match="no row has a column") as caught:
            refuse_missing(wanted_checks(CompareAsked(checks=checks)), [case])
        assert "right" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"prefer": "quick"}, "--prefer does not know quick"),
        ({"prefer": "best"}, "--prefer best needs something"),
        ({"where": "speed<1"}, "--where does not know"),
        ({"currency": "EURO"}, "EURO is no currency"),
    ],
)
def test_wishes_that_are_none_are_refused_before_anything_is_paid_for(
    folder: Path, flags: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        refuse_wishes(CompareAsked(**flags), (), settings.load())


def test_wishes_that_can_be_met(folder: Path) -> None:
    refuse_wishes(CompareAsked(), (), settings.load())
    refuse_wishes(
        CompareAsked(prefer="best", judge="m", where="ttft<1", currency="rub"), (), settings.load()
    )
