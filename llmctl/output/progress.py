"""A progress bar on standard error for long transfers."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.terminal import Terminal, detect, safe_line

REDRAW_SECONDS = 0.1
FULL, EMPTY = "━", " "
BAR_COLUMNS = 24
# Half a line of figures stands beside the title; a narrower terminal gets the figures alone.
FIGURES_COLUMNS = 44


@contextmanager
def bar(
    title: str, total: int | None = None, *, terminal: Terminal | None = None, quiet: bool = False
) -> Iterator[Callable[[int], None]]:
    """Shows how far something of `total` bytes is: call what it yields with the bytes done so far.

    On a terminal a line that is redrawn, elsewhere a line at the start and one at the end. When
    the body raises, what was shown last stays.
    """
    screen = (terminal or detect()).stderr
    drawn = Bar(title, total, width=screen.width, colour=screen.colour)
    if quiet:
        yield drawn.reach
    elif not screen.cursor:
        streams.err(drawn.started() + "\n")
        yield drawn.reach
        streams.err(drawn.ended() + "\n")
    else:
        try:
            yield _redrawing(drawn)
        except BaseException:
            streams.err("\n")
            raise
        streams.err(f"\r\x1b[K{drawn.ended()}\n")


def _redrawing(drawn: "Bar") -> Callable[[int], None]:
    due = 0.0

    def update(done: int) -> None:
        nonlocal due
        drawn.reach(done)
        now = time.monotonic()
        if now >= due:
            due = now + REDRAW_SECONDS
            streams.err(f"\r\x1b[K{drawn.line()}")

    return update


class Bar:
    """The texts of one transfer; `clock` gives seconds."""

    def __init__(
        self,
        title: str,
        total: int | None,
        *,
        width: int,
        colour: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._title = safe_line(title)
        self._total = total
        self._width = width
        self._colour = colour
        self._clock = clock
        self._begun = clock()
        self._first: int | None = None  # a resumed transfer begins above zero
        self._done = 0

    def reach(self, done: int) -> None:
        if self._first is None:
            self._first = done
        self._done = done

    def started(self) -> str:
        if self._total is None:
            return self._title
        return f"{self._title} ({size_text(self._total)})"

    def ended(self) -> str:
        return _(
            "{title}: {size} in {seconds:.1f} s",
            title=self._title,
            size=size_text(self._done),
            seconds=self._clock() - self._begun,
        )

    def line(self) -> str:
        """Title, bar, share, size, speed and the time left, cut to the terminal's width."""
        figures, drawn = size_text(self._done), ""
        room = self._width - 1
        if self._total:
            share = min(1.0, self._done / self._total)
            figures = f"{share:4.0%}  {figures} / {size_text(self._total)}{self._pace()}"
            if self._width > BAR_COLUMNS + FIGURES_COLUMNS:
                drawn = drawn_bar(share, colour=self._colour) + " "
                room -= BAR_COLUMNS + 1
        figures = figures[:room]
        room -= len(figures) + 1
        return (f"{self._title[:room]} " if room > 0 else "") + drawn + figures

    def _pace(self) -> str:
        elapsed = self._clock() - self._begun
        came = self._done - (self._first or 0)
        if elapsed < 1 or came <= 0 or self._total is None:
            return ""
        speed = came / elapsed
        left = max(0, round((self._total - self._done) / speed))
        pace = _("{size}/s", size=size_text(round(speed)))
        return f"  {pace}  {left // 60}:{left % 60:02}"


def drawn_bar(share: float, *, colour: bool) -> str:
    """BAR_COLUMNS columns, of which `share` (0 to 1) are full."""
    full = round(BAR_COLUMNS * share)
    done, left = FULL * full, FULL * (BAR_COLUMNS - full)
    if colour:
        return f"\x1b[32m{done}\x1b[0m\x1b[2m{left}\x1b[0m"
    return done + EMPTY * len(left)


def size_text(count: int) -> str:
    """Bytes in decimal units, as disks and downloads are labelled: 98.4 MB."""
    if count < 1000:
        return _("{count} B", count=count)
    value = float(count)
    units = (_("kB"), _("MB"), _("GB"), _("TB"))
    for unit in units:
        value /= 1000
        if value < 999.95 or unit == units[-1]:
            return f"{value:.1f} {unit}"
    raise AssertionError  # the last unit takes everything
