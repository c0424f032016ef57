"""Blocks of Markdown as lines for a terminal, drawn by rich."""

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, TableElement
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from llmctl.output.blocks import DEEPEST, Block, Fence
from llmctl.output.paint import Painter

# The terminal's own sixteen colours, on its own background: right on dark and on light ones.
THEME = "ansi_dark"

# Columns that a nesting level and a table's column need, so that nothing is squeezed away.
LEVEL_COLUMNS, CELL_COLUMNS = 4, 6


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


class _Table(TableElement):
    """A table whose long words are broken, not cut."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        if self.header is not None and self.header.row is not None:
            for cell in self.header.row.cells:
                drawn.add_column(cell.content, overflow="fold")
        for row in self.body.rows if self.body is not None else ():
            drawn.add_row(*(cell.content for cell in row.cells))
        yield drawn


class _Markdown(Markdown):
    elements = {  # noqa: RUF012  as its parent has it
        **Markdown.elements,
        "heading_open": _Heading,
        "fence": _Code,
        "code_block": _Code,
        "table_open": _Table,
    }


def typeset(block: Block, painter: Painter) -> list[str]:
    """The lines of one block; as it was written where the terminal is too narrow for it."""
    if block.fence is not None:
        return _fenced(block.fence, painter)
    if not _fits(block, painter.width):
        return painter.lines(Text(block.source, overflow="fold"))
    drawn = _Markdown("", code_theme=THEME, hyperlinks=False)
    drawn.parsed = block.tokens
    return painter.lines(drawn)


def _fits(block: Block, width: int) -> bool:
    deepest = max(token.level for token in block.tokens)
    cells = 0
    for token in block.tokens:
        if token.type == "thead_close":
            break
        cells += token.type == "th_open"
    return deepest <= min(DEEPEST, width // LEVEL_COLUMNS) and cells * CELL_COLUMNS <= width


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
