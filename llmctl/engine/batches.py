"""Sets of rows at a provider: handing them in, asking after them, bringing the results, cancelling.

The one request that makes a set is never sent twice unseen. Where its answer is lost (the network,
a server's own trouble) the provider's list is asked whether the set is there, by the name that we
gave it, or where sets bear none by when it was made and how many rows it has; only when it is not
is the request sent again.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import aclosing
from typing import TYPE_CHECKING

from llmctl.dialects import Frame, Framing, HttpCall
from llmctl.dialects.batches import Batches, Candidate, Handing, JobState
from llmctl.dialects.look import parse
from llmctl.engine.failed import advised, placed, refused
from llmctl.engine.retry import Retries
from llmctl.engine.route import Route
from llmctl.errors import LlmctlError, NetworkFailed, NotFound, ProviderFailed, RateLimited
from llmctl.messages import _
from llmctl.types import Json, Media
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.transport.exchange import Lane

# Trouble that comes before a request leaves.
UNSENT = frozenset({"dns", "connect", "tls", "proxy"})
# Seconds until a set that was made stands in the list.
SETTLE_S = 2.0
# How far a provider's clock may differ from ours, in seconds.
CLOCKS_S = 600.0
PAGES = 20

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is known of a set before it is one: the name we give it, how many rows it has, when
    (Unix time) the request that makes it was to go out."""

    key: str
    rows: int
    since: float


class InDoubt(ProviderFailed):
    """Nobody knows whether a set was made; it may be, and must not be made again."""


