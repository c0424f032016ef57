"""`llmctl embed --similar`: the texts that are most like a question."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from llmctl.cli import embed_models as models
from llmctl.cli.embed_running import Job, Running
from llmctl.cli.embed_source import begun, items
from llmctl.cli.embedding import for_questions
from llmctl.cli.loop import run_async, stopped
from llmctl.engine.embedding import Item
from llmctl.engine.similar import Likeness, Ranking
from llmctl.errors import IoFailed, LlmctlError, PipeClosed
from llmctl.messages import _
from llmctl.output.envelope import envelope, json_text
from llmctl.output.sink import Sink, sink_to
from llmctl.output.table import table, table_text
from llmctl.types import Receipt
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.cli.embed_asked import EmbedAsked

DIGITS = 4  # of a likeness for people


def ranked(job: Job) -> LlmctlError | None:
    """Embed the question and the texts, and show the likest; the error that ended it."""
    sink = sink_to(job.asked.output, None)
    running = Running(job)
    found, error = run_async(_compared(job, running))
    receipt = running.receipt(error)
    running.aside.end()
    try:
        if job.asked.json:
            sink.write(_document(job.asked, found, receipt, ascii_only=not sink.unicode))
            sink.keep()
        elif error is None:
            _show(job, found, sink)
            sink.keep()
        else:
            with contextlib.suppress(IoFailed):
                sink.abandon()
    except (PipeClosed, IoFailed) as trouble:
        error = error or trouble
    running.ended(receipt)
    return error


async def _compared(job: Job, running: Running) -> tuple[list[Likeness], LlmctlError | None]:
    try:
        async with running.in_time():
            texts = await begun(items(job.asked, job.source, job.loaded))
        running.notes()
        ranking = Ranking(await _question(job, running), job.asked.top)
        async with aclosing(running.vectors(job.route, job.call, texts)) as found:
            async for one in found:
                for item, values in zip(one.items, one.vectors, strict=True):
                    ranking.add(item, running.totals.given(values))
                running.progress()
    except LlmctlError as failed:
        return [], failed
    except asyncio.CancelledError:
        return [], stopped()
    return ranking.best(), None


async def _question(job: Job, running: Running) -> Sequence[float]:
    """The vector of the question, by the model for questions where that is another one."""
    text = job.asked.similar or ""

    async def alone() -> AsyncIterator[Item]:
        yield Item(0, text)

    route = for_questions(job.route, job.loaded)
    for note in models.other(job.route.model, route):
        running.aside.event(note)
    call = replace(job.call, model=route.model, purpose="query")
    async with aclosing(running.vectors(route, call, alone())) as found:
        async for one in found:
            return running.totals.given(one.vectors[0])
    raise AssertionError("one text has one vector")


def _show(job: Job, found: Sequence[Likeness], sink: Sink) -> None:
    heads = [_("likeness"), _("line"), _("text")]
    rows = [
        (f"{one.score:.{DIGITS}f}", one.item.line, " ".join(one.item.text.split())) for one in found
    ]
    if job.asked.output in (None, "-"):
        table(heads, rows, terminal=job.terminal, right=(0, 1))
    else:
        sink.write(table_text(heads, rows, right=(0, 1)))


def _document(
    asked: "EmbedAsked", found: Sequence[Likeness], receipt: Receipt, *, ascii_only: bool
) -> str:
    document = {
        **envelope(receipt),
        "similar": asked.similar,
        "results": [
            {
                "score": one.score,
                "index": one.item.index,
                "line": one.item.line,
                "id": one.item.id,
                "text": one.item.text,
            }
            for one in found
        ],
    }
    return json_text(document, ascii_only=ascii_only) + "\n"
