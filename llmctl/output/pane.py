"""One candidate of a comparison as it answers: the lines of its pane."""

import re
import time
from collections.abc import Callable

from rich.cells import cell_len, chop_cells, set_cell_size

from llmctl.compare.figures import Metric
from llmctl.compare.measures import measure
from llmctl.compare.plan import Planned
from llmctl.compare.shape import Candidate, Trial
from llmctl.messages import _
from llmctl.output.aside import DIM, PLAIN
from llmctl.output.compare_live import Tally
from llmctl.output.compare_text import encodable, seconds_text
from llmctl.output.terminal import safe, safe_line
from llmctl.types import Event, Progress, ReasoningDelta, TextDelta

# Characters of an answer that a pane remembers: more than any screen shows of it.
KEPT = 20_000
BYTES_A_TOKEN = 4  # roughly, in any language: what costs more tokens takes more bytes
TAB = "    "
GREEN, RED, BOLD = "\x1b[32m", "\x1b[31m", "\x1b[1m"
FRAME, PLAIN_FRAME = "╭╮╰╯─│", "++++-|"
OF_AN_ERROR = 3  # its lines in a pane
_WORDS = re.compile(r"\S+\s*|\s+")


class Tail:
    """The end of a text that grows, in lines of a width. What was wrapped is not wrapped again."""

    def __init__(self) -> None:
        self._pending: list[str] = []
        self._kept = ""
        self._lines: list[str] = []
        self._open = ""  # the last line, which still grows
        self._width = 0

    def feed(self, text: str) -> None:
        self._pending.append(text)

    def lines(self, width: int, rows: int) -> list[str]:
        """The last lines, at most so many."""
        new = encodable("".join(self._pending).replace("\r\n", "\n")[-KEPT:])
        new = safe(new).replace("\t", TAB)
        self._pending.clear()
        self._kept = (self._kept + new)[-KEPT:]
        if width != self._width:
            self._width, self._lines, self._open = width, [], ""
            new = self._kept
        for number, part in enumerate(new.split("\n")):
            if number:
                self._lines.append(self._open)
                self._open = ""
            if part:
                *full, self._open = wrapped(self._open + part, width)
                self._lines += full
        shown = [*self._lines, self._open] if self._open else self._lines
        del self._lines[:-KEPT]
        return shown[-rows:] if rows > 0 else []


def wrapped(line: str, width: int) -> list[str]:
    """One line in pieces that fit, all its characters in order; spaces at the end of a piece do
    not count. Words that are too long are broken."""
    pieces, taken, used = [], "", 0
    for word in _WORDS.findall(line):
        size = cell_len(word.rstrip())
        if used + size > width and taken:
            pieces.append(taken)
            taken, used = "", 0
        if size > width:
            *whole, word = chop_cells(word, width)
            pieces += whole
        taken += word
        used += cell_len(word)
    return [*pieces, taken]


class Answering:
    """One run under way, or the last one that was."""

    def __init__(self, began: float) -> None:
        self.began = began
        self.first: float | None = None
        self.last = began
        self.bytes = 0
        self.tail = Tail()
        self.thinking = False
        self.stage = ""
        self.trial: Trial | None = None

    def event(self, event: Event, now: float) -> bool:
        """Whether it is to be seen."""
        match event:
            case TextDelta(text) if text:
                if self.thinking:
                    self.thinking, self.tail = False, Tail()
            case ReasoningDelta(text) if text:
                self.thinking = True
            case Progress(stage, done, total):
                share = f" {100 * done // total} %" if total else ""
                self.stage = encodable(safe_line(stage)) + share
                return True
            case _:
                return False
        self.first = now if self.first is None else self.first
        self.last = now
        self.bytes += len(text.encode("utf-8", "replace"))
        self.tail.feed(text)
        return True

    @property
    def speed(self) -> float | None:
        """Tokens a second, estimated from the text that came."""
        if self.first is None or self.last <= self.first:
            return None
        return self.bytes / BYTES_A_TOKEN / (self.last - self.first)


