"""One call, from the request to its last event: send, decode, retry, measure.

Retries live here because only here is it known whether a token was passed on or an error came
inside an answer that began well. After the first token nothing is ever sent again.
"""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, aclosing
from typing import TYPE_CHECKING

from llmctl.dialects import Decoder, FollowUp, Frame, Framing, HttpCall
from llmctl.dialects.failures import REQUEST_ID_HEADERS
from llmctl.dialects.media import files_of
from llmctl.dialects.server_times import stated_times
from llmctl.engine.failed import advised, placed, refused, waiting
from llmctl.engine.meter import Meter
from llmctl.engine.outcome import outcome
from llmctl.engine.retry import Retries
from llmctl.engine.route import Route
from llmctl.engine.turns import await_turn
from llmctl.engine.whereabouts import can_tell, must_ask, refuse_elsewhere, refuse_untaken
from llmctl.errors import CutOff, LlmctlError, NetworkFailed, ProviderFailed
from llmctl.messages import _
from llmctl.types import Call, Event, Finished, FinishReason, Image, Notice
from llmctl.values import replace

if TYPE_CHECKING:
    from types import TracebackType

    from llmctl.cost.budgets import Reservation
    from llmctl.transport.exchange import Lane, Reply

# Once the finish reason is here only usage may follow; a server that keeps the connection open
# instead is not waited for longer than this.
TRAILER_SECONDS = 5.0

Sleep = Callable[[float], Awaitable[None]]


