"""Many texts to vectors: cut into requests that a provider takes, several at a time, given back in
the order of the texts.

No more is read than what is on its way: a million lines never stand in memory.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from typing import TypeVar

from llmctl.engine.clearance import Cleared, cleared
from llmctl.engine.embedded import Totals
from llmctl.engine.retry import Retries
from llmctl.engine.route import Route
from llmctl.engine.run import Run
from llmctl.errors import (
    Filtered,
    LlmctlError,
    NetworkFailed,
    PrivacyRefused,
    Rejected,
)
from llmctl.messages import _
from llmctl.settings import Loaded
from llmctl.transport.exchange import Lane
from llmctl.types import Embed, Json, Notice, Vector
from llmctl.values import dataclass, replace

E = TypeVar("E", bound=LlmctlError)

# Requests that are made ready before there is a lane for them: searching their texts takes about
# as long as reading an answer, and is done while others are waited for.
AHEAD = 2
# Requests whose answers may be here, or on their way, by the number of lanes: as long as one of
# them waits for its turn to be asked again, the others go on.
OUTSTANDING = 3
# Turns of the loop that a request takes until it is written to a kept connection. What takes long
# here (searching texts, writing vectors) begins after as many, or each request waits for that.
TURNS = 4


@dataclass(frozen=True, slots=True)
class Item:
    """One text: `index` counts from 0, `line` is where it stands in its source, from 1, and None
    for a text that was given as it is."""

    index: int
    text: str
    line: int | None = None
    id: Json = None


@dataclass(frozen=True, slots=True)
class Embedded:
    """One request's texts and what each became."""

    items: Sequence[Item]
    vectors: Sequence[Sequence[float]]


