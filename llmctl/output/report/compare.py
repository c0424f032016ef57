"""The report of a comparison: what to choose first, and below it everything that speaks for it."""

from llmctl.compare.figures import Summary
from llmctl.compare.shape import Comparison
from llmctl.output.report import (
    compare_answers,
    compare_charts,
    compare_end,
    compare_pairs,
    compare_table,
    compare_top,
)
from llmctl.output.report.compare_view import View
from llmctl.output.report.elements import tag
from llmctl.output.report.page import document

LARGEST = 1_900_000  # bytes of a page, style and script included


def compare_html(
    comparison: Comparison,
    summary: Summary,
    *,
    language: str | None = None,
    base: int | None = None,
) -> str:
    """The whole page as text, to be written as UTF-8: at most LARGEST bytes as long as what is no
    answer takes less. `language` is the locale of messages, by default that of the environment;
    `base` the candidate whose answers the others are compared with.
    """
    view = View(comparison, summary)
    before = [
        compare_top.head(view),
        compare_table.candidates(view),
        compare_charts.charts(view),
        compare_pairs.pairs(view),
        compare_pairs.front(view),
        compare_pairs.refused(view),
    ]
    after = [compare_end.rulings(view), compare_end.skipped(view), compare_end.measured(view)]
    title = compare_top.title(view)
    taken = len(document(title, before, after, language=language).encode())
    # Headings of cases and notes are not measured one by one.
    room = compare_answers.Room(LARGEST - taken - 50_000)
    answers = compare_answers.answers(view, room, base)
    return document(title, tag("main", before, answers, after), language=language)
