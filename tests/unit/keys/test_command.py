"""The user's command for a key: an argument list, a time limit, and errors that show nothing."""

import sys
from pathlib import Path

import pytest

from llmctl.errors import AuthFailed
from llmctl.keys import command
from tests.unit.keys.shared import KEY


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_the_first_line_is_the_key() -> None:
    assert command.ask(python(f"print('{KEY}\\r\\nlogin: me')"), "openai") == KEY


def test_no_shell_reads_it(tmp_path: Path) -> None:
    given = f"$HOME; touch {tmp_path / 'made'}"

    echo = python("import sys; print(sys.argv[1])")

    assert given == command.ask((*echo, given), "openai")
    assert not (tmp_path / "made").exists()


def test_it_gets_no_standard_input() -> None:
    assert command.ask(python("import sys; print(len(sys.stdin.read()))"), "openai") == "0"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("no-such-program-here",), "No such file"),
        (python(f"print('{KEY}'); raise SystemExit(3)"), "exit code 3"),
        (python(r"import sys; sys.stdout.buffer.write(b'\xff\xfe')"), "UTF-8"),
        (python("print()"), "empty"),
    ],
)
def test_a_command_that_fails_says_how(given: tuple[str, ...], said: str) -> None:
    with pytest.raises(AuthFailed) as caught:
        command.ask(given, "openai")
    assert said in caught.value.message
    assert KEY not in caught.value.message
    assert caught.value.__context__ is None  # it would hold the output


def test_a_command_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "SECONDS", 0.2)

    with pytest.raises(AuthFailed, match=r"longer than 0\.2 s"):
        command.ask(python("import time; time.sleep(30)"), "openai")


def test_the_hint_can_be_typed() -> None:
    with pytest.raises(AuthFailed) as caught:
        command.ask(("no-such-program-here", "my key"), "openai")
    assert "no-such-program-here 'my key'" in (caught.value.hint or "")
