"""Where pictures go: names, what is never overwritten, and what is left after trouble."""

import errno
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from llmctl.errors import IoFailed, UsageError
from llmctl.output import picture_files
from llmctl.output.picture_files import Album, name_of, refuse_stream
from tests.simulator.pictures import jpeg, png

PNG, JPEG = "image/png", "image/jpeg"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def saved(album: Album, data: bytes = b"", kind: str = PNG, prompt: str = "a fox") -> str:
    return album.save(data or png(), kind, prompt).path


# ---- names


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("A red fox, in the snow!", "a-red-fox-in-the-snow"),
        ("Рыжая лиса: ёж", "рыжая-лиса-ёж"),
        ("лиса и е\u0308ж и и\u0306од", "лиса-и-ёж-и-йод"),
        ("../../etc/passwd", "etc-passwd"),
        ("one\ntwo\x1b[31m\x00three", "one-two-31m-three"),
        ("हिन्दी चित्र", "हिन्दी-चित्र"),
        ("🦊🦊", "image"),
        ("CON", "image-con"),
        ("com1", "image-com1"),
        ("x" * 100, "x" * 40),
        (" ".join(["twelve letters"] * 9), "twelve-letters-twelve-letters-twelve"),
    ],
)
def test_a_name_is_made_of_the_words(prompt: str, name: str) -> None:
    assert name_of(prompt) == name


def test_letters_that_the_system_has_not_leave_a_plain_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "fsencode", lambda name: name.encode("ascii"))

    assert name_of("рыжая лиса") == "image"
    assert name_of("a fox") == "a-fox"


# ---- where they go


def test_one_picture_has_no_number_and_the_next_has_the_next(here: Path) -> None:
    assert [saved(Album(None, count=1)) for _ in range(3)] == [
        "a-fox.png",
        "a-fox-2.png",
        "a-fox-3.png",
    ]
    assert (here / "a-fox.png").read_bytes() == png()


def test_several_are_numbered_and_pass_over_what_is_there(here: Path) -> None:
    (here / "a-fox-2.png").write_text("mine")
    album = Album(None, count=3)

    assert [saved(album) for _ in range(3)] == ["a-fox-1.png", "a-fox-3.png", "a-fox-4.png"]
    assert (here / "a-fox-2.png").read_text() == "mine"


def test_a_folder_takes_them(here: Path) -> None:
    (here / "pictures").mkdir()

    assert saved(Album("pictures", count=1)) == "pictures/a-fox.png"
    assert saved(Album("pictures/", count=1)) == "pictures/a-fox-2.png"


def test_a_file_that_was_named(here: Path) -> None:
    one = Album("fox.PNG", count=1).save(png(), PNG, "x")

    assert (one.path, one.media_type, one.size) == ("fox.PNG", PNG, len(png()))
    assert one.sha256 == sha256(png()).hexdigest()
    assert not one.renamed
    assert os.listdir(here) == ["fox.PNG"]


def test_several_under_one_name() -> None:
    album = Album("fox.jpeg", count=2)

    assert [saved(album, jpeg(), JPEG) for _ in range(2)] == ["fox-1.jpeg", "fox-2.jpeg"]


def test_the_ending_is_that_of_the_content(here: Path) -> None:
    (here / "fox.jpg").write_text("mine")

    one = Album("fox.png", count=1, force=True).save(jpeg(), JPEG, "x")

    assert (one.path, one.renamed) == ("fox-2.jpg", True)
    assert (here / "fox.jpg").read_text() == "mine"


@pytest.mark.parametrize(
    ("output", "path", "kind"),
    [("fox", "fox.png", None), ("fox.v2", "fox.v2.png", None), (".png", ".png.png", None),
     ("a.jpg", "a.png", JPEG)],
)  # fmt: skip
def test_a_name_without_an_ending_gets_one(output: str, path: str, kind: str | None) -> None:
    album = Album(output, count=1)

    assert album.media_type == kind
    assert saved(album) == path


