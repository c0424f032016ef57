"""The view of a comparison while it runs, on terminals of several sizes."""

import asyncio
import re

import pyte
import pytest

from llmctl.compare.plan import Planned, planned
from llmctl.compare.shape import Candidate, Comparison, Trial
from llmctl.errors import PipeClosed
from llmctl.output import panes as panes_module
from llmctl.output import streams
from llmctl.output.compare_live import ProgressLine, Silence, View, view_for
from llmctl.output.pane import KEPT, Tail, middle_cut, wrapped
from llmctl.output.panes import Panes, grid
from llmctl.output.terminal import Terminal
from llmctl.types import (
    Cost,
    CostKind,
    Failure,
    Latency,
    Notice,
    Progress,
    ReasoningDelta,
    Receipt,
    TextDelta,
)
from llmctl.values import replace
from tests.comparisons import REFUSED
from tests.unit.output.shared import COLOURED, ON_TERMINAL, PIPED, SCREEN

HEBREW = "בירת אוסטרליה היא קנברה"
SHELL = "$ llmctl compare"


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def comparison(*names: str, runs: int = 1) -> Comparison:
    """Nothing of it has run yet; the last candidate is refused."""
    models = tuple(Candidate(name=name, model=name) for name in names)
    return Comparison(id="1", started_at="2026-11-25T10:00:00Z", seed=1,
                      candidates=(*models, REFUSED), planned=len(names) * runs)  # fmt: skip


def trial(at: int, repeat: int = 1, *, amount: str = "0.002", failed: str | None = None) -> Trial:
    """0.5 s to the first token, of which 0.1 s went into connecting."""
    receipt = Receipt(
        id="1", started_at="", requested="m", text="whole",
        cost=Cost(amount, "USD", CostKind.COMPUTED),
        latency=Latency(connect_s=0.1, ttft_s=0.5, total_s=2.0, output_tokens_per_s=50.0),
        error=None if failed is None else Failure("cut-off", 11, failed),
    )  # fmt: skip
    return Trial(candidate=at, case=0, repeat=repeat, receipt=receipt)


def drawn(
    made: Comparison, *, columns: int = 80, rows: int = 24, colour: bool = False
) -> tuple[Panes, Clock]:
    screen = SCREEN._replace(width=columns, height=rows, colour=colour)
    clock = Clock()
    return Panes(made, screen, measure=lambda: (columns, rows), clock=clock), clock


def screen_of(written: str, columns: int, rows: int) -> pyte.HistoryScreen:
    screen = pyte.HistoryScreen(columns, rows, history=10_000, ratio=0.5)
    screen.set_mode(pyte.modes.LNM)
    pyte.Stream(screen).feed(SHELL + "\n" + written)
    return screen


def lines_of(written: str, columns: int = 80, rows: int = 24) -> list[str]:
    """What is on the screen, without what ends lines and the screen."""
    lines = [line.rstrip() for line in screen_of(written, columns, rows).display]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def said(view: View, clock: Clock, at: int, text: str, *, repeat: int = 1) -> None:
    clock.now += 1.0
    view.event(Planned(at, 0, repeat), TextDelta(text))


# ---- what is shown -----------------------------------------------------------------------------


def test_two_panes_stand_side_by_side_at_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    view, clock = drawn(comparison("openai/luna", "gigachat/Giga", runs=2))
    view.began(Planned(0, 0, 1))
    said(view, clock, 0, "Столица Австралии — Канберра.")

    lines = lines_of(capsys.readouterr().out)
    assert lines[0] == SHELL
    assert re.fullmatch(r"╭─ openai/luna ─+ 1 of 2 ─╮╭─ gigachat/Giga ─+ waiting ─╮", lines[1])
    assert re.fullmatch(r"│ TTFT ~1\.00 s +││ +│", lines[2])
    assert re.fullmatch(r"│ Столица Австралии — Канберра\. +││ +│", lines[3])
    assert lines[-1] == "0 of 4 runs"
    assert {len(line) for line in lines[1:-1]} == {78}  # two of 39


