"""Jobs in virtual time: rows that say what becomes of them, a server that does it, and a keeper
that holds what it is given."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from typing import Any

from llmctl.batch.deciding import Deciding
from llmctl.batch.running import Running
from llmctl.batch.shape import Ended
from llmctl.batch.trying import Tried, Trying
from llmctl.batch.work import Made, Repairing, Work
from llmctl.cards import Card, Endpoint
from llmctl.dialects import DIALECTS
from llmctl.engine.clearance import Cleared
from llmctl.engine.give_up import GiveUp
from llmctl.engine.pace import Pace
from llmctl.engine.route import Route
from llmctl.errors import Interrupted, LlmctlError
from llmctl.privacy.screening import Screened
from llmctl.rows import BadRow, Row
from llmctl.settings import Loaded, Settings
from llmctl.transport.exchange import Lane
from llmctl.transport.target import Target
from llmctl.types import Chat, Level, Notice, Quirks, Receipt, Role, Usage, Verdict, message
from llmctl.values import replace
from tests.unit.engine.pace_shared import now, virtually

HOME = "http://127.0.0.1:9/v1"
LOADED = Loaded(Settings(), {})
BEGUN = "2026-11-25T12:00:00Z"


def route(name: str = "a/m", kind: Any = "api") -> Route:
    provider, _slash, model = name.partition("/")
    return Route(
        requested=name, provider=provider, model=model, model_card=None,
        card=Card(card=1, id=provider, name=provider, kind=kind, dialect="openai_chat",
                  endpoint=Endpoint(base_url=HOME)),
        dialect=DIALECTS["openai_chat"](), quirks=Quirks(),
        target=Target(provider=provider, base_url=HOME, headers={}),
        verdict=Verdict(True, Level.UNKNOWN),
    )  # fmt: skip


MAIN = route()
# What a try came to: a text, or the error.
Answer = str | LlmctlError
Serve = Callable[[str, Route], Coroutine[Any, Any, Answer]]


async def well(text: str, _route: Route) -> Answer:
    await asyncio.sleep(1)
    return text.upper()


def receipt(of: Route, text: str = "", error: LlmctlError | None = None) -> Receipt:
    return Receipt(
        id="1", started_at=BEGUN, requested=of.requested, provider=of.provider, text=text,
        attempts=1, error=None if error is None else error.failure(),
        usage=Usage(10, 2) if error is None else Usage(),
    )  # fmt: skip


class Server(Trying):
    """`serve` answers; `sent` are the texts that it was asked, each with the moment. Everything is
    allowed, unless `guard` or `till` raises."""

    def __init__(self, serve: Serve = well) -> None:
        self.serve = serve
        self.sent: list[tuple[float, str]] = []
        self.under_way = self.most = 0
        self.guard: Callable[[Made], object] = lambda _made: None
        self.till: Callable[[], object] = lambda: None

    @property
    def texts(self) -> list[str]:
        return [text for _moment, text in self.sent]

    def check(self, made: Made, _repairing: Repairing | None) -> tuple[Screened, Made]:
        self.guard(made)
        return Screened(call=made.call), made

    def reserve(self, made: Made, screened: Screened) -> Cleared:
        self.till()
        return Cleared(route=made.route, call=screened.call, screened=screened)

    async def send(self, ready: Cleared, _lane: Lane, _begun: float | None = None) -> Tried:
        assert isinstance(ready.call, Chat)
        text = ready.call.messages[-1].text
        self.sent.append((now(), text))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            answer = await self.serve(text, ready.route)
        except asyncio.CancelledError:  # as a real try has it: an outcome like others
            answer = Interrupted("interrupted")
        finally:
            self.under_way -= 1
        if isinstance(answer, str):
            return Tried(receipt(ready.route, answer), None)
        return Tried(receipt(ready.route, error=answer), answer)


class Store:
    """`rows` is what was kept, by line, `groups` how many together. `trouble` is raised by the
    write with that number, and by those after it; with `knows` rows are looked for, too."""

    def __init__(
        self, trouble: BaseException | None = None, after: int = 0, *, knows: bool = False
    ) -> None:
        self.rows: dict[int, Ended] = {}
        self.groups: list[int] = []
        self._trouble, self._after, self._knows = trouble, after, knows

    def keep(self, ended: Sequence[Ended]) -> None:
        if self._trouble is not None and len(self.groups) >= self._after:
            raise self._trouble
        self.groups.append(len(ended))
        for one in ended:
            assert one.line not in self.rows, "a row was written twice"
            self.rows[one.line] = one

    def known(self, work: Work) -> Ended | None:
        for one in self.rows.values() if self._knows else ():
            text = work.row.values["prompt"] if isinstance(work.row, Row) else None
            if one.receipt.error is None and one.receipt.text == str(text).upper():
                return Ended(line=work.line, id=work.id, same_as=one.id,
                             receipt=replace(one.receipt, attempts=0))  # fmt: skip
        return None

    @property
    def codes(self) -> dict[int, str | None]:
        found = sorted(self.rows.items())
        return {line: one.receipt.error.code if one.receipt.error else None for line, one in found}


class Deaf:
    def note(self, note: Notice) -> None: ...

    def ended(self, ended: Ended) -> None: ...


def make(row: Row) -> Made:
    """A row with a `model` names it itself."""
    name = row.values.get("model")
    to = MAIN if name is None else NAMED.setdefault(name, route(name))
    call = Chat(model=to.model, messages=(message(Role.USER, row.values["prompt"]),))
    return Made(route=to, call=call, named=name is not None)


NAMED: dict[str, Route] = {}


def rows(*texts: str) -> list[Row]:
    return [Row(line, {"prompt": text}) for line, text in enumerate(texts, 1)]


async def given(found: Iterable[Row | BadRow]) -> AsyncIterator[Row | BadRow]:
    for one in found:
        yield one


class Job:
    """One run over rows, in virtual time; `pace` is that of the account `a`."""

    def __init__(
        self,
        server: Server | None = None,
        store: Store | None = None,
        *,
        lanes: int = 4,
        grace: float = 20.0,
        give_up: float = 300.0,
        make: Callable[[Row], Made] = make,
        watcher: Any = None,
        **deciding: Any,
    ) -> None:
        self.server = server or Server()
        self.store = store or Store()
        self.seconds = 0.0
        self.left: list[str] = []
        self.pace = Pace(lanes, clock=now, wall=now)
        self._paces = {"a": self.pace}
        patience: dict[str, GiveUp] = {}
        deciding = {"default": "a/m", "dedupes": False, **deciding}
        self.deciding = Deciding(LOADED, give_up=lambda to: patience.setdefault(
            to.requested, GiveUp(give_up, now)), **deciding)  # fmt: skip
        self._shape = {"lanes": lanes, "grace": grace, "make": make}
        self._watcher = watcher or Deaf()
        self.running: Running

    async def work(
        self, source: AsyncIterator[Row | BadRow], signals: Sequence[float] = ()
    ) -> None:
        shape: Any = self._shape
        self.running = Running(
            self.server, self.deciding, self.store, self._watcher,
            pace=lambda to: self._paces.setdefault(
                to.provider, Pace(shape["lanes"], clock=now, wall=now)), **shape,
        )  # fmt: skip
        began = now()
        before = asyncio.all_tasks()
        task = asyncio.create_task(self.running.run(source, lambda: Interrupted("stopped")))
        for moment in signals:
            asyncio.get_running_loop().call_later(moment, task.cancel)
        try:
            await task
        finally:
            self.seconds = now() - began
            self.left = [repr(one) for one in asyncio.all_tasks() - before - {task}]

    def run(
        self, source: Iterable[Row | BadRow] | AsyncIterator[Row | BadRow], *signals: float
    ) -> "Job":
        """To the end, with a signal at each of these seconds. No task may be left then."""
        found = source if isinstance(source, AsyncIterator) else given(source)
        try:
            virtually(self.work(found, signals))
        finally:
            assert self.left == []
        return self

    @property
    def stopped(self) -> str | None:
        error = self.running.stopped
        return None if error is None else error.code