# ---- before anything is sent


def test_a_file_that_is_there_is_not_overwritten(here: Path) -> None:
    (here / "fox.png").write_text("mine")

    with pytest.raises(IoFailed, match="is there already") as refused:
        Album("fox.png", count=1).check()
    assert refused.value.reason == "exists"
    Album("fox.png", count=1, force=True).check()
    assert saved(Album("fox.png", count=1, force=True)) == "fox.png"
    assert (here / "fox.png").read_bytes() == png()


def test_force_replaces_no_picture_of_the_same_command(here: Path) -> None:
    (here / "fox.png").write_text("mine")
    album = Album("fox.png", count=1, force=True)

    assert [saved(album), saved(album)] == ["fox.png", "fox-2.png"]
    assert (here / "fox.png").read_bytes() == (here / "fox-2.png").read_bytes() == png()


@pytest.mark.parametrize(
    ("output", "there", "count"),
    [("fox.png", "fox-2.png", 2), ("fox", "fox.webp", 1), ("fox", "fox-1.jpeg", 2)],
)
def test_every_name_that_may_be_used_is_looked_at(
    here: Path, output: str, there: str, count: int
) -> None:
    (here / there).write_text("mine")

    with pytest.raises(IoFailed, match=there):
        Album(output, count=count).check()


def test_what_is_no_file_is_not_replaced_even_by_force(here: Path) -> None:
    (here / "fox.png").symlink_to(here / "elsewhere")

    with pytest.raises(IoFailed, match="no file that could be replaced"):
        Album("fox.png", count=1, force=True).check()


def test_a_folder_that_is_not_there(here: Path) -> None:
    for output in ("no/fox.png", "no/"):
        with pytest.raises(IoFailed) as failed:
            Album(output, count=1).check()
        assert failed.value.hint == "make its folder first: mkdir -p no"
    assert os.listdir(here) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_not_ours(here: Path) -> None:
    (here / "locked").mkdir(0o500)

    with pytest.raises(IoFailed, match="locked"):
        Album("locked/", count=1).check()


def test_a_folder_that_refuses_files(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_files, "_begun", refusing(errno.EROFS))

    with pytest.raises(IoFailed, match="Read-only"):
        Album(None, count=1).check()


def test_a_name_that_is_too_long(here: Path) -> None:
    with pytest.raises(IoFailed):
        Album("x" * 300 + ".png", count=1).check()


def test_a_check_leaves_nothing_behind(here: Path) -> None:
    Album(None, count=1).check()
    Album("fox.png", count=2).check()

    assert os.listdir(here) == []


@pytest.mark.parametrize("output", ["-", "", " "])
def test_pictures_go_into_files(output: str) -> None:
    with pytest.raises(UsageError, match="go into files"):
        refuse_stream(output)


# ---- trouble


def refusing(number: int) -> Callable[..., int]:
    def refused(*_given: object) -> int:
        raise OSError(number, os.strerror(number))

    return refused


def test_a_full_disk_leaves_nothing_half_made(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", refusing(errno.ENOSPC))

    with pytest.raises(IoFailed) as failed:
        saved(Album(None, count=1))
    assert failed.value.reason == "full"
    assert os.listdir(here) == []


def test_a_disk_without_links(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", refusing(errno.EPERM))
    (here / "a-fox.png").write_text("mine")

    assert saved(Album(None, count=1)) == "a-fox-2.png"
    assert sorted(os.listdir(here)) == ["a-fox-2.png", "a-fox.png"]
    assert (here / "a-fox-2.png").read_bytes() == png()


def test_what_came_up_meanwhile_is_passed_over(here: Path) -> None:
    album = Album("fox.png", count=1)
    album.check()
    (here / "fox.png").write_text("somebody's")

    assert saved(album) == "fox-2.png"
    assert (here / "fox.png").read_text() == "somebody's"
