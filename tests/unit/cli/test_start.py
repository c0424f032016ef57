"""The way in and out: which command runs, what is nearly one, and the exit code of whatever
happened."""

import errno
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NoReturn

import pytest

from llmctl.cli import start
from llmctl.cli.commands import COMMANDS, edits
from llmctl.errors import (
    Interrupted,
    IoFailed,
    LlmctlError,
    PipeClosed,
    RateLimited,
    Stopped,
    Terminated,
    UsageError,
)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("", "", 0),
        ("ask", "ask", 0),
        ("", "ask", 3),
        ("kitten", "sitting", 3),
        ("saturday", "sunday", 3),
        ("flaw", "lawn", 2),
        ("modles", "models", 2),
        ("doctr", "doctor", 1),
        ("aks", "ask", 2),
    ],
)
def test_the_distance_of_two_words(one: str, other: str, distance: int) -> None:
    assert edits(one, other) == edits(other, one) == distance


@pytest.mark.parametrize("word", ["modles", "Models", "doctr", "key", "hepl", "logz", "KEYS"])
def test_a_word_that_is_nearly_a_command_is_refused_with_both_spellings(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        start.dispatch([word])
    assert "did you mean: llmctl " in caught.value.message
    assert f"llmctl ask {word}" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "prompt",
    ["Photosynthesis", "modles list", "modles?", "привет", "2+2", "-modles", "models\n", "m0dels"],
)
def test_everything_else_is_a_prompt(prompt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(start, "_run", lambda _app, arguments, _program: ran.append(arguments))

    start.dispatch([prompt])

    assert ran == [[prompt]]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_first_word_is_a_command_only_when_it_is_one_exactly(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(
        start, "_run", lambda _app, arguments, program: ran.append((program, arguments))
    )

    start.dispatch([name, "more"])
    start.dispatch([f"{name} more"])

    assert ran == [(f"llmctl {name}", ["more"]), ("llmctl", [f"{name} more"])]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (RateLimited("x"), 8),
        (IoFailed("x"), 18),
        (Interrupted("x"), 130),
        (KeyboardInterrupt(), 130),
        (Terminated("x"), 143),
        (Stopped(Interrupted("x")), 130),
        (Stopped(Terminated("x")), 143),
        (PipeClosed("x"), 141),
        (LlmctlError("x"), 1),
        (RuntimeError("somebody's prompt"), 1),
        (RecursionError(), 1),
    ],
)
def test_whatever_happens_has_its_exit_code(
    error: BaseException, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    assert start.report(error, verbose=False) == code

    shown = capfd.readouterr()
    assert shown.out == ""
    assert "Traceback" not in shown.err
    assert "somebody" not in shown.err
    assert len(shown.err.splitlines()) <= 4
    assert bool(shown.err) is not isinstance(error, PipeClosed)


def test_a_file_that_the_system_refuses_is_no_bug(capfd: pytest.CaptureFixture[str]) -> None:
    error = PermissionError(errno.EACCES, "Permission denied", "/data/cards")

    assert start.report(error, verbose=False) == 18
    told = capfd.readouterr().err
    assert told.startswith("llmctl: cannot use /data/cards: Permission denied\n  hint: ")


@pytest.mark.parametrize("variable", [None, "1"])
def test_any_command_shows_a_traceback_under_the_variable_of_the_hint(
    variable: str | None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(_arguments: list[str]) -> None:
        raise RuntimeError("inside")

    left: list[int] = []
    monkeypatch.setattr(start, "dispatch", broken)
    monkeypatch.setattr(start, "_leave", left.append)
    monkeypatch.setattr("gc.set_threshold", lambda _objects: None)
    monkeypatch.setattr("signal.signal", lambda _number, _handler: None)
    monkeypatch.delenv("LLMCTL_DEBUG", raising=False)
    if variable:
        monkeypatch.setenv("LLMCTL_DEBUG", variable)

    start.run(["cost", "report"])

    told = capfd.readouterr().err
    assert left == [1]
    assert "set LLMCTL_DEBUG=1 and run it again" in told
    assert ("Traceback" in told) is bool(variable)


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (start._interrupted, 130),
        (start._terminated, 143),
    ],
)
def test_a_signal_is_not_borne_like_trouble(
    handler: Callable[[int, FrameType | None], NoReturn], code: int
) -> None:
    """Much bears with any Exception: a cache that cannot be written, a search that fails."""
    with pytest.raises(Stopped) as caught, suppress(Exception):
        handler(0, None)

    assert caught.value.error.exit_code == code


def test_a_traceback_is_shown_when_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    try:
        raise RuntimeError("inside")
    except RuntimeError as error:
        start.report(error, verbose=True)

    assert "Traceback" in capfd.readouterr().err
