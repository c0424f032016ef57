"""One tiny real request, for `doctor --live`."""

from contextlib import aclosing
from typing import TYPE_CHECKING

from llmctl.cli.loop import run_async
from llmctl.engine.route import Route
from llmctl.errors import LlmctlError
from llmctl.messages import _
from llmctl.types import Chat, Role, message

if TYPE_CHECKING:
    from llmctl.settings import Loaded

MOST_TOKENS = 16


def ask_once(route: Route, loaded: "Loaded") -> tuple[LlmctlError | None, str]:
    """The error of the request if it failed, and the time of the answer in words. No retries: a
    diagnosis shows what happens, not what happens in the end."""
    return run_async(_ask(route, loaded))


async def _ask(route: Route, loaded: "Loaded") -> tuple[LlmctlError | None, str]:
    from llmctl.engine.retry import Retries
    from llmctl.engine.run import Run
    from llmctl.transport.exchange import Lane

    call = Chat(
        model=route.model,
        messages=(message(Role.USER, "Say OK."),),
        max_tokens=MOST_TOKENS,
    )
    async with Lane(route.target) as lane:
        run = Run(call, route, lane, retries=Retries(0), timeout=loaded.settings.network.timeout)
        try:
            async with aclosing(run.events()) as events:
                async for _event in events:
                    pass
        except LlmctlError as error:
            return error, ""
    latency = run.meter.latency(streamed=True)
    return None, _("answered in {seconds:.2f} s", seconds=latency.total_s or 0.0)
