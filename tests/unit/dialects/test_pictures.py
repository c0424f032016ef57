"""What bytes say of a picture, and what words say of a size."""

import tracemalloc
from base64 import b64encode, urlsafe_b64encode

import pytest

from llmctl.dialects.pictures import (
    Size,
    decoded,
    dimensions,
    in_pixels,
    in_ratio,
    kind_of,
    picture,
    refuse_format,
    size_of,
)
from llmctl.errors import UsageError
from llmctl.types import Image, Media
from tests.simulator.pictures import SVG, jpeg, png, webp

GIF = b"GIF89a\x10\x00\x20\x00\x00\x00\x00"
# The chunk of a lossy file: frame tag, start code, width and height in 14 bits each.
LOSSY = b"RIFF\x20\x00\x00\x00WEBPVP8 \x10\x00\x00\x00\x00\x00\x00\x9d\x01\x2a\x40\x01\xf0\x00\x00"
# That of a lossless one: a signature, then width - 1 and height - 1 in 14 bits each.
LOSSLESS = b"RIFF\x20\x00\x00\x00WEBPVP8L\x10\x00\x00\x00\x2f\x3f\xc1\x3b\x00\x00\x00\x00\x00\x00"


@pytest.mark.parametrize(
    ("data", "kind", "size"),
    [
        (png(300, 20), "image/png", (300, 20)),
        (jpeg(1024, 512), "image/jpeg", (1024, 512)),
        (webp(640, 480), "image/webp", (640, 480)),
        (LOSSY, "image/webp", (320, 240)),
        (LOSSLESS, "image/webp", (320, 240)),
        (GIF, "image/gif", (16, 32)),
        (SVG, "image/svg+xml", None),
        (b"<svg>", "image/svg+xml", None),
        (b"BM\x00\x00", "image/bmp", None),
        (b"II*\x00", "image/tiff", None),
        (b"\x00\x00\x00\x1cftypavif", "image/avif", None),
        (b"<html><svg>", None, None),
        (b"not a picture", None, None),
        (b"", None, None),
        (png()[:20], "image/png", None),
        (jpeg()[:20], "image/jpeg", None),
        (b"\xff\xd8\xff\xe0\x00\x00" * 3, "image/jpeg", None),
        (webp()[:20], "image/webp", None),
    ],
)
def test_type_and_size_are_read_from_the_bytes(
    data: bytes, kind: str | None, size: tuple[int, int] | None
) -> None:
    assert kind_of(data) == kind
    assert dimensions(data) == size


@pytest.mark.parametrize(
    "text",
    [
        b64encode(png()).decode(),
        b64encode(png()).decode().rstrip("="),
        urlsafe_b64encode(png()).decode(),
        "data:image/jpeg;base64," + b64encode(png()).decode(),
    ],
)
def test_base64_in_its_spellings_is_the_picture_it_is(text: str) -> None:
    assert decoded(text) == Media("image/png", png())


@pytest.mark.parametrize("text", ["", "!!!", b64encode(b"hello").decode(), "data:,"])
def test_what_is_no_picture_is_none(text: str) -> None:
    assert decoded(text) is None


@pytest.mark.parametrize("more", [0, 1, 2])
def test_a_large_picture_is_not_copied_on_the_way(more: int) -> None:
    """Whatever the end of its base64 is like: there are its bytes, and little beside them."""
    whole = png()[:-12] + b"\xfb" * (3_000_000 + more) + png()[-12:]
    text = b64encode(whole).decode()
    tracemalloc.start()
    try:
        made = decoded(text)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert made == Media("image/png", whole)
    assert peak < 1.2 * len(whole)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (None, Size()),
        ("1024x768", Size(pixels=(1024, 768))),
        ("1024X768", Size(pixels=(1024, 768))),
        ("16:9", Size(ratio=(16, 9))),
        ("2k", Size(step="2K")),
        ("auto", Size(step="auto")),
        ("16:9, 4K", Size(ratio=(16, 9), step="4K")),
    ],
)
def test_sizes(text: str | None, size: Size) -> None:
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["huge", "0x10", "16:0", "1024", "1024x", "0K", "1024x768x3"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--size"):
        size_of(text)


def test_a_ratio_stays_as_it_was_asked_for_and_pixels_make_one() -> None:
    assert in_ratio(Image("m", "a", size="1536x1024")) == (3, 2)
    assert in_ratio(Image("m", "a", size="21:9")) == (21, 9)
    assert in_ratio(Image("m", "a", size="2K")) is None


def test_a_ratio_is_no_size_in_pixels() -> None:
    assert in_pixels(Image("m", "a", size="10x20")) == (10, 20)
    assert in_pixels(Image("m", "a", size="auto")) is None
    with pytest.raises(UsageError, match="in pixels, not 16:9"):
        in_pixels(Image("m", "a", size="16:9"))


def test_a_format_that_is_not_made_is_refused_with_those_that_are() -> None:
    refuse_format(Image("m", "a"), ())
    refuse_format(Image("m", "a", media_type="image/jpeg"), ("image/jpeg",))
    with pytest.raises(UsageError, match="does not make png files") as refused:
        refuse_format(Image("m", "a", media_type="image/png"), ("image/jpeg",))
    assert "jpeg" in str(refused.value.hint)
    with pytest.raises(UsageError) as refused:
        refuse_format(Image("m", "a", media_type="image/png"), ())
    assert "--format" in str(refused.value.hint)


@pytest.mark.parametrize("data", [png(300, 20), jpeg(64, 64), webp(64, 48)])
def test_a_picture_without_its_end_is_none(data: bytes) -> None:
    assert picture(data) is not None
    assert picture(data[:-20]) is None
    assert picture(data[:12]) is None