class Run:
    """The events of one call; its `meter` holds the figures afterwards. `reservation` is the money
    set aside for it, which a repetition may need anew. `begun` is when, by the `clock`, the time
    began that `timeout` bounds; by default now."""

    def __init__(
        self,
        call: Call,
        route: Route,
        lane: "Lane",
        *,
        retries: Retries | None = None,
        timeout: float | None = None,
        reservation: "Reservation | None" = None,
        begun: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.call = call
        self._reservation = reservation
        self.route = route
        self._turn = route.turn
        self.meter = Meter(route.requested, clock)
        self.lane = lane
        self._retries = retries or Retries()
        self._timeout = timeout
        self._clock = clock
        self._sleep = sleep
        self._begun = clock() if begun is None else begun
        self._decoder: Decoder | None = None
        self._loading = False  # the user has been told that the server still loads its model
        self._waited = 0.0  # between attempts, what they took themselves apart

    def events(self) -> AsyncGenerator[Event, None]:
        """Yields the answer as it comes and ends with `Finished`; raises LlmctlError otherwise.

        An error that the finish reason stands for (filter, length) is raised after `Finished` was
        passed on.
        """
        return self._events() if self._turn is None else self._in_turn()

    async def _in_turn(self) -> AsyncGenerator[Event, None]:
        with ExitStack() as held:
            async for notice in self.my_turn(held):
                yield notice
            async with aclosing(self._events()) as events:
                async for event in events:
                    yield event

    async def my_turn(self, held: ExitStack) -> AsyncGenerator[Notice, None]:
        """Ends when it is our turn, where there are turns, which `held` gives back; `events` waits
        for it no more. For what belongs to the call and is asked before it or after it."""
        if self._turn is None:
            return
        try:
            async for notice in await_turn(self._turn, held, self.route.provider, self._is_over):
                yield notice
        except TimeoutError:
            self.meter.end()
            raise self._placed(self._too_late()) from None
        self._turn = None

    def _is_over(self) -> bool:
        return self.left() == 0.0

    async def _events(self) -> AsyncGenerator[Event, None]:
        http = self.route.dialect.encode(self.call, self.route.quirks)
        asked_where = not must_ask(self.route)
        asked_what = not (files_of(self.call) and can_tell(self.route))
        while True:
            begun = self._decoder is not None and self._decoder.then is not None
            self.meter.attempt(goes_on=begun)
            try:
                if not asked_where:
                    async with asyncio.timeout(self.left()):
                        await refuse_elsewhere(self.route, self.lane)
                    asked_where = True
                    self.meter.restart()  # the question was none to the model
                if not asked_what:
                    async with asyncio.timeout(self.left()):
                        await refuse_untaken(self.route, self.call, self.lane)
                    asked_what = True
                    self.meter.restart()
                decoder = self._decoding()
                while True:
                    asked = http if decoder.then is None else await self._rested(decoder.then)
                    async with aclosing(self._exchanged(asked, decoder)) as events:
                        async for event in events:
                            if isinstance(event, Finished) and self._is_empty(event):
                                yield Notice("empty", _("the model finished without an answer"))
                            self.meter.event(event)
                            yield event
                    if decoder.then is None:
                        break
                break
            except TimeoutError:
                failed = self._placed(self._too_late())
            except LlmctlError as error:
                failed = self._placed(error)
            wait = self._wait(failed)
            if wait is None:
                self.meter.end()
                raise advised(failed, self.route)
            self.meter.pause()
            if note := self._note(failed, wait):
                yield note
            await self._sleep(wait)
            self._waited += wait
        assert self.meter.finished is not None  # noqa: S101  _exchanged ends with it or raises
        if error_meant := outcome(self.call, self.meter.finished, self._reservation):
            raise self._placed(error_meant)

    def _decoding(self) -> Decoder:
        """What reads this try. What the server has begun to make is asked after again, since
        beginning anew would be paid twice."""
        if self._decoder is None or self._decoder.then is None:
            self._decoder = self.route.dialect.decoder(self.call, self.route.quirks)
        return self._decoder

    async def _rested(self, then: FollowUp) -> HttpCall:
        """What a decoder wants asked next, when its time has come."""
        left = self.left()
        if left is not None and then.after_s >= left:
            raise self._too_late()
        await self._sleep(then.after_s)
        return then.http

    async def _exchanged(self, http: HttpCall, decoder: Decoder) -> AsyncGenerator[Event, None]:
        first = decoder.then is None  # else it is not the beginning of the call
        count, finished = 0, False
        try:
            async with (
                _Answered(self, http, first) as reply,
                aclosing(reply.frames(http.framing)) as frames,
            ):
                while not decoder.done:
                    frame = await self._next(frames, http.framing, decoder)
                    if frame is None:
                        break
                    count += bool(frame.data)
                    try:
                        for event in decoder.feed(frame):
                            finished = finished or isinstance(event, Finished)
                            yield _identified(event, reply, timed=first)
                    except ProviderFailed as error:
                        if await self._is_torn(error, frame, frames):
                            break
                        raise
                if not decoder.done:
                    for event in decoder.end():
                        finished = finished or isinstance(event, Finished)
                        yield _identified(event, reply, timed=first)
                if not finished and decoder.then is None:
                    raise self._unfinished(count)
                if decoder.done:
                    reply.spare()
        except TimeoutError:
            raise self._cut(self._too_late()) from None
        except NetworkFailed as error:
            raise self._cut(error) from error

    async def _is_torn(
        self, error: ProviderFailed, frame: Frame, frames: AsyncIterator[Frame]
    ) -> bool:
        """Whether `frame`, which is no JSON, is the torn beginning of some: the body ends in it."""
        if error.reason != "not-json" or not self.meter.shown:
            return False
        return frame.data.startswith("{") and await anext(frames, None) is None

    def _is_empty(self, finished: Finished) -> bool:
        return finished.reason is FinishReason.STOP and not self.meter.shown

    async def _next(
        self, frames: AsyncIterator[Frame], framing: Framing, decoder: Decoder
    ) -> Frame | None:
        """The next frame, None after the last; also where one does not come of which only usage is
        missing, since a missing figure is no error."""
        left = self.left()
        if decoder.settled and framing is not Framing.WHOLE:  # of that, all is here by now
            left = TRAILER_SECONDS if left is None else min(left, TRAILER_SECONDS)
        try:
            if left is None:
                return await anext(frames, None)
            async with asyncio.timeout(left):
                return await anext(frames, None)
        except (TimeoutError, NetworkFailed):
            if decoder.settled:
                return None
            raise

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

    def _wait(self, error: LlmctlError) -> float | None:
        if self.meter.shown or self._is_paid(error):
            return None
        wait = self._retries.wait(error, self.meter.attempts, self._waited)
        left = self.left()
        if wait is None or (left is not None and wait >= left):
            return None
        if self._reservation is not None and not self._reservation.may_repeat(error):
            error.hint = _("not tried again: what failed may be billed, and the budget has no room"
                           " for as much once more")  # fmt: skip
            return None
        return wait

    def _is_paid(self, error: LlmctlError) -> bool:
        """Whether a picture may have been drawn, which would be drawn, and paid, once more."""
        goes_on = self._decoder is not None and self._decoder.then is not None
        if not isinstance(self.call, Image) or goes_on:
            return False
        from llmctl.cost.billing import may_be_billed

        return may_be_billed(error)

    def _note(self, error: LlmctlError, wait: float) -> Notice | None:
        """What is said of a wait; of one for a model that is being loaded only once."""
        if error.reason != "loading":
            return waiting(error, wait, self.meter.attempts, self._retries.attempts + 1)
        if self._loading:
            return None
        self._loading = True
        return Notice(
            "loading",
            _("{cause} Waiting until it is ready, for at most {seconds:g} s.",
              cause=error.message.rstrip(".") + ".", seconds=self._retries.max_wait),
        )  # fmt: skip

    def left(self) -> float | None:
        """Seconds of the time for the call, None without a limit."""
        if self._timeout is None:
            return None
        return max(0.0, self._timeout - (self._clock() - self._begun))

    def _placed(self, error: LlmctlError) -> LlmctlError:
        return placed(error, self.route, self.lane.tokens)


class _Answered:
    """`async with`: one exchange of a run, its head well and here before the run's time is over;
    closed at the end."""

    __slots__ = ("_exchange", "_first", "_is_open", "_run")

    def __init__(self, run: Run, http: HttpCall, first: bool) -> None:
        self._run = run
        self._first = first
        self._exchange = run.lane.exchange(http)
        self._is_open = False

    async def __aenter__(self) -> "Reply":
        left = self._run.left()
        try:
            if left is None:
                return await self._begun()
            async with asyncio.timeout(left):
                return await self._begun()
        except BaseException:
            if self._is_open:
                await self._exchange.__aexit__(*sys.exc_info())
            raise

    async def _begun(self) -> "Reply":
        reply = await self._exchange.__aenter__()
        self._is_open = True
        if self._first:
            timing = reply.timing
            self._run.meter.answered(
                timing.connect_s,
                timing.reused,
                timing.first_byte_s,
                timing.load_s,
                timing.auth_s,
            )
        if not 200 <= reply.status < 300:
            raise await refused(reply, self._run.route)
        return reply

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        await self._exchange.__aexit__(kind, error, trace)


def _identified(event: Event, reply: "Reply", *, timed: bool) -> Event:
    """The end of an answer with what its head told: an id, where its body gives none, what is left
    of the account's limits, and how long the server says it took (`timed`), beside what the body
    says of that."""
    if not isinstance(event, Finished):
        return event
    headers = dict(reply.headers.items())  # in lower case; httpx would search all for each name
    found = (headers.get(name) for name in REQUEST_ID_HEADERS)
    limits = {name: value for name, value in headers.items() if "ratelimit" in name}
    timing = {**(stated_times(headers) if timed else {}), **(event.server_timing or {})}
    return replace(
        event,
        request_id=event.request_id or next(filter(None, found), None),
        server_timing=timing or None,
        details={**event.details, "rate_limits": limits} if limits else event.details,
    )
