"""One call, from the request to its last event: send, decode, retry, measure.

Retries live here because only here is it known whether a token was passed on or an error came
inside an answer that began well. After the first token nothing is ever sent again.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING

from llmctl.dialects import Decoder, Frame, HttpCall
from llmctl.engine.meter import Meter
from llmctl.engine.outcome import outcome
from llmctl.engine.retry import Retries, asked_wait
from llmctl.engine.route import Route
from llmctl.engine.whereabouts import must_ask, refuse_elsewhere
from llmctl.errors import CutOff, LlmctlError, NetworkFailed, NotFound, ProviderFailed
from llmctl.messages import _
from llmctl.types import Call, Event, Finished, FinishReason, Notice

if TYPE_CHECKING:
    from llmctl.transport.exchange import Lane, Reply

# Once the finish reason is here only usage may follow; a server that keeps the connection open
# instead is not waited for longer than this.
TRAILER_SECONDS = 5.0

Sleep = Callable[[float], Awaitable[None]]


class Run:
    """The events of one call; its `meter` holds the figures afterwards."""

    def __init__(
        self,
        call: Call,
        route: Route,
        lane: "Lane",
        *,
        retries: Retries | None = None,
        timeout: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.call = call
        self.route = route
        self.meter = Meter(route.requested, clock)
        self._lane = lane
        self._retries = retries or Retries()
        self._timeout = timeout
        self._clock = clock
        self._sleep = sleep
        self._begun = clock()

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yields the answer as it comes and ends with `Finished`; raises LlmctlError otherwise.

        An error that the finish reason stands for (filter, length) is raised after `Finished` was
        passed on.
        """
        http = self.route.dialect.encode(self.call, self.route.quirks)
        asked_where = not must_ask(self.route)
        while True:
            self.meter.attempt()
            try:
                if not asked_where:
                    async with asyncio.timeout(self._left()):
                        await refuse_elsewhere(self.route, self._lane)
                    asked_where = True
                async with aclosing(self._attempt(http)) as events:
                    async for event in events:
                        if isinstance(event, Finished) and self._is_empty(event):
                            yield Notice("empty", _("the model finished without an answer"))
                        self.meter.event(event)
                        yield event
                break
            except TimeoutError:
                failed = self._placed(self._too_late())
            except LlmctlError as error:
                failed = self._placed(error)
            wait = self._wait(failed)
            if wait is None:
                self.meter.end()
                raise self._advised(failed)
            yield _waiting(failed, wait, self.meter.attempts, self._retries.attempts + 1)
            await self._sleep(wait)
        assert self.meter.finished is not None  # noqa: S101  _attempt ends with it or raises
        if error_meant := outcome(self.call, self.meter.finished):
            raise self._placed(error_meant)

    async def _attempt(self, http: HttpCall) -> AsyncGenerator[Event, None]:
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(self._left()):
                    reply = await stack.enter_async_context(self._lane.exchange(http))
                    timing = reply.timing
                    self.meter.answered(
                        timing.connect_s, timing.reused, timing.first_byte_s, timing.load_s
                    )
                    if not 200 <= reply.status < 300:
                        raise await self._refused(reply)
                decoder = self.route.dialect.decoder(self.call, self.route.quirks)
                frames = await stack.enter_async_context(aclosing(reply.frames(http.framing)))
                events = await stack.enter_async_context(aclosing(self._decoded(frames, decoder)))
                async for event in events:
                    yield event
                if decoder.done:
                    reply.spare()
        except TimeoutError:
            raise self._cut(self._too_late()) from None
        except NetworkFailed as error:
            raise self._cut(error) from error

    async def _decoded(
        self, frames: AsyncIterator[Frame], decoder: Decoder
    ) -> AsyncGenerator[Event, None]:
        count = 0
        finished = False
        while not decoder.done:
            try:
                frame = await self._next(frames, decoder.settled)
            except StopAsyncIteration:
                break
            except (TimeoutError, NetworkFailed):
                if decoder.settled:
                    break  # only usage is missing, and a missing figure is no error
                raise
            count += bool(frame.data)
            try:
                for event in decoder.feed(frame):
                    finished = finished or isinstance(event, Finished)
                    yield event
            except ProviderFailed as error:
                if await self._is_torn(error, frame, frames):
                    break
                raise
        if not decoder.done:
            for event in decoder.end():
                finished = finished or isinstance(event, Finished)
                yield event
        if not finished:
            raise self._unfinished(count)

    async def _is_torn(
        self, error: ProviderFailed, frame: Frame, frames: AsyncIterator[Frame]
    ) -> bool:
        """Whether `frame`, which is no JSON, is the torn beginning of some: the body ends in it."""
        if error.reason != "not-json" or not self.meter.shown:
            return False
        return frame.data.startswith("{") and await anext(frames, None) is None

    def _is_empty(self, finished: Finished) -> bool:
        return finished.reason is FinishReason.STOP and not self.meter.shown

    async def _next(self, frames: AsyncIterator[Frame], settled: bool) -> Frame:
        left = self._left()
        if settled:
            left = TRAILER_SECONDS if left is None else min(left, TRAILER_SECONDS)
        if left is None:
            return await anext(frames)
        async with asyncio.timeout(left):
            return await anext(frames)

    def _too_late(self) -> NetworkFailed:
        return NetworkFailed(
            _("no whole answer within {seconds:g} s", seconds=self._timeout),
            reason="timeout",
            hint=_("allow more with --timeout SECONDS"),
            retryable=False,
        )

    def _unfinished(self, frames: int) -> LlmctlError:
        if self.meter.shown:
            return CutOff(
                _("the answer was cut off: it ended without its end mark"),
                hint=_("what came is kept; run it again for a whole answer"),
            )
        if frames == 1:
            return ProviderFailed(
                _("what came back is not an answer of a model"), reason="no-answer"
            )
        return ProviderFailed(_("the answer ended before it began"), reason="empty")

    def _cut(self, error: NetworkFailed) -> LlmctlError:
        """A network error after text was passed on is an answer cut off."""
        if not self.meter.shown:
            return error
        return CutOff(
            _("the answer was cut off: {cause}", cause=error.message),
            reason=error.reason,
            hint=_("what came is kept; run it again for a whole answer"),
        )

    async def _refused(self, reply: "Reply") -> LlmctlError:
        body = await reply.text()
        error = self.route.dialect.failure(reply.status, reply.headers, body)
        if error.retry_after_s is None:
            error.retry_after_s = asked_wait(reply.headers, error.message, time.time)
        return error

    def _wait(self, error: LlmctlError) -> float | None:
        if self.meter.shown:
            return None
        waited = self._clock() - self._begun
        wait = self._retries.wait(error, self.meter.attempts, waited)
        left = self._left()
        return None if wait is not None and left is not None and wait >= left else wait

    def _left(self) -> float | None:
        if self._timeout is None:
            return None
        return max(0.0, self._timeout - (self._clock() - self._begun))

    def _advised(self, error: LlmctlError) -> LlmctlError:
        from llmctl.engine.advice import advice
        from llmctl.engine.resolve import near_models

        if isinstance(error, NotFound):
            error.hint = error.hint or near_models(self.route.card, self.route.model)
        error.hint = error.hint or advice(error, has_key=self.route.secret is not None)
        return error

    def _placed(self, error: LlmctlError) -> LlmctlError:
        """`error` with its provider and host, and without any secret the server repeated."""
        error.provider = error.provider or self.route.provider
        if not error.host or self.route.host.startswith(f"{error.host}:"):
            error.host = self.route.host  # with its port: there may be several servers here
        error.message = self.route.mask(error.message)
        error.args = (error.message,)  # a traceback shows these
        error.request_id = error.request_id and self.route.mask(error.request_id)
        return error


def _waiting(error: LlmctlError, wait: float, tried: int, most: int) -> Notice:
    return Notice(
        "waiting",
        _(
            "{cause} Trying again in {seconds:.1f} s ({tried} of {most}).",
            cause=error.message.rstrip(".") + ".",
            seconds=wait,
            tried=tried + 1,
            most=most,
        ),
    )
