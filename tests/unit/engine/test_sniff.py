"""What files are by their content, whatever they are called."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from llmctl.engine.kinds import BY_SUFFIX, kind_of, suffix_of, type_by_name
from llmctl.engine.sniff import HEAD, Sniffed, sniff
from tests.attachments import (
    DOCX,
    EPUB,
    ODT,
    PPTX,
    XLSX,
    aac,
    box,
    docx,
    mp3,
    mp4,
    ogg,
    old_office,
    packed,
    pdf,
    png,
    wav,
    webm,
)


def tar(form: int) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as packing:
        packing.addfile(tarfile.TarInfo("a.txt"))
    return made.getvalue()


FILES = [
    (png(), "image/png", "image"),
    (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "image/jpeg", "image"),
    (b"GIF89a\x01\0\x01\0", "image/gif", "image"),
    (b"RIFF\x0c\0\0\0WEBPVP8 ", "image/webp", "image"),
    (b"II*\0\x08\0\0\0", "image/tiff", "image"),
    (b"MM\0*\0\0\0\x08", "image/tiff", "image"),
    (b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0" + b"\0" * 40, "image/bmp", "image"),
    (mp4(b"heic", b"mif1", b"heic"), "image/heic", "image"),
    (mp4(b"mif1", b"mif1", b"heic"), "image/heic", "image"),
    (mp4(b"mif1", b"mif1", b"avif"), "image/avif", "image"),
    (mp4(b"avif"), "image/avif", "image"),
    (pdf(), "application/pdf", "pdf"),
    (b"\xef\xbb\xbf\r\n" + pdf(), "application/pdf", "pdf"),
    (wav(), "audio/wav", "audio"),
    (mp3(), "audio/mpeg", "audio"),
    (b"ID3\x04\0\0\0\0\0\0" + mp3(), "audio/mpeg", "audio"),
    (aac(), "audio/aac", "audio"),
    (ogg(), "audio/ogg", "audio"),
    (ogg(b"\x01vorbis\0\0\0\0"), "audio/ogg", "audio"),
    (ogg(b"\x80theora\x03"), "video/ogg", "video"),
    (b"fLaC\0\0\0\x22", "audio/flac", "audio"),
    (mp4(b"M4A ", b"M4A ", b"isom"), "audio/mp4", "audio"),
    (webm(b"A_OPUS"), "audio/webm", "audio"),
    (webm(b"V_VP9"), "video/webm", "video"),
    (webm(b"V_MPEG4/ISO/AVC", b"matroska"), "video/x-matroska", "video"),
    (mp4(), "video/mp4", "video"),
    (mp4(b"qt  "), "video/quicktime", "video"),
    (box(b"wide", b"") + box(b"mdat", b""), "video/quicktime", "video"),
    (mp4(b"3gp4"), "video/3gpp", "video"),
    (b"RIFF\x20\0\0\0AVI LIST", "video/x-msvideo", "video"),
    (docx(), DOCX, "office"),
    (packed("[Content_Types].xml", "xl/workbook.xml"), XLSX, "office"),
    (packed("[Content_Types].xml", "ppt/presentation.xml"), PPTX, "office"),
    (packed("content.xml", mimetype=ODT), ODT, "office"),
    (packed("META-INF/container.xml", mimetype=EPUB), EPUB, "office"),
    (old_office(), "application/msword", "office"),
    (old_office("Workbook"), "application/vnd.ms-excel", "office"),
    (old_office("PowerPoint Document"), "application/vnd.ms-powerpoint", "office"),
    (packed("a.txt", "word/notes.txt"), "application/zip", "archive"),
    (b"\x1f\x8b\x08\0", "application/gzip", "archive"),
    (tar(tarfile.USTAR_FORMAT), "application/x-tar", "archive"),
    (tar(tarfile.GNU_FORMAT), "application/x-tar", "archive"),
]


def sniffed(data: bytes) -> Sniffed | None:
    return sniff(io.BytesIO(data), len(data))


@pytest.mark.parametrize(("data", "media_type", "kind"), FILES, ids=[one[1] for one in FILES])
def test_a_file_is_what_it_has_in_it(data: bytes, media_type: str, kind: str) -> None:
    found = sniffed(data)

    assert found == Sniffed(media_type)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(
    "data",
    [
        b"", b"x", b"plain text\n", "Привет".encode(), "яыяы это не звук".encode("cp1251"),
        "Яс яс".encode("cp1251"), "ж".encode("utf-16"), b"BMW is a maker of cars, it is said",
        b"The header of a PDF is %PDF-1.7.\n", b"PK is how Pakistan is written", b"<svg/>",
        b"RIFF raff of the town", b"\x7fELF\x02\x01\x01\0", b"\xff\xfb\x90\x44" + b"a" * 600,
        b"GIF is a format", b"{\\rtf1 x}", b"ID is not ID3",
    ],
)  # fmt: skip
def test_text_and_what_nobody_knows_is_no_kind(data: bytes) -> None:
    assert sniffed(data) is None


@pytest.mark.parametrize(
    "begins",
    ["ID3 tags are", "GIF89a is", "GIF87a", "%PDF-1.7 begins", "BM stands", "RIFF xx WAVE",
     "RIFF  or WEBP", "FORM or AIFF", "The ftypisom box is", "fLaC marks", "BZh91AY&SY marks",
     "PK\n", "OggS is", "FLV\f"],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "cp1251", "koi8-r"])
def test_text_that_speaks_of_a_format_is_text(begins: str, encoding: str) -> None:
    for text in (begins, f"{begins} a format.\n\tСм. раздел 3.\n", begins + " слово" * 40_000):
        assert sniffed(text.encode(encoding)) is None
    assert sniffed((begins.ljust(257) + "ustar is a kind of tar").encode(encoding)) is None


@pytest.mark.parametrize("line", ["%PDF-1.4\r", "%PDF-1.4 \n", "%PDF-1.4%\xe2\xe3\xcf\xd3\n"])
def test_the_first_line_of_a_pdf_is_written_in_several_ways(line: str) -> None:
    data = line.encode("latin-1") + pdf().partition(b"\n")[2]

    assert sniffed(data) == Sniffed("application/pdf")


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (pdf()[:-7], "application/pdf"),
        (pdf()[: pdf().index(b"startxref")], "application/pdf"),
        (b"%PDF-1.7\n", "application/pdf"),
        (docx()[:-30], "application/zip"),
        (b"PK\x03\x04abc", "application/zip"),
        (old_office()[:300], "application/msword"),
    ],
)
def test_what_was_cut_off_is_not_whole(data: bytes, media_type: str) -> None:
    found = sniffed(data)

    assert found is not None
    assert (found.media_type, found.broken is None) == (media_type, False)


def test_the_end_of_a_pdf_may_have_rubbish_behind_it_but_not_much() -> None:
    """The last 1024 bytes (ISO 32000-1, annex H, 3.4.4, note 18)."""
    for more, whole in ((900, True), (1100, False)):
        found = sniffed(pdf() + b"\n" * more)
        assert found is not None
        assert (found.broken is None) is whole


def test_a_directory_that_leads_round_in_circles_comes_to_an_end() -> None:
    data = bytearray(old_office("Unknown"))
    data[512 + 8 : 512 + 12] = (1).to_bytes(4, "little")  # the second sector goes on at the first

    assert sniffed(bytes(data)) is None


def test_only_the_ends_of_a_large_file_are_read(tmp_path: Path) -> None:
    """A film of 3 GB that takes no place on the disk."""
    path = tmp_path / "film.mp4"
    path.write_bytes(mp4())
    os.truncate(path, 3 * 10**9)
    taken = 0

    class Counting(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal taken
            data = super().read(-1 if size is None else size) or b""
            taken += len(data)
            return data

    with Counting(path) as file:
        assert sniff(file, 3 * 10**9) == Sniffed("video/mp4")
    assert taken <= HEAD


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("a.PNG", "image/png"), ("a.b.jpeg", "image/jpeg"), ("a", None), ("a.what", None),
     ("film.mov", "video/quicktime"), ("a.docx", DOCX), ("notes.md", "text/plain")],
)  # fmt: skip
def test_names_say_something_by_their_ending(name: str, media_type: str | None) -> None:
    assert type_by_name(name) == media_type


def test_every_ending_is_of_a_kind_and_the_usual_one_comes_back() -> None:
    assert {suffix for suffix, made in BY_SUFFIX.items() if kind_of(made) is None} == set()
    assert [suffix_of(one) for one in ("image/jpeg", "audio/mpeg", DOCX, "x/y")] == [
        ".jpg", ".mp3", ".docx", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [("text/csv", "text"), ("application/json", "text"), ("image/svg+xml", "text"),
     ("Image/PNG", "image"), ("audio/ogg; codecs=opus", "audio"), ("application/x-foo", None)],
)  # fmt: skip
def test_types_are_of_kinds(media_type: str, kind: str | None) -> None:
    assert kind_of(media_type) == kind
