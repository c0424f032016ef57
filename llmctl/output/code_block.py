"""Fenced code blocks of Markdown, as CommonMark 0.31 section 4.5 defines them."""

import re

# A backtick fence's info string has no backtick: ```x``` is inline code.
_OPENING = re.compile(r"( {0,3})(?:(`{3,})[^`]*|(~{3,}).*)")


def first_code_block(text: str) -> str | None:
    """The content of the first fenced code block, each line ended by a newline; None where there
    is none. A block that is never closed reaches to the end of the text."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        opening = _OPENING.fullmatch(line.removesuffix("\r"))
        if opening:
            fence = opening[2] or opening[3]
            return _content(lines[number + 1 :], fence, indent=len(opening[1]))
    return None


def _content(lines: list[str], fence: str, indent: int) -> str:
    closing = re.compile(rf" {{0,3}}{re.escape(fence[0])}{{{len(fence)},}}[ \t\r]*")
    content = []
    for line in lines:
        if closing.fullmatch(line):
            break
        content.append(_unindented(line, indent))
    else:
        if content and not content[-1]:
            content.pop()  # what follows the last newline is no line
    return "".join(line + "\n" for line in content)


def _unindented(line: str, indent: int) -> str:
    """`line` without as many leading spaces as the opening fence has."""
    return line[min(indent, len(line) - len(line.lstrip(" "))) :]
