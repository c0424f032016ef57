"""Where a local server runs a model: asked of it before the prompt, where policy cares."""

from typing import TYPE_CHECKING

from llmctl.dialects import Frame
from llmctl.dialects.look import parse
from llmctl.engine.route import Route
from llmctl.errors import PrivacyRefused, ProviderFailed
from llmctl.messages import _

if TYPE_CHECKING:
    from llmctl.transport.exchange import Lane


def must_ask(route: Route) -> bool:
    """Whether policy forbids the call if the server only passes it on to a cloud."""
    return route.elsewhere is not None and not route.elsewhere.allowed


async def refuse_elsewhere(route: Route, lane: "Lane") -> None:
    """Ask the server where the model runs; nothing of the prompt is sent.

    Raises PrivacyRefused for a model that runs elsewhere, ProviderFailed for an answer from which
    that cannot be told.
    """
    http = route.dialect.whereabouts(route.model)
    if http is None or route.elsewhere is None:
        return
    async with lane.exchange(http) as reply:
        if not 200 <= reply.status < 300:
            raise route.dialect.failure(reply.status, reply.headers, await reply.text())
        frames: list[Frame] = [frame async for frame in reply.frames(http.framing)]
    answer = parse("".join(frame.data for frame in frames))
    if not isinstance(answer, dict):
        raise ProviderFailed(_("the server does not say where the model runs"), retryable=False)
    if host := route.dialect.elsewhere(answer):
        raise PrivacyRefused(
            _("policy forbids {model}: the server only passes it on to {host}; {reasons}",
              model=route.requested, host=host, reasons="; ".join(route.elsewhere.reasons)),
            hint=_("a model that stays here: llmctl models list local"),
        )  # fmt: skip
