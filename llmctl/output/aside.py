"""What accompanies an answer on standard error: reasoning, notices, progress."""

from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.terminal import Terminal, safe, safe_line
from llmctl.types import Event, Media, Notice, Progress, ReasoningDelta, ToolCall

DIM, PLAIN = "\x1b[2m", "\x1b[0m"
CLEAR_LINE = "\r\x1b[K"


class Aside:
    """Shows every event that is not text, dim where there is colour; `quiet` shows nothing of it
    but what insists."""

    def __init__(self, terminal: Terminal, *, quiet: bool) -> None:
        self._screen = terminal.stderr
        self._quiet = quiet
        self._in_reasoning = False  # its last line is not ended yet
        self._status = False  # a progress line stands on the terminal

    def seen(self, event: Event) -> bool:
        """Whether `event` would show on a terminal, where the answer may be in mid-line."""
        if not self._screen.is_tty:
            return False
        if self._quiet:
            return isinstance(event, Notice) and event.insists
        return isinstance(event, ReasoningDelta | Notice | ToolCall | Media | Progress)

    def event(self, event: Event) -> None:
        match event:
            case ReasoningDelta(text):
                self._reason(text)
            case Notice(text=text, insists=insists):
                self._say(text, insists=insists)
            case ToolCall(name=name, arguments=arguments):
                self._say(_("the model calls {call}", call=f"{name}({arguments})"))
            case Media():
                self._say(_described(event))
            case Progress():
                self._progress(event)
            case _:
                pass

    @property
    def open(self) -> bool:
        """Whether standard error is in mid-line, so that `end` has something to do."""
        return self._in_reasoning or self._status

    def end(self) -> None:
        """Leave standard error at the start of a line, without a progress line."""
        if self._status:
            self._status = False
            streams.err(CLEAR_LINE)
        if self._in_reasoning:
            self._in_reasoning = False
            streams.err("\n")

    def _reason(self, text: str) -> None:
        if self._quiet or not text:
            return
        if self._status:
            self.end()
        self._in_reasoning = not text.endswith("\n")
        streams.err(self._dim(safe(text) if self._screen.is_tty else text))

    def _say(self, text: str, *, insists: bool = False) -> None:
        if insists or not self._quiet:
            self.end()
            streams.err(self._dim("llmctl: " + safe_line(text)) + "\n")

    def _progress(self, event: Progress) -> None:
        if self._quiet or not self._screen.cursor:
            return
        if self._in_reasoning:
            self.end()
        text = safe_line(event.stage)
        if event.total:
            text += f" {100 * event.done // event.total} %"
        self._status = True
        streams.err(CLEAR_LINE + self._dim(text[: self._screen.width - 1]))

    def _dim(self, text: str) -> str:
        return f"{DIM}{text}{PLAIN}" if self._screen.colour else text


def _described(media: Media) -> str:
    if media.url is not None:
        return f"{media.media_type} {media.url}"
    return _(
        "the answer has {media_type} of {size} bytes, which --json prints as base64",
        media_type=media.media_type,
        size=len(media.data or b""),
    )
