"""What a finished answer amounts to: success, or one of the errors a finish reason stands for."""

from typing import TYPE_CHECKING

from llmctl.errors import Filtered, Incomplete, LlmctlError, ProviderFailed
from llmctl.messages import _
from llmctl.types import LIMITS, Call, Chat, Complete, Finished, FinishReason, Image

if TYPE_CHECKING:
    from llmctl.cost.budgets import Reservation


def outcome(
    call: Call, finished: Finished, reservation: "Reservation | None" = None
) -> LlmctlError | None:
    """The error that `finished` means for `call`, None for a success.

    Length is a success where the user set the limit and asked for no schema; a cut JSON document is
    useless whoever set it. A limit that came with the `reservation` is not the user's.
    """
    match finished.reason:
        case FinishReason.STOP | FinishReason.TOOL_CALLS:
            return None
        case FinishReason.LENGTH:
            if reservation is not None and reservation.lowered is not None:
                return _cut_for_money(reservation)
            if asked_for_length(call):
                return None
            return Incomplete(
                _("the answer was cut by a length limit"),
                hint=_("ask for something smaller, or another model with -m")
                if isinstance(call, Image)
                else _("allow a longer one with --max-tokens N, or use a model with more context"),
            )
        case FinishReason.FILTER:
            refusal = finished.details.get("refusal")
            said = str(refusal) if refusal else _("no explanation was given")
            return Filtered(
                _(
                    "the answer was filtered or refused ({filter}): {said}",
                    filter=finished.native_reason or "filter",
                    said=said,
                ),
                hint=_("say it in other words, or ask another model with -m"),
                request_id=finished.request_id,
            )
        case FinishReason.ERROR:
            return ProviderFailed(
                _(
                    "the provider gave up on the answer ({reason})",
                    reason=finished.native_reason or "error",
                ),
                request_id=finished.request_id,
                retryable=False,
            )


def _cut_for_money(reservation: "Reservation") -> Incomplete:
    return Incomplete(
        _("the answer was cut at {tokens} tokens, which llmctl had set under {budget}",
          tokens=reservation.lowered, budget=reservation.cap or _("the budget")),
        hint=_("raise that budget, or set the limit yourself: --max-tokens N"),
        reason="budget",
    )  # fmt: skip


def asked_for_length(call: Call) -> bool:
    """Whether an answer cut by length is what the user asked for."""
    match call:
        case Chat():
            return call.schema is None and _limited(call)
        case Complete():
            return _limited(call)
        case _:
            return False


def _limited(call: Chat | Complete) -> bool:
    return call.max_tokens is not None or not LIMITS.isdisjoint(call.options)
