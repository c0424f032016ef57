"""Rows of a job that several tests use."""

from collections.abc import Mapping

from llmctl.batch.shape import Ended, Hop
from llmctl.types import NOTHING, Json, Receipt
from llmctl.values import replace
from tests.unit.output.shared import FAILED, FULL

# Characters that drive a terminal, end lines for some programs, show text in another order, or are
# none at all.
HOSTILE = "a\x1b]0;t\x07b\u2028c\u2029d\x85e\x00f\u202eg\ud83dh\r\ni</script><b>"


def answered(line: int, text: str = "Blue.", columns: Mapping[str, Json] = NOTHING) -> Ended:
    receipt = replace(FULL, text=text, media=(), tool_calls=())
    return Ended(line=line, id=f"r{line}", receipt=receipt, columns=columns)


def failed(line: int) -> Ended:
    return Ended(line=line, id=f"r{line}", receipt=FAILED)


def hopped(line: int) -> Ended:
    receipt: Receipt = replace(FULL, media=(), tool_calls=())
    return Ended(
        line=line,
        id=f"r{line}",
        receipt=receipt,
        hops=(Hop("gigachat/GigaChat-2", "rate-limited"), Hop("ollama/qwen3", "network")),
        same_as="r1",
        cached=True,
        columns={"label": "blue", "n": 3},
    )
