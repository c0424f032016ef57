"""Lines end at LF, CR and CRLF, wherever the network cuts them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmctl.errors import ProviderFailed
from llmctl.transport.lines import Lines


def lines(*pieces: bytes) -> list[str]:
    splitter = Lines()
    found: list[str] = []
    for piece in pieces:
        found += splitter.feed(piece)
    return found + splitter.flush()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\n", ["a"]),
        (b"a\nb", ["a", "b"]),
        (b"a\r\nb\rc\nd", ["a", "b", "c", "d"]),
        (b"a\n\nb\n", ["a", "", "b"]),
        (b"a\r\n\r\nb\r\n", ["a", "", "b"]),
        (b"a\r\rb\r", ["a", "", "b"]),
        (b"\n\r", ["", ""]),
    ],
)
def test_lines_end_at_lf_cr_and_crlf_however_they_are_cut(data: bytes, expected: list[str]) -> None:
    assert expected == lines(data)
    assert expected == lines(*(bytes([byte]) for byte in data))
    for cut in range(len(data)):
        assert expected == lines(data[:cut], b"", data[cut:])


def test_other_line_separators_of_unicode_end_no_line() -> None:
    text = "a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\x1dh\x1ei"
    assert [text] == lines(text.encode(), b"\n")


def test_a_byte_order_mark_is_dropped_at_the_start_only() -> None:
    assert lines(b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n") == ["a", "\ufeffb"]
    assert lines(b"\xef", b"\xbb", b"\xbfa\n") == ["a"]


def test_a_character_cut_in_two_stays_whole() -> None:
    data = "ж😀\n".encode()
    for cut in range(len(data)):
        assert lines(data[:cut], data[cut:]) == ["ж😀"]


def test_broken_utf8_costs_its_own_line_only() -> None:
    assert lines(b"a\xe2\x82\nb\n\xff") == ["a\ufffd", "b", "\ufffd"]


def test_a_line_of_two_megabytes_is_fine_and_one_without_end_is_not() -> None:
    big = b"x" * (2 << 20)
    assert [big.decode()] == lines(big, b"\n")
    splitter = Lines(longest=100)
    splitter.feed(b"x" * 100)
    with pytest.raises(ProviderFailed) as caught:
        splitter.feed(b"x")
    assert (caught.value.reason, caught.value.retryable) == ("endless", False)


def test_the_length_counts_anew_for_each_line() -> None:
    splitter = Lines(longest=10)
    for _turn in range(20):
        splitter.feed(b"x" * 8)
        assert splitter.feed(b"\n") == ["x" * 8]


@given(st.text(st.sampled_from("aж\u2028\n\r"), max_size=30), st.lists(st.integers(0, 60)))
def test_any_cuts_give_the_lines_of_the_standard(text: str, cuts: list[int]) -> None:
    data = text.encode()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges)]
    *whole, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert ([*whole, rest] if rest else whole) == lines(*pieces)
