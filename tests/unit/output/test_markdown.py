import asyncio
import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
import time

import pyte
import pytest

from llmctl.errors import PipeClosed
from llmctl.output import markdown, streams
from llmctl.output.aside import Aside
from llmctl.output.footer import Footer
from llmctl.output.markdown import Markdown
from llmctl.types import Event, Notice, Progress, ReasoningDelta, TextDelta
from tests.unit.output.shared import EMPTY, FULL, ON_TERMINAL, SCREEN

COLUMNS, ROWS = 40, 10


def on_screen(written: str, columns: int = COLUMNS, rows: int = ROWS) -> list[str]:
    """The scrollback and the screen of a terminal that was sent this, without trailing blanks."""
    screen = pyte.HistoryScreen(columns, rows, history=10_000, ratio=0.5)
    screen.set_mode(pyte.modes.LNM)
    pyte.Stream(screen).feed(written)
    above = [
        "".join(row[column].data for column in range(columns)).rstrip()
        for row in screen.history.top
    ]
    lines = above + [row.rstrip() for row in screen.display]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def words(text: str) -> list[str]:
    return re.findall(r"w\d+", text)


class Numbered:
    """Makes w1, w2, ...: words that can be counted on the screen."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, how_many: int) -> str:
        first = self.count + 1
        self.count += how_many
        return " ".join(f"w{number}" for number in range(first, self.count + 1))


def long_answer() -> str:
    """Every kind of block, most of them taller than the screen of these tests."""
    some = Numbered()
    return "\n\n".join(
        [
            "# " + some(2),
            some(200),
            "\n".join(f"- {some(9)}" for _item in range(15)),
            "```python\n" + "\n".join("    " * (n % 3) + some(3) for n in range(150)) + "\n```",
            "| a | b |\n|---|---|\n" + "\n".join(f"| {some(1)} | {some(3)} |" for _r in range(20)),
            "\n".join(f"{n}. {some(2)}\n   ```\n   {some(2)}\n   ```" for n in range(1, 8)),
            "> " + some(60),
            "```\n" + some(5) + "\n\n\n" + some(4),
        ]
    )


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws at each event, whatever the clock says."""
    monkeypatch.setattr(markdown, "REDRAW_SECONDS", 0.0)
    monkeypatch.setattr(markdown, "EASE", 0.0)


def renderer(*, columns: int = COLUMNS, rows: int = ROWS) -> Markdown:
    screen = SCREEN._replace(width=columns, height=rows)
    terminal = ON_TERMINAL._replace(stdout=screen, stderr=screen)
    aside = Aside(terminal, quiet=False)
    footer = Footer(terminal, line=False, usage=False)
    return Markdown(aside, footer, screen, measure=lambda: (columns, rows))


def cut(text: str, size: int) -> list[Event]:
    return [TextDelta(text[at : at + size]) for at in range(0, len(text), size)]


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("size", [19, 100_000])
def test_a_long_answer_shows_every_word_once(capsys: pytest.CaptureFixture[str], size: int) -> None:
    show = renderer()
    for event in cut(long_answer(), size):
        show.event(event)
    show.finish(EMPTY)

    assert words(" ".join(on_screen(capsys.readouterr().out))) == words(long_answer())


@pytest.mark.usefixtures("eager")
def test_pieces_and_the_whole_look_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    def looks(size: int) -> list[str]:
        show = renderer()
        for event in cut(long_answer(), size):
            show.event(event)
        show.finish(EMPTY)
        return on_screen(capsys.readouterr().out)

    assert looks(23) == looks(100_000)


@pytest.mark.usefixtures("eager")
def test_what_came_is_on_the_screen_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    show = renderer()
    written = ""
    shown = []
    for piece in ("Some *te", "xt*.\n\n- on", "e\n- two\n\n```py", "\nx = 1\n``", "`\n"):
        show.event(TextDelta(piece))
        written += capsys.readouterr().out
        shown.append(on_screen(written))

    assert shown == [
        ["Some *te"],
        ["Some text.", "", " • on"],
        ["Some text.", "", " • one", " • two", "", "```py"],
        ["Some text.", "", " • one", " • two", "", "```py", "x = 1", "``"],
        ["Some text.", "", " • one", " • two", "", "```py", "x = 1", "```"],
    ]


