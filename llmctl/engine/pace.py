"""How many requests to one account may be under way, and when the next may begin.

One `Pace` an account in a process, for any number of lanes of one event loop: first come, first
served. It learns from what each request came to; holds, rates and slots are shared with the other
processes of this machine where there is something to share.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Literal, Self

from llmctl.engine.aimd import Concurrency
from llmctl.engine.apart import Apart, untold
from llmctl.engine.rates import Allowance, Learned
from llmctl.engine.slots import POLL_S, Slots
from llmctl.engine.told import is_overload, used_up
from llmctl.errors import LlmctlError, RateLimited
from llmctl.messages import _
from llmctl.store.paces import MAX_HOLD_S, Shared
from llmctl.types import Notice, Receipt

# How long a hold of another process may go unseen; looking takes some 10 µs.
LOOK_S = 0.25
# Where a hundred or more a second may go the event loop is not woken for each: the burst bears it.
TICK_S, MANY_PER_MINUTE = 0.005, 6000

Told = Callable[[Notice], object]


class Held(Exception):
    """A turn would wait for a hold longer than its caller wants to."""


def _nobody(_notice: Notice) -> None:
    pass


class Pace:
    """`most` at a time, so many requests and tokens a minute (None: no such limit is known).

    `shared` and `slots` are for other processes; `told` hears at most once that they cannot be
    had. `clock` is monotonic, `wall` Unix time; `sleep` waits by that clock.
    """

    def __init__(
        self,
        most: int,
        *,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        shared: Shared | None = None,
        slots: Slots | None = None,
        told: Told = _nobody,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.under_way = 0
        self._concurrency = Concurrency(most)
        self._learned = Learned()
        self._shared, self._slots, self._told = shared, slots, told
        self._clock, self._wall, self._sleep = clock, wall, sleep
        self._requests = self._allowance("requests", requests_per_minute)
        self._tokens = self._allowance("tokens", tokens_per_minute)
        self._tick = TICK_S if (requests_per_minute or 0) >= MANY_PER_MINUTE else 0.0
        self._held_until = self._looked = float("-inf")
        self._elsewhere = False  # whether another process was told of the hold
        self._refusals = 0  # in a row
        self._apart = Apart()
        self._line: deque[tuple[asyncio.Future[None], Turn]] = deque()
        self._bell: asyncio.Future[None] | None = None
        self._by_rate = False

    def turn(self, tokens: int = 0, of: str = "", at_most: float | None = None) -> "Turn":
        """`async with` it around one try; `tokens` is what the whole of it is likely to use, `of`
        the model. Raises `Held` where a hold has more than `at_most` seconds left, also one that
        begins while the turn is waited for."""
        return Turn(self, tokens, of, at_most)

    @property
    def limit(self) -> int:
        """How many may be under way at a time by now."""
        return self._concurrency.limit

    @property
    def most(self) -> int:
        return self._concurrency.most

    @property
    def waiting(self) -> int:
        return len(self._line)

    @property
    def why(self) -> str | None:
        """What slows things down: "429", "overload", "latency", "rate", "elsewhere" for a hold that
        another process was told; None for nothing."""
        if self.hold_left() > 0:
            return "elsewhere" if self._elsewhere else self._concurrency.why or "429"
        return self._concurrency.why or ("rate" if self._by_rate and self._line else None)

    def hold_left(self) -> float:
        """Seconds until any request may begin, at most `MAX_HOLD_S`."""
        now = self._clock()
        self._look(now)
        return max(0.0, self._held_until - now)

    def apart_left(self, of: str) -> float:
        """Seconds for which that model alone is held: the account's others are answered."""
        return self._apart.left(of, self._clock())

    @property
    def elsewhere(self) -> bool:
        """Whether another process, maybe an earlier one, was told of the hold there is."""
        return self._elsewhere and self.hold_left() > 0

    def hold(self, seconds: float) -> None:
        """No request of this account, in any process, begins for so many seconds."""
        if seconds <= 0:
            return
        now = self._clock()
        until = now + min(seconds, MAX_HOLD_S)
        if until <= self._held_until:
            return
        # The answers of one moment name nearly the same end: only what is news is written.
        news = until > self._held_until + LOOK_S
        self._held_until, self._elsewhere = until, False
        if news and self._shared is not None:
            try:
                self._shared.hold(seconds)
            except LlmctlError as error:
                self._alone(error)
        self._wake(until - now)

    def _wake(self, seconds: float) -> None:
        """Those in line who do not wait so long need not stand there any more."""
        for ticket, turn in self._line:
            if turn.at_most is not None and seconds > turn.at_most and not ticket.done():
                ticket.set_exception(Held())
        self._ring()

    def close(self) -> None:
        """Give back what other processes wait for."""
        for held in (self._shared, self._slots):
            if held is not None:
                held.close()
        self._shared = self._slots = None

    def _allowance(
        self, kind: Literal["requests", "tokens"], per_minute: int | None
    ) -> Allowance | None:
        if per_minute is None:
            return None

        def reserve(units: float, every: float, slack: float) -> float | None:
            if self._shared is None:
                return None
            try:
                return self._shared.reserve(kind, units, every, slack)
            except LlmctlError as error:
                self._alone(error)
                return None

        return Allowance(per_minute, reserve if self._shared is not None else None)

    def _alone(self, error: LlmctlError) -> None:
        if self._shared is not None:
            self._shared.close()
            self._shared = None
            self._told(alone(error))

    # A turn begins.

    def _delay(self, tokens: int) -> float | None:
        """Seconds until a request may begin, 0: now; None: when another one has ended."""
        now = self._clock()
        self._look(now)
        self._by_rate = False
        if now < self._held_until:
            return self._held_until - now
        if self.under_way >= self._concurrency.limit:
            return None
        wait = self._learned.wait(now)
        if self._requests is not None:
            wait = max(wait, self._requests.wait(1, now))
        if self._tokens is not None and tokens:
            wait = max(wait, self._tokens.wait(tokens, now))
        self._by_rate = wait > 0
        return wait

    def _look(self, now: float) -> None:
        if self._shared is None or now - self._looked < LOOK_S:
            return
        self._looked = now
        try:
            until = now + self._shared.held()
        except LlmctlError as error:
            self._alone(error)
            return
        if until > max(now, self._held_until) + LOOK_S:  # not what this one has written
            self._elsewhere = True
        self._held_until = max(self._held_until, until)

    def _begin(self, turn: "Turn") -> bool:
        """Whether it could; what it needs was there a moment ago but for a slot."""
        if self._slots is not None:
            turn.slot = self._slots.take()
            if turn.slot is None:
                return False
        now = self._clock()
        self.under_way += 1
        self._learned.spend(now)
        if self._requests is not None:
            self._requests.spend(1, now)
        if self._tokens is not None:
            self._tokens.spend(turn.tokens, now)
        turn.generation, turn.began = self._concurrency.generation, now
        turn.stretch, turn.number = self._learned.stretch, self._learned.number
        return True

    async def enter(self, turn: "Turn") -> None:
        """For `Turn`: wait for what it needs."""
        if not self._line and self._delay(turn.tokens) == 0 and self._begin(turn):
            return
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place = ticket, turn
        self._line.append(place)
        try:
            if self._line[0] is not place:
                await ticket
            elif not ticket.done():
                ticket.set_result(None)
            await self._lead(turn)
        finally:
            self._line.remove(place)
            if self._line and not self._line[0][0].done():
                self._line[0][0].set_result(None)
            if not self._line and self._slots is not None:
                self._slots.wait_no_more()

    async def _lead(self, turn: "Turn") -> None:
        """Wait as the first in line."""
        while True:
            wait = self._delay(turn.tokens)
            if turn.at_most is not None and self._held_until - self._clock() > turn.at_most:
                self._wake(self._held_until - self._clock())  # another process may have told it
                raise Held
            if wait is None:
                await self._other_ended()
            elif wait > 0:
                await self._sleep(max(wait, self._tick))
            elif self._begin(turn):
                return
            else:
                await self._other_ended(POLL_S)

    async def _other_ended(self, at_most: float | None = None) -> None:
        """Until a turn of this process has ended, or so many seconds are over."""
        loop = asyncio.get_running_loop()
        self._bell = loop.create_future()
        timer = loop.call_later(at_most, self._ring) if at_most is not None else None
        try:
            await self._bell
        finally:
            if timer is not None:
                timer.cancel()

    def _ring(self) -> None:
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(None)

    # A turn ends.

    def leave(self, turn: "Turn") -> None:
        """For `Turn`: it is over, however it went."""
        self.under_way -= 1
        if turn.slot is not None and self._slots is not None:
            self._slots.give(turn.slot)
        self._ring()

    def heard(self, turn: "Turn", error: LlmctlError | None, receipt: Receipt) -> None:
        """For `Turn`: what it came to."""
        usage = receipt.usage
        if self._tokens is not None and usage.input_tokens is not None:
            used = usage.input_tokens + (usage.output_tokens or 0)
            self._tokens.correct(used - turn.tokens)
        if error is None or (error.status is None and receipt.finish_reason is not None):
            self._went_well(turn, receipt)
        elif isinstance(error, RateLimited) and error.reason != "quota":
            if self._apart.refused(turn.of, self._clock(), error.retry_after_s):
                return
            self._refused(turn, error)
        elif is_overload(error):
            self._concurrency.trouble(turn.generation, "overload")
            self.hold(error.retry_after_s or 0.0)
        if limits := receipt.details.get("rate_limits"):
            self.hold(used_up(limits, self._wall()))

    def _went_well(self, turn: "Turn", receipt: Receipt) -> None:
        self._refusals = 0
        self._apart.answered(turn.of, turn.began)
        now = self._clock()
        tokens = receipt.usage.output_tokens
        self._concurrency.answered(turn.generation, now, now - turn.began, tokens)

    def _refused(self, turn: "Turn", error: RateLimited) -> None:
        news = self._concurrency.trouble(turn.generation, "429")
        self._refusals += news
        if error.retry_after_s is not None:
            hold = error.retry_after_s
        elif news:
            hold = untold(self._refusals - 1)
        else:
            return
        if hold <= 0:
            return  # "come again at once": whatever that was about, it was not the rate
        self.hold(hold)
        left = self.hold_left()
        self._learned.refused(turn.stretch, turn.number, turn.began, self._clock(), left)


class Turn:
    """One try; call `heard` in it, once. One that was never heard of teaches nothing."""

    __slots__ = (
        "_pace", "at_most", "began", "generation", "number", "of", "slot", "stretch", "tokens",
    )  # fmt: skip

    def __init__(self, pace: Pace, tokens: int, of: str, at_most: float | None) -> None:
        self._pace = pace
        self.tokens, self.of, self.at_most = tokens, of, at_most
        self.slot: int | None = None
        self.generation = self.stretch = self.number = 0
        self.began = 0.0

    async def __aenter__(self) -> Self:
        await self._pace.enter(self)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._pace.leave(self)

    def heard(self, error: LlmctlError | None, receipt: Receipt) -> None:
        """The error that ended the try, if one did, and its receipt."""
        self._pace.heard(self, error, receipt)


def alone(error: LlmctlError) -> Notice:
    """What is said once where other processes cannot be told of the pace, nor heard."""
    return Notice(
        "pace-alone",
        _("other llmctl processes are not told how fast this one may go: {cause}",
          cause=error.message),
    )  # fmt: skip
