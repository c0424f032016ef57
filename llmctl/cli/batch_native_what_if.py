"""`llmctl batch submit --dry-run`: how many rows in how many sets, and what they would cost."""

from contextlib import aclosing
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from llmctl.batch.estimating import Spending
from llmctl.batch.native_handing import MOST_BYTES, MOST_ROWS
from llmctl.batch.sharding import Shard
from llmctl.cli.batch_asked import BatchAsked
from llmctl.cli.batch_calls import Maker
from llmctl.cli.batch_native_place import Place
from llmctl.cli.loop import run_async
from llmctl.cost.estimate import estimated
from llmctl.dialects.batches import Batches
from llmctl.engine.clearance import checked
from llmctl.engine.offered import by_batch
from llmctl.errors import LlmctlError, UsageError
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.batch_estimate import spending_text
from llmctl.output.batch_words import labelled
from llmctl.output.numbers import grouped
from llmctl.output.terminal import safe_line
from llmctl.rows import BadRow, open_rows
from llmctl.transport.exchange import encoded
from llmctl.types import Chat, Complete, Json
from llmctl.types.amounts import plain

if TYPE_CHECKING:
    from llmctl.cost.money import Money

ID = "x" * 24  # as long as the id of a row


class WhatIf:
    """What rows add up to. `high` is None where that of one row is not known; bytes are those of
    requests without files that are read while they are sent."""

    def __init__(self) -> None:
        self.rows = self.bad = self.bytes = self.input_tokens = 0
        self.low: Decimal | None = Decimal(0)
        self.high: Decimal | None = Decimal(0)
        self.currency: str | None = None
        self.first_bad = 0  # its line
        self.first_error: LlmctlError | None = None

    def refused(self, line: int, error: LlmctlError) -> None:
        self.bad += 1
        if self.first_error is None:
            self.first_bad, self.first_error = line, error

    def money(self, low: "Money | None", high: "Money | None") -> None:
        self.currency = self.currency or (low.currency if low else None)
        self.low = None if low is None or self.low is None else self.low + low.amount
        self.high = None if high is None or self.high is None else self.high + high.amount


def show_what_if(asked: BatchAsked, place: Place, maker: Maker) -> None:
    """Print it; nothing is sent."""
    found = run_async(_added_up(asked, place, maker))
    limits = place.route.card.limits
    most, room = limits.batch_rows or MOST_ROWS, limits.batch_bytes or MOST_BYTES
    parts = max(-(-found.rows // most), -(-found.bytes // room))
    told: dict[str, Json] = {
        "version": 1,
        "model": place.route.requested,
        "host": place.route.host,
        "rows": found.rows,
        "bad_rows": found.bad,
        "batches": parts if isinstance(place.batches, Batches) else found.rows,
        "bytes": found.bytes,
        "input_tokens": found.input_tokens,
        "low": _amount(found.low, found.currency),
        "high": _amount(found.high, found.currency),
    }
    if asked.json:
        from llmctl.output.envelope import document

        document(told)
        return
    streams.out(what_if_text(found, place, told["batches"]))
    if found.bad and found.first_error is not None:
        streams.err(
            _("llmctl: rows that cannot be handed in: {count}; the first, line {line}: {why}",
              count=grouped(found.bad), line=found.first_bad,
              why=safe_line(found.first_error.message)) + "\n"
        )  # fmt: skip


def what_if_text(found: WhatIf, place: Place, batches: int) -> str:
    """A labelled line for each thing."""
    cost = Spending(low=_plain(found.low), usual=None, high=_plain(found.high))
    known = found.currency is not None
    return labelled(
        (
            (
                _("model"),
                _("{model} at {host}", model=place.route.requested, host=place.route.host),
            ),
            (_("rows"), grouped(found.rows)),
            (_("batches"), grouped(batches)),
            (_("size"), _("{count} bytes", count=grouped(found.bytes))),
            (_("tokens"), _("{count} in", count=grouped(found.input_tokens))),
            (_("cost"), spending_text(cost, found.currency or "") if known else _("unknown")),
        )
    )


async def _added_up(asked: BatchAsked, place: Place, maker: Maker) -> WhatIf:
    found = WhatIf()
    shard = None if asked.shard is None else Shard.read(asked.shard)
    rows = open_rows(
        asked.source,
        format=asked.input_format,
        limit=asked.limit,
        encoding=place.loaded.settings.output.encoding,
        loaded=place.loaded,
        unique=True,
    )
    async with aclosing(rows) as every:
        async for row in every:
            if shard is not None and not shard.has(row.id or str(row.line)):
                continue
            if isinstance(row, BadRow):
                found.refused(row.line, UsageError(row.why))
                continue
            try:
                made = maker.make(row)
                route = by_batch(made.route, place.batches)
                screened, route = checked(route, made.call, place.loaded)
                call = screened.call
                if not isinstance(call, Chat | Complete):
                    continue
                entry = (
                    place.batches.entry(ID, call, route.quirks)
                    if isinstance(place.batches, Batches)
                    else route.dialect.encode(call, route.quirks).body or {}
                )
            except LlmctlError as error:
                found.refused(row.line, error)
                continue
            sent = encoded(entry)
            estimate = estimated(
                route.card, route.model_card, call, at=datetime.now(UTC), mode=route.mode,
                terms=route.terms(call),
            )  # fmt: skip
            found.rows += 1
            found.bytes += len(sent) + 1 if isinstance(sent, bytes) else sent.size + 1
            found.input_tokens += estimate.input_tokens
            found.money(estimate.low, estimate.high)
    return found


def _amount(amount: Decimal | None, currency: str | None) -> Json:
    if amount is None or currency is None:
        return None
    return {"amount": plain(amount), "currency": currency}


def _plain(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)
