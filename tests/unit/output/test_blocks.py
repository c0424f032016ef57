import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmctl.output.blocks import Fence, blocks, finished


def starts(text: str) -> list[int]:
    return [block.line for block in blocks(text)]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("one\nparagraph\n\nanother", [0, 3]),
        ("# Title\nText", [0, 1]),
        ("- a\n- b\n\n  more of b\n- c\n\nText", [0, 6]),
        ("> a\nlazy\n\nb", [0, 3]),
        ("```\n# code\n\n- more\n```\nText", [0, 5]),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n\nText", [0, 4]),
        ("Text\n\n---\n\nText", [0, 2, 4]),
        ("[1]: https://example.org", [0]),
    ],
)
def test_where_blocks_begin(text: str, lines: list[int]) -> None:
    assert starts(text) == lines


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("open", 0),
        ("a\n\nb", 0),  # b may yet become anything
        ("a\n\nb\n", 1),
        ("- item\n*", 0),  # not yet a second list: it may become *emphasis* in the item
        ("- item\n* x\n", 1),
        ("```\ncode\n```\n", 0),
        ("```\ncode\n```\nText\n", 1),
        ("a\n\nb\n\nc\n", 2),
    ],
)
def test_what_nothing_can_change(text: str, count: int) -> None:
    assert finished(blocks(text), text) == count


@pytest.mark.parametrize(
    ("text", "fence"),
    [
        ("```python\nx\n```", Fence("```python", "```", "python", "x\n", closed=True)),
        ("```python\nx\n```\n", Fence("```python", "```", "python", "x\n", closed=True)),
        ("```python\nx\n``", Fence("```python", "```", "python", "x\n``\n")),
        ("```python\nx", Fence("```python", "```", "python", "x\n")),
        ("```python\nx\n", Fence("```python", "```", "python", "x\n")),
        ("```python\n", Fence("```python", "```", "python", "")),
        ("~~~~ js  {1}\n\n~~~~", Fence("~~~~js  {1}", "~~~~", "js", "\n", closed=True)),
        ("```\n```", Fence("```", "```", "", "", closed=True)),
        ("``` &#27;[2J\n", Fence("```&#27;[2J", "```", "&#27;[2J", "")),
    ],
)
def test_a_fence_as_far_as_it_is_written(text: str, fence: Fence) -> None:
    assert [block.fence for block in blocks(text)] == [fence]


@example(["a", "\n", "|", "a", "\n", "--", "a"])  # a table, until the line goes on
@given(st.lists(st.sampled_from(["a", "\n", "- ", "```", "> ", "# ", "|", "--", "1. ", "  ", "*"])))
def test_finished_blocks_stay_as_they_are(pieces: list[str]) -> None:
    """Whatever comes after, what was finished begins where it began."""
    before: list[int] = []
    text = ""
    for piece in pieces:
        text += piece
        found = blocks(text)
        now = [block.line for block in found[: finished(found, text)]]
        assert now[: len(before)] == before
        before = now
