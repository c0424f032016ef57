"""One place that says how fast and for how much the workers of a job may ask, on any machines.

The `Limiter` has the state file of the machine where the job was started: what its workers reserve
and hold there counts beside all else that is asked from that machine. A worker has it as an `Ask`,
whatever carries the question, and gives its pace a `Held` and its budget a `Till`, in place of the
files that the processes of one machine share.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from llmctl.errors import IoFailed
from llmctl.messages import _
from llmctl.store.leased import Leased
from llmctl.store.paces import Kind, Shared
from llmctl.store.reservations import ZERO, Standing
from llmctl.values import dataclass

# How long a worker may hold the state file: it takes a few questions, milliseconds each. One that
# is lost in between must not keep the others from their money.
HELD_S = 10.0
# How long the hold of another one is waited for, and how often it is asked.
PATIENCE_S, POLL_S = 60.0, 0.02


class Ask(Protocol):
    """Calls a method of the limiter by its name, wherever that is."""

    def __call__(self, name: str, *given: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Seat:
    """What a worker is called, and its place among all, from 0."""

    worker: str
    place: int


class _Lost(Exception):
    """Whoever had a transaction open is not heard of any more."""


class Limiter:
    """`state` is the path of the state file, `workers` how many there are to be. One call at a
    time; everything that goes in and out is plain."""

    def __init__(
        self, state: Path, workers: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._state = state
        self._workers = workers
        self._clock = clock
        self._places: dict[str, int] = {}
        self._stopped: str | None = None
        self._tries: dict[int, int] = {}
        self._paces: dict[str, Shared] = {}
        self._money: Leased | None = None
        self._blocks: dict[str, dict[int, tuple[Decimal, str]]] = {}
        self._news: list[tuple[str, int, Decimal | None, str]] = []  # of the open transaction
        self._open: Any = None
        self._holder: tuple[str, float] | None = None  # a name for the transaction, and its end

    # ---- who there is

    def join(self, worker: str) -> int:
        """The place of a worker among all, from 0. One that comes again has its old one: it died in
        between, and what it had of the budget counts as spent, since nobody can tell."""
        if worker in self._places:
            self._spend(worker)
        return self._places.setdefault(worker, len(self._places) % self._workers)

    def tries(self, block: int) -> int:
        """How often a block was begun, this time included."""
        self._tries[block] = self._tries.get(block, 0) + 1
        return self._tries[block]

    def stop(self, code: str) -> None:
        """Nothing more is to be begun; `code` is that of the error that says why."""
        self._stopped = self._stopped or code

    def stopped(self) -> str | None:
        return self._stopped

    def close(self) -> None:
        """What workers still have of the budget counts as spent."""
        for worker in list(self._blocks):
            self._spend(worker)
        for file in (self._money, *self._paces.values()):
            if file is not None:
                file.close()
        self._money = None
        self._paces.clear()

    # ---- pace

    def hold(self, account: str, seconds: float) -> None:
        self._pace(account).hold(seconds)

    def held(self, account: str) -> float:
        return self._pace(account).held()

    def reserve(self, account: str, kind: Kind, units: float, every: float, slack: float) -> float:
        return self._pace(account).reserve(kind, units, every, slack)

    def _pace(self, account: str) -> Shared:
        if account not in self._paces:
            self._paces[account] = Shared(self._state, account)
        return self._paces[account]

    # ---- money

    def begin(self, key: str) -> bool:
        """Open a transaction called `key`; False while there is another one."""
        if self._holder is not None:
            if self._clock() < self._holder[1]:
                return False
            self._end(_Lost())
        opened = self._leased.changing()
        opened.__enter__()
        self._open, self._holder = opened, (key, self._clock() + HELD_S)
        return True

    def commit(self, key: str) -> None:
        self._check(key)
        self._end(None)

    def roll_back(self, key: str) -> None:
        if self._holder is not None and self._holder[0] == key:
            self._end(_Lost())

    def standing(self, scopes: Sequence[str]) -> Standing:
        return self._leased.standing(scopes)

    def take(
        self,
        key: str,
        worker: str,
        scopes: Sequence[str],
        currency: str,
        at: datetime,
        provider: str,
        model: str,
    ) -> int:
        self._check(key)
        number = self._leased.take(scopes, currency, at=at, provider=provider, model=model)
        self._news.append((worker, number, ZERO, currency))
        return number

    def move(
        self,
        key: str,
        worker: str,
        number: int,
        held: Decimal | None,
        spent: Mapping[str, Decimal],
        at: datetime,
    ) -> None:
        self._check(key)
        if not self._has(worker, number):
            raise IoFailed(_("this worker was taken for lost, and its budget for spent"))
        self._leased.move(number, held, spent, at=at)
        self._news.append((worker, number, held, ""))

    def _has(self, worker: str, number: int) -> bool:
        return number in self._blocks.get(worker, ()) or any(
            one[:2] == (worker, number) for one in self._news
        )

    @property
    def _leased(self) -> Leased:
        if self._money is None:
            self._money = Leased(self._state)
            self._money.settle_dead(datetime.now(UTC))
        return self._money

    def _check(self, key: str) -> None:
        if self._holder is None or self._holder[0] != key:
            raise _too_slow()

    def _end(self, error: _Lost | None) -> None:
        opened, self._open, self._holder = self._open, None, None
        news, self._news = self._news, []
        if error is not None:
            with suppress(_Lost):
                opened.__exit__(type(error), error, None)
            return
        opened.__exit__(None, None, None)
        for worker, number, held, currency in news:
            blocks = self._blocks.setdefault(worker, {})
            before = blocks.pop(number, (ZERO, currency))
            if held is not None:
                blocks[number] = held, before[1]

    def _spend(self, worker: str) -> None:
        """Count what a worker has reserved as spent."""
        if not (blocks := self._blocks.pop(worker, None)):
            return
        if self._holder is not None:
            self._end(_Lost())  # it may be the worker's own; another one's is asked for again
        with self._leased.changing():
            for number, (amount, currency) in blocks.items():
                spent = {currency: amount} if amount else {}
                self._leased.move(number, None, spent, at=datetime.now(UTC))


class Held(Shared):
    """The pace of an account, by the limiter; see `Shared`, in place of which it stands."""

    def __init__(self, ask: Ask, account: str) -> None:
        self._ask, self._account = ask, account

    def close(self) -> None:
        pass

    def hold(self, seconds: float) -> None:
        self._ask("hold", self._account, seconds)

    def held(self) -> float:
        return float(self._ask("held", self._account))

    def reserve(self, kind: Kind, units: float, every: float, slack: float) -> float:
        return float(self._ask("reserve", self._account, kind, units, every, slack))


class Till(Leased):
    """The state file of the limiter, for the blocks of a `Lease`; see `Leased`, in place of which
    it stands. `worker` is whose blocks these are."""

    def __init__(self, ask: Ask, worker: str, nap: Callable[[float], object] = time.sleep) -> None:
        self._ask, self._worker, self._nap = ask, worker, nap
        self._key = ""

    def close(self) -> None:
        pass

    @contextmanager
    def changing(self) -> Iterator[None]:
        key = os.urandom(8).hex()
        given_up = time.monotonic() + PATIENCE_S
        while not self._ask("begin", key):
            if time.monotonic() > given_up:
                raise _too_slow()
            self._nap(POLL_S)
        self._key = key
        try:
            yield
        except BaseException:
            self._ask("roll_back", key)
            raise
        self._ask("commit", key)

    def standing(self, scopes: Iterable[str]) -> Standing:
        found: Standing = self._ask("standing", list(scopes))
        return found

    def take(
        self, scopes: Sequence[str], currency: str, *, at: datetime, provider: str, model: str
    ) -> int:
        given = (list(scopes), currency, at, provider, model)
        return int(self._ask("take", self._key, self._worker, *given))

    def move(
        self, number: int, held: Decimal | None, spent: Mapping[str, Decimal], *, at: datetime
    ) -> None:
        self._ask("move", self._key, self._worker, number, held, dict(spent), at)

    def settle_dead(self, at: datetime) -> None:
        """That is the limiter's: it knows who lives."""


def _too_slow() -> IoFailed:
    return IoFailed(_("the budget could not be asked for in time"), reason="locked", retryable=True)
