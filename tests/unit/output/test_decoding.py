import pytest

from llmctl.errors import UsageError
from llmctl.output.decoding import decode_input

PANGRAM = "Съешь же ещё этих мягких французских булок, да выпей чаю."


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        (b"", None, ""),
        ("Привет\r\n".encode(), None, "Привет\r\n"),
        (b"\xef\xbb\xbfmark", None, "mark"),
        (b"\xff\xfea\x00b\x00", None, "ab"),
        (b"\xfe\xff\x00a\x00b", None, "ab"),
        (b"\xff\xfe\x00\x00a\x00\x00\x00", None, "a"),
        (b"\xe4\xe0", "cp1251", "да"),
        (b"\xef\xbb\xbfmark", "utf-8", "mark"),
        (b"a\x00b\x00", "utf-16-le", "ab"),
        ("a\u2028b".encode(), None, "a\u2028b"),
    ],
)
def test_bytes_become_text(data: bytes, encoding: str | None, text: str) -> None:
    assert decode_input(data, encoding) == text


@pytest.mark.parametrize("name", ["cp1251", "cp866", "koi8-r"])
def test_a_russian_text_that_is_not_utf_8_names_what_to_type(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        decode_input(f"ok\n{PANGRAM}".encode(name))

    assert caught.value.message == "the input is not valid UTF-8 (line 2, byte 4)"
    assert caught.value.hint == f"it looks like {name}: add --encoding {name}"


def test_bytes_that_look_like_nothing_get_no_guess() -> None:
    with pytest.raises(UsageError) as caught:
        decode_input(bytes(range(0x80, 0x100)) * 3)

    assert "looks like" not in str(caught.value.hint)
    assert "--encoding NAME" in str(caught.value.hint)


def test_bytes_that_are_not_what_the_flag_says() -> None:
    with pytest.raises(UsageError, match=r"not valid UTF-16-LE \(line 1, byte 3\)"):
        decode_input(b"a\x00\x00\xd8", "utf-16-le")
    with pytest.raises(UsageError, match="no such encoding: klingon"):
        decode_input(b"", "klingon")


def test_a_nul_byte_is_refused_with_its_place() -> None:
    with pytest.raises(UsageError, match="NUL byte at byte 4") as caught:
        decode_input(b"abc\0def")
    assert "binary" in str(caught.value.hint)
    with pytest.raises(UsageError, match="NUL byte at byte 2"):
        decode_input(b"a\0", "cp1251")


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["plain words", PANGRAM])
def test_utf_16_without_its_mark_is_recognised(name: str, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        decode_input(text.encode(name))

    assert caught.value.hint == f"it looks like UTF-16: add --encoding {name}"


def test_fifty_megabytes_take_a_moment() -> None:
    data = ("слово " * 5_000_000).encode()

    assert len(decode_input(data)) == 30_000_000
