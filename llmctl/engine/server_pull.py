"""Models that a server of the user's fetches and deletes itself: it is told to, and watched."""

from contextlib import ExitStack, aclosing, suppress
from typing import TYPE_CHECKING

from llmctl.dialects import DIALECTS, HttpCall, PullStep
from llmctl.engine.listing import Server, asking
from llmctl.errors import CutOff, LlmctlError, NetworkFailed
from llmctl.messages import _
from llmctl.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from llmctl.cards import Card
    from llmctl.dialects import Frame
    from llmctl.engine.pull import Progress
    from llmctl.engine.weights import Notice
    from llmctl.settings import Settings

# A server reads the whole of what it fetched once more to check it, and says nothing meanwhile.
IDLE_S = 900.0
# Smaller pieces (licence, template, parameters) have come before a bar for them is drawn.
SMALL = 1 << 20
LONGEST = 200  # characters of a state
DIGITS = 12  # of a digest, as many as servers show


def pulls(card: "Card") -> bool:
    """Whether the provider's server fetches models when it is told to."""
    return DIALECTS[card.dialect]().pulling("m") is not None


async def pull(
    card: "Card", model: str, settings: "Settings", *, notice: "Notice", progress: "Progress"
) -> None:
    """Let the server fetch the model, with a bar for each of its large pieces.

    Raises NotFound for a model that there is not, ProviderFailed for what the server says went
    wrong, CutOff where it falls silent or goes away before the end, NetworkFailed where it is not
    there.
    """
    http = DIALECTS[card.dialect]().pulling(model)
    if http is None:
        raise NotImplementedError
    idle = max(IDLE_S, settings.network.idle_timeout)  # one for this provider counts before it
    patient = replace(settings, network=replace(settings.network, idle_timeout=idle))
    async with asking(card, patient) as server:
        steps = 0
        try:
            with Bars(progress, notice, model) as bars:
                async with aclosing(server.frames(http)) as frames:
                    async for frame in frames:
                        step = _read(server, frame)
                        steps += 1
                        bars.show(step)
                        if step.over:
                            break
                    else:
                        raise _cut(card, model, server, None)
        except NetworkFailed as error:
            if not steps:
                raise
            raise _cut(card, model, server, error) from None
        if host := await _elsewhere(server, model):
            notice(_("It does not run here: the server only passes it on to {host}.", host=host))


async def _elsewhere(server: Server, model: str) -> str | None:
    """Where a model really runs that the server has now; None where that is here, or unknown."""
    http = server.dialect.whereabouts(model)
    if http is None:
        return None
    with suppress(LlmctlError):
        return server.dialect.elsewhere(await server.answer(http))
    return None


async def remove(card: "Card", model: str, settings: "Settings") -> None:
    """Let the server delete the model. Raises NotFound for one that it does not have."""
    http: HttpCall | None = DIALECTS[card.dialect]().removal(model)
    if http is None:
        raise NotImplementedError
    async with asking(card, settings) as server:
        await server.done(http)


def _read(server: Server, frame: "Frame") -> PullStep:
    try:
        return server.dialect.pulled(frame)
    except LlmctlError as error:
        raise server.placed(error) from None


def _cut(card: "Card", model: str, server: Server, error: NetworkFailed | None) -> CutOff:
    why = error.message if error else _("its answer ended too early")
    return CutOff(
        _("the server did not say that {model} is there: {why}", model=model, why=why),
        hint=_("go on with it: llmctl models pull {provider}/{model}", provider=card.id,
               model=model),
        provider=card.id,
        host=server.target.host,
    )  # fmt: skip


class Bars:
    """One bar at a time, for the piece that is coming; each is closed when another one begins."""

    def __init__(self, progress: "Progress", notice: "Notice", model: str) -> None:
        self._progress = progress
        self._notice = notice
        self._model = model
        self._digest: str | None = None
        self._report: Callable[[int], None] | None = None
        self._open = ExitStack()
        self._said: set[str] = set()

    def __enter__(self) -> "Bars":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def show(self, step: PullStep) -> None:
        """What this step says: bytes of a piece, else a state in the server's own words, once."""
        if step.digest is None or not step.total:
            self._close()
            if step.status and not step.over and step.status not in self._said:
                self._said.add(step.status)
                self._notice(step.status[:LONGEST])
            return
        if step.total < SMALL:
            return
        if step.digest != self._digest:
            self._close()
            name = step.digest.rpartition(":")[2][:DIGITS]
            title = _("Fetching {model}, {piece}", model=self._model, piece=name)
            self._report = self._open.enter_context(self._progress(title, step.total))
            self._digest = step.digest
        if self._report is not None and step.completed is not None:
            self._report(step.completed)

    def _close(self) -> None:
        self._open.close()
        self._open = ExitStack()
        self._digest = self._report = None
