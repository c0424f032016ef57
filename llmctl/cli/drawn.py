"""What the requests of one `llmctl image` amount to: a receipt, an error, and what is recorded."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmctl.errors import Filtered, IoFailed, LlmctlError, NetworkFailed, Partial
from llmctl.messages import _
from llmctl.output.picture_files import Saved
from llmctl.output.pictures import kept_as
from llmctl.types import Cost, Image, Receipt, Usage
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from llmctl.engine.clearance import Cleared


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one request brought."""

    ready: "Cleared"
    receipt: Receipt
    error: LlmctlError | None
    saved: tuple[Saved, ...]


def amounting(done: Sequence[Drawn], wanted: int) -> LlmctlError | None:
    """What all requests together amount to: fewer pictures than asked for are a part, none at all
    is the error of the first that failed."""
    saved = sum(len(one.saved) for one in done)
    failed = next((one.error for one in done if one.error is not None), None)
    if failed is not None and (
        not saved or failed.exit_code >= 128 or isinstance(failed, IoFailed)
    ):
        return advised(failed)
    if saved >= wanted and failed is None:
        return None
    if failed is not None and saved >= wanted:
        return Partial(
            _("the pictures came, and with them an error: {why}", why=failed.message),
            hint=_("look at what came: it is kept"),
            provider=failed.provider,
        )
    why = failed.message if failed else _("the provider sent no more")
    return Partial(
        _("{saved} of {wanted} pictures came: {why}", saved=saved, wanted=wanted, why=why),
        hint=_("what came is kept, what is being drawn may be charged; ask again for the rest")
        if _is_late(failed)
        else _("what came is kept; ask again for the rest"),
        provider=failed.provider if failed else None,
    )


def advised(error: LlmctlError) -> LlmctlError:
    if _is_late(error):
        error.hint = _("allow more with --timeout SECONDS; what is being drawn may be charged")
    elif isinstance(error, Filtered) and error.hint is None:
        error.hint = _("say it in other words, or ask another model with -m")
    return error


def _is_late(error: LlmctlError | None) -> bool:
    """Whether the provider may go on drawing."""
    return isinstance(error, NetworkFailed) and error.reason == "timeout"


def in_all(receipts: Sequence[Receipt]) -> Receipt:
    """The receipts of all requests as one: sums, where each of them tells, and else nothing."""
    first = receipts[0]
    if len(receipts) == 1:
        return first
    from decimal import Decimal

    from llmctl.types.amounts import plain

    def total(name: str, of: Sequence[object]) -> int | None:
        counts = [getattr(one, name) for one in of]
        return None if None in counts else sum(counts)

    usages = [one.usage for one in receipts]
    usage = Usage(
        input_tokens=total("input_tokens", usages),
        output_tokens=total("output_tokens", usages),
        cached_tokens=total("cached_tokens", usages),
        cache_write_tokens=total("cache_write_tokens", usages),
        reasoning_tokens=total("reasoning_tokens", usages),
    )
    costs = [one.cost for one in receipts]
    amounts = [Decimal(one.amount) for one in costs if one.amount is not None]
    unknown = next((one for one in costs if one.amount is None), None)
    cost = unknown or replace(first.cost, amount=plain(sum(amounts, Decimal(0))))
    if len({one.currency for one in costs if one.amount is not None}) > 1:
        cost = Cost()
    latency = replace(
        first.latency,
        total_s=sum(one.latency.total_s or 0.0 for one in receipts),
        waited_s=sum(one.latency.waited_s for one in receipts),
    )
    return replace(
        first,
        text="\n".join(filter(None, (one.text for one in receipts))),
        usage=usage,
        cost=cost,
        latency=latency,
        attempts=sum(one.attempts for one in receipts),
        finish_reason=receipts[-1].finish_reason,
    )


def recorded(one: Drawn, error: LlmctlError | None) -> Receipt:
    """A receipt for the ledger: where each picture is and what its bytes were, not the bytes."""
    files = [
        {"path": file.path, "media_type": file.media_type, "bytes": file.size,
         "sha256": file.sha256}
        for file in one.saved
    ]  # fmt: skip
    failure = one.receipt.error
    if failure is None and isinstance(error, Partial) and len(one.saved) < counted(one):
        failure = error.failure()
    return replace(
        one.receipt,
        media=tuple(kept_as(file) for file in one.saved),
        details={**one.receipt.details, "files": files},
        error=failure,
    )


def counted(one: Drawn) -> int:
    call = one.ready.call
    return call.count if isinstance(call, Image) else 0
