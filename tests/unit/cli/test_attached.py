"""Attached files: their bounds and names, and what cannot be attached."""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from llmctl.cli import attached, stdin
from llmctl.cli.asked import Asked, make_call, with_files
from llmctl.cli.attached import bounded, read_attached, refuse_stdin_twice
from llmctl.cli.stdin import Prompt
from llmctl.errors import UsageError
from llmctl.settings import Settings
from llmctl.templates.shape import Rendered
from llmctl.types import Chat, Media, Role, Text, message
from tests.attachments import DOCX, docx, mp4, packed, pdf, png, wav


def read(*paths: Path | str, encoding: str | None = None) -> list[Text]:
    parts = read_attached([str(one) for one in paths], encoding=encoding, quiet=True)
    return [one for one in parts if isinstance(one, Text)]


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


def test_a_file_without_a_name_is_refused_before_any_is_read() -> None:
    for given in (("",), ("/nowhere/a.txt", "")):
        with pytest.raises(UsageError, match="is empty"):
            read_attached(given, encoding=None, quiet=True)


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


def media(path: Path | str, as_type: str | None = None) -> Media:
    [one] = read_attached([str(path)], encoding=None, quiet=True, as_type=as_type)
    assert isinstance(one, Media)
    return one


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("a.png", png(), "image/png"), ("a.pdf", pdf(), "application/pdf"),
        ("a.wav", wav(), "audio/wav"), ("a.mp4", mp4(), "video/mp4"), ("a.docx", docx(), DOCX),
        ("sound.m4a", mp4(), "audio/mp4"),
    ],
)  # fmt: skip
def test_what_is_no_text_goes_as_it_is(
    tmp_path: Path, name: str, data: bytes, media_type: str
) -> None:
    (tmp_path / name).write_bytes(data)

    assert media(tmp_path / name) == Media(media_type, data=data, name=name)


def test_a_large_file_is_named_and_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(mp4())
    os.truncate(path, 2**20)
    held = media(path)
    os.truncate(path, 2**20 + 1)
    monkeypatch.chdir(tmp_path)
    named = media("film.mp4")

    assert (held.length, held.path) == (2**20, None)
    assert named == Media(
        "video/mp4", name="film.mp4", path=str(path), size=2**20 + 1,
        modified=path.stat().st_mtime_ns,
    )  # fmt: skip


def test_files_keep_their_order_whatever_they_are(tmp_path: Path) -> None:
    for name, data in (("a.png", png()), ("b.txt", b"x"), ("c.pdf", pdf()), ("d.txt", b"y")):
        (tmp_path / name).write_bytes(data)
    given = [str(tmp_path / name) for name in ("c.pdf", "b.txt", "a.png", "d.txt")]

    parts = read_attached(given, encoding=None, quiet=True)

    assert [one.name for one in parts] == ["c.pdf", "b.txt", "a.png", "d.txt"]
    assert [type(one) for one in parts] == [Media, Text, Media, Text]
    made = make_call(
        Asked(), Prompt(None, "ask"), Settings(), rendered=None, history=(), schema=None,
        model="m", attached=parts,
    )  # fmt: skip
    assert isinstance(made, Chat)
    assert made.messages[-1].parts == (*parts, Text("ask"))


@pytest.mark.parametrize(
    ("name", "data", "kind", "said"),
    [
        ("report.pdf", png(), "image/png", "report.pdf is not what its name says"),
        ("a.png", b"just text", None, "a.png is not what its name says: it goes as text,"),
        ("photo.jpg", png(), "image/png", ""), ("notes", b"x", None, ""),
        ("a.bin", png(), "image/png", ""),
    ],
)  # fmt: skip
def test_the_content_counts_and_a_name_that_says_otherwise_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, data: bytes, kind: str | None,
    said: str,
) -> None:  # fmt: skip
    (tmp_path / name).write_bytes(data)

    [one] = read_attached([str(tmp_path / name)], encoding=None, quiet=False)

    assert (one.media_type if isinstance(one, Media) else None) == kind
    told = capsys.readouterr().err
    assert told.startswith(f"llmctl: {said}") if said else told == ""
    read_attached([str(tmp_path / name)], encoding=None, quiet=True)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("as_type", "expected"),
    [
        ("application/pdf", "application/pdf"), ("image/x-odd", "image/x-odd"),
        ("pdf", "application/pdf"), ("video", "video/mp4"), ("text", None), ("text/csv", None),
        ("application/json", None), ("application/x-foo", "application/x-foo"),
        ("image/jpg", "image/jpeg"), ("Audio/X-WAV", "audio/wav"),
        ("audio/mp3; codecs=mp3", "audio/mpeg; codecs=mp3"),
    ],
)  # fmt: skip
def test_the_type_can_be_forced(tmp_path: Path, as_type: str, expected: str | None) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no film at all")

    [one] = read_attached(
        [str(tmp_path / "a.mp4")], encoding=None, quiet=True, as_type=as_type
    )  # fmt: skip

    assert (one.media_type if isinstance(one, Media) else None) == expected


