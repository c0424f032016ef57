"""Markdown cut into its top-level blocks while it is still being written."""

from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from llmctl.output.terminal import safe_line

# Nested blocks count one each, lists two.
DEEPEST = 40

# HTML is shown, not swallowed. Link definitions are shown too: they would change what stands above
# them, which is printed already, and hide an address.
_PARSER = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST + 4}).enable(
    ["strikethrough", "table"]
)
_PARSER.disable("reference")


@dataclass(slots=True)
class Fence:
    """A fenced code block at top level. `opened` is false for the rest of a block whose first
    lines are printed, `closed` once its end is here."""

    opening: str
    closing: str
    language: str
    code: str
    opened: bool = True
    closed: bool = False


@dataclass(slots=True)
class Block:
    """One top-level block: its first line in the text, its source, and what it is."""

    line: int
    source: str = ""
    tokens: list[Token] = field(default_factory=list)
    fence: Fence | None = None


def blocks(text: str) -> list[Block]:
    """The top-level blocks of `text`, in order."""
    found: list[Block] = []
    for token in _PARSER.parse(text):
        if token.level == 0 and token.nesting >= 0 and token.map is not None:
            fence = _fence(token) if token.type == "fence" else None
            found.append(Block(token.map[0], fence=fence))
        if token.children is not None:
            token.children = _shown(token.children)
        elif token.type == "code_block":
            token.content = "".join(
                safe_line(line) + "\n" for line in token.content.removesuffix("\n").split("\n")
            )
        found[-1].tokens.append(token)
    lines = text.split("\n")
    ends = [*(block.line for block in found), len(lines)][1:]
    for block, end in zip(found, ends, strict=False):  # no block in no text
        block.source = "\n".join(lines[block.line : end]).rstrip("\n")
    return found


def finished(found: list[Block], text: str) -> int:
    """How many of the first blocks nothing that follows can change: those before the last block
    that begins in a complete line."""
    complete = text.count("\n")
    if found and found[-1].tokens[0].type == "table_open" and found[-1].line + 1 == complete:
        # Its second line makes a table, and that is still being written: "--" may become "--x".
        text = text[: text.rindex("\n") + 1]
        found = blocks(text)
    begun = [number for number, block in enumerate(found) if block.line < complete]
    return begun[-1] if begun else 0


def _fence(token: Token) -> Fence:
    assert token.map is not None  # noqa: S101  the caller has looked
    lines = token.map[1] - token.map[0]
    info = safe_line(token.info.strip())
    code = token.content
    if code and not code.endswith("\n"):  # its last line is still being written
        code += "\n"
    return Fence(
        opening=token.markup + info,
        closing=token.markup,
        language=info.split(" ")[0],
        code=code,
        closed=lines == code.count("\n") + 2,
    )


def _shown(children: list[Token]) -> list[Token]:
    """Inline tokens as they are to be shown: line ends kept as models write them, addresses never
    hidden behind a picture, character references harmless."""
    shown: list[Token] = []
    for number, token in enumerate(children):
        match token.type:
            case "softbreak":
                token.type, token.tag = "hardbreak", "br"
            case "image":
                token = _picture(token)
            case "link_open":
                if _names_itself(children, number):
                    continue
                token.attrs["href"] = safe_line(str(token.attrs.get("href", "")))
            case "link_close":
                if number >= 2 and _names_itself(children, number - 2):
                    continue
            case _:
                token.content = safe_line(token.content)
        shown.append(token)
    return shown


def _names_itself(children: list[Token], number: int) -> bool:
    """Whether the link opened there shows its own address, which then need not stand twice."""
    if number + 2 >= len(children) or children[number].type != "link_open":
        return False
    text, end = children[number + 1], children[number + 2]
    return (
        text.type == "text"
        and end.type == "link_close"
        and text.content == children[number].attrs.get("href")
    )


def _picture(token: Token) -> Token:
    address = str(token.attrs.get("src", ""))
    return Token("text", "", 0, content=safe_line(f"{token.content} ({address})".lstrip()))