@pytest.mark.usefixtures("eager")
def test_lines_of_a_long_indented_fence_keep_their_indentation(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = [f"{'    ' * (n % 2)}w{n}" for n in range(100)]
    text = "  ```sh\n" + "".join(f"  {line}\n" for line in code) + "  ```\n\nafter"
    show = renderer()
    for event in cut(text, 13):
        show.event(event)
    show.finish(EMPTY)

    assert on_screen(capsys.readouterr().out)[:101] == ["```sh", *code]


@pytest.mark.usefixtures("eager")
def test_hostile_text_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    show = renderer()
    show.event(TextDelta("a\x1b]0;t\x07 &#x202e;b\rc\x9b2J"))
    show.event(TextDelta("\n```\n\x1b[2J\n```\n"))
    show.finish(EMPTY)

    assert on_screen(capsys.readouterr().out) == [
        "a␛]0;t␇ <U+202E>b␍c<U+009B>2J",
        "",
        "```",
        "␛[2J",
        "```",
    ]


@pytest.mark.usefixtures("eager")
def test_a_notice_stands_above_the_open_block(capsys: pytest.CaptureFixture[str]) -> None:
    both = ""

    def collect() -> None:
        nonlocal both
        out, err = capsys.readouterr()
        both += out + err

    show = renderer()
    show.event(TextDelta("done\n\nopen\nha"))
    collect()
    assert on_screen(both) == ["done", "", "open", "ha"]
    # The order on a shared terminal is that of the writes: wipe, notice, redraw.
    before = streams.err

    def err(text: str) -> None:
        collect()
        before(text)
        collect()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(streams, "err", err)
        show.event(Notice("x", "careful"))
        show.event(Progress("late", 1, 2))
    show.event(TextDelta("lf"))
    show.finish(EMPTY)
    collect()

    assert on_screen(both) == ["done", "llmctl: careful", "", "open", "half"]


def test_reasoning_comes_before_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    show = renderer()
    show.event(ReasoningDelta("hm"))
    show.event(TextDelta("answer"))
    show.event(ReasoningDelta("more"))
    show.event(TextDelta("rest"))
    show.fail(FULL)

    out, err = capsys.readouterr()
    assert err == "hm\nmore\n"
    assert on_screen(out) == ["answer", "", "rest"]


def test_no_text_is_no_output(capsys: pytest.CaptureFixture[str]) -> None:
    show = renderer()
    show.event(TextDelta(""))
    show.finish(EMPTY)

    assert capsys.readouterr() == ("", "")


def test_what_breaks_the_drawing_is_shown_as_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> list[str]:
        raise RecursionError

    monkeypatch.setattr("llmctl.output.typeset.typeset", broken)
    show = renderer()
    show.event(TextDelta("some\n*text*\n\n```\ncode\n```"))
    show.finish(EMPTY)

    assert on_screen(capsys.readouterr().out) == [
        "some",
        "*text*",
        "",
        "```",
        "code",
        "```",
    ]


def test_drawing_takes_a_small_part_of_the_time(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    show = renderer()
    draws = 0
    for _each in range(1000):  # a second of a thousand tokens
        show.event(TextDelta("x "))
        draws += bool(capsys.readouterr().out)
        now += 0.001
    show.finish(EMPTY)

    assert draws == 12


def test_text_shows_though_the_next_token_is_slow(capsys: pytest.CaptureFixture[str]) -> None:
    async def stream() -> str:
        show = renderer()
        show.event(TextDelta("first"))
        show.event(TextDelta(" second"))
        assert "second" not in on_screen(capsys.readouterr().out)
        await asyncio.sleep(0.2)
        return capsys.readouterr().out

    assert "second" in asyncio.run(stream())


def test_a_reader_that_left_while_nothing_came_is_heard_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def stream() -> None:
        show = renderer()
        show.event(TextDelta("first"))
        show.event(TextDelta(" second"))

        def gone(_text: str) -> None:
            raise PipeClosed("stdout is closed")

        monkeypatch.setattr(streams, "out", gone)
        await asyncio.sleep(0.15)
        show.event(TextDelta(" third"))

    with pytest.raises(PipeClosed):
        asyncio.run(stream())


PROGRAM = """
import sys, time
from llmctl.output.choose import renderer
from llmctl.types import TextDelta, Receipt, Latency
text = sys.stdin.read()
show = renderer()
for at in range(0, len(text), 9):
    show.event(TextDelta(text[at : at + 9]))
    time.sleep(0.0002)
show.finish(Receipt(id="1", started_at="", requested="local/tiny", latency=Latency(total_s=1.0)))
"""


def on_real_terminal(text: str, columns: int, rows: int) -> str:
    """What the program writes on a pseudo-terminal of that size."""
    leader, follower = os.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": os.getcwd()}
    environment.pop("COLUMNS", None)
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=follower,
        stderr=follower,
        env=environment,
    ) as process:
        os.close(follower)
        assert process.stdin is not None
        process.stdin.write(text.encode())
        process.stdin.close()
        written = b""
        while True:
            try:
                block = os.read(leader, 65536)
            except OSError:  # the other end is closed
                break
            if not block:
                break
            written += block
    os.close(leader)
    assert process.returncode == 0
    return written.decode()


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (30, 7)])
def test_on_a_real_terminal(columns: int, rows: int) -> None:
    lines = on_screen(on_real_terminal(long_answer(), columns, rows), columns, rows)

    assert words(" ".join(lines)) == words(long_answer())
    assert lines[-1].endswith("unknown")  # the receipt line
