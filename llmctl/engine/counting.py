"""Having a provider count the tokens of a prompt. That sends the prompt, so everything that holds
for asking holds here: it goes out as it was cleared, over the same connection, with the same
headers."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from llmctl.dialects import DIALECTS
from llmctl.engine.retry import Retries
from llmctl.engine.route import Route
from llmctl.engine.run import Run
from llmctl.errors import LlmctlError, ProviderFailed, UsageError
from llmctl.messages import _
from llmctl.types import COUNTED, Call, Chat, Count, Receipt, Usage
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.cost.estimate import Counted
    from llmctl.settings import Settings


def can_count(route: Route) -> bool:
    """Whether the provider has a way to count tokens."""
    return route.card.count_dialect is not None


async def counted(
    route: Route,
    call: Call,
    settings: "Settings",
    keep: Callable[[Receipt, Count], object],
) -> "Counted":
    """The input tokens of a call that was cleared, as the provider counts them. `keep` gets what
    was sent and the receipt of it, also of a count that failed.

    Raises UsageError where there is no way to ask it, and what a run raises.
    """
    from llmctl.cost.estimate import EXACT_LOCAL, EXACT_REMOTE, Counted
    from llmctl.cost.tokens import MESSAGE
    from llmctl.transport.exchange import Lane

    asked = as_count(call)
    there = counting_route(route)
    network = settings.network
    async with Lane(there.target) as lane:
        retries = Retries(network.retries, network.backoff, max_wait=network.max_wait)
        run = Run(asked, there, lane, retries=retries, timeout=network.timeout)
        failed: LlmctlError | None = None
        try:
            async for _event in run.events():
                pass
        except LlmctlError as error:
            failed = error
            raise
        finally:
            run.meter.end()
            finished = run.meter.finished
            tokens = finished.usage.input_tokens if finished and finished.usage else None
            receipt = run.meter.receipt(
                provider=route.provider, verdict=route.verdict, streamed=False, error=failed
            )
            # Tokens that were only counted are no usage: nothing of them is charged.
            details = {**receipt.details, COUNTED: tokens}
            keep(replace(receipt, usage=Usage(), details=details), asked)
    if finished is None or tokens is None:
        raise ProviderFailed(_("the provider has counted nothing"), provider=route.provider)
    beside = finished.details.get("not_counted")
    return Counted(
        tokens=tokens,
        least=tokens,
        # What stands around the messages is small, and not told where the texts alone are counted.
        most=tokens + (2 * MESSAGE * (len(asked.messages) + 2) if beside else 0),
        method=EXACT_LOCAL if route.card.kind == "embedded" else EXACT_REMOTE,
        left_out=(str(beside),) if beside else (),
    )


def counting_route(route: Route) -> Route:
    """The route to where the provider counts: same address and headers, perhaps another format."""
    name = route.card.count_dialect
    if name is None:
        raise UsageError(
            _("{provider} has no way to count tokens", provider=route.provider),
            hint=_("leave out --remote for an estimate"),
        )
    return replace(route, dialect=DIALECTS[name]())


def as_count(call: Call) -> Count:
    """What is to be counted of a call; raises UsageError for a text to be continued."""
    if not isinstance(call, Chat):
        raise UsageError(_("the tokens of a text to be continued cannot be counted there"))
    return Count(call.model, call.messages, call.schema, call.tools, call.options)
