"""How far a job is, while it runs: one line that is redrawn on a terminal, now and then a line
elsewhere."""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal

from llmctl.batch.shape import Ended
from llmctl.batch.work import is_unpriced
from llmctl.cost.money import Money
from llmctl.errors import LlmctlError
from llmctl.messages import _
from llmctl.output import batch_words as said
from llmctl.output import streams
from llmctl.output.columns import cells
from llmctl.output.compare_text import money_text
from llmctl.output.numbers import grouped
from llmctl.output.progress import BAR_COLUMNS, FULL, REDRAW_SECONDS
from llmctl.output.report import words
from llmctl.output.terminal import Terminal, safe_line, size
from llmctl.types.amounts import read_amount

CLEAR_LINE = "\r\x1b[K"
DIM, PLAIN = "\x1b[2m", "\x1b[0m"
GAP = " · "
TRACK = "─"
FIGURES_COLUMNS = 76  # of them beside a bar

# Where nothing is redrawn, a line every so many seconds.
LINE_SECONDS = 30.0
# The pace is that of the last seconds, so that a change is seen, and no spike is.
WINDOW_SECONDS, SAMPLE_SECONDS, LEAST_SECONDS = 15.0, 0.5, 1.0


class Progress:
    """Counts rows as they end and shows where the job stands: on a terminal at most ten times a
    second, elsewhere every half a minute, not at all with `quiet`.

    `total` is how many rows there are, None while the input has not been read to its end; `already`
    how many were over before this run, `at_first` what is to be said until a row ends. What cannot
    be shown, because the terminal is gone, is not
    shown: it stops no row.
    """

    def __init__(
        self,
        terminal: Terminal,
        quiet: bool,
        total: int | None,
        already: int,
        *,
        at_first: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total = total
        self._screen = terminal.stderr
        self._quiet = quiet
        self._clock = clock
        self._at_first = at_first
        self._over = already
        self._failed = 0
        self._costs: dict[str, Decimal] = {}
        self._unpriced = False
        self._limit = self._under_way = 0
        self._why: str | None = None
        self._held_until = 0.0
        now = clock()
        self._samples: deque[tuple[float, int]] = deque([(now, already)])
        self._drawn = self._gone = False
        self._due = now if self._screen.cursor else now + LINE_SECONDS

    def ended(self, ended: Ended) -> None:
        """A row is through."""
        receipt = ended.receipt
        self._over += 1
        self._at_first = None
        self._failed += receipt.error is not None
        if ended.same_as is None and not ended.cached and receipt.attempts:
            amount, currency = read_amount(receipt.cost.amount), receipt.cost.currency
            if amount is not None and currency is not None:
                self._costs[currency] = self._costs.get(currency, Decimal(0)) + amount
            elif receipt.error is None or is_unpriced(receipt):
                self._unpriced = True
        self.tick()

    def pace(self, limit: int, under_way: int, why: str | None, hold_s: float) -> None:
        """`limit` requests may be under way at a time, `under_way` are; `why` is the word of a
        pace for what slows it down, else a text; for `hold_s` seconds nothing is sent."""
        self._limit, self._under_way = limit, under_way
        self._why = None if why is None else slowed_by(why)
        self._held_until = self._clock() + hold_s
        self.tick()

    def tick(self) -> None:
        """Show the present state where it is due; to be called, too, while no row ends."""
        now = self._clock()
        if now - self._samples[-1][0] >= SAMPLE_SECONDS:
            self._samples.append((now, self._over))
            while now - self._samples[1][0] >= WINDOW_SECONDS:
                self._samples.popleft()
        if now < self._due or self._quiet:
            return
        if self._screen.cursor:
            self._due = now + REDRAW_SECONDS
            self._drawn = True
            self._show(CLEAR_LINE + self._dim(self.line(self._width() - 1)))
        else:
            self._due = now + LINE_SECONDS
            self._show(f"llmctl: {self.line(None)}\n")

    def note(self, text: str, *, insists: bool = False) -> None:
        """A line of its own, above the one that is redrawn; what `insists` is said with `quiet`,
        too."""
        if insists or not self._quiet:
            self.close()
            self._show(f"llmctl: {safe_line(text)}\n")
            self._due = min(self._due, self._clock()) if self._screen.cursor else self._due

    def close(self) -> None:
        """Leave standard error at the start of a line."""
        if self._drawn:
            self._drawn = False
            self._show(CLEAR_LINE)

    def line(self, room: int | None) -> str:
        """What stands on the line, in `room` columns at most; what matters least is left out."""
        # By the width alone: a bar that comes and goes with the figures moves them about.
        bar = ""
        if room is not None and self.total and room >= BAR_COLUMNS + FIGURES_COLUMNS:
            bar = _bar(min(1.0, self._over / self.total)) + " "
            room -= cells(bar)
        parts = list(self._parts())
        if room is not None:
            while len(parts) > 1 and cells(GAP.join(text for _rank, text in parts)) > room:
                parts.remove(max(parts, key=lambda part: part[0]))
        text = GAP.join(text for _rank, text in parts)
        return text if room is None else bar + text[:room]

    def _parts(self) -> Iterator[tuple[int, str]]:
        """What there is to say, in its order, each with its rank; that of the highest goes first
        where there is no room."""
        yield 0, self._counted()
        if self._at_first is not None:
            yield 1, self._at_first
        if self._failed:
            yield 1, _("failed {count}", count=grouped(self._failed))
        hold = self._held_until - self._clock()
        if hold > 0.5:
            why = f" ({self._why})" if self._why else ""
            yield 2, _("all wait {time}", time=rough(hold)) + safe_line(why)
        pace = self._rows_a_second()
        if pace is not None:
            # Two digits: a third would never stand still.
            yield 3, _("{pace} rows/s", pace=words.plain(pace, 2))
        if self._limit:
            yield 6, self._at_once(told=hold > 0.5)
        if money := self._money():
            yield 4, money
        if pace and self.total is not None and self.total > self._over:
            yield 5, _("{time} left", time=rough((self.total - self._over) / pace))

    def _counted(self) -> str:
        if self.total is None:
            return _("rows {count}", count=grouped(self._over))
        counted = f"{grouped(self._over)}/{grouped(self.total)}"
        return f"{counted} {words.share(self._over / self.total)}" if self.total else counted

    def _at_once(self, *, told: bool) -> str:
        many = grouped(self._limit)
        if self._under_way < self._limit:
            many = f"{grouped(self._under_way)}/{many}"
        why = "" if told or not self._why else f" ({safe_line(self._why)})"
        return _("{count} at a time", count=many) + why

    def _money(self) -> str:
        paid = [Money(amount, currency) for currency, amount in self._costs.items() if amount]
        text = " + ".join(money_text(one, at_least=self._unpriced) for one in paid)
        if self._unpriced:
            return _("at least {money}", money=text) if text else _("price unknown")
        return text

    def _rows_a_second(self) -> float | None:
        begun, before = self._samples[0]
        elapsed = self._clock() - begun
        return (self._over - before) / elapsed if elapsed >= LEAST_SECONDS else None

    def _width(self) -> int:
        """A window may have changed its size meanwhile."""
        with suppress(AttributeError, ValueError):
            if sys.stderr.isatty():
                return size(sys.stderr)[0]
        return self._screen.width

    def _dim(self, text: str) -> str:
        return f"{DIM}{text}{PLAIN}" if self._screen.colour else text

    def _show(self, text: str) -> None:
        if not self._gone:
            try:
                streams.err(text)
            except LlmctlError:
                self._gone = True


def _bar(share: float) -> str:
    """Its track is seen where it is still empty, too."""
    full = round(BAR_COLUMNS * share)
    return FULL * full + TRACK * (BAR_COLUMNS - full)


def slowed_by(why: str) -> str:
    """What a pace is slowed down by, for people."""
    return {
        "429": _("rate limited"),
        "overload": _("overloaded"),
        "latency": _("answers got slower"),
        "rate": _("limit a minute"),
        "elsewhere": _("told to another run"),
    }.get(why, why)


def rough(seconds: float) -> str:
    """So that the last digit does not flicker."""
    if seconds < 60:
        return _("{seconds} s", seconds=round(seconds))
    return said.duration(seconds)
