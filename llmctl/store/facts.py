"""A receipt as a row of the ledger, and a row as the receipt it came from."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from llmctl.store.shape import plain, unpack_media
from llmctl.types import (
    COUNTED,
    NOTHING,
    Cost,
    CostKind,
    Failure,
    FinishReason,
    Json,
    Latency,
    Level,
    Receipt,
    ToolCall,
    Usage,
    UsageSource,
    Verdict,
)
from llmctl.values import replace

if TYPE_CHECKING:
    from collections.abc import Sequence


def facts(receipt: Receipt) -> str:
    """What the columns of `runs` do not say, without any text that a person or a model wrote.

    An error's message may quote the prompt, and `details` anything: both are body, but for the
    number of tokens that were only counted.
    """
    error = receipt.error
    return json.dumps(
        {
            "usage": receipt.usage,
            "cost": receipt.cost,
            "latency": receipt.latency,
            "verdict": _kept(receipt.verdict),
            "redactions": receipt.redactions,
            "request_id": receipt.request_id,
            "attempts": receipt.attempts,
            "counted": receipt.details.get(COUNTED),
            "error": None if error is None else asdict(replace(error, message="", hint=None)),
        },
        default=plain,
        separators=(",", ":"),
        allow_nan=False,  # SQLite's own JSON functions would stop at it
    )


def exit_code(receipt: Receipt) -> int:
    return 0 if receipt.error is None else receipt.error.exit_code


# The columns a receipt is read back from, `runs` first, then `bodies` where there is a body.
RUN_COLUMNS = "id, started_at, requested, provider, resolved, finish_reason, facts"
BODY_COLUMNS = "answer, reasoning, tool_calls, media, details, error_message"


def bare_receipt(row: "Sequence[Json]") -> Receipt:
    """The receipt in a row of RUN_COLUMNS; its texts are empty."""
    id_, started_at, requested, provider, resolved, finish_reason, packed = row
    known = json.loads(packed)
    usage, cost = known["usage"], known["cost"]
    return Receipt(
        id=id_,
        started_at=started_at,
        requested=requested,
        provider=provider,
        resolved=resolved,
        finish_reason=None if finish_reason is None else FinishReason(finish_reason),
        usage=Usage(**{**usage, "source": UsageSource(usage["source"])}),
        cost=Cost(**{**cost, "kind": CostKind(cost["kind"])}),
        latency=Latency(**known["latency"]),
        verdict=_verdict(known["verdict"]),
        redactions=known["redactions"] or NOTHING,
        request_id=known["request_id"],
        attempts=known["attempts"],
        details=NOTHING if known.get("counted") is None else {COUNTED: known["counted"]},
        error=None if known["error"] is None else Failure(**known["error"]),
    )


def _kept(verdict: Verdict | None) -> Verdict | None:
    """Without sentences, which may name what stands in a prompt: a host that pictures are on."""
    return verdict and replace(verdict, why=(), notes=())


def _verdict(known: Json) -> Verdict | None:
    if known is None:
        return None
    listed = ("controls", "attested", "reasons", "broken", "regions", "why", "notes")
    lists = {name: tuple(known.get(name, ())) for name in listed}
    return Verdict(**{**known, **lists, "level": Level(known["level"])})


def with_body(receipt: Receipt, row: "Sequence[Json]", blobs: "Sequence[bytes]") -> Receipt:
    """`receipt` with the texts in a row of BODY_COLUMNS."""
    answer, reasoning, tool_calls, media, details, error_message = row
    error = receipt.error
    if error is not None and error_message is not None:
        error = replace(error, message=error_message)
    return replace(
        receipt,
        text=answer,
        reasoning=reasoning,
        tool_calls=tuple(ToolCall(**call) for call in json.loads(tool_calls)),
        media=tuple(unpack_media(one, blobs) for one in json.loads(media)),
        details=json.loads(details),
        error=error,
    )
