"""One try at a prompt: the call through the renderer, and the receipt of it."""

import asyncio
from contextlib import aclosing
from datetime import date
from typing import TYPE_CHECKING

from llmctl.cli.loop import stopped
from llmctl.engine.meter import Meter
from llmctl.engine.outcome import LIMITS
from llmctl.engine.route import Route
from llmctl.errors import LlmctlError, SchemaMismatch
from llmctl.messages import _
from llmctl.output.choose import Renderer
from llmctl.types import (
    Chat,
    Complete,
    FinishReason,
    Notice,
    Receipt,
    Role,
    message,
)
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.settings import Settings


async def attempt(
    route: Route, settings: "Settings", call: Chat | Complete, show: Renderer
) -> tuple[Receipt, LlmctlError | None]:
    """Run the call through the renderer; the receipt, and the error that ended it if one did."""
    from llmctl.engine.retry import Retries
    from llmctl.engine.run import Run
    from llmctl.transport.exchange import Lane

    network = settings.network
    error: LlmctlError | None = None
    async with Lane(route.target) as lane:
        run = Run(
            call,
            route,
            lane,
            retries=Retries(network.retries, network.backoff, max_wait=network.max_wait),
            timeout=network.timeout,
        )
        try:
            for note in (*warned(route), *dropped(call, route)):
                show.event(note)
            async with aclosing(run.events()) as events:
                async for event in events:
                    show.event(event)
            check_schema(call, run.meter)
        except LlmctlError as failed:
            error = failed
        except asyncio.CancelledError:
            error = stopped()
    run.meter.end()
    return receipt_of(run.meter, route, call, error), error


def check_schema(call: Chat | Complete, meter: Meter) -> None:
    if isinstance(call, Chat) and call.schema is not None:
        from llmctl.engine.schema import check_answer

        check_answer(call.schema, meter.text)


def shortened(call: Chat | Complete, receipt: Receipt) -> str | None:
    """A note on an answer that ends at the user's own limit, which is a success."""
    if receipt.error is not None or receipt.finish_reason is not FinishReason.LENGTH:
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


def dropped(call: Chat | Complete, route: Route) -> list[Notice]:
    """A note for each knob that the model's card says it does not take."""
    quirks = route.quirks
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


def receipt_of(
    meter: Meter, route: Route, call: Chat | Complete, error: LlmctlError | None
) -> Receipt:
    verdict, cost = route.verdict_and_cost(meter.finished)
    return meter.receipt(
        provider=route.provider,
        verdict=verdict,
        cost=cost,
        streamed=call.stream,
        error=error,
    )


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
