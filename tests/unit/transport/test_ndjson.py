"""A frame a line."""

import pytest

from llmctl.dialects import Frame
from llmctl.transport.ndjson import NdjsonDecoder


def decoded(*pieces: bytes) -> list[Frame]:
    decoder = NdjsonDecoder()
    found: list[Frame] = []
    for piece in pieces:
        found += decoder.feed(piece)
    return found + decoder.flush()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"a":1}\n{"b":2}\n', ['{"a":1}', '{"b":2}']),
        (b'{"a":1}\r\n\r\n  \n{"b":2}', ['{"a":1}', '{"b":2}']),
        (b'\xef\xbb\xbf{"a":1}', ['{"a":1}']),
        ('{"a":"\u2028ж"}\n'.encode(), ['{"a":"\u2028ж"}']),
        (b"", []),
        (b" ", []),
    ],
)
def test_lines_cut_at_every_byte(data: bytes, expected: list[str]) -> None:
    wanted = [Frame(line) for line in expected]
    assert wanted == decoded(data)
    assert wanted == decoded(*(bytes([byte]) for byte in data))
    for cut in range(len(data)):
        assert wanted == decoded(data[:cut], data[cut:])
