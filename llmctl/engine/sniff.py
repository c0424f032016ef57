"""What a file is, by its content: what formats begin with, and what stands inside containers.

Of all files but archives and old office files only the beginning and the end are read.
"""

import re
import struct
from collections.abc import Callable
from typing import BinaryIO

from llmctl.engine.kinds import DOCX, ODF, OFFICE_TYPES, PPTX, XLSX, kind_of
from llmctl.messages import _
from llmctl.values import dataclass

# Enough for the list of tracks of a Matroska file, and for the first frames of sound.
HEAD = 64 * 1024
# How far from its end the mark of a PDF's end may stand; readers of PDF look as far.
TAIL = 1024

# What is at the very beginning and tells all.
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"fLaC", "audio/flac"),
    (b"ID3\x02", "audio/mpeg"),
    (b"ID3\x03", "audio/mpeg"),
    (b"ID3\x04", "audio/mpeg"),
    (b"FLV\x01", "video/x-flv"),
    (b"\0\0\x01\xba", "video/mpeg"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-wmv"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"BZh91AY&SY", "application/x-bzip2"),
    (b"\xfd7zXZ\0", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
)
# By the letters at byte 8 of a RIFF or FORM file.
_CHUNKED = {b"RIFFWEBP": "image/webp", b"RIFFWAVE": "audio/wav", b"RIFFAVI ": "video/x-msvideo",
            b"FORMAIFF": "audio/aiff", b"FORMAIFC": "audio/aiff"}  # fmt: skip
# By the brand of an ISO base media file.
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), "image/heic"),
    **dict.fromkeys((b"mif1", b"msf1"), "image/heif"),
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
    **dict.fromkeys((b"M4A ", b"M4B ", b"F4A "), "audio/mp4"),
    b"qt  ": "video/quicktime",
}
_BITMAP_HEADS = (12, 16, 40, 52, 56, 64, 108, 124)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# By the name of the stream with the document.
_OLE_STREAMS = {"WordDocument": "application/msword", "Workbook": "application/vnd.ms-excel",
                "Book": "application/vnd.ms-excel",
                "PowerPoint Document": "application/vnd.ms-powerpoint"}  # fmt: skip
# What no text has in it, in any encoding with a byte a letter: control characters, apart from those
# of lines and of terminals. All formats but PDF have them near the beginning: sizes, versions.
_CONTROLS = re.compile(rb"[\0-\x06\x0e-\x1a\x1c-\x1f]")
# The line that a PDF begins with; some have their mark of binary content on it, too.
_PDF_LINE = re.compile(rb"%PDF-\d\.\d[ \t]*(?:[\r\n%]|$)")
_OOXML_FOLDERS = {"word/": DOCX, "xl/": XLSX, "ppt/": PPTX}


@dataclass(frozen=True, slots=True)
class Sniffed:
    """The type of a file; `broken` says in words why it cannot be whole, if it cannot."""

    media_type: str
    broken: str | None = None

    @property
    def kind(self) -> str | None:
        return kind_of(self.media_type)


def sniff(file: BinaryIO, size: int) -> Sniffed | None:
    """What a file of `size` bytes is; None for text, and for whatever is not known. The place in
    the file is anywhere after that."""
    head = file.read(HEAD)
    is_binary = _CONTROLS.search(head) is not None
    at = head.find(b"%PDF-", 0, 1024)
    if at >= 0 and _may_precede_a_pdf(head[:at]) and (is_binary or _PDF_LINE.match(head, at)):
        return _pdf(file, size)
    if not is_binary:  # whatever it begins with: it is text that speaks of such files
        return None
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(file)
    if head.startswith(_OLE):
        return _old_office(file, head)
    for rule in _RULES:
        if (found := rule(head, size)) is not None:
            return Sniffed(found)
    return None


def _may_precede_a_pdf(before: bytes) -> bool:
    """Whether it may be what some programs put before a PDF, and is no text that speaks of one."""
    return not before.strip(b"\xef\xbb\xbf \t\r\n\0")


# ---- by the head


def _by_beginning(head: bytes, _size: int) -> str | None:
    return next((kind for mark, kind in _BEGINNINGS if head.startswith(mark)), None)


def _tar(head: bytes, _size: int) -> str | None:
    return "application/x-tar" if head[257:262] == b"ustar" else None


def _by_chunk(head: bytes, _size: int) -> str | None:
    return _CHUNKED.get(head[:4] + head[8:12])


def _bitmap(head: bytes, size: int) -> str | None:
    if len(head) < 26 or not head.startswith(b"BM"):
        return None
    stated, reserved, _offset, header = struct.unpack_from("<IIII", head, 2)
    fits = stated in (0, size) or reserved == 0
    return "image/bmp" if fits and header in _BITMAP_HEADS else None


