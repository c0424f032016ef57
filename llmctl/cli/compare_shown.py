"""What is printed of a comparison, and where: the format that was asked for into the file or on
standard output, and on a terminal the table beside a file."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from llmctl.cli.compare_asked import CompareAsked
from llmctl.compare.shape import Comparison
from llmctl.cost.money import Money
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.sink import Sink, sink_to
from llmctl.output.terminal import Terminal, safe_line
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.cli.cost_exchange import Exchanging
    from llmctl.compare.figures import Line, Summary
    from llmctl.settings import Loaded

# In which costs are compared where models are charged in several.
CURRENCY = "USD"


class Result:
    """The sink is opened before anything is sent, so that one that cannot be written costs
    nothing."""

    def __init__(
        self, asked: CompareAsked, loaded: "Loaded", terminal: Terminal, sink: Sink
    ) -> None:
        self._asked = asked
        self._loaded = loaded
        self._terminal = terminal
        self._sink = sink

    def abandon(self) -> None:
        """There is no result."""
        self._sink.abandon()

    def show(self, comparison: Comparison, kept: Comparison | None) -> None:
        """Keep `kept`, where it is not there already, and print `comparison`."""
        if kept is not None and any(one.receipt.attempts for one in kept.trials):
            # First of all: it has been paid for. One of which nothing was sent is no comparison.
            from llmctl.cli.compare_saved import save

            save(kept, self._asked, self._loaded)
        summary = self.summed(comparison)
        asked = self._asked
        to_file = asked.output not in (None, "-")
        if asked.shown_as == "table" and not to_file:
            from llmctl.output.compare_table import print_result

            print_result(comparison, summary, self._terminal)
        else:
            self._sink.write(self._text(comparison, summary))
            self._sink.keep()
            if to_file and self._terminal.stdout.is_tty and not asked.quiet:
                from llmctl.output.compare_table import print_result

                print_result(comparison, summary, self._terminal)
        if to_file and not asked.quiet and self._terminal.stderr.is_tty:
            streams.err(_("Written: {path}", path=safe_line(asked.output or "")) + "\n")
        if kept is not None and not asked.quiet and self._terminal.stderr.is_tty:
            streams.err(_("Show it again: llmctl compare --show {id}", id=comparison.id) + "\n")

    def summed(self, comparison: Comparison) -> "Summary":
        """The figures, with what is recommended."""
        from datetime import date

        from llmctl.cli.cost_exchange import Exchanging
        from llmctl.compare.advice import advised
        from llmctl.compare.summary import summarised

        rates = Exchanging(self._asked.currency or CURRENCY, self._loaded, date.today())
        summary = summarised(comparison, rates=rates)
        return advised(
            comparison,
            replace(summary, exchanged=(*_of_rates(summary, rates), *rates.notes())),
            prefer=self._asked.prefer,
            where=self._asked.where,
            exchange=self._exchange,
        )

    def foreseen(self, comparison: Comparison, lines: Sequence["Line"]) -> "Summary":
        """What would be recommended if the figures were these; their costs are exchanged here."""
        from datetime import date

        from llmctl.cli.cost_exchange import Exchanging
        from llmctl.compare.advice import advised
        from llmctl.compare.figures import Summary
        from llmctl.compare.spending import common

        rates = Exchanging(self._asked.currency or CURRENCY, self._loaded, date.today())
        money = common([one.cost for one in lines], rates)
        if money is not None:
            lines = [replace(one, converted=money.amount(one.cost)) for one in lines]
        summary = Summary(lines=tuple(lines), currency=None if money is None else money.currency)
        wishes = {"prefer": self._asked.prefer, "where": self._asked.where}
        return advised(comparison, summary, **wishes, exchange=self._exchange)

    def _exchange(self, money: Money, currency: str) -> Decimal | None:
        """What a bound of another currency is held against."""
        from datetime import date

        from llmctl.cli.cost_exchange import Exchanging
        from llmctl.cost.rates import NoRate

        try:
            return Exchanging(currency, self._loaded, date.today())(money.amount, money.currency)
        except NoRate:
            return None

    def _text(self, comparison: Comparison, summary: "Summary") -> str:
        from llmctl.output import compare_formats as formats

        match self._asked.shown_as:
            case "json":
                from llmctl.output.compare_json import document
                from llmctl.output.envelope import json_text

                ascii_only = not self._sink.unicode
                return json_text(document(comparison, summary), ascii_only=ascii_only) + "\n"
            case "html":
                from llmctl.output.report.compare import compare_html

                return compare_html(comparison, summary)
            case "jsonl":
                return formats.jsonl(comparison)
            case "csv":
                return formats.csv_text(comparison, summary)
            case "md":
                return formats.markdown(comparison, summary)
            case "junit":
                return formats.junit(comparison)
            case _:
                from llmctl.output.compare_table import result_text

                return result_text(comparison, summary)


def _of_rates(summary: "Summary", rates: "Exchanging") -> Iterator[str]:
    """At which rates costs are compared, or why they are not."""
    codes = sorted({one.cost.currency for one in summary.lines if one.cost and one.cost.amount})
    if summary.currency is None and len(codes) > 1:
        yield _("Costs are in {codes} and are not compared, since a rate is missing: llmctl cost"
                " rates update", codes=", ".join(codes))  # fmt: skip
    for rate in rates.used.values() if summary.currency is not None else ():
        yield _("Costs are compared at {rate}.", rate=rate)


def opened(asked: CompareAsked, loaded: "Loaded", terminal: Terminal) -> Result:
    """Raises IoFailed for a file that cannot be written."""
    return Result(asked, loaded, terminal, sink_to(asked.output, asked.encoding))