def test_a_kind_alone_leaves_the_rest_to_content_and_name(tmp_path: Path) -> None:
    (tmp_path / "a.dat").write_bytes(png())
    (tmp_path / "b.dat").write_bytes(b"what may this be")

    assert media(tmp_path / "a.dat", "image").media_type == "image/png"
    with pytest.raises(UsageError) as caught:
        media(tmp_path / "b.dat", "image")
    assert "image/png" in str(caught.value.hint)


@pytest.mark.parametrize("wrong", ["", "png", "a b/c", "image/", "pictures"])
def test_what_is_no_type_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError, match="attachment-type"):
        read_attached([], encoding=None, quiet=True, as_type=wrong)


@pytest.mark.parametrize(
    ("name", "data", "said", "hint"),
    [
        ("a.pdf", pdf()[:-8], "the end of a PDF is missing", "--attachment-type application/pdf"),
        ("a.docx", docx()[:-30], "not whole", "--attachment-type office"),
        ("a.zip", docx()[:-30], "not whole", "was it the right file?"),
        ("a.zip", packed("a.txt"), "archive", "each with its own -a"),
        ("a.gz", b"\x1f\x8b\x08\0abc", "archive", "each with its own -a"),
        ("a.tar", b"a.txt".ljust(257, b"\0") + b"ustar\x0000", "archive", "each with its own -a"),
        ("a.bin", b"\x7fELF\x02\x00\x00" * 40, "NUL", "--attachment-type TYPE"),
        ("a.txt", b"", "is empty", "right file"), ("a.png", b"", "is empty", "right file"),
    ],
)  # fmt: skip
def test_what_no_model_reads_is_refused(
    tmp_path: Path, name: str, data: bytes, said: str, hint: str
) -> None:
    (tmp_path / name).write_bytes(data)

    for encoding in (None, "cp1251"):
        error = refusal(tmp_path / name, encoding)
        assert name in error.message
        assert said in error.message
        assert hint in str(error.hint)


@pytest.mark.parametrize("data", [b"\x8f\0\x07junk" * 9, b"\x98\xff\xfe" * 30])
def test_what_is_refused_does_not_go_as_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes
) -> None:
    (tmp_path / "junk.png").write_bytes(data)

    with pytest.raises(UsageError, match="cannot be attached"):
        read_attached([str(tmp_path / "junk.png")], encoding=None, quiet=False)
    assert capsys.readouterr().err == ""


def test_text_by_the_users_word_is_no_surprise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.png").write_bytes(b"just text")
    read_attached([str(tmp_path / "a.png")], encoding=None, quiet=False, as_type="text")
    assert capsys.readouterr().err == ""


def test_a_cut_off_office_file_goes_as_the_hint_says(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(docx()[:-30])

    assert media(tmp_path / "a.docx", "office").media_type == DOCX


def test_a_broken_file_goes_when_the_user_insists(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf()[:-8])

    assert media(tmp_path / "a.pdf", "application/pdf").media_type == "application/pdf"


def test_what_cannot_be_read_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No such file" in refusal(tmp_path / "none.txt").message
    assert "directory" in refusal(tmp_path).message
    assert "path" in refusal("a\0b").message
    assert "device" in refusal("/dev/zero").message
    monkeypatch.setattr(attached, "LARGEST", 2**20)
    (tmp_path / "large.txt").write_bytes(b"x" * (2**20 + 1))
    assert "more than 1 MB" in refusal(tmp_path / "large.txt").message


def test_a_file_that_nobody_takes_is_not_even_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(mp4())
    os.truncate(path, 3 * 10**9)
    monkeypatch.setattr(attached, "sniff", None)

    assert "more than 2000 MB" in refusal(path).message


# ---- pipes and addresses


def written(path: Path, data: bytes) -> threading.Thread:
    def write() -> None:
        with suppress(OSError), path.open("wb") as pipe:
            pipe.write(data)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    thread = written(tmp_path / "pipe", png())

    assert media(tmp_path / "pipe") == Media("image/png", data=png(), name="pipe")
    thread.join(5)


def test_a_pipe_without_end_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stdin, "LARGEST_PIPED", 2**16)
    os.mkfifo(tmp_path / "pipe")
    written(tmp_path / "pipe", b"x" * 2**20)

    assert "more than 0 MB come from" in refusal(tmp_path / "pipe").message


def test_a_pipe_that_nobody_writes_to_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stdin, "SILENT_SECONDS", 0.1)
    os.mkfifo(tmp_path / "pipe")

    error = refusal(tmp_path / "pipe")

    assert "nothing came from" in error.message


