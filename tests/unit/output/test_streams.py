import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmctl.errors import IoFailed, PipeClosed
from llmctl.output import streams

PROGRAM = "import sys; from llmctl.errors import *; from llmctl.output.streams import *\n"


def run(program: str, **how: object) -> "subprocess.CompletedProcess[bytes]":
    """A program of its own, since streams are a property of processes."""
    how.setdefault("stdout", subprocess.PIPE)
    command = [sys.executable, "-c", PROGRAM + program]
    return subprocess.run(command, stderr=subprocess.PIPE, timeout=30, check=False, **how)  # type: ignore[call-overload,no-any-return]


def pipe(monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """A pipe as standard output from now on: its reading end and its writing end."""
    reading, writing = os.pipe()
    monkeypatch.setattr(sys, "stdout", open(writing, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
    return reading, writing


def test_text_goes_to_its_stream(capsys: pytest.CaptureFixture[str]) -> None:
    streams.out("answer ж\n")
    streams.err("note\n")

    assert capsys.readouterr() == ("answer ж\n", "note\n")


def test_each_write_is_seen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, _writing = pipe(monkeypatch)
    for token in ("one", " ", "two", "ж"):
        streams.out(token)
        assert os.read(reading, 100).decode() == token


def test_what_was_printed_before_comes_before(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, _writing = pipe(monkeypatch)
    print("first", end="")
    streams.out("second")

    assert os.read(reading, 100) == b"firstsecond"


def test_a_reader_that_left_is_pipe_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, _writing = pipe(monkeypatch)
    os.close(reading)

    with pytest.raises(PipeClosed):
        streams.out("nobody reads this")
    streams.out("and from then on nothing is heard of it")


def test_a_pipe_that_does_not_block_gets_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = pipe(monkeypatch)
    os.set_blocking(writing, False)
    program = "import sys; sys.stdout.write(str(len(sys.stdin.buffer.read())))"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=reading, stdout=subprocess.PIPE
    ) as reader:
        os.close(reading)
        streams.out("x" * 1_000_000)
        streams.out("y" * 1_000_000)
        os.close(writing)
        assert reader.communicate()[0] == b"2000000"


def test_a_closed_pipe_leaves_no_traceback_behind() -> None:
    program = """
try:
    for number in range(100_000):
        out(f"{number}\\n")
except PipeClosed as error:
    print("left over in the buffer")
    sys.exit(error.exit_code)
"""
    reading, writing = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM + program], stdout=writing, stderr=subprocess.PIPE
    ) as process:
        os.close(writing)
        assert os.read(reading, 2) == b"0\n"
        os.close(reading)
        assert process.communicate(timeout=30)[1] == b""
    assert process.returncode == 141


def test_standard_error_may_be_the_one_that_closes() -> None:
    program = """
try:
    for number in range(100_000):
        err("note\\n")
except PipeClosed as error:
    err("again")
    sys.exit(error.exit_code)
"""
    reading, writing = os.pipe()
    with subprocess.Popen([sys.executable, "-c", PROGRAM + program], stderr=writing) as process:
        os.close(writing)
        os.read(reading, 1)
        os.close(reading)
    assert process.returncode == 141


def test_no_standard_output_at_all() -> None:
    done = run("out('x')", stdout=None, preexec_fn=lambda: os.close(1))

    assert b"PipeClosed" in done.stderr.splitlines()[-1]


def test_no_standard_error_at_all(tmp_path: Path) -> None:
    command = f'"{sys.executable}" -c "{PROGRAM.strip()}; err(1 * str(2)); out(str(3))" 2>&-'

    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=30, check=False)

    assert (done.returncode, done.stdout) == (0, b"3")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_an_io_error() -> None:
    program = """
try:
    out("x")
except IoFailed as error:
    err(f"{error.message}|{error.reason}")
    print("left over in the buffer")
    sys.exit(error.exit_code)
"""
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = run(program, stdout=full)

    assert done.returncode == 18
    assert done.stderr == b"cannot write stdout: No space left on device|full"


def test_any_other_trouble_is_an_io_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys, "stdout", Broken())

    with pytest.raises(IoFailed, match="cannot write stdout: Input/output error"):
        streams.out("x")


def test_a_surrogate_pair_may_be_cut_in_two(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, _writing = pipe(monkeypatch)
    for piece in ("a\ud83d", "\ude00b", "\ud83d", "c", "\n"):
        streams.out(piece)

    assert os.read(reading, 100).decode() == "a😀b\ufffdc\n"


def test_the_pipe_may_have_another_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, _writing = pipe(monkeypatch)
    streams.use_encoding("cp1251")
    streams.out("Привет")

    assert os.read(reading, 100) == b"\xcf\xf0\xe8\xe2\xe5\xf2"


def test_what_it_lacks_is_replaced_and_said_once() -> None:
    done = run("use_encoding('cp866')\nfor _i in range(3): out('да 日\\n')")

    assert done.stdout == "да ?\n".encode("cp866") * 3
    assert done.stderr.count(b"cp866 lacks some characters") == 1


def test_utf_16_has_one_mark() -> None:
    done = run("use_encoding('utf-16')\nout('a')\nout('b')")

    assert done.stdout.decode("utf-16") == "ab"


def test_the_locale_decides_without_the_flag() -> None:
    done = run("out('да')", env={**os.environ, "PYTHONIOENCODING": "koi8-r", "PYTHONUTF8": "0"})

    assert done.stdout == b"\xc4\xc1"
