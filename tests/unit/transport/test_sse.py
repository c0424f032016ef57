"""The rules for event streams of the HTML standard (section 9.2.6), cut anywhere."""

import pytest

from llmctl.dialects import Frame
from llmctl.errors import ProviderFailed
from llmctl.transport.sse import SseDecoder


def decoded(*pieces: bytes) -> list[Frame]:
    decoder = SseDecoder()
    found: list[Frame] = []
    for piece in pieces:
        found += decoder.feed(piece)
    return found + decoder.flush()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"data: a\n\n", [Frame("a")]),
        (b"data:a\n\n", [Frame("a")]),
        (b"data:  a\n\n", [Frame(" a")]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [Frame("a"), Frame("b")]),
        (b"data: a\r\rdata: b\r\r", [Frame("a"), Frame("b")]),
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [Frame("YHOO\n+2\n10")]),
        (b"data\n\ndata\ndata\n\ndata:", [Frame(""), Frame("\n"), Frame("")]),
        (b"data:test\n\ndata: test\n\n", [Frame("test"), Frame("test")]),
        (b": comment\n\ndata: a\n: another\n\n", [Frame("a")]),
        (b":\n:\n\n", []),
        (b"event: add\ndata: 7\n\ndata: 8\n\n", [Frame("7", "add"), Frame("8")]),
        (b"data: 7\nevent:add\n\n", [Frame("7", "add")]),
        (b"event: ping\n\ndata: a\n\n", [Frame("a")]),
        (b"event\ndata: a\n\n", [Frame("a")]),
        (b"id: 1\nretry: 10\ndata: a\n\n", [Frame("a")]),
        (b"dataset: a\nunknown\ndata: b\n\n", [Frame("b")]),
        (b" data: a\n\n", []),
        (b"\xef\xbb\xbfdata: a\n\n", [Frame("a")]),
        (b"\n\n\n", []),
        (b"", []),
        # Bare JSON is nothing of the standard's, but what some servers break off with.
        (b'data: a\n\n{\n  "e": [\n  ]\n}\n', [Frame("a"), Frame('{\n  "e": [\n  ]\n}')]),
        (b'data: a\n\n{"e": {}}\ndata: b\n\n', [Frame("a"), Frame('{"e": {}}'), Frame("b")]),
        (b'[{\n  "e": 1\n}\n]\n', [Frame('[{\n  "e": 1\n}\n]')]),
        (b'[\n {\n  "e": 1\n }\n]', [Frame('[\n {\n  "e": 1\n }\n]')]),
        (b'{"e":\n: ping\n 1\n\ndata: b\n\n', [Frame('{"e":\n 1'), Frame("b")]),
        (b"{\ndata: a\n\n", [Frame("a")]),
        (b"data: a\n{}\ndata: b\n\n", [Frame("a\nb")]),
        ('data: {"t":"\u2028ж\u0085"}\n\n'.encode(), [Frame('{"t":"\u2028ж\u0085"}')]),
    ],
)
def test_streams_of_the_standard_cut_at_every_byte(data: bytes, expected: list[Frame]) -> None:
    assert expected == decoded(data)
    assert expected == decoded(*(bytes([byte]) for byte in data))
    for cut in range(len(data)):
        assert expected == decoded(data[:cut], data[cut:])


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n"])
def test_the_last_event_comes_without_its_closing_blank_line(end: bytes) -> None:
    assert [Frame("a"), Frame("usage")] == decoded(b"data: a\n\ndata: usage" + end)


def test_an_event_is_there_as_soon_as_its_blank_line_is() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"data: a\n") == []
    assert [Frame("a")] == decoder.feed(b"\n")
    assert decoder.flush() == []


def test_an_event_of_ever_more_lines_is_given_up() -> None:
    decoder = SseDecoder(longest=1000)
    with pytest.raises(ProviderFailed):
        decoder.feed(b"data: x\n" * 1000)
    decoder = SseDecoder(longest=1000)
    with pytest.raises(ProviderFailed):
        decoder.feed(b"{\n" + b" 1,\n" * 1000)


def test_comments_are_not_kept() -> None:
    decoder = SseDecoder(longest=1000)
    for _line in range(1000):
        assert decoder.feed(b": keep-alive\n") == []
