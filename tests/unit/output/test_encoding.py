import pytest

from llmctl.errors import UsageError
from llmctl.output.encoding import Encoder, known, mended


@pytest.mark.parametrize(
    ("name", "found"), [("UTF8", "utf-8"), ("windows-1251", "cp1251"), ("koi8_r", "koi8-r")]
)
def test_an_encoding_has_many_names(name: str, found: str) -> None:
    assert known(name) == found


@pytest.mark.parametrize("name", ["klingon", "hex", "rot13", "base64", "", "a\0b"])
def test_what_is_no_text_encoding_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="no such encoding") as caught:
        known(name)
    assert "cp1251" in str(caught.value.hint)


def test_halves_of_a_pair_become_a_character_or_a_mark() -> None:
    assert mended("\ud83d\ude00 \ud83d \ude00") == "😀 \ufffd \ufffd"


def test_utf_8_loses_nothing() -> None:
    encoder = Encoder("utf-8")

    assert encoder.encode("ж日\x1b") == b"\xd0\xb6\xe6\x97\xa5\x1b"
    assert (encoder.unicode, encoder.lossy) == (True, False)


def test_what_is_missing_is_replaced() -> None:
    encoder = Encoder("cp1251")

    assert encoder.encode("да") == b"\xe4\xe0"
    assert (encoder.unicode, encoder.lossy) == (False, False)
    assert encoder.encode("日\ud83d\ude00!") == b"??!"
    assert encoder.lossy


def test_or_written_as_an_escape() -> None:
    encoder = Encoder("latin-1", "backslashreplace")

    assert encoder.encode("é ж") == b"\xe9 \\u0436"
    assert not encoder.lossy
