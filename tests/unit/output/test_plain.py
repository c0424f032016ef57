from pathlib import Path

import pytest

from llmctl.output.choose import Renderer, renderer
from llmctl.output.terminal import Terminal
from llmctl.types import (
    Event,
    Media,
    Notice,
    Progress,
    ReasoningDelta,
    TextDelta,
    ToolCall,
)
from tests.unit.output.shared import COLOURED, EMPTY, FULL, ON_TERMINAL, PIPED, SCREEN

HOSTILE = "a\x1b[2Jb\rc\u202ed"


def plain(terminal: Terminal, *, quiet: bool = False) -> Renderer:
    return renderer(markdown=False, receipt=False, quiet=quiet, terminal=terminal)


def shown(
    capsys: pytest.CaptureFixture[str],
    terminal: Terminal,
    *events: Event,
    quiet: bool = False,
) -> tuple[str, str]:
    """What those events and a successful end leave on stdout and stderr."""
    renderer = plain(terminal, quiet=quiet)
    for event in events:
        renderer.event(event)
    renderer.finish(EMPTY)
    return capsys.readouterr()


def test_a_pipe_gets_the_text_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, PIPED, TextDelta(HOSTILE), TextDelta("\n\n")) == (HOSTILE + "\n\n", "")


def test_a_terminal_gets_it_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, ON_TERMINAL, TextDelta(HOSTILE)) == ("a␛[2Jb␍c<U+202E>d\n", "")


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["a", "b"], "ab\n"),
        (["a\n"], "a\n"),
        (["a\n", ""], "a\n"),
        (["a", "\n", "b"], "a\nb\n"),
        ([], ""),
        ([""], ""),
    ],
)
def test_the_answer_ends_with_a_newline(
    capsys: pytest.CaptureFixture[str], pieces: list[str], text: str
) -> None:
    assert shown(capsys, PIPED, *map(TextDelta, pieces)) == (text, "")


def test_reasoning_is_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    events: list[Event] = [ReasoningDelta("let me"), ReasoningDelta(" see\x1b"), TextDelta("42")]

    assert shown(capsys, PIPED, *events) == ("42\n", "let me see\x1b\n")
    assert shown(capsys, ON_TERMINAL, *events) == ("42\n", "let me see␛\n")
    assert shown(capsys, COLOURED, *events) == (
        "42\n",
        "\x1b[2mlet me\x1b[0m\x1b[2m see␛\x1b[0m\n",
    )


def test_the_rest_is_said_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(
        capsys,
        PIPED,
        Notice("waiting", "rate limit;\nwaiting 2 s"),
        ToolCall("1", "look", '{"at": 1}'),
        Media("image/png", b"1234"),
        Media("image/png", url="https://example.org/a.png"),
        Progress("loading", 1, 2),
    ) == (
        "",
        "llmctl: rate limit; waiting 2 s\n"
        'llmctl: the model calls look({"at": 1})\n'
        "llmctl: the answer has image/png of 4 bytes, which --json prints as base64\n"
        "llmctl: image/png https://example.org/a.png\n",
    )


def test_quiet_leaves_only_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    events: list[Event] = [
        ReasoningDelta("hm"), Notice("x", "y"), Progress("p", 1), TextDelta("a"), Notice("x", "y"),
        TextDelta("b"),
    ]  # fmt: skip

    assert shown(capsys, ON_TERMINAL, *events, quiet=True) == ("ab\n", "")
    insisting = Notice("x", "your policy wants to know", insists=True)
    out, err = shown(capsys, ON_TERMINAL, insisting, *events, quiet=True)
    assert out == "ab\n"
    assert "your policy wants to know" in err


def test_a_notice_gets_a_line_of_its_own_on_the_terminal_only(
    capsys: pytest.CaptureFixture[str],
) -> None:
    events: list[Event] = [TextDelta("half"), Notice("x", "note"), TextDelta("rest")]

    assert shown(capsys, ON_TERMINAL, *events) == ("half\nrest\n", "llmctl: note\n")
    assert shown(capsys, PIPED, *events) == ("halfrest\n", "llmctl: note\n")
    only_text = ON_TERMINAL._replace(stderr=PIPED.stderr)
    assert shown(capsys, only_text, *events) == ("halfrest\n", "llmctl: note\n")


def test_progress_is_redrawn_and_wiped_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    events: list[Event] = [Progress("loading\x1b", 1, 4), Progress("loading", 4, 4), TextDelta("a")]

    assert shown(capsys, ON_TERMINAL, *events) == (
        "a\n",
        "\r\x1b[Kloading␛ 25 %\r\x1b[Kloading 100 %\r\x1b[K",
    )
    assert shown(capsys, ON_TERMINAL, TextDelta("a"), Progress("late", 1, 2)) == ("a\n", "")
    assert shown(capsys, PIPED, *events) == ("a\n", "")


def test_progress_fits_a_narrow_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    narrow = ON_TERMINAL._replace(stderr=SCREEN._replace(width=5))

    assert shown(capsys, narrow, Progress("loading", 1))[1] == "\r\x1b[Kload\r\x1b[K"


def test_what_failed_keeps_its_text_and_shows_no_receipt_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    failing = renderer(markdown=False, terminal=ON_TERMINAL)
    failing.event(TextDelta("half"))
    failing.fail(FULL)

    assert capsys.readouterr() == ("half\n", "")


def test_the_receipt_line_follows_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    def errors(terminal: Terminal, **how: bool) -> str:
        renderer(markdown=False, terminal=terminal, **how).finish(FULL)  # type: ignore[arg-type]
        return capsys.readouterr().err

    line = "openai/gpt-6-luna-2026-09-01 · 0.0000022 USD · 0.91 s · no-training (attested by you)"
    assert errors(ON_TERMINAL) == line + "\n"
    assert errors(COLOURED) == f"\x1b[2m{line}\x1b[0m\n"
    assert errors(PIPED) == ""
    assert errors(ON_TERMINAL._replace(stdout=PIPED.stdout)) == ""
    assert errors(ON_TERMINAL, quiet=True) == ""
    assert errors(ON_TERMINAL, receipt=False) == ""
    assert errors(PIPED, usage=True).startswith("model    openai/gpt-6-luna → ")
    assert line not in errors(ON_TERMINAL, usage=True)


def test_usage_is_shown_for_a_failure_too(capsys: pytest.CaptureFixture[str]) -> None:
    renderer(markdown=False, usage=True, terminal=PIPED).fail(FULL)

    assert capsys.readouterr().err.startswith("model    openai/gpt-6-luna → ")


def test_text_goes_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.md"
    to_file = renderer(output=str(path), terminal=ON_TERMINAL, receipt=False)
    to_file.event(TextDelta(HOSTILE))
    to_file.finish(EMPTY)

    assert path.read_bytes() == HOSTILE.encode() + b"\n"
    assert capsys.readouterr() == ("", "")
