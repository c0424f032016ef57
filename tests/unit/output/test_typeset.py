import pytest

from llmctl.output.blocks import blocks
from llmctl.output.paint import Painter
from llmctl.output.typeset import typeset
from tests.unit.output.shared import SCREEN


def drawn(text: str, *, width: int = 40, colour: bool = False) -> list[str]:
    painter = Painter(SCREEN._replace(width=width, colour=colour))
    return [line for block in blocks(text) for line in typeset(block, painter)]


def plain(text: str, *, width: int = 40) -> list[str]:
    """Without the attributes (bold, dim) that are no colour."""
    import re

    return [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in drawn(text, width=width)]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("A *b* **c** `d` ~~e~~", ["A b c d e"]),
        ("line\nline", ["line", "line"]),  # as models mean it
        ("# Title", ["Title"]),
        ("### Sub", ["Sub"]),
        ("- a\n- b\n  - c", [" • a", " • b", "    • c"]),
        ("3. a\n4. b", [" 3 a", " 4 b"]),
        ("> said", ["▌ said"]),
        ("[text](https://e.org/x)", ["text (https://e.org/x)"]),
        ("<https://e.org>", ["https://e.org"]),
        ("[https://a.org](https://evil.org)", ["https://a.org (https://evil.org)"]),
        ("![sky](https://e.org/a.png)", ["sky (https://e.org/a.png)"]),
        ("![](https://e.org/a.png)", ["(https://e.org/a.png)"]),
        ("[1]: https://e.org", ["[1]: https://e.org"]),
        ("<b>bold</b> <br>", ["<b>bold</b> <br>"]),
        ("<div>\nblock\n</div>", ["<div>", "block", "</div>"]),
        ("`[red]`[/red]", ["[red][/red]"]),
        (":smile:", [":smile:"]),
        ("```python\nif x:\n\n    y = '''\n```", ["```python", "if x:", "", "    y = '''", "```"]),
        ("```\n\n\n```", ["```", "", "", "```"]),
        ("```nosuchlanguage\nx", ["```nosuchlanguage", "x"]),
        ("- a\n  ```sh\n  ls\n  ```", [" • a", "   ```sh", "   ls", "   ```"]),
        ("    indented", ["```", "indented", "```"]),
    ],
)
def test_markdown_as_lines(text: str, lines: list[str]) -> None:
    assert plain(text) == lines


@pytest.mark.parametrize(
    "text",
    [
        "&#27;]52;c;x&#7; &#8238;abc &#13; &#x9b;31m",
        "[x](https://e.org/&#8238;y)",
        "![&#8238;](a)",
        "# &#8238;",
        "| &#8238; |\n|---|\n| &#12; |",
    ],
)
def test_character_references_cannot_drive_the_terminal(text: str) -> None:
    for line in plain(text):
        assert line.isprintable()


def test_long_lines_are_wrapped_and_complete() -> None:
    words = [f"word{number}" for number in range(40)]
    for text in (" ".join(words), "- " + " ".join(words), "```\n" + " ".join(words) + "\n```"):
        lines = plain(text, width=30)
        assert max(map(len, lines)) <= 30
        assert [word for line in lines for word in line.split() if word.startswith("w")] == words


def test_a_table_breaks_long_words() -> None:
    address = "https://example.org/" + "x" * 60
    lines = plain(f"| a | b |\n|---|--:|\n| {address} | second |\n", width=30)

    assert lines[0].split() == ["a", "b"]
    assert "".join(line.split()[0] for line in lines[2:]) == address
    assert lines[2].endswith(" second")


@pytest.mark.parametrize(
    "text",
    [
        "\n".join("  " * level + f"- w{level}" for level in range(60)),
        ">" * 60 + " quoted",
        "|" + "a|" * 20 + "\n|" + "-|" * 20 + "\n|" + "1|" * 20,
    ],
)
def test_what_is_too_deep_or_too_wide_is_shown_as_written(text: str) -> None:
    assert "".join("".join(plain(text)).split()) == "".join(text.split())


def test_code_is_coloured_where_colour_is_wanted() -> None:
    text = "```python\nprint('x')  # why\n```"

    assert any("\x1b[3" in line or "\x1b[9" in line for line in drawn(text, colour=True))
    assert not any("\x1b[3" in line or "\x1b[9" in line for line in drawn(text))


def test_each_line_ends_the_styles_it_begins() -> None:
    for line in drawn("**" + "bold " * 30 + "**\n\n```python\n'''a\nb\n'''\n```", colour=True):
        assert "\x1b[" not in line or line.rindex("\x1b[0m") == line.rindex("\x1b[")
