"""What is seen of a comparison while it runs: panes, one line, or nothing but notices."""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol, Self

from llmctl.compare.plan import Planned
from llmctl.compare.shape import Comparison, Trial
from llmctl.compare.spending import is_unpriced, price
from llmctl.cost.money import Money
from llmctl.errors import LlmctlError
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.aside import CLEAR_LINE
from llmctl.output.compare_text import sums_text
from llmctl.output.terminal import Screen, Terminal, safe_line
from llmctl.types import Event, Notice

REDRAW_SECONDS = 1 / 8


class View(Protocol):
    """Entered before the first trial and left after the last. Nothing of it ever raises: a terminal
    that goes away is no failure of a model."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_exception: object) -> None:
        """Leaves the terminal as it was before."""

    def began(self, planned: Planned) -> None: ...

    def event(self, planned: Planned, event: Event) -> None: ...

    def ended(self, trial: Trial) -> None: ...

    def judging(self, done: int, total: int) -> None:
        """So many of all answers are judged."""


def view_for(comparison: Comparison, terminal: Terminal, *, quiet: bool) -> View:
    """Panes where standard output is a terminal, else one line where standard error is, else
    silence; `quiet` is silence anywhere. `comparison` has no trials yet."""
    if quiet or not (terminal.stdout.cursor or terminal.stderr.cursor):
        return Silence(quiet=quiet)
    if terminal.stdout.cursor:
        from llmctl.output.panes import Panes

        return Panes(comparison, terminal.stdout)
    return ProgressLine(comparison, terminal.stderr)


class Tally:
    """What came of the trials so far, of one candidate or of all."""

    def __init__(self) -> None:
        self.done = 0
        self.failed = 0
        self._paid: dict[str, Decimal] = {}
        self._unpriced = False

    def add(self, trial: Trial) -> None:
        self.done += 1
        self.failed += not trial.succeeded
        self._unpriced = self._unpriced or is_unpriced(trial.receipt)
        if (money := price(trial.receipt)) is not None:
            self._paid[money.currency] = self._paid.get(money.currency, Decimal(0)) + money.amount

    @property
    def cost(self) -> str:
        """`0.0021 USD + 0.50 RUB`; empty where nothing is known."""
        amounts = [Money(amount, code) for code, amount in sorted(self._paid.items())]
        return sums_text(amounts, unpriced=self._unpriced)


class Notices:
    """Notices of runs on standard error, each once."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._told: set[str] = set()

    def wants(self, event: Event) -> bool:
        """Whether `tell` would say something."""
        return (
            isinstance(event, Notice)
            and (event.insists or not self._quiet)
            and event.text not in self._told
        )

    def tell(self, event: Event) -> None:
        if isinstance(event, Notice) and self.wants(event):
            self._told.add(event.text)
            shown(streams.err, f"llmctl: {safe_line(event.text)}\n")


def shown(write: Callable[[str], None], text: str) -> bool:
    """Whether there is still somebody to show things to: where not, the command itself finds out
    when it prints its result."""
    try:
        write(text)
    except LlmctlError:
        return False
    return True


class Silence:
    def __init__(self, *, quiet: bool = False) -> None:
        self._notices = Notices(quiet=quiet)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass

    def began(self, planned: Planned) -> None:
        pass

    def event(self, planned: Planned, event: Event) -> None:
        self._notices.tell(event)

    def ended(self, trial: Trial) -> None:
        pass

    def judging(self, done: int, total: int) -> None:
        pass


class ProgressLine:
    """One line on standard error, redrawn in place: runs done, failures, what they cost."""

    def __init__(
        self, comparison: Comparison, screen: Screen, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._planned = comparison.planned
        self._screen = screen
        self._clock = clock
        self._tally = Tally()
        self._notices = Notices()
        self._due = 0.0
        self._judging = ""

    def __enter__(self) -> Self:
        self._draw()
        return self

    def __exit__(self, *_exception: object) -> None:
        shown(streams.err, CLEAR_LINE)

    def began(self, planned: Planned) -> None:
        pass

    def event(self, planned: Planned, event: Event) -> None:
        if self._notices.wants(event):
            shown(streams.err, CLEAR_LINE)
            self._notices.tell(event)
            self._draw()

    def ended(self, trial: Trial) -> None:
        self._tally.add(trial)
        self._changed()

    def judging(self, done: int, total: int) -> None:
        self._judging = judging_text(done, total)
        self._changed()

    def _changed(self) -> None:
        if self._clock() >= self._due or self._tally.done == self._planned:
            self._draw()

    def _draw(self) -> None:
        self._due = self._clock() + REDRAW_SECONDS
        text = progress_text(self._tally, self._planned, self._judging)
        shown(streams.err, CLEAR_LINE + text[: self._screen.width - 1])


def progress_text(tally: Tally, planned: int, judging: str = "") -> str:
    """`3 of 25 runs · 1 failed · 0.0021 USD`."""
    parts = [_("{done} of {planned} runs", done=tally.done, planned=planned)]
    if tally.failed:
        parts.append(_("{count} failed", count=tally.failed))
    parts += [one for one in (tally.cost, judging) if one]
    return " · ".join(parts)


def judging_text(done: int, total: int) -> str:
    return _("judged: {done} of {total}", done=done, total=total)
