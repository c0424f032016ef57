"""The line that shows how far a job is."""

import pytest

from llmctl.batch.shape import Ended
from llmctl.errors import CutOff, PipeClosed
from llmctl.output import streams
from llmctl.output.batch_progress import Progress
from llmctl.output.columns import cells
from llmctl.output.terminal import Terminal
from llmctl.types import Cost
from llmctl.values import replace
from tests.unit.output.batches import HOSTILE, answered, failed, hopped
from tests.unit.output.shared import COLOURED, ON_TERMINAL, PIPED, SCREEN

CLEAR = "\r\x1b[K"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def refused(line: int) -> Ended:
    """Before any answer, so that it costs nothing."""
    one = failed(line)
    return replace(one, receipt=replace(one.receipt, text=""))


def wide(columns: int) -> Terminal:
    return Terminal(stderr=SCREEN._replace(width=columns))


def run(shown: Progress, clock: Clock, rows: int, seconds: float) -> None:
    """So many rows, evenly over so many seconds; each costs 0.0000022 USD."""
    for number in range(rows):
        clock.now += seconds / rows
        shown.ended(answered(number))


def test_what_is_known_stands_on_the_line(clock: Clock) -> None:
    """40 rows in 4 s are 10 a second, the other 150 take 15 s; 40 x 0.0000022 are 0.000088."""
    shown = Progress(ON_TERMINAL, False, 200, 10, clock=clock)
    run(shown, clock, 40, 4.0)
    shown.pace(64, 60, "latency", 0.0)

    assert shown.line(None) == (
        "50/200 25\u00a0% · 10 rows/s · 60/64 at a time (answers got slower) · 0.000088 USD"
        " · 15 s left"
    )


def test_what_holds_all_rows_is_said_with_why(clock: Clock) -> None:
    shown = Progress(ON_TERMINAL, False, None, 0, clock=clock)
    shown.ended(refused(1))
    shown.pace(4, 0, "429", 20.0)

    assert shown.line(None) == "rows 1 · failed 1 · all wait 20 s (rate limited) · 0/4 at a time"
    clock.now += 19.8
    assert "all wait" not in shown.line(None)
    shown.pace(4, 0, "elsewhere", 20.0)
    assert "all wait 20 s (told to another run)" in shown.line(None)


def test_money_is_only_a_part_where_an_answer_was_lost(clock: Clock) -> None:
    shown = Progress(ON_TERMINAL, False, None, 0, clock=clock)
    run(shown, clock, 10, 0.5)
    lost = replace(refused(11).receipt, error=CutOff("no end").failure())
    shown.ended(replace(refused(11), receipt=lost))

    assert shown.line(None) == "rows 11 · failed 1 · at least 0.000022 USD"


def test_the_least_matters_first_where_there_is_no_room(clock: Clock) -> None:
    shown = Progress(ON_TERMINAL, False, 200, 0, clock=clock)
    run(shown, clock, 39, 4.0)
    shown.ended(refused(40))
    shown.pace(64, 64, None, 0.0)

    assert shown.line(64) == "40/200 20\u00a0% · failed 1 · 10 rows/s · 0.000086 USD · 16 s left"
    assert shown.line(40) == "40/200 20\u00a0% · failed 1 · 10 rows/s"
    assert shown.line(5) == "40/20"
    for room in range(1, 130):
        assert cells(shown.line(room)) <= room
    assert shown.line(120).startswith("━" * 5 + "─" * 19 + " 40/200")  # a fifth of 24


def test_whether_there_is_a_bar_depends_on_the_width_alone(clock: Clock) -> None:
    """24 columns of bar, 76 for the figures, however short or long these are."""
    shown = Progress(ON_TERMINAL, False, 1_000_000, 0, clock=clock)
    assert shown.line(100).startswith("─" * 24 + " 0/1,000,000")
    assert shown.line(99).startswith("0/1,000,000")
    run(shown, clock, 400_000, 4.0)
    shown.pace(64, 60, "latency", 0.0)

    assert cells(shown.line(None)) > 76
    assert shown.line(100).startswith("━" * 10 + "─" * 14 + " 400,000/1,000,000")
    assert cells(shown.line(100)) <= 100


