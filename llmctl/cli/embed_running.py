"""One run of `llmctl embed`: its requests, what is said meanwhile, its receipt and its record."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from llmctl.cli.embed_models import other_asked, poor, unheeded
from llmctl.cli.one import keep
from llmctl.cost.budgets import new_run
from llmctl.engine.cutting import Plan, cut
from llmctl.engine.embedded import Totals
from llmctl.engine.embedding import Embedded, Embedding, Item, too_late
from llmctl.engine.meter import call_id, utc_now
from llmctl.engine.route import Route
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.aside import Aside
from llmctl.output.numbers import grouped
from llmctl.output.terminal import Terminal
from llmctl.types import Embed, Progress, Receipt
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from llmctl.cli.embed_asked import EmbedAsked
    from llmctl.cli.embed_source import Source
    from llmctl.errors import LlmctlError
    from llmctl.settings import Loaded

# Seconds between two looks at how far it is.
OFTEN = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What was asked for, and where it goes; `call` says everything but the texts."""

    asked: "EmbedAsked"
    loaded: "Loaded"
    terminal: Terminal
    route: Route
    call: Embed
    plan: Plan
    source: "Source"


class Running:
    """Its `totals` are of all requests, also of those to another model for the question."""

    def __init__(self, job: Job) -> None:
        self.totals = Totals(job.route.verdict)
        self.aside = Aside(job.terminal, quiet=job.asked.quiet)
        self._job = job
        self._id, self._started_at = call_id(), utc_now()
        self._begun = time.monotonic()
        self._run = f"embed-{new_run()}"
        self._due = 0.0

    def notes(self) -> None:
        """What is to be known before the first text goes out."""
        from llmctl.cli.aged import aged
        from llmctl.cli.attempt import warned

        job = self._job
        old = () if job.asked.quiet else aged(job.route)
        dropped = () if job.asked.similar is not None else unheeded(job.route, job.call)
        other = other_asked(job.route, job.call, job.asked.model)
        notes = (*warned(job.route), *poor(job.route), *old, *dropped, *other, *job.plan.notes)
        for note in notes:
            self.aside.event(note)

    @asynccontextmanager
    async def in_time(self) -> AsyncIterator[None]:
        """Raises NetworkFailed where the time for the whole ends inside: reading is a part of it,
        too."""
        limit = self._job.loaded.settings.network.timeout
        try:
            async with asyncio.timeout_at(None if limit is None else self._begun + limit):
                yield
        except TimeoutError:
            raise too_late(limit or 0.0, self._job.route) from None

    def vectors(
        self, route: Route, call: Embed, items: AsyncIterator[Item]
    ) -> AsyncGenerator[Embedded, None]:
        """What came, in order; raises LlmctlError."""
        plan, loaded = self._job.plan, self._job.loaded
        embedding = Embedding(
            route,
            call,
            loaded,
            lanes=plan.lanes,
            run=self._run,
            totals=self.totals,
            timeout=loaded.settings.network.timeout,
            begun=self._begun,
            every_s=plan.every_s,
            tell=self.aside.event,
        )
        return embedding.vectors(cut(items, plan, route.model_card))

    def progress(self) -> None:
        """How far it is, on a terminal."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + OFTEN
            done = self.totals.texts
            self.aside.event(Progress(_("{count} texts", count=grouped(done)), done))

    def receipt(self, error: "LlmctlError | None") -> Receipt:
        return self.totals.receipt(
            self._job.route,
            id=self._id,
            started_at=self._started_at,
            seconds=time.monotonic() - self._begun,
            error=error.failure() if error else None,
        )

    def ended(self, receipt: Receipt) -> None:
        """Say it in a line where somebody looks, and record it. The texts are recorded where there
        is one; of more there is their number."""
        job = self._job
        shown = job.loaded.settings.output.receipt and not job.asked.quiet
        if job.asked.usage:
            from llmctl.output.receipt_line import usage_text

            streams.err(usage_text(receipt))
        elif receipt.error is None and shown and job.terminal.stderr.is_tty:
            from llmctl.output.embed_line import embed_line

            line = embed_line(receipt)
            colour = job.terminal.stderr.colour
            streams.err(f"\x1b[2m{line}\x1b[0m\n" if colour else f"{line}\n")
        if receipt.attempts or receipt.error is not None:
            texts = replace(job.call, texts=())
            keep(job.asked, job.loaded, receipt, self.totals.only or texts)