def test_panes_are_stacked_at_40_columns(capsys: pytest.CaptureFixture[str]) -> None:
    view, clock = drawn(comparison("a", "b"), columns=40)
    view.began(Planned(0, 0, 1))
    said(view, clock, 0, "x" * 50)

    lines = lines_of(capsys.readouterr().out, 40)
    tops = [number for number, line in enumerate(lines) if line.startswith("╭")]
    assert tops == [1, 12]  # of 22 rows each gets eleven
    assert lines[3] == "│ " + "x" * 35 + " │"
    assert lines[4] == "│ " + "x" * 15 + " " * 20 + " │"


def test_five_panes_stand_side_by_side_at_200_columns(capsys: pytest.CaptureFixture[str]) -> None:
    view, _clock = drawn(comparison(*"abcde"), columns=200)
    view.began(Planned(4, 0, 1))

    lines = lines_of(capsys.readouterr().out, 200)
    assert lines[1].count("╭") == 5
    assert len(lines[1]) == 195  # 199 // 5 == 39 each


def test_refused_candidates_have_no_pane() -> None:
    assert list(drawn(comparison("a", "b"))[0].panes) == [0, 1]


@pytest.mark.parametrize(
    ("count", "width", "height", "expected"),
    [
        (4, 200, 50, (4, 4, 49, 20)),
        (4, 80, 24, (4, 2, 39, 11)),
        (4, 73, 24, (4, 2, 36, 11)),  # two of 36 and a column that stays free
        (4, 72, 24, (4, 1, 71, 5)),
        (5, 40, 24, (4, 1, 39, 5)),  # 22 rows hold four of five
        (9, 80, 12, (4, 2, 39, 5)),
        (2, 80, 6, (0, 1, 80, 0)),  # no room for any: one line
        (2, 12, 24, (0, 1, 12, 0)),
    ],
)
def test_panes_share_the_terminal(
    count: int, width: int, height: int, expected: tuple[int, int, int, int]
) -> None:
    assert tuple(grid(count, width, height)) == expected


def test_what_does_not_fit_the_height_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    view, clock = drawn(comparison(*"abcde"), columns=60, rows=13)
    for at in range(4):
        view.began(Planned(at, 0, 1))
    clock.now += 1
    view.ended(trial(0))

    lines = lines_of(capsys.readouterr().out, 60, 13)
    tops = [line for line in lines if line.startswith("╭")]
    # a is over and made room; of the three others c and e wait for a place, and e for its turn.
    assert [line.split()[1] for line in tops] == ["b", "c"]
    assert lines[-1] == "1 of 5 runs · 0.002 USD · not shown: 3, running: 1"


def test_states_and_figures_follow_the_runs(capsys: pytest.CaptureFixture[str]) -> None:
    view, clock = drawn(comparison("model", runs=2), columns=60)

    def now() -> tuple[str, str, str]:
        view._draw()
        lines = lines_of(written(capsys), 60)
        return lines[1].split("─ ")[-1].strip("─╮ "), lines[2].strip("│ "), lines[-2].strip("╰─╯ ")

    sent: list[str] = []

    def written(captured: pytest.CaptureFixture[str]) -> str:
        sent.append(captured.readouterr().out)
        return "".join(sent)

    first, second = Planned(0, 0, 1), Planned(0, 0, 2)
    view.began(first)
    clock.now += 0.5
    view.panes[0].tick()
    assert now() == ("1 of 2", "TTFT 0.50 s…", "")
    view.event(first, TextDelta("abcd" * 10))
    assert now() == ("1 of 2", "TTFT ~0.50 s", "")
    clock.now += 0.5
    view.event(first, TextDelta("abcd" * 10))  # 80 bytes are 20 tokens
    assert now() == ("1 of 2", "TTFT ~0.50 s · ~40 tokens/s", "")
    clock.now += 1
    view.ended(trial(0))
    assert now() == ("1 of 2", "TTFT 0.40 s · 50 tokens/s", "0.002 USD")
    view.began(second)
    view.event(second, Progress("loading", 30, 120))
    assert now() == ("2 of 2", "loading 25 % · TTFT 0.000 s…", "0.002 USD")
    view.ended(trial(0, 2, failed="it ended early"))
    assert now()[::2] == ("done, 1 failed", "0.004 USD")
    assert "it ended early" in lines_of("".join(sent), 60)[-3]