@pytest.mark.parametrize("writes", [False, True])
def test_a_pipe_lasts_no_longer_than_the_call_may(tmp_path: Path, writes: bool) -> None:
    """Whether nobody opens it to write, or somebody does and does not come to an end."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    both = os.open(path, os.O_RDWR) if writes else None
    try:
        if both is not None:
            os.write(both, b"some")
        begun = time.monotonic()
        with pytest.raises(UsageError, match=r"did not come to its end within 0\.2 s") as caught:
            read_attached([str(path)], encoding=None, quiet=True, timeout=0.2)
        assert 0.2 <= time.monotonic() - begun < stdin.NOTICE_SECONDS
    finally:
        if both is not None:
            os.close(both)
    assert "--timeout" in str(caught.value.hint)


def from_stdin(data: bytes, monkeypatch: pytest.MonkeyPatch) -> Text | Media:
    ours, theirs = os.pipe()
    os.write(theirs, data)
    os.close(theirs)
    real = os.read
    monkeypatch.setattr(os, "read", lambda fd, size: real(ours if fd == 0 else fd, size))
    monkeypatch.setattr(stdin, "_ready", lambda _seconds: True)
    try:
        [one] = read_attached(["-"], encoding=None, quiet=True)
        return one
    finally:
        os.close(ours)


def test_standard_input_may_be_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    assert from_stdin(png(), monkeypatch) == Media("image/png", data=png(), name="input.png")
    assert from_stdin(b"x\n", monkeypatch) == Text(bounded("input", "x\n"), "input")


@pytest.mark.parametrize(("data", "said"), [(b"", "is empty"), (b"x" * 100, "more than")])
def test_standard_input_has_bounds(monkeypatch: pytest.MonkeyPatch, data: bytes, said: str) -> None:
    monkeypatch.setattr(attached, "LARGEST_PIPED", 50)
    with pytest.raises(UsageError) as caught:
        from_stdin(data, monkeypatch)

    assert said in caught.value.message
    assert "standard input" in caught.value.message


@pytest.mark.parametrize(
    ("url", "as_type", "media_type", "name"),
    [
        ("https://a.example/cat.png", None, "image/png", "cat.png"),
        ("https://a.example/x/report%202.PDF?v=1", None, "application/pdf", "report 2.PDF"),
        ("http://a.example/cat", "image/webp", "image/webp", "cat"),
        ("HTTPS://a.example/", "application/pdf", "application/pdf", "page"),
    ],
)
def test_an_address_is_of_the_type_that_its_name_or_the_user_says(
    url: str, as_type: str | None, media_type: str, name: str
) -> None:
    assert media(url, as_type) == Media(media_type, url=url, name=name)


@pytest.mark.parametrize(
    ("url", "as_type", "hint"),
    [
        ("https://a.example/", None, "--fetch"), ("https://a.example/cat", "image", "--fetch"),
        ("https://a.example/a.txt", None, "--fetch"), ("https://a.example/a.zip", None, "--fetch"),
        ("ftp://a.example/cat.png", None, "https://"), ("https://", None, "https://"),
        ("file:///etc/passwd", None, "https://"), ("http://[::1/cat.png", None, "https://"),
    ],
)  # fmt: skip
def test_an_address_of_which_nothing_is_known_is_refused(
    url: str, as_type: str | None, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        media(url, as_type)

    assert hint in str(caught.value.hint)


def test_what_is_to_be_fetched_may_be_anything() -> None:
    [one] = read_attached(["https://a.example/a"], encoding=None, quiet=True, fetch=True)

    assert one == Media("application/octet-stream", url="https://a.example/a", name="a")


def test_a_picture_alone_is_no_prompt(tmp_path: Path) -> None:
    parts = (Media("image/png", data=png(), name="a.png"),)
    with pytest.raises(UsageError, match="no prompt"):
        with_files(Prompt(None, None), parts)
    assert with_files(Prompt(None, None), (*parts, FILES[0]))[0].parts == (*parts, Text("<a>", "a"))


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


@pytest.mark.parametrize(
    ("flag", "asked"), [("--fetch", Asked(fetch=True)), ("--keep", Asked(keep=True)),
                        ("--attachment-type", Asked(attachment_type="pdf", continue_=True))],
)  # fmt: skip
def test_what_is_about_files_needs_one(flag: str, asked: Asked) -> None:
    with pytest.raises(UsageError, match=f"{flag} is about attached files"):
        asked.check()


def test_files_may_be_those_of_earlier_turns() -> None:
    Asked(fetch=True, keep=True, continue_=True).check()
    Asked(fetch=True, keep=True, cid="c").check()
    Asked(fetch=True, keep=True, attachment=["a"]).check()


def test_a_text_to_be_continued_takes_no_files() -> None:
    with pytest.raises(UsageError, match="-a"):
        Asked(complete=True, attachment=["x"]).check()
