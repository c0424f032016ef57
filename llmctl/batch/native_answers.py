"""From a line of a provider's results to a receipt: by the decoder, the checks and the prices of
any other answer."""

import json
from collections.abc import Mapping

from llmctl.batch.native_rows import Sent, Shape
from llmctl.batch.shape import Ended
from llmctl.batch.trying import cut_short
from llmctl.dialects import Frame
from llmctl.dialects.batches import Gone, Result
from llmctl.engine.attempt import check_schema, receipt_of
from llmctl.engine.clearance import Cleared
from llmctl.engine.failed import placed
from llmctl.engine.meter import Meter
from llmctl.engine.outcome import outcome
from llmctl.engine.restoring import Restoring
from llmctl.engine.route import Route
from llmctl.errors import LlmctlError, NetworkFailed, ProviderFailed
from llmctl.messages import _
from llmctl.types import Chat, FinishReason, Latency, Receipt
from llmctl.values import replace


def ended(
    sent: Sent, shape: Shape, route: Route, result: Result | LlmctlError, started_at: str
) -> Ended:
    """The row as it is written; an error in place of a result is what kept it from one."""
    call, screened = shape.call(), sent.screened(shape)
    if shape.verdict is not None:
        route = replace(route, verdict=shape.verdict)
    ready = Cleared(route=route, call=call, screened=screened)
    meter = Meter(shape.requested)
    meter.started_at = started_at
    error: LlmctlError | None = None
    try:
        if isinstance(result, LlmctlError):
            raise result
        _read(result, ready, meter)
    except LlmctlError as failed:
        error = placed(failed, route, ())
    meter.end()
    receipt = receipt_of(meter, ready, error)
    # How long the provider took for it nobody says.
    receipt = replace(receipt, latency=Latency(), attempts=1)
    restorer = screened.restorer()
    if restorer is not None:
        is_json = isinstance(call, Chat) and call.schema is not None
        receipt = Restoring(restorer, is_json=is_json).receipt(receipt)
    return Ended(line=sent.line, id=sent.id, receipt=_known(receipt, result), columns=sent.columns)


def _read(result: Result, ready: Cleared, meter: Meter) -> None:
    """Raises LlmctlError for what is no answer, or not the one that was asked for."""
    route, call = ready.route, ready.call
    if result.gone is not None:
        raise gone(result.gone)
    data = json.dumps(result.body, ensure_ascii=False)
    if not 200 <= result.status < 300:
        head: Mapping[str, str] = {"x-request-id": result.request_id} if result.request_id else {}
        raise route.dialect.failure(result.status, head, data)
    decoder = route.dialect.decoder(call, route.quirks)
    for event in decoder.feed(Frame(data)):
        meter.event(event)
    if not decoder.done:
        for event in decoder.end():
            meter.event(event)
    if meter.finished is None:
        raise ProviderFailed(_("what came back is not an answer of a model"), reason="no-answer")
    if (meant := outcome(call, meter.finished)) is not None:
        raise meant
    if meter.finished.reason is FinishReason.LENGTH:
        raise cut_short()
    check_schema(ready, meter)


def _known(receipt: Receipt, result: Result | LlmctlError) -> Receipt:
    name = result.request_id
    return receipt if receipt.request_id or not name else replace(receipt, request_id=name)


def gone(why: Gone) -> ProviderFailed:
    """The error of a row that has no answer though its set is over."""
    match why:
        case Gone.EXPIRED:
            said = _("the provider did not come to this row before the batch expired")
        case Gone.CANCELLED:
            said = _("the batch was cancelled before this row")
        case Gone.MISSING:
            said = _("the results of the batch do not have this row")
    return ProviderFailed(
        said, reason=why, hint=_("hand such rows in again with the same `llmctl batch submit`")
    )


def lost() -> NetworkFailed:
    """The error of a row whose operation may have begun, under a name that nobody knows."""
    return NetworkFailed(
        _("whether the provider has begun with this row is not known, and its answer cannot be"
          " asked for"),
        reason="in-doubt",
        hint=_("hand it in again with the same `llmctl batch submit`; the first may be billed"),
    )  # fmt: skip
