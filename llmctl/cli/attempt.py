"""One try at a prompt: the call through the renderer, and the receipt of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING

from llmctl.cli.aged import aged
from llmctl.cli.loop import stopped
from llmctl.engine.meter import Meter
from llmctl.engine.route import Route
from llmctl.errors import LlmctlError, SchemaMismatch
from llmctl.messages import _
from llmctl.output.choose import Renderer
from llmctl.types import (
    LIMITS,
    Call,
    Chat,
    Complete,
    Fill,
    FinishReason,
    Image,
    Notice,
    Receipt,
    Role,
    message,
)
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.engine.clearance import Cleared
    from llmctl.engine.run import Run
    from llmctl.settings import Settings
    from llmctl.settings.shape import Network
    from llmctl.transport.exchange import Lane


async def attempt(
    ready: "Cleared",
    settings: "Settings",
    show: Renderer,
    *,
    quiet: bool = False,
    keep: bool = False,
) -> tuple[Receipt, LlmctlError | None]:
    """Run the call through the renderer; the receipt, and the error that ended it if one did. With
    `quiet`, when notes are not shown, the one of the day is left for the next run; with `keep`
    files that were uploaded for it stay where they are."""
    from llmctl.engine.retry import Retries
    from llmctl.engine.run import Run
    from llmctl.transport.exchange import Lane

    route, call, network = ready.route, ready.call, settings.network
    error: LlmctlError | None = None
    try:
        lane = Lane(route.target)
    except LlmctlError:
        given_back(ready)
        raise
    async with lane:
        run = Run(
            call,
            route,
            lane,
            retries=Retries(network.retries, network.backoff, max_wait=network.max_wait),
            timeout=network.timeout,
            reservation=ready.reservation,
        )
        try:
            old = () if quiet else aged(route)
            for note in (*warned(route), *old, *dropped(call, route), *ready.notes):
                show.event(note)
            async with (
                with_files(run, lane, network, show, keep=keep),
                aclosing(run.events()) as events,
            ):
                async for event in events:
                    show.event(event)
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


@asynccontextmanager
async def with_files(
    run: "Run", lane: "Lane", network: "Network", show: Renderer, *, keep: bool
) -> AsyncIterator[None]:
    """Files that the provider wants before the call are there in it, and gone after it."""
    if not run.route.dialect.to_upload(run.call, run.route.quirks):
        yield
        return
    from llmctl.engine.retry import Retries
    from llmctl.engine.uploads import Uploads

    retries = Retries(network.retries, network.backoff, max_wait=network.max_wait)
    async with Uploads(
        run.call, run.route, lane, show.event, retries=retries, timeout=network.timeout, keep=keep
    ) as uploads:
        run.call = await uploads.send()
        yield


def given_back(ready: "Cleared") -> None:
    """Nothing was sent after all, so no money is set aside."""
    if ready.reservation is not None:
        ready.reservation.give_back()


def check_schema(ready: "Cleared", meter: Meter) -> None:
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


def shortened(call: Call, receipt: Receipt) -> str | None:
    """A note on an answer that ends at the user's own limit, which is a success."""
    if receipt.error is not None or receipt.finish_reason is not FinishReason.LENGTH:
        return None
    if not isinstance(call, Chat | Complete):
        return None
    limit = call.max_tokens or next((call.options[name] for name in LIMITS & {*call.options}), "?")
    return _("the answer ends at your limit of {tokens} tokens (more with --max-tokens).",
             tokens=limit)  # fmt: skip


def warned(route: Route, today: str | None = None) -> list[Notice]:
    """What the model's card wants said whenever it answers, and that its day has passed. `today` is
    YYYY-MM-DD, the clock's day by default."""
    card = route.model_card
    warning = card.warning if card else None
    notices = [Notice("warning", _(warning))] if warning else []
    if card and card.retires and card.retires <= (today or date.today().isoformat()):
        notices.append(
            Notice(
                "retired",
                _("{model} was to be shut down on {day}; what there is: llmctl models list"
                  " {provider} --live", model=route.model, day=card.retires,
                  provider=route.provider),
            )
        )  # fmt: skip
    return notices


def dropped(call: Call, route: Route) -> list[Notice]:
    """A note for each knob that the model's card says it does not take."""
    quirks = route.quirks
    if not isinstance(call, Chat | Complete):
        return []
    knobs = (
        ("--temperature", call.temperature is not None and not quirks.sampling),
        ("--seed", call.seed is not None and not quirks.seed),
        ("--stop", bool(call.stop) and not quirks.stop),
    )
    return [
        Notice("dropped", _("{model} takes no {knob}; it was left out.", model=route.model,
                            knob=knob))
        for knob, left_out in knobs
        if left_out
    ]  # fmt: skip


def receipt_of(meter: Meter, ready: "Cleared", error: LlmctlError | None) -> Receipt:
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


def once_more(
    ready: "Cleared", receipt: Receipt, error: LlmctlError | None, *, repair: bool
) -> tuple[Call, str] | None:
    """What is to be asked instead of a call that failed, and what the user is told of it."""
    said = ready.screened.call
    match said:
        case Chat() if repair and isinstance(error, SchemaMismatch):
            told = _("The answer missed the schema; asking once more.")
            return repaired(said, receipt.text, error), told
        case Fill():
            from llmctl.cli.filling import with_right_sign

            mended = with_right_sign(said, error)
            told = _("This model has another sign for a gap; asking once more with it.")
            return None if mended is None else (mended, told)
        case _:
            return None


def repaired(call: Chat, text: str, error: SchemaMismatch) -> Chat:
    """The same call, with the answer that missed and a request to mend it."""
    from llmctl.engine.schema import repair_prompt

    assert call.schema is not None  # noqa: S101  a mismatch needs a schema
    return replace(
        call,
        messages=(
            *call.messages,
            message(Role.ASSISTANT, text),
            message(Role.USER, repair_prompt(call.schema, error)),
        ),
    )
