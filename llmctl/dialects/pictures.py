"""Pictures in answers: what their first bytes say they are, and how large, since names and headers
are often wrong; and the words in which a user asks for a size."""

import binascii
import re
from collections.abc import Mapping

from llmctl.errors import ProviderFailed, UsageError
from llmctl.messages import _
from llmctl.types import Image, Media
from llmctl.values import dataclass

# The types there are, by the words for them: the first is how a file of it ends.
EXTENSIONS: Mapping[str, tuple[str, ...]] = {
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg"),
    "image/webp": ("webp",),
    "image/gif": ("gif",),
    "image/svg+xml": ("svg",),
    "image/bmp": ("bmp",),
    "image/tiff": ("tiff", "tif"),
    "image/avif": ("avif",),
}

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
# Base64 in its other alphabet.
_STANDARD = str.maketrans("-_", "+/")
_SVG = re.compile(rb"\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<svg[\s>]", re.DOTALL)
# The markers of a JPEG after which its size stands: all frames, but no tables.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

SIZE = re.compile(
    r"(?P<pixels>\d{1,5}x\d{1,5})|(?P<ratio>\d{1,3}:\d{1,3})|(?P<step>\d{1,2}K|auto|512)"
)


def kind_of(data: bytes) -> str | None:
    """The type of a picture by its bytes; None for what is none of those known here."""
    for beginning, kind in _BEGINNINGS:
        if data.startswith(beginning):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    return "image/svg+xml" if _SVG.match(data[:4096]) else None


def is_whole(data: bytes, kind: str) -> bool:
    """Whether a picture has its end; of those whose type has none, that it is there."""
    match kind:
        case "image/png":
            return b"IEND" in data[-64:]
        case "image/jpeg":
            return b"\xff\xd9" in data[-64:]
        case "image/gif":
            return b"\x3b" in data[-64:]
        case "image/webp":
            return len(data) >= _little(data[4:8]) + 8
        case _:
            return True


def dimensions(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG, JPEG, GIF or WebP; None where they are not told."""
    match kind_of(data):
        case "image/png" if data[12:16] == b"IHDR" and len(data) >= 24:
            return _big(data[16:20]), _big(data[20:24])
        case "image/gif" if len(data) >= 10:
            return _little(data[6:8]), _little(data[8:10])
        case "image/webp":
            return _webp(data)
        case "image/jpeg":
            return _jpeg(data)
        case _:
            return None


def _webp(data: bytes) -> tuple[int, int] | None:
    if len(data) < 30:
        return None
    match data[12:16]:
        case b"VP8X":
            return _little(data[24:27]) + 1, _little(data[27:30]) + 1
        case b"VP8L":
            bits = _little(data[21:25])
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF
        case _:
            return None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """From marker to marker, each with the length of what follows it."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _FRAMES:
            return _big(data[at + 7 : at + 9]), _big(data[at + 5 : at + 7])
        at += 1 if marker == 0xFF else 2 + _big(data[at + 2 : at + 4])
    return None


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


def picture(data: bytes) -> Media | None:
    """Bytes as a picture of the type that they are of; None for what is no picture, or not all of
    one."""
    kind = kind_of(data)
    return Media(kind, data) if kind is not None and is_whole(data, kind) else None


def decoded(text: str) -> Media | None:
    """Base64, or a URL that holds it, as a picture; None for what is none."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    # It may be large: what is as it should be is not copied.
    if "-" in text or "_" in text:
        text = text.translate(_STANDARD)
    text = text.rstrip("\n")
    if len(text) % 4 or text.endswith("==="):
        text = text.rstrip("=\n")
        text += "=" * (-len(text) % 4)
    try:
        return picture(binascii.a2b_base64(text, strict_mode=True))
    except (binascii.Error, ValueError):
        return None


def no_picture(*, damaged: bool = False) -> ProviderFailed:
    """The error for an answer that should hold a picture. It is not asked for again: what was
    answered is paid."""
    said = (
        _("the picture in the answer is damaged, or is none")
        if damaged
        else _("the answer holds no picture")
    )
    return ProviderFailed(
        said, reason="damaged-picture" if damaged else "no-picture", retryable=False
    )


# ------------------------------------------------------------------------------- what is asked for


@dataclass(frozen=True, slots=True)
class Size:
    """What `--size` says: pixels, or a ratio, or a step (`2K`, `auto`), or the last two."""

    pixels: tuple[int, int] | None = None
    ratio: tuple[int, int] | None = None
    step: str | None = None


def size_of(text: str | None) -> Size:
    """Raises UsageError for what is no size."""
    pixels = ratio = step = None
    kinds: list[str | None] = []
    for part in re.split(r"[\s,]+", (text or "").strip()) if text else ():
        found = SIZE.fullmatch(part.replace("X", "x").replace("k", "K"))
        if found is None or not all(_sides(found[0])):
            raise UsageError(
                _("--size does not understand {size}", size=part),
                hint=_("such as 1024x1024, 16:9 or 2K"),
            )
        kinds.append(found.lastgroup)
        if found["pixels"]:
            width, height = _sides(found["pixels"])
            pixels = width, height
        elif found["ratio"]:
            width, height = _sides(found["ratio"])
            ratio = width, height
        else:
            step = found["step"]
    if len(kinds) > len({*kinds}) or (pixels and len(kinds) > 1):
        raise UsageError(
            _("--size takes one size, not {size}", size=text),
            hint=_("such as 1024x1024, 16:9 or 2K"),
        )
    return Size(pixels, ratio, step)


def _sides(text: str) -> list[int]:
    return [int(one) for one in re.findall(r"\d+", text)]


def in_pixels(call: Image) -> tuple[int, int] | None:
    """The size for a format that takes width and height only; raises UsageError for others."""
    size = size_of(call.size)
    if size.ratio or size.step not in (None, "auto"):
        raise UsageError(
            _("{model} takes a size in pixels, not {size}", model=call.model, size=call.size),
            hint=_("such as --size 1024x1024"),
        )
    return size.pixels


def in_ratio(call: Image) -> tuple[int, int] | None:
    """The size as a ratio: as it was asked for, or that of pixels in its lowest terms."""
    from math import gcd

    size = size_of(call.size)
    if size.ratio is not None or size.pixels is None:
        return size.ratio
    width, height = size.pixels
    common = gcd(width, height)
    return width // common, height // common


def refuse_format(call: Image, formats: tuple[str, ...]) -> None:
    """Raises UsageError for a type of file that the format cannot be told to make."""
    if call.media_type is None or call.media_type in formats:
        return
    names = ", ".join(EXTENSIONS[one][-1] for one in formats)
    raise UsageError(
        _("{model} does not make {format} files", model=call.model,
          format=EXTENSIONS.get(call.media_type, (call.media_type,))[-1]),
        hint=_("what it makes: {names}", names=names)
        if names
        else _("leave out --format: the file gets the ending of what comes"),
    )  # fmt: skip
