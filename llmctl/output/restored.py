"""The renderer of an answer to a call with placeholders: it shows what they stand for."""

import contextlib

from llmctl.engine.restoring import Restoring
from llmctl.errors import IoFailed
from llmctl.output.choose import Renderer
from llmctl.types import Event, Receipt


class Restored:
    """Hands on to another renderer. What was held back comes before the end, of a failure too."""

    def __init__(self, show: Renderer, restoring: Restoring) -> None:
        self._show = show
        self._restoring = restoring

    def event(self, event: Event) -> None:
        for one in self._restoring.event(event):
            self._show.event(one)

    def finish(self, receipt: Receipt) -> None:
        self._rest()
        self._show.finish(self._restoring.receipt(receipt))

    def fail(self, receipt: Receipt) -> None:
        with contextlib.suppress(IoFailed):  # a full disk may be what failed
            self._rest()
        self._show.fail(self._restoring.receipt(receipt))

    def _rest(self) -> None:
        for one in self._restoring.end():
            self._show.event(one)
