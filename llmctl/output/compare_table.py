"""A comparison for people: on a terminal the answers first, then the table, then what it means."""

from collections.abc import Sequence

from llmctl.compare.figures import Summary
from llmctl.compare.shape import Comparison, Trial
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.columns import cells
from llmctl.output.compare_text import Column, Row, columns_of, encodable, rows_of
from llmctl.output.compare_verdicts import advice_lines, note_lines, verdict_lines
from llmctl.output.report import words
from llmctl.output.table import table_text
from llmctl.output.terminal import Screen, Terminal, safe, safe_line

BOLD, PLAIN = "\x1b[1m", "\x1b[0m"
# Of each answer where there are several: enough to see what it is like.
SHORTENED = 4
INDENT = "  "
NARROW = 80  # columns up to which a table in several parts is no help


def print_result(comparison: Comparison, summary: Summary, terminal: Terminal) -> None:
    """On standard output; raises PipeClosed or IoFailed."""
    streams.out(result_text(comparison, summary, terminal))


def result_text(comparison: Comparison, summary: Summary, terminal: Terminal | None = None) -> str:
    """Without a terminal, or where its standard output is none: no answers, and a table however
    wide."""
    screen = terminal.stdout if terminal is not None and terminal.stdout.is_tty else None
    parts = [] if screen is None else [_answers(comparison, screen)]
    parts.append(_table(comparison, summary, screen))
    sections = (
        verdict_lines(comparison, summary),
        note_lines(comparison, summary),
        advice_lines(comparison, summary),
    )
    parts += ["".join(_line(line, screen) for line in lines) for lines in sections]
    return "\n".join(part for part in parts if part)


# ---- answers -----------------------------------------------------------------------------------


def _answers(comparison: Comparison, screen: Screen) -> str:
    """Of one case: each answer in full under its model's name, of repeats the first, shortened."""
    if len(comparison.cases) != 1:
        return ""
    shown: dict[int, Trial] = {}
    for trial in comparison.measured:
        first = shown.get(trial.candidate)
        if first is None or trial.repeat < first.repeat:
            shown[trial.candidate] = trial
    several = comparison.repeat > 1
    answers = [_answer(comparison, shown[at], screen, several=several) for at in sorted(shown)]
    return "\n".join(answers)


def _answer(comparison: Comparison, trial: Trial, screen: Screen, *, several: bool) -> str:
    name = safe_line(comparison.candidates[trial.candidate].name)
    lines = _text_lines(trial.receipt.text.strip("\n"), screen)
    cut = several and len(lines) > SHORTENED
    lines = [*lines[: SHORTENED - 1], "…"] if cut else lines
    error = trial.receipt.error
    if error is not None:
        lines += _folded(f"{words.failure(error.code)}: {safe_line(error.message)}", screen.width)
    for mark in trial.marks:
        if not mark.passed:
            why = f": {mark.why}" if mark.why else ""
            text = _("not passed: {check}", check=mark.check) + why
            lines += _folded(safe_line(text), screen.width)
    head = [_styled(line, BOLD, screen) for line in _folded(name, screen.width)]
    return "\n".join([*head, *lines]) + "\n"


def _text_lines(text: str, screen: Screen) -> list[str]:
    """An answer as lines: Markdown is drawn where the cursor can be moved, as `ask` does."""
    text = safe(encodable(text))
    if not text.strip():
        return []
    if not screen.cursor:
        return text.split("\n")
    from llmctl.output.blocks import blocks
    from llmctl.output.paint import Painter
    from llmctl.output.typeset import typeset

    painter = Painter(screen)
    lines: list[str] = []
    for block in blocks(text):
        try:
            drawn = typeset(block, painter)
        except Exception:  # whatever a stranger's text breaks in a renderer, the text is shown
            drawn = block.source.split("\n")
        if lines and drawn:
            lines.append("")
        lines += drawn
    return lines


# ---- the table ---------------------------------------------------------------------------------


def _table(comparison: Comparison, summary: Summary, screen: Screen | None) -> str:
    """One table where it fits, else several with as many columns as do; on a narrow terminal, and
    where a single column would not fit, a block for each model."""
    rows, columns = rows_of(comparison, summary), columns_of(comparison, summary)
    whole = _drawn(rows, columns)
    if screen is None:
        return whole
    if _fits(whole, screen):
        return _headed(whole, screen)
    tables = _packed(rows, columns, screen)
    if screen.width <= NARROW or not all(_fits(table, screen) for table in tables):
        return "\n".join(_block(row, columns, screen) for row in rows)
    return "\n".join(_headed(table, screen) for table in tables)


def _packed(rows: Sequence[Row], columns: Sequence[Column], screen: Screen) -> list[str]:
    """Tables with the names before as many columns as fit; facts are in tables of their own."""
    tables: list[str] = []
    taken: list[Column] = []
    for column in columns:
        more = [*taken, column]
        if taken and (column.fact != taken[-1].fact or not _fits(_drawn(rows, more), screen)):
            tables.append(_drawn(rows, taken))
            more = [column]
        taken = more
    return [*tables, _drawn(rows, taken)]


def _drawn(rows: Sequence[Row], columns: Sequence[Column]) -> str:
    headers = [_("model"), *(one.header for one in columns)]
    texts = [
        [row.candidate.name, *(one.cell(row.candidate, row.line) for one in columns)]
        for row in rows
    ]
    right = [at for at, one in enumerate(columns, start=1) if one.right]
    return table_text(headers, texts, right=right)


def _fits(table: str, screen: Screen) -> bool:
    return max(map(cells, table.splitlines())) <= screen.width


def _headed(table: str, screen: Screen) -> str:
    head, newline, rest = table.partition("\n")
    return _styled(head, BOLD, screen) + newline + rest


def _block(row: Row, columns: Sequence[Column], screen: Screen) -> str:
    lines = [
        _styled(line, BOLD, screen) for line in _folded(safe_line(row.candidate.name), screen.width)
    ]
    label = max((cells(one.header) for one in columns), default=0)
    for one in columns:
        text = one.cell(row.candidate, row.line)
        if text is None:
            continue
        start = INDENT + one.header + " " * (label - cells(one.header)) + INDENT
        room = max(screen.width - cells(start), 8)
        first, *others = _folded(safe_line(text), room) or [""]
        lines.append(start + first)
        lines += [" " * cells(start) + more for more in others]
    return "\n".join(lines) + "\n"


def _line(text: str, screen: Screen | None) -> str:
    """One sentence; on a terminal broken between words, further lines set in."""
    text = safe_line(text)
    if screen is None:
        return text + "\n"
    set_in = " " * (len(text) - len(text.lstrip(" ")))
    room = max(screen.width - len(set_in) - len(INDENT), 8)
    first, *others = _folded(text.lstrip(" "), room) or [""]
    return "\n".join([set_in + first, *(set_in + INDENT + more for more in others)]) + "\n"


def _folded(text: str, width: int) -> list[str]:
    """Lines of a width, broken between words where that can be."""
    from llmctl.output.pane import wrapped

    return [line.rstrip() for line in wrapped(encodable(text), width)]


def _styled(text: str, style: str, screen: Screen) -> str:
    return f"{style}{text}{PLAIN}" if screen.colour else text
