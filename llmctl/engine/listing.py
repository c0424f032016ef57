"""Which models a server has, by its own word."""

from collections.abc import Iterable

from llmctl.cards import Card
from llmctl.dialects import DIALECTS, Dialect, Listed
from llmctl.dialects.look import parse
from llmctl.engine.resolve import address_of, judged, key_for, merged, stated, target_of
from llmctl.errors import LlmctlError, UsageError
from llmctl.keys import Secret
from llmctl.keys.secret import masked
from llmctl.messages import _
from llmctl.settings import Loaded, Policy, ProviderSettings, Settings
from llmctl.types import Level
from llmctl.values import replace


async def models_of(card: Card, settings: Settings, *, timeout: float | None = None) -> list[str]:
    """Names as they go after `provider/`, in the server's order; see `published`."""
    return [one.name for one in await published(card, settings, timeout=timeout)]


async def published(
    card: Card, settings: Settings, *, timeout: float | None = None
) -> list[Listed]:
    """The models in the server's order, with the prices, sizes and speeds that it publishes; empty
    where it cannot be asked.

    `timeout` in seconds for all of it. Raises LlmctlError as any request does.
    """
    from llmctl.transport.exchange import Lane

    dialect = DIALECTS[card.dialect]()
    http = dialect.listing()
    if http is None:
        return []
    own = settings.providers.get(card.id, ProviderSettings())
    secret = key_for(card, own, address_of(card, own))
    quirks = replace(merged(card.quirks), settings=stated(card, own))
    target = replace(target_of(card, own, settings, secret, quirks), timeout=timeout)
    lane = Lane(target)
    try:
        async with lane, lane.exchange(http) as reply:
            if not 200 <= reply.status < 300:
                raise dialect.failure(reply.status, reply.headers, await reply.text())
            body = "".join([frame.data async for frame in reply.frames(http.framing)])
        return dialect.published(parse(body))
    except LlmctlError as error:
        raise _placed(error, card, target.host, secret, lane.tokens) from None


def refuse_to_ask(card: Card, loaded: Loaded) -> None:
    """Raises UsageError for a provider that cannot be asked, PrivacyRefused where policy forbids
    it. The question carries no prompt: it obeys the lists of providers and a level that nothing but
    one's own machines reach, and not what limits where prompts go."""
    if card.kind == "embedded" or not _can_be_asked(DIALECTS[card.dialect]()):
        raise UsageError(
            _("{provider} cannot be asked for its models", provider=card.id),
            hint=_("what its card says: llmctl models list {provider}", provider=card.id),
        )
    own = loaded.settings.providers.get(card.id, ProviderSettings())
    full = loaded.settings.policy
    near = full.max_level in (Level.DEVICE, Level.NETWORK)
    kept = Policy(max_level=full.max_level if near else None, allow=full.allow, deny=full.deny)
    bare = replace(loaded, settings=replace(loaded.settings, policy=kept))
    judged(card, None, address_of(card, own), bare, elsewhere=False)


def _can_be_asked(dialect: Dialect) -> bool:
    return dialect.listing() is not None


def _placed(
    error: LlmctlError, card: Card, host: str, secret: Secret | None, tokens: Iterable[str | None]
) -> LlmctlError:
    """`error` with its provider and host and a hint, and without a key the server repeated."""
    from llmctl.engine.advice import abroad, advice

    error.provider, error.host = error.provider or card.id, error.host or host
    error.message = masked(error.message, secret, tokens)
    error.args = (error.message,)
    others = abroad(card) if error.reason == "region" else []
    error.hint = error.hint or advice(error, has_key=secret is not None, others=others)
    return error
