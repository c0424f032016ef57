import pyte
from hypothesis import given, settings
from hypothesis import strategies as st

from llmctl.output.window import NO_WRAP, SYNC, SYNC_END, WRAP, Window

COLUMNS, ROWS = 20, 6


class Screen:
    """A terminal that does what a window writes."""

    def __init__(self) -> None:
        self.window = Window()
        self.written = ""
        self._screen = pyte.HistoryScreen(COLUMNS, ROWS, history=1000, ratio=0.5)
        self._screen.set_mode(pyte.modes.LNM)  # what a terminal driver does to \n
        self._stream = pyte.Stream(self._screen)

    def paint(self, finished: list[str], live: list[str]) -> None:
        self.written = self.window.paint(finished, live, ROWS)
        self._stream.feed(self.written)

    @property
    def lines(self) -> list[str]:
        """Everything from the top of the scrollback, without empty rows at the end."""
        above = [
            "".join(row[column].data for column in range(COLUMNS)).rstrip()
            for row in self._screen.history.top
        ]
        lines = above + [row.rstrip() for row in self._screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines


def test_live_rows_are_redrawn_in_place() -> None:
    screen = Screen()
    for live in (["on"], ["one"], ["one", "tw"], ["one", "two"], ["ONE", "two", "three"], ["one"]):
        screen.paint([], live)
        assert screen.lines == live


def test_finished_lines_stay_above() -> None:
    screen = Screen()
    screen.paint([], ["open"])
    screen.paint(["done", ""], ["next"])
    screen.paint([], ["next", "more"])
    screen.paint(["next", "more"], [])

    assert screen.lines == ["done", "", "next", "more"]
    assert screen.window.empty


def test_of_too_many_live_rows_the_last_show() -> None:
    screen = Screen()
    rows = [str(number) for number in range(20)]
    for count in range(20):
        screen.paint([], rows[:count])
    assert screen.lines == rows[:19][-(ROWS - 1) :]

    screen.paint(rows, [])
    assert screen.lines == rows


def test_only_what_changed_is_written() -> None:
    screen = Screen()
    screen.paint([], ["same", "ol"])
    screen.paint([], ["same", "old"])
    assert screen.written == f"{SYNC}\r\x1b[J{NO_WRAP}old{WRAP}{SYNC_END}"

    screen.paint([], ["same", "old"])
    assert screen.written == ""


def test_no_rows_wipes_the_window() -> None:
    screen = Screen()
    screen.paint(["above"], ["live", "rows"])
    screen.paint([], [])

    assert screen.lines == ["above"]


def test_a_row_that_is_wider_than_counted_does_not_wrap() -> None:
    screen = Screen()
    screen.paint([], ["x" * (COLUMNS + 5), "second"])
    screen.paint([], ["y", "second"])

    assert screen.lines == ["y", "second"]


def test_a_narrower_terminal_has_wrapped_the_rows() -> None:
    window = Window()
    window.paint([], ["\x1b[1m" + "x" * 25 + "\x1b[0m", "", "yy"], ROWS)
    window.narrowed(10)  # 3 rows, 1 and 1: the first of five is four above the cursor

    assert window.paint([], [], ROWS) == f"{SYNC}\x1b[4A\r\x1b[J{SYNC_END}"


def test_going_to_a_column_takes_no_room() -> None:
    window = Window()
    window.paint([], ["x" * 19 + "\x1b[20G|", "yy"], ROWS)
    window.narrowed(10)  # 20 columns are two rows

    assert window.paint([], [], ROWS) == f"{SYNC}\x1b[2A\r\x1b[J{SYNC_END}"


lines = st.lists(st.text("abc ", min_size=1, max_size=COLUMNS).map(str.rstrip), max_size=9)


@settings(max_examples=40)
@given(st.lists(st.tuples(lines, lines), max_size=12))
def test_finished_lines_show_exactly_once(paints: list[tuple[list[str], list[str]]]) -> None:
    screen = Screen()
    expected: list[str] = []
    for finished, live in paints:
        screen.paint(finished, live)
        expected += finished
    screen.paint([], [])
    while expected and not expected[-1]:
        expected.pop()

    assert screen.lines == expected
