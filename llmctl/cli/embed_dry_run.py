"""`llmctl embed --dry-run`: how many requests, the first of them as it would leave, and what all of
them would cost; nothing is sent."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from llmctl.cli.dry_run import COST, estimate_of
from llmctl.cli.embed_running import Job, Running
from llmctl.cli.embed_source import items
from llmctl.cli.embedding import for_questions
from llmctl.cost.budgets import admit
from llmctl.cost.estimate import summed
from llmctl.engine.attempt import given_back
from llmctl.engine.clearance import cleared
from llmctl.engine.cutting import cut
from llmctl.engine.route import Route
from llmctl.output.envelope import document
from llmctl.output.estimates import estimate_json
from llmctl.output.streams import err
from llmctl.output.terminal import safe_line
from llmctl.types import Embed, Json
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.cost.estimate import Estimate
    from llmctl.engine.clearance import Cleared


async def print_requests(job: Job) -> None:
    """Everything is checked as if it were sent: raises PrivacyRefused, BudgetRefused, UsageError
    for a text that would not go, NetworkFailed where reading takes longer than the whole may."""
    async with Running(job).in_time():
        await _print_requests(job)


async def _print_requests(job: Job) -> None:
    first: Cleared | None = None
    total: Estimate | None = None
    texts = requests = 0
    notes: dict[str, bool] = {}
    async for route, call in _calls(job):
        ready = cleared(route, call, job.loaded)
        given_back(ready)  # others may need the money, since nothing is sent here
        first = first or ready
        notes |= {note.text: note.insists for note in (*job.plan.notes, *ready.notes)}
        one = estimate_of(ready)
        total = one if total is None else summed(total, one)
        texts, requests = texts + len(call.texts), requests + 1
    assert first is not None  # noqa: S101  a source without a text raises
    assert total is not None  # noqa: S101
    if first.reservation is not None:  # each of them fits; whether all do
        admitted = admit(first.call, total, job.loaded, provider=job.route.provider)
        if admitted.reservation is not None:
            admitted.reservation.give_back()
    _print(first, total, texts, requests)
    for text, insists in notes.items():
        if insists or not job.asked.quiet:
            err(f"llmctl: {safe_line(text)}\n")


async def _calls(job: Job) -> AsyncIterator[tuple[Route, Embed]]:
    """The requests in their order, with where each goes: a question before the texts."""
    if job.asked.similar is not None:
        route = for_questions(job.route, job.loaded, shown=True)
        asked = replace(job.call, model=route.model, texts=(job.asked.similar,), purpose="query")
        yield route, asked
    found = items(job.asked, job.source, job.loaded)
    async for batch in cut(found, job.plan, job.route.model_card):
        yield job.route, replace(job.call, texts=tuple(one.text for one in batch))


def _print(ready: "Cleared", total: "Estimate", texts: int, requests: int) -> None:
    route = ready.route
    http = route.dialect.encode(ready.call, route.quirks)
    fetched = ["Authorization"] if route.target.auth else []  # what a flow will put there
    estimate = estimate_json(total)
    shown: dict[str, Json] = {
        "version": 1,
        "provider": route.provider,
        "model": route.model,
        "texts": texts,
        "requests": requests,
        "method": http.method,
        "url": route.target.url(http.path, http.base),
        "headers": sorted({*fetched, *route.target.headers, *http.headers}, key=str.lower),
        "body": http.body,
        "privacy": {
            "level": route.verdict.level.value,
            "region": route.verdict.region,
            "retention_days": route.verdict.retention_days,
            "redactions": ready.screened.redactions,
        },
        "estimate": estimate,
        "cost": None if estimate["low"] is None else {name: estimate[name] for name in COST},
    }
    document(shown)
