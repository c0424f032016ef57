"""One frame a body."""

import pytest

from llmctl.dialects import Frame
from llmctl.errors import ProviderFailed
from llmctl.transport.whole import WholeDecoder


def test_the_body_comes_at_its_end_and_in_one_piece() -> None:
    decoder = WholeDecoder()
    data = '\ufeff{"t":"ж\n"}'.encode()
    for byte in data:
        assert decoder.feed(bytes([byte])) == []
    assert [Frame('{"t":"ж\n"}')] == decoder.flush()


def test_an_empty_body_is_a_frame() -> None:
    assert [Frame("")] == WholeDecoder().flush()


def test_a_body_without_end_is_given_up() -> None:
    decoder = WholeDecoder(longest=10)
    decoder.feed(b"x" * 10)
    with pytest.raises(ProviderFailed):
        decoder.feed(b"x")
