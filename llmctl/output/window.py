"""The part of a terminal that is still changing: its last rows, redrawn in place."""

import re

from llmctl.output.columns import cells

# A terminal that knows this mode shows a redraw at once; others ignore it.
SYNC, SYNC_END = "\x1b[?2026h", "\x1b[?2026l"
# While rows are counted none may wrap, whatever width the terminal gives an odd character.
NO_WRAP, WRAP = "\x1b[?7l", "\x1b[?7h"

# Styles, and going to a column.
_STYLE = re.compile(r"\x1b\[[0-9;]*[mG]")


class Window:
    """Knows which rows stand above the cursor; makes the escape sequences, writes nothing.

    The cursor is at the end of the last row, or at the start of a line where there are none.
    """

    def __init__(self) -> None:
        self._rows: list[str] = []

    @property
    def empty(self) -> bool:
        return not self._rows

    def paint(self, finished: list[str], live: list[str], height: int) -> str:
        """What to write so that `finished` lines stand for good where the window began, and
        `live` ones are the window; only as many of their last as fit on the screen."""
        live = live[-max(1, height - 1) :]
        if finished:
            body = "".join(line + "\n" for line in finished) + _unwrapped(live)
            text = self._back_to(0) + body
        else:
            same = _common(self._rows, live)
            if same == len(self._rows) == len(live):
                return ""
            below = "\n" if same and same == len(self._rows) else ""
            text = self._back_to(same) + below + _unwrapped(live[same:])
            if same and same == len(live):  # rows were only taken away: one up, to its end
                text = self._back_to(same - 1) + _unwrapped(live[same - 1 :])
        self._rows = live
        return SYNC + text + SYNC_END

    def narrowed(self, width: int) -> None:
        """The terminal is `width` columns wide now and has wrapped the longer rows anew."""
        rows: list[str] = []
        for row in self._rows:
            rows += [row] + [""] * ((max(1, cells(_STYLE.sub("", row))) - 1) // width)
        self._rows = rows

    def _back_to(self, row: int) -> str:
        """Erase from that row on; nothing where it is below the last."""
        if row >= len(self._rows):
            return ""
        up = len(self._rows) - 1 - row
        return (f"\x1b[{up}A" if up else "") + "\r\x1b[J"


def _common(old: list[str], new: list[str]) -> int:
    count = 0
    for before, after in zip(old, new, strict=False):
        if before != after:
            break
        count += 1
    return count


def _unwrapped(lines: list[str]) -> str:
    return NO_WRAP + "\n".join(lines) + WRAP if lines else ""
