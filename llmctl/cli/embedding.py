"""One `llmctl embed` from its flags to its vectors."""

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from llmctl import settings
from llmctl.cli import embed_models as models
from llmctl.cli.embed_running import Job, Running
from llmctl.cli.embed_source import begun, items, source_of
from llmctl.cli.loop import run_async, stopped
from llmctl.cli.one import with_weights
from llmctl.engine.cutting import planned
from llmctl.engine.resolve import resolve
from llmctl.engine.route import Route
from llmctl.errors import IoFailed, LlmctlError, PipeClosed, Stopped, UsageError
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.sink import sink_to
from llmctl.output.terminal import Terminal, detect
from llmctl.output.vectors import BINARY, Row, Rows, rows_to
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.cli.embed_asked import EmbedAsked
    from llmctl.settings import Loaded

# Rows written between two looks at what else is going on.
TOGETHER = 8


def embedded(asked: "EmbedAsked") -> None:
    """Do what was asked; raises LlmctlError for whatever keeps it from being done."""
    try:
        error = _embedded(asked)
    except (LlmctlError, Stopped) as early:
        if asked.json:
            from llmctl.cli.refused import show_refused

            show_refused(
                early.error if isinstance(early, Stopped) else early,
                json=True,
                events=False,
                model=asked.model,
                output=asked.output,
                encoding=asked.encoding,
            )
        raise
    if error is not None:
        raise error


def _embedded(asked: "EmbedAsked") -> LlmctlError | None:
    """The error that ended it and was shown; raises LlmctlError for one that came before anything
    was sent."""
    asked.check()
    terminal = detect(no_color=asked.no_color)
    loaded = settings.load(asked.settings_flags(), asked.profile, asked.spelt())
    refuse_screen(asked, terminal)
    job = job_of(asked, terminal, loaded)
    if asked.dry_run:
        from llmctl.cli.embed_dry_run import print_requests

        run_async(print_requests(job))
        return None
    job = replace(job, route=with_weights(job.route, loaded, terminal, asked))
    if asked.similar is not None:
        from llmctl.cli.embed_similar import ranked

        return ranked(job)
    sink = sink_to(asked.output, None)  # --encoding is that of the texts; JSON is UTF-8
    form = "json" if asked.json else asked.format or "jsonl"
    rows = rows_to(sink, form, with_text=asked.with_text)
    return run_async(written(job, rows))


def job_of(asked: "EmbedAsked", terminal: Terminal, loaded: "Loaded") -> Job:
    """Raises LlmctlError for what cannot be sent, whatever the texts are."""
    name = models.named(asked.model, loaded)
    models.refuse_others(name, loaded)
    purpose = "document" if asked.similar is not None else asked.purpose
    route = resolve(name, loaded, shown=True)  # what it cannot do matters before a missing key
    call = asked.call(route.model, purpose)
    models.refuse_format(route, call, loaded)
    if not asked.dry_run:
        route = resolve(name, loaded)
    if "lora" in call.options:
        from llmctl.cli.adapters import with_adapters

        route, call = with_adapters(route, call)
    plan = planned(route, loaded, texts=asked.batch_size, lanes=asked.concurrency)
    if purpose == "query":
        route = for_questions(route, loaded, shown=asked.dry_run)
        plan = replace(plan, notes=(*plan.notes, *models.other(call.model, route)))
        call = replace(call, model=route.model)
    return Job(
        asked=asked,
        loaded=loaded,
        terminal=terminal,
        route=route,
        call=call,
        plan=plan,
        source=source_of(asked, loaded.settings.output.encoding),
    )


def for_questions(route: Route, loaded: "Loaded", *, shown: bool = False) -> Route:
    """The route to the model for questions, where that is another one."""
    other = route.model_card.query_model if route.model_card else None
    return route if other is None else resolve(f"{route.provider}/{other}", loaded, shown=shown)


def refuse_screen(asked: "EmbedAsked", terminal: Terminal) -> None:
    """Raises UsageError for raw numbers that would be shown on a terminal."""
    if asked.format in BINARY and asked.output in (None, "-") and terminal.stdout.is_tty:
        raise UsageError(
            _("raw numbers do not go to a terminal"), hint=_("name a file with --output FILE")
        )


async def written(job: Job, rows: Rows) -> LlmctlError | None:
    """Put the vectors out as rows; the error that ended it."""
    asked, running = job.asked, Running(job)
    error: LlmctlError | None = None
    silent = asked.output in (None, "-") and job.terminal.stdout.is_tty  # the rows show it there
    try:
        async with running.in_time():
            texts = await begun(items(asked, job.source, job.loaded))
        running.notes()
        async with aclosing(running.vectors(job.route, job.call, texts)) as found:
            async for one in found:
                for item, values in zip(one.items, one.vectors, strict=True):
                    given = running.totals.given(values, normalise=asked.normalize)
                    text = item.text if asked.with_text else None
                    rows.row(Row(item.index, item.line, item.id, text, given))
                    if not item.index % TOGETHER:
                        await asyncio.sleep(0)  # answers that came meanwhile
                if not silent:
                    running.progress()
    except LlmctlError as failed:
        error = failed
    except asyncio.CancelledError:
        error = stopped()
    receipt = running.receipt(error)
    running.aside.end()
    try:
        if error is None:
            rows.finish(receipt)
            if asked.format in BINARY and not asked.quiet:
                from llmctl.output.embed_line import shape_line

                where = asked.output or _("standard output")
                streams.err(f"llmctl: {shape_line(receipt, where)}\n")
        elif not isinstance(error, PipeClosed):
            rows.fail(receipt)
    except (PipeClosed, IoFailed) as trouble:
        error = error or trouble
    running.ended(receipt)
    return error
