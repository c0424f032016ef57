"""What a local server says of a model: where it runs, where policy cares, and whether it takes the
files of a call. Asked of it before the prompt."""

from typing import TYPE_CHECKING

from llmctl.dialects import Frame, HttpCall
from llmctl.dialects.look import parse
from llmctl.dialects.media import files_of
from llmctl.engine.kinds import kind_of
from llmctl.engine.route import Route
from llmctl.errors import LlmctlError, PrivacyRefused, ProviderFailed, UsageError
from llmctl.messages import _
from llmctl.types import Call, Json

if TYPE_CHECKING:
    from llmctl.transport.exchange import Lane


def must_ask(route: Route) -> bool:
    """Whether policy forbids the call if the server only passes it on to a cloud."""
    return route.elsewhere is not None and not route.elsewhere.allowed


def can_tell(route: Route) -> bool:
    """Whether the server itself is asked what a model takes."""
    return route.dialect.whereabouts(route.model) is not None


async def refuse_elsewhere(route: Route, lane: "Lane") -> None:
    """Ask the server where the model runs; nothing of the prompt is sent.

    Raises PrivacyRefused for a model that runs elsewhere, ProviderFailed for an answer from which
    that cannot be told.
    """
    http = route.dialect.whereabouts(route.model)
    if http is None or route.elsewhere is None:
        return
    answer = await _told(route, http, lane)
    if not isinstance(answer, dict):
        raise ProviderFailed(_("the server does not say where the model runs"), retryable=False)
    if host := route.dialect.elsewhere(answer):
        raise PrivacyRefused(
            _("policy forbids {model}: the server only passes it on to {host}; {reasons}",
              model=route.requested, host=host, reasons="; ".join(route.elsewhere.reasons)),
            hint=_("a model that stays here: llmctl models list local"),
        )  # fmt: skip


async def refuse_untaken(route: Route, call: Call, lane: "Lane") -> None:
    """Ask the server what the model takes, where the call has files; nothing of them is sent.

    Raises UsageError for a model that does not take one of them. An answer that does not tell is
    no reason to refuse: then the server will say itself what it makes of the files.
    """
    wanted = {kind for one in files_of(call) if (kind := kind_of(one.media_type))}
    http = route.dialect.whereabouts(route.model) if wanted else None
    if http is None:
        return
    try:
        taken = route.dialect.taken(await _told(route, http, lane))
    except LlmctlError:
        return
    if taken is None or not (lacking := sorted(wanted - set(taken))):
        return
    raise UsageError(
        _("{model} takes no {kinds}, as its server says", model=route.requested,
          kinds=", ".join(lacking)),
        hint=_("ask another model with -m; what one takes, its server shows among its"
               " capabilities"),
    )  # fmt: skip


async def _told(route: Route, http: HttpCall, lane: "Lane") -> Json:
    async with lane.exchange(http) as reply:
        if not 200 <= reply.status < 300:
            raise route.dialect.failure(reply.status, reply.headers, await reply.text())
        frames: list[Frame] = [frame async for frame in reply.frames(http.framing)]
    return parse("".join(frame.data for frame in frames))
