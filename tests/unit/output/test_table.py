import pytest

from llmctl.output.table import table, table_or_blocks, table_text
from llmctl.output.terminal import Screen, Terminal
from tests.unit.output.shared import COLOURED, ON_TERMINAL, PIPED, SCREEN

HEADERS = ("model", "price", "note")
ROWS = [("GigaChat-2", "0.20", None), ("日本語", 15, "два\nslова\x1b[31m")]


def test_a_pipe_gets_aligned_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    table(HEADERS, ROWS, terminal=PIPED, right=(1,))

    assert capsys.readouterr().out == (
        "model       price  note\nGigaChat-2   0.20  -\n日本語         15  два slова␛[31m\n"
    )


def test_nothing_is_cut_in_a_pipe() -> None:
    assert table_text(["a"], [["x" * 500]]) == "a\n" + "x" * 500 + "\n"


def test_no_rows_is_only_the_headers() -> None:
    assert table_text(["one", "two"], []) == "one  two\n"


def test_a_terminal_gets_a_drawn_table(capsys: pytest.CaptureFixture[str]) -> None:
    table(HEADERS, ROWS, terminal=ON_TERMINAL)

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        "model",
        lines[1].split()[0],
        "GigaChat-2",
        "日本語",
    ]
    assert set(lines[1].strip()) == {"─"}
    assert "slова␛[31m" in lines[3]


def test_a_narrow_terminal_loses_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    narrow = ON_TERMINAL._replace(stdout=SCREEN._replace(width=20))
    table(["name"], [["abcdefghij" * 5]], terminal=narrow)

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 20
    assert "".join(lines[2:]).replace(" ", "") == "abcdefghij" * 5


def test_figures_and_the_first_column_stay_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """12 + 6 columns and two gaps of two leave 8 of 30 for the note."""
    narrow = ON_TERMINAL._replace(stdout=SCREEN._replace(width=30))
    table(HEADERS, [("GigaChat-2.0", 123456, "a longer note")], terminal=narrow, right=(1,))

    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == "GigaChat-2.0  123456  a longe…"


def test_where_figures_leave_too_little_the_first_column_is_folded(
    capsys: pytest.CaptureFixture[str],
) -> None:
    narrow = ON_TERMINAL._replace(stdout=SCREEN._replace(width=18))
    table(("model", "price"), [("GigaChat-2.0", 123456)], terminal=narrow, right=(1,))

    assert capsys.readouterr().out.splitlines()[2:] == ["GigaChat-2  123456", ".0"]


def test_colour_only_where_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    table(HEADERS, ROWS, terminal=COLOURED)
    assert "\x1b[1m" in capsys.readouterr().out


def test_what_is_too_wide_for_a_terminal_is_a_block_a_row(
    capfd: pytest.CaptureFixture[str],
) -> None:
    rows = [("01a2", 3, "a long text"), ("01a3", None, "another one")]
    narrow = Terminal(stdout=Screen(is_tty=True, width=18))

    table_or_blocks(["id", "runs", "models"], rows, terminal=narrow)

    assert capfd.readouterr().out.splitlines() == [
        "01a2", "  runs    3", "  models  a long text", "",
        "01a3", "  models  another one", "",
    ]  # fmt: skip


def test_what_fits_stays_a_table(capfd: pytest.CaptureFixture[str]) -> None:
    wide = Terminal(stdout=Screen(is_tty=True, width=40))

    table_or_blocks(["id", "runs"], [("01a2", 3)], terminal=wide)

    assert capfd.readouterr().out.splitlines() == ["id    runs", "01a2  3"]
