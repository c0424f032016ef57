"""Lines with tabs as columns, for people at a terminal."""

from llmctl.output.choose import Renderer
from llmctl.output.columns import cells
from llmctl.types import Event, Receipt, TextDelta

GAP = "  "


class Aligned:
    """Holds the text back until it is whole, and shows it with its columns under each other."""

    def __init__(self, show: Renderer) -> None:
        self._show = show
        self._text = ""

    def event(self, event: Event) -> None:
        if isinstance(event, TextDelta):
            self._text += event.text
        else:
            self._show.event(event)

    def finish(self, receipt: Receipt) -> None:
        self._let_go()
        self._show.finish(receipt)

    def fail(self, receipt: Receipt) -> None:
        self._let_go()
        self._show.fail(receipt)

    def _let_go(self) -> None:
        if self._text:
            self._show.event(TextDelta(aligned(self._text)))
            self._text = ""


def aligned(text: str) -> str:
    """`text` with spaces instead of tabs; the last column of a line is not filled up."""
    rows = [line.split("\t") for line in text.split("\n")]
    widths: dict[int, int] = {}
    for row in rows:
        for column, cell in enumerate(row[:-1]):
            widths[column] = max(widths.get(column, 0), cells(cell))
    return "\n".join(
        GAP.join((*(cell + " " * (widths[at] - cells(cell)) for at, cell in enumerate(row[:-1])),
                  row[-1]))
        for row in rows
    )  # fmt: skip
