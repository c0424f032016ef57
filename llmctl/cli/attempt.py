"""One try at a prompt: the call through the renderer, and the receipt of it."""

from datetime import date
from typing import TYPE_CHECKING

from llmctl.cli.aged import aged
from llmctl.cli.loop import stopped
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
    Notice,
    Receipt,
)

if TYPE_CHECKING:
    from llmctl.engine.clearance import Cleared
    from llmctl.settings import Settings


async def attempt(
    ready: "Cleared",
    settings: "Settings",
    show: Renderer,
    *,
    quiet: bool = False,
    keep: bool = False,
    begun: float | None = None,
) -> tuple[Receipt, LlmctlError | None]:
    """Run the call through the renderer; the receipt, and the error that ended it if one did. With
    `quiet`, when notes are not shown, the one of the day is left for the next run; with `keep`
    files that were uploaded for it stay where they are. `begun` is when, by `time.monotonic`, the
    time began that `--timeout` bounds; by default now."""
    from llmctl.engine.attempt import attempted, given_back
    from llmctl.transport.exchange import Lane

    route = ready.route
    try:
        lane = Lane(route.target)
    except LlmctlError:
        given_back(ready)
        raise
    old = () if quiet else aged(route)
    notes = (*warned(route), *old, *dropped(ready.call, route), *ready.notes)
    async with lane:
        return await attempted(
            ready,
            lane,
            settings.network,
            show.event,
            notes=notes,
            keep=keep,
            begun=begun,
            stopped=stopped,
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


def once_more(
    ready: "Cleared", receipt: Receipt, error: LlmctlError | None, *, repair: bool
) -> tuple[Call, str] | None:
    """What is to be asked instead of a call that failed, and what the user is told of it."""
    said = ready.screened.call
    match said:
        case Chat() if repair and isinstance(error, SchemaMismatch):
            from llmctl.engine.repair import repaired

            told = _("The answer missed the schema; asking once more.")
            return repaired(said, receipt.text, error), told
        case Fill():
            from llmctl.cli.filling import with_right_sign

            mended = with_right_sign(said, error)
            told = _("This model has another sign for a gap; asking once more with it.")
            return None if mended is None else (mended, told)
        case _:
            return None
