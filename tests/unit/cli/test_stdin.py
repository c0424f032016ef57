"""Standard input as a part of the prompt: when it is read, and how the parts are joined."""

import os
import pty
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llmctl.cli import stdin
from llmctl.cli.stdin import Prompt, joined, piped, read_stdin
from llmctl.errors import UsageError

Use = Callable[[int], None]


@pytest.fixture
def use() -> Iterator[Use]:
    """Puts a descriptor in place of standard input, and takes it away again."""
    kept = os.dup(0)

    def put(descriptor: int) -> None:
        os.dup2(descriptor, 0)
        os.close(descriptor)

    yield put
    os.dup2(kept, 0)
    os.close(kept)


def pipe_of(data: bytes) -> int:
    """The reading end of a closed pipe that holds `data`."""
    ours, theirs = os.pipe()
    os.write(theirs, data)
    os.close(theirs)
    return ours


def test_pipes_files_and_sockets_have_an_end(use: Use, tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"x")
    one, other = socket.socketpair()
    with one, other:
        for descriptor in (pipe_of(b""), os.open(file, os.O_RDONLY), os.dup(one.fileno())):
            use(descriptor)
            assert piped()


def test_terminals_and_devices_are_not_read(use: Use) -> None:
    ours, theirs = pty.openpty()
    use(theirs)
    assert not piped()
    os.close(ours)
    use(os.open("/dev/null", os.O_RDONLY))
    assert not piped()


def test_a_closed_standard_input_is_none(use: Use) -> None:
    os.close(0)

    assert not piped()
    assert joined("ask", read=True, encoding=None, quiet=True).text() == "ask"
    for quiet in (True, False):
        with pytest.raises(UsageError, match="cannot be read"):
            joined("-", read=True, encoding=None, quiet=quiet)


def test_everything_is_read_whatever_the_pieces(use: Use) -> None:
    ours, theirs = os.pipe()
    use(ours)
    data = "пример ".encode() * 40_000  # several times what a pipe holds

    def write() -> None:
        with open(theirs, "wb") as file:
            file.write(data)

    writer = threading.Thread(target=write)
    writer.start()

    assert read_stdin(None, quiet=True) == data.decode()
    writer.join()


@pytest.mark.parametrize(("quiet", "said"), [(False, "--no-stdin"), (True, "")])
def test_a_silent_input_says_once_what_is_awaited(
    quiet: bool,
    said: str,
    use: Use,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stdin, "NOTICE_SECONDS", 0.05)
    told: list[str] = []
    monkeypatch.setattr(stdin, "err", told.append)
    ours, theirs = os.pipe()
    use(ours)

    def write() -> None:
        os.write(theirs, b"late")
        os.close(theirs)

    late = threading.Timer(0.3, write)
    late.start()

    assert read_stdin(None, quiet=quiet) == "late"
    late.join()
    assert len(told) == bool(said)
    assert said in "".join(told)


def test_without_a_prompt_the_command_that_wants_one_is_named() -> None:
    with pytest.raises(UsageError) as caught:
        Prompt(None, None, 'llmctl image "a fox"').text()

    assert 'llmctl image "a fox"' in str(caught.value.hint)


def test_a_prompt_that_is_ready_is_not_remarked_on(
    use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stdin, "err", lambda text: pytest.fail(text))
    use(pipe_of(b"ready"))

    assert read_stdin(None, quiet=False) == "ready"


def test_the_encoding_that_was_named_is_used(use: Use) -> None:
    use(pipe_of("привет".encode("cp1251")))

    assert read_stdin("cp1251", quiet=True) == "привет"


@pytest.mark.parametrize(
    ("given", "argument", "text"),
    [
        ("in\n", "ask", "in\n\nask"),
        ("in\n\n", None, "in"),
        (None, "ask", "ask"),
        ("", "ask", "ask"),
        (" \n", "ask", "ask"),
        ("in", " ", "in"),
    ],
)
def test_input_comes_before_the_argument(
    given: str | None, argument: str | None, text: str
) -> None:
    prompt = Prompt(given if given and given.strip() else None, argument)

    assert prompt.text() == text


@pytest.mark.parametrize("argument", [None, "", " \n"])
def test_no_prompt_says_how_to_give_one(argument: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        Prompt(None, argument).text()
    assert "llmctl" in (caught.value.hint or "")


def test_a_dash_is_standard_input_whatever_was_said_of_it(use: Use) -> None:
    use(pipe_of(b"piped"))

    prompt = joined("-", read=False, encoding=None, quiet=True)

    assert (prompt.input, prompt.argument) == ("piped", None)


def test_input_is_left_alone_when_told_to(use: Use) -> None:
    use(pipe_of(b"piped"))

    prompt = joined("ask", read=False, encoding=None, quiet=True)

    assert (prompt.input, prompt.text()) == (None, "ask")
    assert os.read(0, 100) == b"piped"
