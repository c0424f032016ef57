"""The way in and out: which command runs, what is nearly one, and the exit code of whatever
happened."""

import pytest

from llmctl.cli import start
from llmctl.cli.commands import COMMANDS, edits
from llmctl.errors import (
    Interrupted,
    IoFailed,
    LlmctlError,
    PipeClosed,
    RateLimited,
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


def test_a_traceback_is_shown_when_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    try:
        raise RuntimeError("inside")
    except RuntimeError as error:
        start.report(error, verbose=True)

    assert "Traceback" in capfd.readouterr().err
