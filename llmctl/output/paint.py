"""rich, set up for one of our streams: the only place that makes its consoles."""

from io import StringIO

from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.style import Style

from llmctl.output.terminal import Screen, safe_line

_SYSTEMS = {
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
    "windows": ColorSystem.WINDOWS,
}


def console_for(screen: Screen) -> Console:
    """A console that renders for `screen` into memory; nothing in the text is markup to it."""
    return Console(
        file=StringIO(),
        force_terminal=True,
        no_color=not screen.colour,
        width=screen.width,
        height=screen.height,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )


class Painter:
    """Renders to lines of text with escape sequences, each complete in itself."""

    def __init__(self, screen: Screen) -> None:
        self.width = screen.width
        self._console = console_for(screen)
        self._system = _SYSTEMS.get(self._console.color_system or "")
        self._colour = screen.colour

    def lines(self, renderable: RenderableType, *, blank: bool = False) -> list[str]:
        """Without spaces at the ends of lines, and without blank lines before and after unless
        `blank` keeps them."""
        options = self._console.options.update(width=self.width, height=None)
        rendered = self._console.render_lines(renderable, options, pad=False)
        lines = [self._line(segments) for segments in rendered]
        if blank:
            return lines or [""]
        while lines and not lines[-1]:
            lines.pop()
        while lines and not lines[0]:
            lines.pop(0)
        return lines

    def _line(self, segments: list[Segment]) -> str:
        while segments and not segments[-1].text.strip(" "):
            segments = segments[:-1]
        return "".join(
            self._styled(text, style) for text, style, control in segments if control is None
        ).rstrip(" ")

    def _styled(self, text: str, style: Style | None) -> str:
        # Character references of Markdown turn into characters after the text was made safe.
        text = safe_line(text)
        if style is None:
            return text
        if not self._colour:
            style = style.without_color
        return style.render(text, color_system=self._system)