class Embedding:
    """The vectors of many texts; `totals` add up what their requests took.

    `call` says everything but the texts. `run` is the name under which all requests share what a
    budget allows a call; `begun` is when, by the clock of the loop, the time began that `timeout`
    bounds, by default with the first request; `every_s` is how many seconds must lie between the
    beginnings of two; `tell` gets what the user should know, once each.
    """

    def __init__(
        self,
        route: Route,
        call: Embed,
        loaded: Loaded,
        *,
        lanes: int,
        run: str | None = None,
        totals: Totals | None = None,
        timeout: float | None = None,
        begun: float | None = None,
        every_s: float = 0.0,
        tell: Callable[[Notice], None] = lambda _notice: None,
        make_lane: Callable[[Route], Lane] = lambda route: Lane(route.target),
    ) -> None:
        self.totals = totals or Totals(route.verdict)
        self._route = route
        self._call = call
        self._loaded = loaded
        self._count = lanes
        self._run = run
        self._timeout = timeout
        self._begun = begun
        self._every_s = every_s
        self._next_at = 0.0
        self._tell = tell
        self._told: set[tuple[str, str]] = set()
        self._make_lane = make_lane
        self._lanes: asyncio.Queue[Lane] = asyncio.Queue()
        self._ahead = asyncio.Semaphore(AHEAD)
        self._open = asyncio.Semaphore(OUTSTANDING * lanes)
        self._asked: asyncio.Queue[asyncio.Task[Embedded | None] | None] = asyncio.Queue()
        self._tasks: set[asyncio.Task[Embedded | None]] = set()
        self._failed: int | None = None  # the first request that did

    async def vectors(
        self, requests: AsyncIterator[Sequence[Item]]
    ) -> AsyncGenerator[Embedded, None]:
        """Yields what came, in order. Raises the error of the first request that failed, once all
        before it were given back; what was sent after it is broken off."""
        begun = asyncio.get_running_loop().time() if self._begun is None else self._begun
        until = None if self._timeout is None else begun + self._timeout
        async with AsyncExitStack() as stack:
            for _number in range(self._count):
                lane = await stack.enter_async_context(self._make_lane(self._route))
                self._lanes.put_nowait(lane)
            producer = asyncio.create_task(self._produce(requests))
            try:
                while True:
                    try:
                        async with asyncio.timeout_at(until):
                            task = await self._asked.get()
                            found = None if task is None else await task
                    except TimeoutError:
                        assert self._timeout is not None  # noqa: S101  else nothing ends it
                        raise too_late(self._timeout, self._route) from None
                    if found is None:
                        break
                    await _stand_back()
                    yield found
                    self._open.release()
                await producer
            finally:
                await self._stop(producer)

    async def _produce(self, requests: AsyncIterator[Sequence[Item]]) -> None:
        """Start requests in order, as many as may be open; an error of the source comes after the
        answers to what it gave."""
        try:
            number = 0
            async for items in requests:
                await self._open.acquire()
                if self._failed is not None:
                    break
                task = asyncio.create_task(self._one(number, items))
                self._tasks.add(task)
                task.add_done_callback(self._over)
                self._asked.put_nowait(task)
                number += 1
        finally:
            self._asked.put_nowait(None)

    def _over(self, task: "asyncio.Task[Embedded | None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # one that comes after a failure is asked by nobody

    async def _stop(self, producer: "asyncio.Task[None]") -> None:
        for task in (producer, *self._tasks):
            task.cancel()
        for task in (producer, *tuple(self._tasks)):
            with suppress(asyncio.CancelledError, Exception):
                await task

    async def _one(self, number: int, items: Sequence[Item]) -> Embedded | None:
        try:
            async with self._ahead:
                await _stand_back()
                ready = self._ready(items)
                try:
                    lane = await self._lanes.get()
                except BaseException:
                    _give_back(ready)
                    raise
            try:
                if self._failed is not None and number > self._failed:
                    _give_back(ready)
                    return None  # nobody is going to ask
                await self._pace(ready)
                return await self._sent(items, ready, lane)
            finally:
                self._lanes.put_nowait(lane)
        except asyncio.CancelledError:
            self._failed = -1  # nor is anything else to go out that waits for this one's lane
            raise
        except LlmctlError as error:
            self._failed = number if self._failed is None else min(number, self._failed)
            _locate(error, items)
            raise

    async def _pace(self, ready: Cleared) -> None:
        now = asyncio.get_running_loop().time()
        begins = max(now, self._next_at)
        self._next_at = begins + self._every_s
        if begins > now:
            try:
                await asyncio.sleep(begins - now)
            except BaseException:
                _give_back(ready)
                raise

    def _ready(self, items: Sequence[Item]) -> Cleared:
        call = replace(self._call, texts=tuple(one.text for one in items))
        try:
            ready = cleared(self._route, call, self._loaded, run=self._run)
        except PrivacyRefused as refused:
            raise self._about_one(items, refused) from None
        for note in ready.notes:
            self.tell(note)
        return ready

    def _about_one(self, items: Sequence[Item], refused: PrivacyRefused) -> PrivacyRefused:
        """The same error for the first text that alone would be refused, too, by its line."""
        for one in items if len(items) > 1 else ():
            call = replace(self._call, texts=(one.text,))
            try:
                _give_back(cleared(self._route, call, self._loaded, run=self._run))
            except PrivacyRefused as alone:
                return _at_line(alone, one)
            except LlmctlError:
                break
        return refused

    def tell(self, note: Notice) -> None:
        """Pass a note on, unless the same was said of another request."""
        if (note.code, note.text) not in self._told:
            self._told.add((note.code, note.text))
            self._tell(note)

    async def _sent(self, items: Sequence[Item], ready: Cleared, lane: Lane) -> Embedded:
        network = self._loaded.settings.network
        run = Run(
            ready.call,
            ready.route,
            lane,
            retries=Retries(network.retries, network.backoff, max_wait=network.max_wait),
            reservation=ready.reservation,
        )
        found: list[Sequence[float]] = []
        error: LlmctlError | None = None
        try:
            async with aclosing(run.events()) as events:
                async for event in events:
                    if isinstance(event, Vector):
                        found.append(event.values)
                    elif isinstance(event, Notice):
                        self.tell(event)
            self.totals.fits(found, self._call.dimensions)
        except LlmctlError as failed:
            error = failed
            error.provider = error.provider or ready.route.provider
            error.host = error.host or ready.route.host
            raise
        finally:
            run.meter.end()
            self.totals.add(ready, run.meter, error)
        return Embedded(items, found)


def too_late(seconds: float, route: Route) -> NetworkFailed:
    """The error where the whole takes longer than it may."""
    return NetworkFailed(
        _("not all vectors within {seconds:g} s", seconds=seconds),
        reason="timeout",
        hint=_("allow more with --timeout SECONDS"),
        provider=route.provider,
        host=route.host,
        retryable=False,
    )


async def _stand_back() -> None:
    for _turn in range(TURNS):
        await asyncio.sleep(0)


def _give_back(ready: Cleared) -> None:
    if ready.reservation is not None:
        ready.reservation.give_back()


def _locate(error: LlmctlError, items: Sequence[Item]) -> None:
    """Add to what a provider says of texts in which lines they stand."""
    first, last = items[0], items[-1]
    if not isinstance(error, Rejected | Filtered) or first.line is None:
        return
    if first is last:
        _at_line(error, first)
        return
    error.message = _("{said} (the texts of lines {first} to {last} were sent together)",
                      said=error.message, first=first.line, last=last.line)  # fmt: skip
    error.hint = error.hint or _("send one text at a time, to see which it is: --batch-size 1")


def _at_line(error: E, item: Item) -> E:
    if item.line is not None:
        error.message = _("line {line}: {said}", line=item.line, said=error.message)
    return error