def test_why_nothing_ends_yet_is_said_until_something_does(clock: Clock) -> None:
    shown = Progress(ON_TERMINAL, False, 2, 0, at_first="the model is loaded", clock=clock)
    assert shown.line(None) == "0/2 0\u00a0% · the model is loaded"

    shown.ended(answered(1))

    assert "loaded" not in shown.line(None)


@pytest.mark.parametrize(
    ("costs", "text"),
    [
        ([Cost("0.5", "USD"), Cost("0.5", "USD"), Cost("3", "RUB")], "1.00 USD + 3.00 RUB"),
        ([Cost("0.5", "USD"), Cost()], "at least 0.50 USD"),
        ([Cost()], "price unknown"),
        ([Cost("0", "USD")], ""),
    ],
)
def test_money_by_currency_and_unknown_as_unknown(
    clock: Clock, costs: list[Cost], text: str
) -> None:
    shown = Progress(ON_TERMINAL, False, None, 0, clock=clock)
    for number, cost in enumerate(costs):
        ended = answered(number)
        shown.ended(replace(ended, receipt=replace(ended.receipt, cost=cost)))

    assert shown.line(None) == " · ".join(one for one in (f"rows {len(costs)}", text) if one)


def test_a_copy_costs_nothing_again(clock: Clock) -> None:
    shown = Progress(ON_TERMINAL, False, None, 0, clock=clock)
    shown.ended(hopped(1))
    shown.ended(replace(answered(2), cached=True))

    assert shown.line(None) == "rows 2"


def test_the_pace_is_that_of_the_last_seconds(clock: Clock) -> None:
    shown = Progress(ON_TERMINAL, False, None, 0, clock=clock)
    run(shown, clock, 1000, 10.0)
    run(shown, clock, 40, 20.0)

    assert "· 2 rows/s" in shown.line(None)


def test_it_is_redrawn_ten_times_a_second_at_most(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = Progress(ON_TERMINAL, False, 10_000, 0, clock=clock)
    run(shown, clock, 5000, 1.0)

    err = capsys.readouterr().err
    assert 9 <= err.count(CLEAR) <= 11
    shown.close()
    assert capsys.readouterr().err == CLEAR
    shown.close()
    assert capsys.readouterr().err == ""


def test_a_note_stands_on_a_line_of_its_own(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = Progress(COLOURED, False, 2, 0, clock=clock)
    shown.ended(answered(1))
    capsys.readouterr()

    shown.note(f"slow {HOSTILE}")
    shown.tick()

    err = capsys.readouterr().err
    assert err.startswith(CLEAR + "llmctl: slow a␛]0;t␇b<U+2028>")
    assert err.count("\n") == 1
    assert err.endswith("\x1b[0m")


def test_elsewhere_a_line_every_half_a_minute(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Eight rows a second: 240 in the first half a minute; the other 760 take 95 s."""
    shown = Progress(PIPED, False, 1000, 0, clock=clock)
    run(shown, clock, 232, 29.0)
    assert capsys.readouterr().err == ""

    run(shown, clock, 264, 33.0)

    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("llmctl: 240/1,000 24\u00a0% · 8 rows/s · ")
    assert first.endswith(" · 1 min 35 s left")
    assert second.startswith("llmctl: 480/1,000")
    shown.close()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("terminal", [ON_TERMINAL, PIPED])
def test_quiet_is_quiet_but_for_what_insists(
    clock: Clock, capsys: pytest.CaptureFixture[str], terminal: Terminal
) -> None:
    shown = Progress(terminal, True, 100, 0, clock=clock)
    run(shown, clock, 90, 90.0)
    shown.note("so it is")
    assert capsys.readouterr().err == ""

    shown.note("it stops", insists=True)
    shown.close()

    assert capsys.readouterr().err == "llmctl: it stops\n"


def test_a_terminal_that_is_gone_stops_no_row(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def gone(text: str) -> None:
        tried.append(text)
        raise PipeClosed("gone")

    monkeypatch.setattr(streams, "err", gone)
    shown = Progress(ON_TERMINAL, False, 100, 0, clock=clock)
    run(shown, clock, 50, 50.0)
    shown.note("x")
    shown.close()

    assert len(tried) == 1


def test_a_line_never_wraps(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    shown = Progress(wide(30), False, 1000, 0, clock=clock)
    run(shown, clock, 100, 10.0)

    for line in capsys.readouterr().err.split(CLEAR):
        assert cells(line) <= 29
