"""The texts of one `llmctl embed`, one after the other as they are read."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

from llmctl.cli.stdin import piped, read_stdin, tell_if_silent
from llmctl.engine.embedding import Item
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.cli.embed_asked import EmbedAsked
    from llmctl.settings import Loaded


@dataclass(frozen=True, slots=True)
class Source:
    """Where the texts are: `text` is the only one there is, else they are rows of `path`, None
    standing for standard input."""

    text: str | None = None
    path: str | None = None


def source_of(asked: "EmbedAsked", encoding: str | None) -> Source:
    """Raises UsageError where there is nothing to read."""
    if asked.text is not None and asked.text != "-":
        return Source(text=asked.text)
    if asked.file is not None and asked.file != "-":
        return Source(path=asked.file)
    wanted = asked.text == "-" or asked.file == "-"
    if not wanted and (asked.no_stdin or not piped()):
        raise UsageError(
            _("there is no text"),
            hint=_('give one: llmctl embed "a text", or a text a line with --file PATH'),
        )
    if asked.whole:
        text = read_stdin(encoding, quiet=asked.quiet)
        if not text.strip():
            raise UsageError(_("the text is empty"))
        return Source(text=text.rstrip("\n"))
    tell_if_silent(quiet=asked.quiet)
    return Source()


async def items(
    asked: "EmbedAsked", source: Source, loaded: "Loaded | None" = None
) -> AsyncGenerator[Item, None]:
    """The texts in order; raises UsageError for a row without one and for an empty source, and what
    a data set may lead to."""
    if source.text is not None:
        yield Item(0, source.text)
        return
    from llmctl.rows import BadRow, BadText, open_rows, text_of

    number = 0
    rows = open_rows(
        source.path,
        format=asked.input_format,
        columns=(asked.column,) if asked.column else (),
        limit=asked.limit,
        encoding=loaded.settings.output.encoding if loaded else None,
        loaded=loaded,
        note=None if asked.quiet else _note,
    )
    async with aclosing(rows) as found:
        async for row in found:
            if isinstance(row, BadRow):
                raise _bad(row.line, row.why)
            try:
                text = text_of(row, asked.column)
            except BadText as bad:
                raise _bad(row.line, str(bad)) from None
            yield Item(number, text, row.line, row.id)
            number += 1
    if not number:
        raise UsageError(_("{source} has no text in it", source=source.path or _("standard input")))


async def begun(texts: AsyncGenerator[Item, None]) -> AsyncGenerator[Item, None]:
    """The same texts, once the first of them is there: what is wrong with the source as a whole
    comes before anything is said or sent. Raises what reading it does."""
    first = await anext(texts)

    async def rest() -> AsyncGenerator[Item, None]:
        async with aclosing(texts) as others:
            yield first
            async for one in others:
                yield one

    return rest()


def _note(text: str) -> None:
    from llmctl.output.streams import err
    from llmctl.output.terminal import safe_line

    err(f"llmctl: {safe_line(text)}\n")


def _bad(line: int, why: str) -> UsageError:
    return UsageError(
        _("line {line}: {said}", line=line, said=why),
        hint=_("mend the row or leave it out; where the texts stand is said with --column NAME"),
    )
