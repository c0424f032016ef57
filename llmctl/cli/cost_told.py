"""A report of cost with all that was asked of it, in one currency or in those of the runs, and in
the three formats."""

from datetime import datetime
from decimal import Decimal

from llmctl.cli.cost_exchange import Exchanging
from llmctl.cli.cost_report_shown import csv_text, line_json, summary, table_lines
from llmctl.cli.cost_what_if import Machine, Other, paid_off
from llmctl.cli.cost_what_if_shown import (
    break_even_json,
    break_even_text,
    what_if_json,
    what_if_text,
)
from llmctl.cli.ledger_sums import BY_HEADERS
from llmctl.cost.break_even import BreakEven, Traffic
from llmctl.cost.report import Exchange, Report, converted
from llmctl.cost.what_if import Repriced, exchanged
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.output.envelope import json_text
from llmctl.output.terminal import safe_line
from llmctl.settings import Loaded
from llmctl.store.entries import Wanted
from llmctl.store.figures import By
from llmctl.types import Json
from llmctl.values import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """`repriced` are the `others` with their money as it is shown; `exchange` holds the rates that
    were used, None where nothing is converted."""

    by: By
    wanted: Wanted
    now: datetime
    report: Report
    others: tuple[Other, ...] = ()
    machine: Machine | None = None
    traffic: Traffic | None = None
    currency: str | None = None
    repriced: tuple[Repriced, ...] = ()
    even: BreakEven | None = None
    exchange: Exchanging | None = None

    def in_currency(self, currency: str | None, loaded: Loaded) -> "Told":
        """All money in `currency`, or as it was paid; raises what a missing rate raises, and
        UsageError where hardware and traffic cannot be compared."""
        repriced = tuple(one.repriced for one in self.others)
        if currency is None:
            own = self.machine.price.currency if self.machine else ""
            return replace(self, repriced=repriced, even=self._even(own, only(own)))
        exchange = Exchanging(currency, loaded, self.now.date())
        return replace(
            self,
            currency=exchange.currency,
            report=converted(self.report, exchange.currency, exchange),
            repriced=tuple(exchanged(one, exchange.currency, exchange) for one in repriced),
            even=self._even(exchange.currency, exchange),
            exchange=exchange,
        )

    def _even(self, currency: str, exchange: Exchange) -> BreakEven | None:
        if self.traffic is None or self.machine is None:
            return None
        until = self.now
        if self.wanted.until is not None:
            until = min(until, datetime.fromisoformat(self.wanted.until))
        return paid_off(
            self.traffic, self.machine, currency=currency, exchange=exchange, until=until
        )

    @property
    def day(self) -> str:
        """That of the prices of `--what-if`."""
        return self.now.date().isoformat()

    # ------------------------------------------------------------------------------ the formats

    def text(self, form: str, *, width: int, ascii_only: bool = False) -> str:
        """`form` is table, json or csv."""
        match form:
            case "json":
                return json_text(self.json(), ascii_only=ascii_only) + "\n"
            case "csv":
                return csv_text(self.report, self.by)
            case _:
                return self.table(width)

    def table(self, width: int) -> str:
        if not self.report.lines:
            return _("The ledger holds no such run.") + "\n"
        parts = [
            table_lines(self.report, BY_HEADERS[self.by], width),
            summary(self.report) + "".join(f"{one}\n" for one in self.rate_lines()),
            *(
                what_if_text(one, repriced, self.day)
                for one, repriced in zip(self.others, self.repriced, strict=True)
            ),
        ]
        if self.even and self.traffic and self.machine:
            parts.append(
                break_even_text(self.even, self.traffic, self.machine, self._own_currency())
            )
        return "\n".join(parts)

    def rate_lines(self) -> list[str]:
        used = self.exchange.used.values() if self.exchange else ()
        return [_("Converted: {rate}", rate=safe_line(str(one))) for one in used]

    def _own_currency(self) -> str:
        return self.currency or (self.machine.price.currency if self.machine else "")

    def json(self) -> dict[str, Json]:
        even = None
        if self.even and self.traffic and self.machine:
            even = break_even_json(self.even, self.traffic, self.machine, self._own_currency())
        return {
            "version": 1,
            "by": self.by,
            "since": self.wanted.since,
            "until": self.wanted.until,
            "first": self.report.first,
            "last": self.report.last,
            "currency": self.currency,
            "rates": self.exchange.json() if self.exchange else [],
            "lines": [{"key": one.key or None, **line_json(one)} for one in self.report.lines],
            "total": line_json(self.report.total),
            "what_if": [
                what_if_json(one, repriced, self.day)
                for one, repriced in zip(self.others, self.repriced, strict=True)
            ],
            "break_even": even,
        }


def only(currency: str) -> Exchange:
    """No exchange: raises UsageError for money in another currency than the hardware's."""

    def exchange(amount: Decimal, code: str) -> Decimal:
        if code != currency:
            raise UsageError(
                _("the hardware is priced in {own}, and other money in {other}",
                  own=currency, other=code),
                hint=_("convert both: --currency {own}; the rates: llmctl cost rates",
                       own=currency),
            )  # fmt: skip
        return amount

    return exchange
