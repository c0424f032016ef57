"""Which models a server has, by its own word."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from llmctl.cards import Card
from llmctl.dialects import DIALECTS, Dialect, Frame, HttpCall, Listed
from llmctl.dialects.look import parse
from llmctl.engine.resolve import address_of, judged, key_for, merged, stated, target_of
from llmctl.errors import LlmctlError, NotFound, ProviderFailed, UsageError
from llmctl.keys import Secret, find
from llmctl.keys.secret import masked
from llmctl.messages import _
from llmctl.settings import Loaded, Policy, ProviderSettings, Settings
from llmctl.types import Json, Level
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.transport.exchange import Lane
    from llmctl.transport.target import Target


# A list of more than this is no list of models.
MOST_PAGES, MOST_MODELS = 100, 100_000


async def models_of(card: Card, settings: Settings, *, timeout: float | None = None) -> list[str]:
    """Names as they go after `provider/`, in the server's order; see `published`."""
    return [one.name for one in await published(card, settings, timeout=timeout)]


async def published(
    card: Card, settings: Settings, *, timeout: float | None = None, keyless: bool = False
) -> list[Listed]:
    """The models in the server's order, with the prices, sizes and speeds that it publishes; empty
    where it cannot be asked.

    `timeout` in seconds for each page; `keyless` asks without a key where there is none, as some
    lists are open to everybody. Raises LlmctlError as any request does.
    """
    http: HttpCall | None = DIALECTS[card.dialect]().listing()
    if http is None:
        return []
    found: dict[str, Listed] = {}
    asked: set[str] = set()
    async with asking(card, settings, timeout=timeout, keyless=keyless) as server:
        while http is not None:
            if http.path in asked or len(asked) == MOST_PAGES or len(found) > MOST_MODELS:
                raise ProviderFailed(
                    _("the list of models has no end: {count} pages came, and the same again",
                      count=len(asked)),
                    reason="repeated-page",
                    retryable=False,
                    provider=card.id,
                    host=server.target.host,
                )  # fmt: skip
            asked.add(http.path)
            answer = await server.answer(http)
            found.update((one.name, one) for one in server.dialect.published(answer))
            http = server.dialect.more(answer)
    return list(found.values())


async def described(
    card: Card, model: str, settings: Settings, *, timeout: float | None = None
) -> Listed:
    """What the server says of one model: on a page of its own, else in its list. Raises NotFound
    for one that it does not have, LlmctlError as any request does."""
    http = DIALECTS[card.dialect]().description(model)
    if http is not None:
        async with asking(card, settings, timeout=timeout) as server:
            try:
                found = server.dialect.described(await server.answer(http))
            except NotFound:
                found = None  # some have no such page, for any model
            if found is not None:
                return replace(found, name=model)
    for one in await published(card, settings, timeout=timeout):
        if one.name == model:
            return one
    raise NotFound(
        _("{provider} has no model {model}", provider=card.id, model=model),
        hint=_("see what there is: llmctl models list {provider} --live", provider=card.id),
        provider=card.id,
    )


class Server:
    """A provider that is asked about its models, not for answers of one."""

    def __init__(
        self, card: Card, dialect: Dialect, lane: "Lane", target: "Target", secret: Secret | None
    ) -> None:
        self.card = card
        self.dialect = dialect
        self.lane = lane
        self.target = target
        self._secret = secret

    async def answer(self, http: HttpCall) -> Json:
        """The JSON that comes back. Raises LlmctlError, with the place."""
        try:
            return parse("".join([frame.data async for frame in self._frames(http)]))
        except LlmctlError as error:
            raise self.placed(error) from None

    async def done(self, http: HttpCall) -> None:
        """The same where no answer is expected."""
        async for _frame in self.frames(http):
            pass

    async def frames(self, http: HttpCall) -> AsyncGenerator[Frame, None]:
        """What comes back, piece by piece. Raises LlmctlError, with the place."""
        try:
            async with aclosing(self._frames(http)) as found:
                async for frame in found:
                    yield frame
        except LlmctlError as error:
            raise self.placed(error) from None

    async def _frames(self, http: HttpCall) -> AsyncGenerator[Frame, None]:
        async with self.lane.exchange(http) as reply:
            if not 200 <= reply.status < 300:
                raise self.dialect.failure(reply.status, reply.headers, await reply.text())
            async for frame in reply.frames(http.framing):
                yield frame

    def placed(self, error: LlmctlError) -> LlmctlError:
        """The error with its provider, its host and a hint, and without a key it may repeat."""
        return _placed(error, self.card, self.target.host, self._secret, self.lane.tokens)


@asynccontextmanager
async def asking(
    card: Card, settings: Settings, *, timeout: float | None = None, keyless: bool = False
) -> AsyncIterator[Server]:
    """A connection to the provider, with its key. Raises AuthFailed without one, ConfigError for
    settings that do not fit."""
    from llmctl.transport.exchange import Lane

    own = settings.providers.get(card.id, ProviderSettings())
    secret = find(card, own) if keyless else key_for(card, own, address_of(card, own))
    quirks = replace(merged(card.quirks), settings=stated(card, own))
    target = replace(target_of(card, own, settings, secret, quirks), timeout=timeout)
    async with Lane(target) as lane:
        yield Server(card, DIALECTS[card.dialect](), lane, target, secret)


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
