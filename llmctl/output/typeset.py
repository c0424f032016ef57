"""Blocks of Markdown as lines for a terminal, drawn by rich."""

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown
from rich.syntax import Syntax
from rich.text import Text

from llmctl.output.blocks import Block, Fence
from llmctl.output.paint import Painter

# The terminal's own sixteen colours, on its own background: right on dark and on light ones.
THEME = "ansi_dark"


class _Heading(Heading):
    """Headings at the left margin."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.justify = "left"
        yield self.text


class _Code(CodeBlock):
    """Code inside a list or a quotation: between its fences, without a margin."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        language = "" if self.lexer_name == "text" else self.lexer_name
        yield Text("```" + language, "dim")
        yield from highlighted(str(self.text), self.lexer_name)
        yield Text("```", "dim")


class _Markdown(Markdown):
    elements = {  # noqa: RUF012  as its parent has it
        **Markdown.elements,
        "heading_open": _Heading,
        "fence": _Code,
        "code_block": _Code,
    }


def typeset(block: Block, painter: Painter) -> list[str]:
    """The lines of one block."""
    if block.fence is not None:
        return _fenced(block.fence, painter)
    drawn = _Markdown("", code_theme=THEME, hyperlinks=False)
    drawn.parsed = block.tokens
    return painter.lines(drawn)


def highlighted(code: str, language: str) -> list[Text]:
    """Code in colours, a `Text` a line."""
    code = code.removesuffix("\n") + "\n"
    syntax = Syntax(code, language or "text", theme=THEME, background_color="default")
    lines = syntax.highlight(code).split("\n", allow_blank=True)[:-1]
    for line in lines:
        line.no_wrap = False
        line.overflow = "fold"
    return list(lines)


def _fenced(fence: Fence, painter: Painter) -> list[str]:
    lines = painter.lines(Text(fence.opening, "dim"), blank=True) if fence.opened else []
    if fence.code:
        for line in highlighted(fence.code, fence.language):
            lines += painter.lines(line, blank=True)
    if fence.closed:
        lines += painter.lines(Text(fence.closing, "dim"), blank=True)
    return lines
