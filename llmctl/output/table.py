"""Tables: aligned text in a pipe, drawn by rich on a terminal."""

from collections.abc import Collection, Iterable, Sequence

from llmctl.output import streams
from llmctl.output.columns import cells
from llmctl.output.terminal import Screen, Terminal, detect, safe_line

Cell = object  # shown as its text; None as NOTHING_KNOWN
NOTHING_KNOWN = "-"
GAP = "  "
NARROWEST = 8  # columns of a text that is folded, as long as there are others to take from


def table(
    headers: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    terminal: Terminal | None = None,
    right: Collection[int] = (),
) -> None:
    """Print a table on standard output; the columns numbered in `right` are right-aligned."""
    terminal = terminal or detect()
    texts = [[_text(cell) for cell in row] for row in rows]
    if terminal.stdout.cursor:
        streams.out(_drawn(headers, texts, terminal.stdout, right))
    else:
        streams.out(table_text(headers, texts, right=right))


def table_or_blocks(
    headers: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    terminal: Terminal | None = None,
    right: Collection[int] = (),
) -> None:
    """Print a table, and on a terminal that is too narrow for it a block for each row, under what
    stands in its first column; what is not known is left out there."""
    terminal = terminal or detect()
    listed = [list(row) for row in rows]
    whole = table_text(headers, listed, right=right)
    screen = terminal.stdout
    if not screen.is_tty or max(map(cells, whole.splitlines())) <= screen.width:
        table(headers, listed, terminal=terminal, right=right)
        return
    wide = max(map(cells, headers[1:]))
    for row in listed:
        streams.out(f"{_text(row[0])}\n")
        for header, cell in zip(headers[1:], row[1:], strict=True):
            if cell is not None:
                streams.out(f"  {header}{' ' * (wide - cells(header))}  {_text(cell)}\n")
        streams.out("\n")


def table_text(
    headers: Sequence[str], rows: Iterable[Sequence[Cell]], *, right: Collection[int] = ()
) -> str:
    """Columns two spaces apart, nothing cut, no space at the end of a line; wide characters count
    as two columns."""
    lines = [list(headers), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(cells(line[column]) for line in lines) for column in range(len(headers))]
    return "".join(_aligned(line, widths, right) + "\n" for line in lines)


def _aligned(line: Sequence[str], widths: Sequence[int], right: Collection[int]) -> str:
    parts = []
    for column, (text, width) in enumerate(zip(line, widths, strict=True)):
        space = " " * (width - cells(text))
        parts.append(space + text if column in right else text + space)
    return GAP.join(parts).rstrip()


def _text(cell: Cell) -> str:
    return NOTHING_KNOWN if cell is None else safe_line(str(cell))


def _drawn(
    headers: Sequence[str], rows: list[list[str]], screen: Screen, right: Collection[int]
) -> str:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from llmctl.output.paint import console_for

    drawn = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, len(GAP) - 1, 0, 0),  # the box has a column of its own between two of ours
        pad_edge=False,
        header_style="bold" if screen.colour else "",
        show_edge=False,
    )
    widths = [max(cells(line[at]) for line in [headers, *rows]) for at in range(len(headers))]
    fitted = _fitted(widths, right, screen.width - len(GAP) * (len(headers) - 1))
    whole = fitted[0] == widths[0]
    for column, header in enumerate(headers):
        drawn.add_column(
            Text(header),
            justify="right" if column in right else "left",
            overflow="ellipsis" if whole else "fold",
            no_wrap=whole,
            width=fitted[column],
        )
    for row in rows:
        drawn.add_row(*(Text(text) for text in row))
    console = console_for(screen)
    with console.capture() as captured:
        console.print(drawn)
    return "".join(line.rstrip() + "\n" for line in captured.get().splitlines())


def _fitted(widths: Sequence[int], right: Collection[int], room: int) -> list[int]:
    """Widths that fit, the widest columns made narrower. One line a row: the first column holds
    what is copied to the next command, so it stays whole, and so do figures, since half of one is
    another figure; texts get what room there is. Where that is none, the first column, which is
    folded then, gives way too, and at last the figures."""
    fitted = list(widths)
    texts = [column for column in range(1, len(widths)) if column not in right]
    stays = sum(widths) - sum(widths[column] for column in texts) + len(texts) <= room
    first, least = (texts, 1) if stays else ([0, *texts], NARROWEST)
    for columns, floor in ((first, least), ([*range(len(widths))], 1)):
        while sum(fitted) > room:
            widest = max(columns, key=fitted.__getitem__, default=0)
            if fitted[widest] <= floor:
                break
            fitted[widest] -= 1
    return fitted
