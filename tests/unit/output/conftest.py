"""What the tests of output share."""

from collections.abc import Iterator

import pytest

# The Markdown renderer imports rich in a thread; imported here, no thread is at work in a test.
import llmctl.output.typeset  # noqa: F401
from llmctl.output import streams


@pytest.fixture(autouse=True)
def locale_encoding() -> Iterator[None]:
    """No test leaves an --encoding behind."""
    yield
    streams.use_encoding(None)