class Pane:
    """What one candidate does. `turns` is how often it is to be asked. `renders` counts how often
    its lines were made anew."""

    def __init__(
        self,
        candidate: Candidate,
        turns: int,
        *,
        colour: bool = False,
        frame: str = FRAME,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = encodable(safe_line(candidate.name))
        self._turns = turns
        self._turn = 0
        self._colour = colour
        self._frame = frame
        self._clock = clock
        self._tally = Tally()
        self._under_way: dict[Planned, Answering] = {}
        self._shown: Answering | None = None
        self._size: tuple[int, int, int] | None = None
        self._drawn: list[str] = []
        self.dirty = True
        self.renders = 0

    def began(self, planned: Planned) -> None:
        self._turn += 1
        answering = self._under_way[planned] = Answering(self._clock())
        if self._shown is None or self._shown.trial is not None:
            self._shown = answering
        self.dirty = True

    def event(self, planned: Planned, event: Event) -> None:
        answering = self._under_way.get(planned)
        if answering is not None and answering.event(event, self._clock()):
            self.dirty = self.dirty or answering is self._shown

    def ended(self, trial: Trial) -> None:
        self._tally.add(trial)
        ended = self._under_way.pop(Planned(trial.candidate, trial.case, trial.repeat), None)
        if ended is not None:
            ended.trial = trial
        if self._under_way and (self._shown is None or self._shown.trial is not None):
            self._shown = next(iter(self._under_way.values()))
        self.dirty = True

    def tick(self) -> None:
        """Time goes by, which is to be seen as long as nothing else is."""
        if self._shown is not None and self._shown.trial is None and self._shown.first is None:
            self.dirty = True

    @property
    def under_way(self) -> bool:
        return bool(self._under_way)

    @property
    def over(self) -> bool:
        return self._tally.done >= self._turns

    def lines(self, width: int, height: int, left: int) -> list[str]:
        """Exactly `height` lines (3 or more) of `width` columns; `left` is the terminal's column
        (from 0) where they begin: the right edge is put where it belongs, however wide the terminal
        takes odd characters to be."""
        size = (width, height, left)
        if self.dirty or size != self._size:
            self._drawn = self._render(width, height, left)
            self._size = size
            self.dirty = False
            self.renders += 1
        return self._drawn

    # ---- drawing

    def _render(self, width: int, height: int, left: int) -> list[str]:
        room = width - 4
        error = self._error(room)[: max(0, height - 3)]
        rows = height - 3 - len(error)
        tail = self._shown.tail.lines(room, rows) if self._shown is not None else []
        tail += [""] * (rows - len(tail))
        dim = self._shown is not None and self._shown.thinking
        body = [
            self._row(self._figures(), room, DIM, left),
            *(self._row(line, room, DIM if dim else "", left) for line in tail),
            *(self._row(line, room, RED, left) for line in error),
        ]
        return [self._top(width), *body, self._bottom(width)]

    def _row(self, text: str, room: int, style: str, left: int) -> str:
        edge = self._styled(self._frame[5], DIM)
        fitted = set_cell_size(text.rstrip(), room)
        return f"{edge} {self._styled(fitted, style)} \x1b[{left + room + 4}G{edge}"

    def _top(self, width: int) -> str:
        state, style = self._state()
        state = set_cell_size(state, min(cell_len(state), max(0, width // 2 - 4)))
        name = middle_cut(self._name, width - cell_len(state) - 9)
        line = self._frame[4] * (width - cell_len(name) - cell_len(state) - 8)
        start, end = self._frame[0] + self._frame[4], self._frame[4] + self._frame[1]
        return (
            self._styled(start, DIM) + f" {self._styled(name, BOLD)} "
            + self._styled(line, DIM) + f" {self._styled(state, style)} " + self._styled(end, DIM)
        )  # fmt: skip

    def _bottom(self, width: int) -> str:
        """With what it has cost so far."""
        rule, cost = self._frame[4], self._tally.cost
        label = f" {cost} " if cost and cell_len(cost) + 7 <= width else ""
        line = rule + label + rule * (width - cell_len(label) - 3)
        return self._styled(self._frame[2] + line + self._frame[3], DIM)

    def _state(self) -> tuple[str, str]:
        failed = self._tally.failed
        if self.over and failed:
            all_ = failed == self._tally.done
            text = _("it failed") if all_ else _("done, {count} failed", count=failed)
            return text, RED
        if self.over:
            return _("done"), GREEN
        if self._turn == 0:
            return _("waiting"), DIM
        if self._turns == 1:
            return _("running"), ""
        return _("{turn} of {turns}", turn=self._turn, turns=self._turns), ""

    def _figures(self) -> str:
        return "" if self._shown is None else " · ".join(self._times(self._shown))

    def _times(self, run: Answering) -> list[str]:
        if run.trial is not None:
            return _measured(run.trial)
        if run.first is None:
            waited = _("TTFT {seconds}…", seconds=seconds_text(self._clock() - run.began))
            return [run.stage, waited] if run.stage else [waited]
        parts = [_("TTFT ~{seconds}", seconds=seconds_text(run.first - run.began))]
        if run.speed is not None:
            parts.append(_("~{speed:.0f} tokens/s", speed=run.speed))
        return parts

    def _error(self, room: int) -> list[str]:
        trial = None if self._shown is None else self._shown.trial
        if trial is None or trial.receipt.error is None:
            return []
        return wrapped(encodable(safe_line(trial.receipt.error.message)), room)[:OF_AN_ERROR]

    def _styled(self, text: str, style: str) -> str:
        return f"{style}{text}{PLAIN}" if self._colour and style and text else text


def _measured(trial: Trial) -> list[str]:
    """The figures of a run that is over."""
    parts = []
    if (ttft := measure(trial, Metric.TTFT)) is not None:
        parts.append(_("TTFT {seconds}", seconds=seconds_text(ttft)))
    elif (total := measure(trial, Metric.TOTAL)) is not None:
        parts.append(_("total {seconds}", seconds=seconds_text(total)))
    if (speed := measure(trial, Metric.SPEED)) is not None:
        parts.append(_("{speed:.0f} tokens/s", speed=speed))
    return parts


def middle_cut(name: str, room: int) -> str:
    """A name that fits: models differ at their ends, providers at their beginnings."""
    if cell_len(name) <= room:
        return name
    if room < 4:
        return set_cell_size(name, max(0, room))
    head = set_cell_size(name, (room - 1) // 2)
    start = 0
    while cell_len(head) + 1 + cell_len(name[start:]) > room:
        start += 1
    return f"{head}…{name[start:]}"
