"""One try at a call that may be sent: files before it, events as they come, the receipt after it.

Whatever goes wrong is an outcome with a receipt, so that nothing that was spent or said is lost.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import (
    AbstractAsyncContextManager,
    ExitStack,
    aclosing,
    asynccontextmanager,
    nullcontext,
)
from datetime import datetime
from typing import TYPE_CHECKING

from llmctl.engine.clearance import Cleared
from llmctl.engine.meter import Meter
from llmctl.engine.retry import Retries
from llmctl.engine.run import Run
from llmctl.errors import Interrupted, LlmctlError, SchemaMismatch
from llmctl.messages import _
from llmctl.types import Chat, Complete, Event, Image, Media, Notice, Receipt
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.engine.uploads import Uploads
    from llmctl.settings.shape import Network
    from llmctl.transport.exchange import Lane

Show = Callable[[Event], object]


def interrupted() -> LlmctlError:
    return Interrupted(_("interrupted"))


async def attempted(
    ready: Cleared,
    lane: "Lane",
    network: "Network",
    show: Show,
    *,
    notes: Iterable[Notice] = (),
    keep: bool = False,
    begun: float | None = None,
    stopped: Callable[[], LlmctlError] = interrupted,
) -> tuple[Receipt, LlmctlError | None]:
    """The receipt, and the error that ended the call if one did; `show` gets its events, and the
    `notes` before them.

    With `keep` files that were uploaded for it stay where they are. `begun` is when, by
    `time.monotonic`, the time began that `network.timeout` bounds; by default now. A cancellation
    is an outcome, too: `stopped` says which.
    """
    error: LlmctlError | None = None
    run = Run(
        ready.call,
        ready.route,
        lane,
        retries=Retries(network.retries, network.backoff, max_wait=network.max_wait),
        timeout=network.timeout,
        reservation=ready.reservation,
        begun=begun,
    )
    try:
        for note in notes:
            show(note)
        async with (
            with_files(run, lane, network, show, keep=keep, begun=begun) as files,
            aclosing(run.events()) as events,
        ):
            async for event in events:
                show(event)
                if files is not None and isinstance(event, Media):
                    files.made(event)  # now that it is kept here
        check_schema(ready, run.meter)
    except LlmctlError as failed:
        error = failed
    except asyncio.CancelledError:
        error = stopped()
    run.meter.end()
    receipt = receipt_of(run.meter, ready, error)
    if ready.reservation is not None:
        ready.reservation.settle(
            receipt.cost, sent=run.meter.attempts > 0, error=error, shown=run.meter.shown
        )
    return receipt, error


def with_files(
    run: Run,
    lane: "Lane",
    network: "Network",
    show: Show,
    *,
    keep: bool,
    begun: float | None = None,
) -> AbstractAsyncContextManager["Uploads | None"]:
    """Files that the provider wants before the call are there in it, and gone after it, as are
    those that it stores itself; None where there are none of either kind."""
    dialect = run.route.dialect
    way = dialect.drawing() if isinstance(run.call, Image) else None
    if (way and way.stores) or dialect.to_upload(run.call, run.route.quirks):
        return _uploaded(run, lane, network, show, keep=keep, begun=begun)
    return nullcontext()


@asynccontextmanager
async def _uploaded(
    run: Run, lane: "Lane", network: "Network", show: Show, *, keep: bool, begun: float | None
) -> AsyncIterator["Uploads"]:
    from llmctl.engine.uploads import Uploads

    retries = Retries(network.retries, network.backoff, max_wait=network.max_wait)
    with ExitStack() as held:
        async for notice in run.my_turn(held):
            show(notice)
        async with Uploads(
            run.call,
            run.route,
            lane,
            show,
            retries=retries,
            timeout=network.timeout,
            keep=keep,
            begun=begun,
        ) as uploads:
            run.call = await uploads.send()
            yield uploads


def given_back(ready: Cleared) -> None:
    """Nothing was sent after all, so no money is set aside."""
    if ready.reservation is not None:
        ready.reservation.give_back()


def check_schema(ready: Cleared, meter: Meter) -> None:
    """Raises SchemaMismatch for an answer that misses the schema with what placeholders stand for
    in it. The error goes to the ledger, and with --repair to the model: it quotes the answer as it
    came."""
    call, before = ready.call, ready.screened.before
    if not isinstance(call, Chat) or call.schema is None:
        return
    from llmctl.engine.schema import check_answer

    restorer = ready.screened.restorer()
    if restorer is None or not isinstance(before, Chat) or before.schema is None:
        check_answer(call.schema, meter.text)
        return
    try:
        check_answer(before.schema, restorer.text(meter.text, quoted=True))
    except SchemaMismatch as mismatch:
        reason = mismatch.reason
    else:
        return
    check_answer(call.schema, meter.text)
    raise SchemaMismatch(
        _("the answer does not match the schema once its placeholders are replaced"),
        hint=_("ask once more with --repair, or ask another model"),
        reason=reason,
    )


def receipt_of(meter: Meter, ready: Cleared, error: LlmctlError | None) -> Receipt:
    """What is known of the call by now, with what it cost and where it went."""
    at = datetime.fromisoformat(meter.started_at)
    pictures = meter.pictures if isinstance(ready.call, Image) else None
    verdict, cost = ready.route.verdict_and_cost(meter.finished, ready.call, at, pictures)
    receipt = meter.receipt(
        provider=ready.route.provider,
        verdict=verdict,
        cost=cost,
        streamed=isinstance(ready.call, Chat | Complete) and ready.call.stream,
        error=error,
    )
    return replace(receipt, redactions=ready.screened.redactions)