def _iso_media(head: bytes, _size: int) -> str | None:
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        others = [head[at : at + 4] for at in range(16, min(64, len(head) - 3), 4)]
        if brand.startswith((b"3gp", b"3g2")):
            return "video/3gpp"
        found = _BRANDS.get(brand)
        if found == "image/heif":  # a container that says in its further brands of what
            exact = (made for one in others if (made := _BRANDS.get(one)) not in (None, found))
            return next(exact, found)
        return found or "video/mp4"
    # QuickTime before there were brands: the size of the first box is a small number.
    if head[:1] == b"\0" and head[4:8] in (b"moov", b"mdat", b"wide", b"pnot"):
        return "video/quicktime"
    return None


def _matroska(head: bytes, _size: int) -> str | None:
    if not head.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    form = "webm" if b"webm" in head[:64] else "x-matroska"
    tracks = {one[2:4] for one in re.findall(rb"\x86[\x80-\xff][AV]_", head)}
    return f"audio/{form}" if tracks == {b"A_"} else f"video/{form}"


def _ogg(head: bytes, _size: int) -> str | None:
    if not head.startswith(b"OggS\0"):
        return None
    return "video/ogg" if b"\x80theora" in head[:512] else "audio/ogg"


def _frames(head: bytes, size: int) -> str | None:
    """Sound without a container: a frame, and another where the first ends. One alone may be
    Cyrillic text."""
    if len(head) < 8 or head[0] != 0xFF:
        return None
    for length_of, kind in ((_mpeg_frame, "audio/mpeg"), (_adts_frame, "audio/aac")):
        length = length_of(head)
        if length is None:
            continue
        if length_of(head[length : length + 8]) is not None or size <= length + 4:
            return kind
    return None


# Kilobits a second of layer III by the index in a frame: of MPEG 1, and of 2 and 2.5.
_RATES = ((32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
          (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160))  # fmt: skip
_SAMPLES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def _mpeg_frame(head: bytes) -> int | None:
    """The length of a frame of MP3 (ISO 11172-3, 2.4.1.3); None for what is none."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    rate, samples, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version not in _SAMPLES or layer != 1 or not 0 < rate < 15 or samples == 3:
        return None
    is_first = version == 3
    bits = _RATES[0 if is_first else 1][rate - 1] * 1000
    return (144 if is_first else 72) * bits // _SAMPLES[version][samples] + padding


def _adts_frame(head: bytes) -> int | None:
    """The length of a frame of AAC (ISO 13818-7, 6.2); None for what is none."""
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return None
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length > 7 else None


_RULES: tuple[Callable[[bytes, int], str | None], ...] = (
    _by_beginning, _tar, _by_chunk, _bitmap, _iso_media, _matroska, _ogg, _frames,
)  # fmt: skip


# ---- by what is inside


def _pdf(file: BinaryIO, size: int) -> Sniffed:
    file.seek(max(0, size - TAIL))
    tail = file.read(TAIL)
    whole = b"%%EOF" in tail and b"startxref" in tail
    return Sniffed("application/pdf", None if whole else _("the end of a PDF is missing"))


def _zipped(file: BinaryIO) -> Sniffed:
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(file) as packed:
            names = packed.namelist()
            if names and names[0] == "mimetype":
                with packed.open("mimetype") as inner:
                    said = inner.read(100).decode("ascii", "replace").strip()
                if said in OFFICE_TYPES or said.startswith(ODF):
                    return Sniffed(said)
            if "[Content_Types].xml" in names:
                for folder, kind in _OOXML_FOLDERS.items():
                    if any(name.startswith(folder) for name in names):
                        return Sniffed(kind)
    except (BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError):
        return Sniffed("application/zip", _("it is a ZIP file that is not whole"))
    return Sniffed("application/zip")


def _old_office(file: BinaryIO, head: bytes) -> Sniffed | None:
    """By the names in the directory of the compound file ([MS-CFB], 2.2 and 2.6)."""
    if len(head) < 512:
        return Sniffed("application/msword", _("it is an old office file that is not whole"))
    (shift,) = struct.unpack_from("<H", head, 0x1E)
    (sector,) = struct.unpack_from("<I", head, 0x30)
    size = 1 << min(shift, 12)
    tables = struct.unpack_from("<109I", head, 0x4C)

    def read(number: int) -> bytes:
        file.seek((number + 1) * size)
        return file.read(size)

    for _step in range(256):  # sectors of a directory: more than any document has
        entries = read(sector)
        for at in range(0, len(entries) - 127, 128):
            (length,) = struct.unpack_from("<H", entries, at + 64)
            name = entries[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
            if name in _OLE_STREAMS:
                return Sniffed(_OLE_STREAMS[name])
        place, within = divmod(sector, size // 4)
        if place >= len(tables) or tables[place] >= 0xFFFFFFF0:
            break
        following = read(tables[place])[within * 4 : within * 4 + 4]
        if len(following) < 4:
            break
        (sector,) = struct.unpack("<I", following)
        if sector >= 0xFFFFFFF0:
            break
    return None
