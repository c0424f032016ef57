"""Rows that are operations of their own at a provider: begun one after the other, no faster than it
takes them, and asked after until each is done."""

import time
from collections.abc import Callable

from llmctl.dialects import HttpCall
from llmctl.dialects.batches import Gone, OneByOne, Result
from llmctl.engine.batches import UNSENT, Exchanging
from llmctl.engine.failed import advised
from llmctl.errors import LlmctlError, NetworkFailed, NotFound, RateLimited


class Operations:
    """Those of one account; at most `per_second` are begun (None: as fast as answers come)."""

    def __init__(
        self,
        batches: OneByOne,
        exchanging: Exchanging,
        per_second: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._batches = batches
        self._exchanging = exchanging
        self._gap = 1.0 / per_second if per_second else 0.0
        self._clock = clock
        self._next = 0.0

    async def begun(self, http: HttpCall) -> str:
        """The operation that a request has begun. What is known not to have begun is tried again;
        any other error says that it may have."""
        tried, waited = 0, 0.0
        while True:
            await self._turn()
            try:
                return self._batches.begun(await self._exchanging.once(http))
            except LlmctlError as error:
                failed = error
            tried += 1
            wait = self._exchanging.wait(failed, tried, waited) if never_began(failed) else None
            if wait is None:
                raise advised(failed, self._exchanging.route)
            await self._exchanging.sleep(wait)
            waited += wait

    async def _turn(self) -> None:
        now = self._clock()
        if now < self._next:
            await self._exchanging.sleep(self._next - now)
        self._next = max(now, self._next) + self._gap

    async def result(self, id: str, job: str) -> Result | None:
        """What came of an operation, None while it is worked on. One that the provider does not
        know any more has expired."""
        try:
            answer = await self._exchanging.json(self._batches.look(job))
        except NotFound:
            return Result(id=id, gone=Gone.EXPIRED)
        return self._batches.result(id, answer)

    async def cancel(self, job: str) -> bool:
        """Whether there is such a request; an operation that is over is none to be cancelled."""
        http = self._batches.cancel(job)
        if http is None:
            return False
        await self._exchanging.json(http)
        return True


def never_began(error: LlmctlError) -> bool:
    """Whether a request that failed with `error` has begun nothing that may pass by itself."""
    if isinstance(error, NetworkFailed):
        return error.reason in UNSENT
    return isinstance(error, RateLimited)
