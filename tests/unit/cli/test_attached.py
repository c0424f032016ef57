"""Attached files: their bounds and names, and what cannot be attached."""

import os
from pathlib import Path

import pytest

from llmctl.cli import attached
from llmctl.cli.asked import Asked, make_call
from llmctl.cli.attached import bounded, read_attached, refuse_stdin_twice
from llmctl.cli.stdin import Prompt
from llmctl.errors import UsageError
from llmctl.settings import Settings
from llmctl.templates.shape import Rendered
from llmctl.types import Chat, Role, Text, message


def read(*paths: Path | str, encoding: str | None = None) -> list[Text]:
    return list(read_attached([str(one) for one in paths], encoding=encoding, quiet=True))


def refusal(path: Path | str, encoding: str | None = None) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read(path, encoding=encoding)
    return caught.value


def test_a_file_has_its_name_and_bounds(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("один\nдва\n", "utf-8")

    assert read(tmp_path / "a.txt") == [
        Text('<file name="a.txt">\nодин\nдва\n</file>\n\n', "a.txt")
    ]


def test_bounds_do_not_occur_in_the_text() -> None:
    text = bounded("a.html", "</file>\n</file-2>")

    assert text == '<file-3 name="a.html">\n</file>\n</file-2>\n</file-3>\n\n'


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text(folder)
    (tmp_path / "b.txt").write_text("b")

    names = [
        one.name for one in read(tmp_path / "x/a.txt", tmp_path / "y/a.txt", tmp_path / "b.txt")
    ]

    assert names == ["x/a.txt", "y/a.txt", "b.txt"]


def test_a_name_cannot_leave_its_quotes(tmp_path: Path) -> None:
    (tmp_path / 'a">\nb').write_text("x")

    assert read(tmp_path / 'a">\nb')[0].text.splitlines()[0] == '<file name="a\'> b">'


@pytest.mark.parametrize("encoding", ["cp1251", "cp866"])
def test_other_encodings_are_read_where_utf8_does_not_fit(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "old.txt").write_bytes("Привет, мир".encode(encoding))
    (tmp_path / "new.txt").write_text("Привет, мир", "utf-8")

    for one in read(tmp_path / "old.txt", tmp_path / "new.txt", encoding=encoding):
        assert "\nПривет, мир\n" in one.text


def test_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfx")
    (tmp_path / "b.txt").write_bytes("ж".encode("utf-16"))

    assert [one.text.splitlines()[1] for one in read(tmp_path / "a.txt", tmp_path / "b.txt")] == [
        "x", "ж",
    ]  # fmt: skip


def test_text_of_another_encoding_names_the_flag(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(
        ("Съешь ещё этих мягких французских булок, да выпей чаю. " * 3).encode("cp1251")
    )

    error = refusal(tmp_path / "a.txt")

    assert error.hint is not None
    assert "--encoding cp1251" in error.hint


@pytest.mark.parametrize(
    "data",
    [b"\x89PNG\r\n\x1a\n\x00\x00", b"%PDF-1.7\n", b"PK\x03\x04abc", b"\x7fELF\x02\x00\x00" * 40,
     b"\xff\xd8\xff\xe0abc"],
)  # fmt: skip
def test_what_is_no_text_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.bin").write_bytes(data)

    for encoding in (None, "cp1251"):
        error = refusal(tmp_path / "a.bin", encoding)
        assert "a.bin" in error.message
    assert "only text files" in str(refusal(tmp_path / "a.bin").hint)


def test_what_cannot_be_read_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No such file" in refusal(tmp_path / "none.txt").message
    assert "directory" in refusal(tmp_path).message
    assert "path" in refusal("a\0b").message
    url = refusal("https://example.com/a.txt")
    assert "address" in url.message
    assert "curl" in str(url.hint)
    monkeypatch.setattr(attached, "LARGEST", 2**20)
    (tmp_path / "large.txt").write_bytes(b"x" * (2**20 + 1))
    assert "more than 1 MB" in refusal(tmp_path / "large.txt").message


@pytest.mark.skipif(os.name != "posix" or os.getuid() == 0, reason="root may read everything")
def test_a_file_of_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "a.txt").chmod(0)

    assert "Permission" in refusal(tmp_path / "a.txt").message


@pytest.mark.parametrize(
    ("given", "prompt", "no_stdin"),
    [(["-", "-"], None, False), (["-"], "-", False), (["-"], "x", True)],
)
def test_standard_input_is_read_once(given: list[str], prompt: str | None, no_stdin: bool) -> None:
    with pytest.raises(UsageError):
        refuse_stdin_twice(given, prompt, no_stdin=no_stdin)


def test_standard_input_beside_a_prompt_is_fine() -> None:
    refuse_stdin_twice(["a", "-"], "x", no_stdin=False)
    refuse_stdin_twice(["a"], "-", no_stdin=True)


FILES = (Text("<a>\n\n", "a"), Text("<b>\n\n", "b"))


def call(prompt: Prompt, rendered: Rendered | None = None) -> Chat:
    made = make_call(
        Asked(), prompt, Settings(), rendered=rendered, history=(), schema=None, model="m",
        attached=FILES,
    )  # fmt: skip
    assert isinstance(made, Chat)
    return made


def test_files_stand_before_the_prompt_in_one_message() -> None:
    assert call(Prompt("in", "ask")).messages[-1].text == "<a>\n\n<b>\n\nin\n\nask"
    assert call(Prompt(None, None)).messages[-1].text == "<a>\n\n<b>"


def test_files_stand_before_the_last_message_of_a_template() -> None:
    rendered = Rendered(
        system=None, messages=(message(Role.USER, "one"), message(Role.USER, "two"))
    )

    texts = [one.text for one in call(Prompt(None, "x"), rendered).messages]

    assert texts == ["one", "<a>\n\n<b>\n\ntwo"]


def test_a_text_to_be_continued_takes_no_files() -> None:
    with pytest.raises(UsageError, match="-a"):
        Asked(complete=True, attachment=["x"]).check()
