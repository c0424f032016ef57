"""Which models a server has, by its own word."""

from llmctl.cards import Card
from llmctl.dialects import DIALECTS
from llmctl.dialects.look import parse
from llmctl.engine.resolve import key_for, merged, target_of
from llmctl.settings import ProviderSettings, Settings
from llmctl.values import replace


async def models_of(card: Card, settings: Settings, *, timeout: float | None = None) -> list[str]:
    """Names as they go after `provider/`, in the server's order; empty where it cannot be asked.

    `timeout` in seconds for all of it. Raises LlmctlError as any request does.
    """
    from llmctl import catalogue
    from llmctl.transport.exchange import Lane

    dialect = DIALECTS[card.dialect]()
    http = dialect.listing()
    if http is None:
        return []
    own = settings.providers.get(card.id, ProviderSettings())
    secret = key_for(card, own, catalogue.base_url(card, own))
    target = replace(target_of(card, own, settings, secret, merged(card.quirks)), timeout=timeout)
    async with Lane(target) as lane, lane.exchange(http) as reply:
        if not 200 <= reply.status < 300:
            raise dialect.failure(reply.status, reply.headers, await reply.text())
        body = "".join([frame.data async for frame in reply.frames(http.framing)])
    return dialect.listed(parse(body))
