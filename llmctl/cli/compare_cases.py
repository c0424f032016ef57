"""The cases of a comparison: the one prompt of the command line, or the rows of a file."""

from collections.abc import Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING

from llmctl.cli.compare_asked import CompareAsked
from llmctl.cli.stdin import Prompt, joined
from llmctl.compare.shape import Case, Skipped
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.types import Json

if TYPE_CHECKING:
    from llmctl.rows import Row
    from llmctl.settings import Loaded

EXAMPLE = 'llmctl compare "Why is the sky blue?" -m MODEL -m MODEL'
EXPECTED = "expected"  # the column of right answers, where a file has it and nobody names one


async def read_cases(
    asked: CompareAsked, loaded: "Loaded"
) -> tuple[tuple[Case, ...], tuple[Skipped, ...]]:
    """The cases, and the rows that are none. Raises UsageError where nothing is left to ask, and
    what a data set may lead to."""
    if asked.prompts is None:
        return (_typed(asked, loaded),), ()
    from llmctl.rows import BadRow, BadText, open_rows

    cases: list[Case] = []
    skipped: list[Skipped] = []
    rows = open_rows(
        asked.prompts,
        format=asked.input_format,
        limit=asked.limit,
        encoding=loaded.settings.output.encoding,
        unique=True,
        loaded=loaded,
        note=None if asked.quiet else _note,
    )
    async with aclosing(rows) as found:
        async for row in found:
            if isinstance(row, BadRow):
                skipped.append(Skipped(line=row.line, why=row.why))
                continue
            try:
                cases.append(of_row(row, asked))
            except BadText as bad:
                skipped.append(Skipped(line=row.line, why=str(bad)))
    if not cases:
        if not skipped:
            raise UsageError(_("{source} has no prompt in it", source=asked.prompts))
        raise UsageError(
            _("no row of {source} can be used; line {line}: {said}", source=asked.prompts,
              line=skipped[0].line, said=skipped[0].why),
            hint=_("the prompt is in the column prompt or --column NAME, the right answer in"
                   " --expected NAME; a file of another encoding: --encoding cp1251"),
        )  # fmt: skip
    return tuple(cases), tuple(skipped)


def _typed(asked: CompareAsked, loaded: "Loaded") -> Case:
    prompt = joined(
        asked.prompt,
        read=not asked.no_stdin and "-" not in (asked.attachment or ()),
        encoding=loaded.settings.output.encoding,
        quiet=asked.quiet,
        example=EXAMPLE,
    )
    columns: Mapping[str, Json] = {"input": prompt.input, "prompt": prompt.argument}
    return Case(id="1", text=prompt.text(), columns=columns)


def of_row(row: "Row", asked: CompareAsked) -> Case:
    """Raises BadText for a row without a prompt, or without the right answer that was to be in
    it: such a row could only fail."""
    from llmctl.rows import BadText, text_of

    text = text_of(row, asked.column)
    expected = row.values.get(asked.expected or EXPECTED)
    if asked.expected is not None and expected in (None, "", []):
        raise BadText(_("the row has no {column}", column=asked.expected))
    return Case(
        id=row.name,
        line=row.line,
        text=text,
        expected=_written(expected),
        columns=row.values,
    )


def _written(value: Json) -> str | None:
    """A right answer as text: what is none is as JSON writes it."""
    if value is None or isinstance(value, str):
        return value
    import json

    return json.dumps(value, ensure_ascii=False, default=str)


def prompt_of(case: Case, asked: CompareAsked) -> Prompt:
    """What a case asks: a row stands where standard input does, before the PROMPT."""
    if case.line is None:
        return Prompt(case.columns.get("input"), case.columns.get("prompt"))
    return Prompt(case.text, asked.prompt)


def _note(text: str) -> None:
    from llmctl.output.streams import err
    from llmctl.output.terminal import safe_line

    err(f"llmctl: {safe_line(text)}\n")
