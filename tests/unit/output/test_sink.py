import os
import stat
from pathlib import Path

import pytest

from llmctl.errors import IoFailed, UsageError
from llmctl.output.sink import OutputFile, StandardOutput, sink_to


def test_no_file_and_a_dash_are_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    for path in (None, "-"):
        sink = sink_to(path)
        assert isinstance(sink, StandardOutput)
        sink.write("x")
        sink.keep()
    assert capsys.readouterr().out == "xx"


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "answer.txt"
    sink = sink_to(str(path))
    sink.write("первый ")
    assert not path.exists()
    sink.write("второй\n")
    sink.keep()

    assert path.read_text(encoding="utf-8") == "первый второй\n"
    assert os.listdir(tmp_path) == ["answer.txt"]


def test_an_answer_that_broke_off_stays_in_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "answer.txt"
    path.write_text("old")
    sink = sink_to(str(path))
    sink.write("half")
    sink.abandon()

    assert path.read_text() == "old"
    assert (tmp_path / "answer.txt.part").read_text() == "half"
    assert sorted(os.listdir(tmp_path)) == ["answer.txt", "answer.txt.part"]
    assert capsys.readouterr().err == f"llmctl: what came is in {path}.part\n"


def test_nothing_written_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sink_to(str(tmp_path / "answer.txt")).abandon()

    assert os.listdir(tmp_path) == []
    assert capsys.readouterr().err == ""


def test_an_existing_file_keeps_its_mode_and_a_link_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)

    sink = sink_to(str(link))
    sink.write("new")
    sink.keep()

    assert link.is_symlink()
    assert (real.read_text(), stat.S_IMODE(real.stat().st_mode)) == ("new", 0o640)


def test_a_new_file_has_the_usual_mode(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        sink = sink_to(str(tmp_path / "a"))
        sink.keep()
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_named_pipe_is_written_in_place(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        sink = sink_to(str(path))
        sink.write("now")
        assert os.read(reading, 100) == b"now"
        sink.keep()
    finally:
        os.close(reading)
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.parametrize(
    ("name", "cause"), [("no/such/folder", "No such file or directory"), (".", "Is a directory")]
)
def test_what_cannot_be_written_is_known_at_once(tmp_path: Path, name: str, cause: str) -> None:
    path = tmp_path / name
    with pytest.raises(IoFailed, match=cause) as caught:
        sink_to(str(path))
    assert str(path) in caught.value.message


def test_a_protected_file_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.touch(0o444)
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)  # root may write anything

    with pytest.raises(IoFailed, match="Permission denied"):
        sink_to(str(path))


def test_no_name_and_no_encoding_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        sink_to("")
    with pytest.raises(UsageError, match="no such encoding"):
        sink_to(str(tmp_path / "a"), "klingon")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_an_io_error() -> None:
    sink = sink_to("/dev/full")
    with pytest.raises(IoFailed, match="cannot write /dev/full: No space left") as caught:
        sink.write("x")
    assert caught.value.reason == "full"
    sink.abandon()


def test_a_folder_that_vanished_is_an_io_error(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    sink = sink_to(str(folder / "a"))
    for left in folder.iterdir():
        left.unlink()
    folder.rmdir()

    with pytest.raises(IoFailed, match="No such file"):
        sink.keep()


def test_the_file_has_the_encoding_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a"
    sink = OutputFile(str(path), "cp1251")
    sink.write("да 日")
    sink.keep()

    assert (sink.unicode, path.read_bytes()) == (False, "да ?".encode("cp1251"))
    assert "cp1251 lacks some characters" in capsys.readouterr().err


def test_two_files_one_after_the_other(tmp_path: Path) -> None:
    """A second try at the same answer replaces what the first left open."""
    first = sink_to(str(tmp_path / "a"))
    first.write("first try")
    second = sink_to(str(tmp_path / "a"))
    second.write("second")
    second.keep()

    assert (tmp_path / "a").read_text() == "second"
    assert os.listdir(tmp_path) == ["a"]
