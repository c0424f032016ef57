import io
import os
import pty
import sys
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmctl.output.terminal import Screen, Terminal, detect, safe, safe_line, size


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b]52;c;ZXZpbA==\x07", "␛]52;c;ZXZpbA==␇"),
        ("\x1b[2J\x1b[H", "␛[2J␛[H"),
        ("paid\rfree", "paid␍free"),
        ("a\x08b\x0bc\x0cd\x00e\x7f", "a␈b␋c␌d␀e␡"),
        ("\x9b31m\x85", "<U+009B>31m<U+0085>"),
        ("user\u202etxt.exe", "user<U+202E>txt.exe"),
        ("\u2066x\u2069\u200e\u200f\u061c", "<U+2066>x<U+2069><U+200E><U+200F><U+061C>"),
        ("a\u2028b\u2029c", "a<U+2028>b<U+2029>c"),
        ("hi\U000e0041", "hi<U+E0041>"),
    ],
)
def test_what_drives_a_terminal_is_shown_instead(hostile: str, shown: str) -> None:
    assert safe(hostile) == shown


@pytest.mark.parametrize(
    "harmless",
    [
        "",
        "plain\ttext\n",
        "Привет, мир — «ёлка»",
        "日本語",
        "👩‍👩‍👧‍👦 ❤️ क्‍ष",  # joiners and variation selectors
        "no-break\xa0space and soft\xadhyphen",
    ],
)
def test_ordinary_text_is_unchanged(harmless: str) -> None:
    assert safe(harmless) == harmless


@given(st.text())
def test_no_control_or_bidirectional_character_is_left(text: str) -> None:
    for character in safe(text):
        if character in "\n\t":
            continue
        assert unicodedata.category(character) not in ("Cc", "Zl", "Zp")
        assert unicodedata.bidirectional(character) not in (
            "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
        )  # fmt: skip


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Zl", "Zp"])))
def test_text_without_controls_is_unchanged(text: str) -> None:
    assert safe(text) == text


@given(st.text(), st.integers(0, 20))
def test_a_stream_may_be_cut_anywhere(text: str, at: int) -> None:
    assert safe(text[:at]) + safe(text[at:]) == safe(text)


def test_one_line_stays_one_line() -> None:
    assert safe_line("a\nb\r\nc\td\x1b") == "a b c d␛"


class Pretending(io.StringIO):
    """A stand-in that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def found_among(monkeypatch: pytest.MonkeyPatch, stream: type[io.StringIO], **how: Any) -> Terminal:
    """What `detect` says when all three streams are of that type."""
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, stream())
    return detect(**how)


@pytest.mark.parametrize(
    ("environ", "no_color", "colour"),
    [
        ({"TERM": "xterm"}, False, True),
        ({"TERM": "xterm"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, False, True),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, False, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colour_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], no_color: bool, colour: bool
) -> None:
    found = found_among(monkeypatch, Pretending, no_color=no_color, environ=environ)

    assert (found.stdout.colour, found.stderr.colour) == (colour, colour)


@pytest.mark.parametrize(("term", "cursor"), [("dumb", False), ("xterm", True)])
def test_a_dumb_terminal_has_no_cursor_to_move(
    monkeypatch: pytest.MonkeyPatch, term: str, cursor: bool
) -> None:
    found = found_among(monkeypatch, Pretending, environ={"TERM": term})

    assert (found.stdout.is_tty, found.stdout.cursor) == (True, cursor)


@pytest.mark.parametrize(
    ("environ", "colour"), [({"TERM": "xterm"}, False), ({"FORCE_COLOR": "1"}, True)]
)
def test_a_pipe_has_colour_only_by_force(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], colour: bool
) -> None:
    screen = Screen(colour=colour)

    assert found_among(monkeypatch, io.StringIO, environ=environ) == Terminal(False, screen, screen)


def test_each_stream_is_judged_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", Pretending())

    found = detect(environ={"TERM": "xterm"})

    assert (found.stdin_is_tty, found.stdout.is_tty, found.stderr.is_tty) == (False, False, True)


def test_a_closed_stream_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)

    assert detect(environ={}).stdout.is_tty is False


def test_the_size_is_the_terminals_unless_columns_says_otherwise() -> None:
    import fcntl
    import struct
    import termios

    leader, follower = pty.openpty()
    try:
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 99, 0, 0))
        with os.fdopen(follower, "w") as stream:
            assert size(stream, {}) == (99, 30)
            assert size(stream, {"COLUMNS": "50"}) == (50, 30)
            assert size(stream, {"COLUMNS": "wide"}) == (99, 30)
    finally:
        os.close(leader)
    assert size(io.StringIO(), {}) == (80, 24)