def test_a_thought_gives_way_to_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    view, clock = drawn(comparison("model"))
    view.began(Planned(0, 0, 1))
    clock.now += 1
    view.event(Planned(0, 0, 1), ReasoningDelta("Let me think"))
    thought = capsys.readouterr().out
    said(view, clock, 0, "Canberra")

    assert "Let me think" in "\n".join(lines_of(thought))
    shown = "\n".join(lines_of(thought + capsys.readouterr().out))
    assert "Canberra" in shown
    assert "think" not in shown


def test_of_several_runs_at_a_time_one_is_shown_until_it_ends(
    capsys: pytest.CaptureFixture[str],
) -> None:
    view, clock = drawn(comparison("model", runs=2))
    for repeat in (1, 2):
        view.began(Planned(0, 0, repeat))
    said(view, clock, 0, "first", repeat=1)
    said(view, clock, 0, "second", repeat=2)
    before = capsys.readouterr().out
    clock.now += 1
    view.ended(trial(0, 1))

    assert lines_of(before)[3].strip("│ ") == "first"
    assert lines_of(before + capsys.readouterr().out)[3].strip("│ ") == "second"


# ---- other people's text -----------------------------------------------------------------------


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize(
    "text",
    ["Ж" * 500, "漢字かな交じり文" * 60, "👍🏽 👨‍👩‍👧 🇷🇺 " * 60, HEBREW * 30, "e\u0301" * 400,
     "\t" * 90, "\n" * 90, "\u202e" * 90, "\ud800" * 90],
    ids=["russian", "cjk", "emoji", "hebrew", "combining", "tabs", "lines", "overrides", "halves"],
)  # fmt: skip
def test_edges_stand_where_they_belong(
    capsys: pytest.CaptureFixture[str], columns: int, text: str
) -> None:
    view, clock = drawn(comparison("漢字" * 20, "provider/" + "b" * 60), columns=columns)
    for at in (0, 1):
        view.began(Planned(at, 0, 1))
        said(view, clock, at, text)
    clock.now += 1
    view.ended(trial(0))

    screen = screen_of(capsys.readouterr().out, columns, 24)
    plan = grid(2, columns, 24)
    for row in range(1, 1 + plan.height * (2 // plan.columns)):
        for at in range(plan.columns):
            ends = (screen.buffer[row][at * plan.width].data,
                    screen.buffer[row][(at + 1) * plan.width - 1].data)  # fmt: skip
            assert ends in {("│", "│"), ("╭", "╮"), ("╰", "╯")}, (row, screen.display[row])


def test_output_of_a_model_never_drives_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\x1b[999A\u202etxt.exe\u2066"
    view, clock = drawn(comparison(f"model{evil}", "b"), columns=200)
    view.began(Planned(0, 0, 1))
    said(view, clock, 0, evil)
    clock.now += 1
    view.event(Planned(0, 0, 1), Progress(evil, 1))
    view.ended(trial(0, failed=evil))
    clock.now += 1
    view.began(Planned(1, 0, 1))

    out = capsys.readouterr().out
    ours = re.sub(r"\x1b\[(\?2026[hl]|\?7[hl]|\d*A|J|\d+G)", "", out.replace("\r\x1b[J", ""))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2066]", ours)
    assert "␛]0;owned␇" in out
    assert "<U+202E>" in out
    assert lines_of(out, 200)[0] == SHELL


def test_a_notice_stands_above_and_only_once(capfd: pytest.CaptureFixture[str]) -> None:
    view, clock = drawn(comparison("a", "b"))
    view.began(Planned(0, 0, 1))
    for at in (0, 1, 0):
        clock.now += 1
        view.event(Planned(at, 0, 1), Notice("x", "mind\x1b the gap"))

    out, err = capfd.readouterr()
    assert err == "llmctl: mind␛ the gap\n"
    # Erased before, drawn again after.
    assert out.count("\r\x1b[J") == 1
    assert lines_of(out)[1].startswith("╭─ a ")


# ---- terminals ---------------------------------------------------------------------------------


def test_nothing_is_left_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    view, clock = drawn(comparison("a", "b"), rows=12)
    with view:
        view.began(Planned(0, 0, 1))
        said(view, clock, 0, "word " * 500)
        view.ended(trial(0))

    assert lines_of(capsys.readouterr().out + "RESULT", 80, 12) == [SHELL, "RESULT"]


@pytest.mark.parametrize("after", [(40, 24), (120, 24), (80, 10), (30, 8)])
def test_a_terminal_may_change_its_size(
    capsys: pytest.CaptureFixture[str], after: tuple[int, int]
) -> None:
    """pyte does not wrap anew what is on its screen, so the new one is looked at from a clean
    start: what is painted fits it, and the text is wrapped to it."""
    size = [80, 24]
    clock = Clock()
    view = Panes(comparison("a"), SCREEN, measure=lambda: (size[0], size[1]), clock=clock)
    view.began(Planned(0, 0, 1))
    said(view, clock, 0, "word " * 100)
    capsys.readouterr()
    size[:] = after
    said(view, clock, 0, "END")

    painted = capsys.readouterr().out.rpartition("\x1b[J")[2]
    lines = lines_of(painted, *after)
    assert len(lines) <= after[1]
    assert any("END │" in line for line in lines) or any(re.search("END +│", one) for one in lines)


def test_a_terminal_that_goes_away_is_no_failure_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def gone(text: str) -> None:
        tries.append(text)
        raise PipeClosed("stdout is closed")

    monkeypatch.setattr(streams, "out", gone)
    view, clock = drawn(comparison("a"))
    with view:
        view.began(Planned(0, 0, 1))
        said(view, clock, 0, "word")
        clock.now += 1
        view.ended(trial(0))

    assert len(tries) == 1


def test_colours_only_where_they_are_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    plain, _clock = drawn(comparison("a"))
    plain.began(Planned(0, 0, 1))
    without = capsys.readouterr().out
    coloured, _clock = drawn(comparison("a"), colour=True)
    coloured.began(Planned(0, 0, 1))

    with_ = capsys.readouterr().out
    assert not re.search(r"\x1b\[[\d;]*m", without)
    assert re.search(r"\x1b\[1ma\x1b\[0m", with_)
    assert lines_of(without) == lines_of(with_)


# ---- how much work -----------------------------------------------------------------------------


def test_200_tokens_a_second_of_four_models_are_few_renders(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Ten seconds of 4 × 200 tokens, one model after the other silent after five: at most eight
    renders a second of each while it talks, none after."""
    view, clock = drawn(comparison(*"abcd"), columns=200, rows=50)
    for at in range(4):
        view.began(Planned(at, 0, 1))
    tokens = 0
    for step in range(2000):
        clock.now += 1 / 200
        for at in range(4):
            if at != 3 or step < 1000:
                view.event(Planned(at, 0, 1), TextDelta("word "))
                tokens += 1

    assert tokens == 7000
    renders = [pane.renders for pane in view.panes.values()]
    assert max(renders) <= 10 * 8 + 2
    assert min(renders[:3]) >= 10 * 7
    assert renders[3] <= 5 * 8 + 2
    assert capsys.readouterr().out.count("\x1b[?2026h") <= 10 * 8 + 2


def test_slow_drawing_makes_for_fewer_redraws(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawing that takes 0.1 s comes once a second and not more often."""
    view, clock = drawn(comparison("a"))

    def slowly(text: str) -> None:
        clock.now += 0.1

    monkeypatch.setattr(streams, "out", slowly)
    view.began(Planned(0, 0, 1))
    begun = clock.now
    while clock.now < begun + 11:
        clock.now += 0.01
        view.event(Planned(0, 0, 1), TextDelta("x"))

    assert view.panes[0].renders == 1 + 10


def test_text_shows_although_nothing_follows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panes_module, "REDRAW_SECONDS", 0.01)

    async def run() -> None:
        view = Panes(comparison("a"), SCREEN, measure=lambda: (80, 24))
        with view:
            view.began(Planned(0, 0, 1))  # drawn at once
            view.event(Planned(0, 0, 1), TextDelta("later"))
            before.append(capsys.readouterr().out)
            for _turn in range(100):
                await asyncio.sleep(0.01)
                after.append(capsys.readouterr().out)
                if "later" in "".join(after):
                    break

    before: list[str] = []
    after: list[str] = []
    asyncio.run(run())

    assert "later" not in before[0]
    assert "later" in "".join(after)


# ---- the parts ---------------------------------------------------------------------------------


def test_wrapping_loses_nothing() -> None:
    text = "  two  words and anunbreakablewordthatislong 漢字漢字漢字 end "
    for width in (4, 7, 10, 100):
        pieces = wrapped(text, width)
        assert "".join(pieces) == text
        assert all(len(piece.rstrip().encode("utf-16-le")) // 2 <= width for piece in pieces)
    assert wrapped("aa bb ccc", 5) == ["aa bb ", "ccc"]
    assert wrapped("漢字漢", 4) == ["漢字", "漢"]


def test_a_tail_in_pieces_is_the_tail_of_the_whole() -> None:
    text = "\n".join("word " * (n % 40) + "longer" * (n % 9) for n in range(60))
    whole, pieces = Tail(), Tail()
    whole.feed(text)
    for at in range(0, len(text), 7):
        pieces.feed(text[at : at + 7])
        pieces.lines(30, 10)

    assert pieces.lines(30, 10) == whole.lines(30, 10)
    assert pieces.lines(50, 10) == whole.lines(50, 10)


def test_a_tail_remembers_no_more_than_it_needs() -> None:
    tail = Tail()
    for _number in range(50):
        tail.feed("x" * KEPT)
        tail.lines(80, 10)

    assert len(tail._kept) == KEPT
    assert sum(map(len, tail._lines)) <= 80 * KEPT


def test_names_are_cut_in_the_middle() -> None:
    assert middle_cut("openai/gpt-6-luna · short", 13) == "openai… short"
    assert middle_cut("openai", 6) == "openai"
    assert middle_cut("漢字漢字", 5) == "漢…字"


# ---- which view --------------------------------------------------------------------------------


def test_a_view_for_each_kind_of_output() -> None:
    made = comparison("a")
    only_stderr = Terminal(stderr=SCREEN)
    dumb = Terminal(stdout=SCREEN._replace(cursor=False), stderr=SCREEN._replace(cursor=False))

    assert isinstance(view_for(made, ON_TERMINAL, quiet=False), Panes)
    assert isinstance(view_for(made, COLOURED, quiet=True), Silence)
    assert isinstance(view_for(made, only_stderr, quiet=False), ProgressLine)
    assert isinstance(view_for(made, PIPED, quiet=False), Silence)
    assert isinstance(view_for(made, dumb, quiet=False), Silence)


def test_the_line_says_how_far_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    made = comparison("a", "b", runs=2)
    view = ProgressLine(made, SCREEN, clock=clock)
    with view:
        for at, failed in ((0, None), (1, "gone")):
            clock.now += 1
            view.ended(trial(at, failed=failed))
        view.ended(replace(trial(0), receipt=replace(trial(0).receipt, cost=Cost("0.5", "RUB"))))
        clock.now += 1
        view.judging(1, 3)
        shown = capfd.readouterr().err.split("\r\x1b[K")

    assert shown == [
        "", "0 of 4 runs", "1 of 4 runs · 0.002 USD", "2 of 4 runs · 1 failed · 0.004 USD",
        "3 of 4 runs · 1 failed · 0.50 RUB + 0.004 USD · judged: 1 of 3",
    ]  # fmt: skip
    assert capfd.readouterr().err == "\r\x1b[K"


def test_the_line_gives_way_to_a_notice(capfd: pytest.CaptureFixture[str]) -> None:
    view = ProgressLine(comparison("a"), SCREEN)
    with view:
        view.event(Planned(0, 0, 1), Notice("x", "mind the gap"))
        view.event(Planned(0, 0, 1), Notice("x", "mind the gap"))

    assert capfd.readouterr().err == (
        "\r\x1b[K0 of 1 runs\r\x1b[Kllmctl: mind the gap\n\r\x1b[K0 of 1 runs\r\x1b[K"
    )


def test_who_wants_quiet_hears_only_what_insists(capfd: pytest.CaptureFixture[str]) -> None:
    made = comparison("a")
    with view_for(made, PIPED, quiet=True) as view:
        for one in planned([0], 1, repeat=1, warm_up=0, seed=1):
            view.began(one)
            view.event(one, Notice("x", "mind the gap"))
            view.event(one, Notice("y", "this matters", insists=True))
        view.judging(1, 1)
        view.ended(trial(0))

    assert capfd.readouterr() == ("", "llmctl: this matters\n")