class Exchanging:
    """Requests about sets to one provider, one after the other, with the retries of the settings.
    Raises LlmctlError, with provider and host in it."""

    def __init__(
        self,
        route: Route,
        lane: "Lane",
        retries: Retries | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.route = route
        self.lane = lane
        self.sleep = sleep
        self._retries = retries or Retries()

    async def json(self, http: HttpCall) -> Json:
        """The answer to a request that may be repeated; None for an empty one."""
        tried, waited = 0, 0.0
        while True:
            try:
                return await self.once(http)
            except LlmctlError as error:
                tried += 1
                wait = self._retries.wait(error, tried, waited)
                if wait is None:
                    raise advised(error, self.route) from None
            await self.sleep(wait)
            waited += wait

    async def once(self, http: HttpCall) -> Json:
        """The answer to one request."""
        _headers, text = await self.answer(http)
        return parse(text) if text.strip() else None

    async def answer(self, http: HttpCall) -> tuple[dict[str, str], str]:
        """Head and whole body of the answer to one request."""
        try:
            async with self.lane.exchange(http) as reply:
                if not 200 <= reply.status < 300:
                    raise await refused(reply, self.route)
                text = ""
                async for frame in reply.frames(Framing.WHOLE):
                    text = frame.data
                return {name.lower(): value for name, value in reply.headers.items()}, text
        except LlmctlError as error:
            raise placed(error, self.route, self.lane.tokens) from None

    async def lines(self, http: HttpCall) -> AsyncIterator[Json]:
        """The lines of a file of results, as they come; what is no JSON is passed over, since the
        rows of it are missed anyhow."""
        try:
            async with (
                self.lane.exchange(http) as reply,
                aclosing(reply.frames(Framing.NDJSON)) as frames,
            ):
                if not 200 <= reply.status < 300:
                    raise await refused(reply, self.route)
                async for frame in frames:
                    try:
                        line = parse(frame.data)
                    except ProviderFailed:
                        continue
                    yield line
        except LlmctlError as error:
            raise advised(placed(error, self.route, self.lane.tokens), self.route) from None

    async def tidied(self, http: HttpCall) -> LlmctlError | None:
        """Delete something; why that failed. What has gone by itself was deleted."""
        try:
            await self.json(http)
        except NotFound:
            return None
        except LlmctlError as error:
            return error
        return None

    def wait(self, error: LlmctlError, tried: int, waited: float) -> float | None:
        """Seconds until the next try, None to give up."""
        return self._retries.wait(error, tried, waited)


class Batching:
    """The sets of one account. `known` are the names of those that are accounted for."""

    def __init__(
        self,
        batches: Batches,
        exchanging: Exchanging,
        *,
        known: Collection[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._batches = batches
        self._exchanging = exchanging
        self._clock = clock
        self.known = set(known)

    async def handed_in(
        self,
        file: Media,
        kind: str,
        key: str,
        rows: int,
        intend: Callable[[Intent], object],
    ) -> str:
        """The name of the set that was made of a file. `intend` is called right before the request
        that makes it, each time, and has to have it on disk when it returns.

        Raises InDoubt where nobody knows whether it was made; after any other error it was not.
        """
        handing = self._batches.hand_in(file, key, kind)
        try:
            await self._uploaded(handing)
            return await self._made(handing, key, rows, intend)
        except InDoubt:
            raise
        except LlmctlError as error:
            if handing.leftover is not None:
                await self._exchanging.tidied(handing.leftover)
            raise advised(error, self._exchanging.route) from None

    async def _uploaded(self, handing: Handing) -> None:
        """All steps before the one that makes the set."""
        tried, waited = 0, 0.0
        while not handing.creates:
            step = handing.then
            assert step is not None  # noqa: S101  as the protocol has it
            if step.after_s:
                await self._exchanging.sleep(step.after_s)
            try:
                headers, text = await self._exchanging.answer(step.http)
            except LlmctlError as error:
                tried += 1
                wait = self._exchanging.wait(error, tried, waited)
                if wait is None:
                    raise
                await self._exchanging.sleep(wait)
                waited += wait
                continue
            handing.read(headers, Frame(text))

    async def _made(
        self, handing: Handing, key: str, rows: int, intend: Callable[[Intent], object]
    ) -> str:
        step = handing.then
        assert step is not None  # noqa: S101  as the protocol has it
        tried, waited = 0, 0.0
        while True:
            intent = Intent(key=key, rows=rows, since=self._clock())
            intend(intent)
            try:
                headers, text = await self._exchanging.answer(step.http)
                handing.read(headers, Frame(text))
                assert handing.job is not None  # noqa: S101  as the protocol has it
                self.known.add(handing.job)
                return handing.job
            except LlmctlError as error:
                failed = error
            if _may_be_made(failed):
                found = await self.found(intent, failed)
                if found is not None:
                    return found
            tried += 1
            wait = self._exchanging.wait(failed, tried, waited)
            if wait is None:
                raise failed
            await self._exchanging.sleep(wait)
            waited += wait

    async def found(self, intent: Intent, cause: LlmctlError | None = None) -> str | None:
        """The name of the set that an intent has led to; None where it has led to none. Raises
        InDoubt where that cannot be told."""
        await self._exchanging.sleep(SETTLE_S)
        try:
            fitting = [one async for one in self._listed() if self._fits(one, intent)]
        except LlmctlError as error:
            raise _in_doubt(self._exchanging.route, cause or error) from error
        if len(fitting) > 1:
            raise _in_doubt(self._exchanging.route, cause)
        if not fitting:
            return None
        self.known.add(fitting[0].job)
        return fitting[0].job

    def _fits(self, one: Candidate, intent: Intent) -> bool:
        if self._batches.has_keys:
            return one.key == intent.key
        if one.job in self.known or (one.rows is not None and one.rows != intent.rows):
            return False
        return one.created is None or one.created >= intent.since - CLOCKS_S

    async def _listed(self) -> AsyncIterator[Candidate]:
        page: str | None = None
        for _number in range(PAGES):
            answer = await self._exchanging.json(self._batches.listing(page))
            rows, page = self._batches.listed(answer)
            for row in rows:
                yield row
            if page is None:
                return

    async def state(self, job: str) -> JobState:
        return self._batches.state(job, await self._exchanging.json(self._batches.look(job)))

    async def cancel(self, job: str) -> bool:
        """Whether there is such a request; what it leads to, `state` tells."""
        http = self._batches.cancel(job)
        if http is None:
            return False
        await self._exchanging.json(http)
        return True


def _may_be_made(error: LlmctlError) -> bool:
    """Whether the request may have done its work all the same."""
    if isinstance(error, NetworkFailed):
        return error.reason not in UNSENT
    return isinstance(error, ProviderFailed) and not isinstance(error, RateLimited)


def _in_doubt(route: Route, cause: LlmctlError | None) -> InDoubt:
    why = cause.message if cause is not None else _("several sets there look like it")
    return InDoubt(
        _("whether {provider} has taken the rows is not known: {why}", provider=route.card.name,
          why=why),
        hint=_("nothing is sent again before that is clear; look once more: llmctl batch jobs"),
        reason="in-doubt",
        provider=route.provider,
        host=route.host,
        retryable=False,
    )  # fmt: skip
