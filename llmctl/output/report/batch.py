"""The report of a job: what became of its rows, what they cost and how long they took."""

from collections.abc import Iterable

from llmctl.batch.shape import JobSummary
from llmctl.output.batch_rows import Line
from llmctl.output.report import batch_details, batch_models, batch_sections
from llmctl.output.report.batch_gathered import BatchReport
from llmctl.output.report.elements import tag
from llmctl.output.report.page import document

Lines = Iterable[bytes | Line | None]


def batch_page(
    summary: JobSummary, rows: Lines, failures: Lines, *, language: str | None = None
) -> str:
    """The whole page as text, to be written as UTF-8. `rows` are the lines of the output,
    `failures` those of the errors beside it: as bytes, or as `batch_rows_read.read_lines` gives
    them. Each is read once; neither page nor memory grows with their number. `language` is the
    locale of messages, by default that of the environment.
    """
    report = BatchReport().read(rows).read(failures, failed=True)
    body = [
        batch_sections.head(summary, report),
        batch_sections.outcomes(summary, report),
        batch_sections.charts(report),
        batch_models.models(report),
        batch_details.failures(summary, report),
        batch_details.extremes(report),
        batch_details.answers(summary, report),
        batch_details.measured(summary, report),
    ]
    return document(batch_sections.title(summary), tag("main", body), language=language)
