"""Budgets: before a call its worst case is reserved, after it what it really cost is settled.

The sum of what is spent and reserved passes no cap, whatever number of tasks and processes ask at
once. One call:

    admitted = admit(call, estimate, loaded, provider="openai")   # raises BudgetRefused
    ... send admitted.call, whose limit may be lower now ...
    admitted.reservation.settle(cost)                             # once, however it ended

Many calls that share one `per_call` cap (a run, also one that goes on in another process): give
all the same `run`, any text of one's own (`new_run()` makes one), and open the state file once:

    with open_store() as store:
        admit(call, estimate, loaded, provider=..., run=run, store=store)

For thousands of them, the store is a `Lease` (`llmctl.cost.lease`), which holds money for some
hundred calls and asks the file no more for each.

Without a cap for the provider, and for what costs nothing, no file is opened and there is no
reservation. What is never settled, since its process was killed, stays counted at its worst case
until its day, its month and its run are over; `llmctl cost budgets` shows it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from llmctl.cost.billing import may_be_billed
from llmctl.errors import BudgetRefused, IoFailed, LlmctlError
from llmctl.messages import _
from llmctl.types import Call, Cost, Notice
from llmctl.types.amounts import read_amount
from llmctl.values import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from llmctl.cost.estimate import Estimate
    from llmctl.cost.lease import Lease
    from llmctl.cost.rules import Rules
    from llmctl.settings import Loaded
    from llmctl.store.reservations import Decide, Reservations

NOTHING_SPENT = Decimal(0), ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A call that may be sent as it stands here."""

    call: Call
    reservation: Reservation | None = None
    notes: tuple[Notice, ...] = ()


class Reservation:
    """Money set aside for one call. `run` is the scope it shares with others; `lowered` the limit
    in tokens that llmctl set for the answer, None where the user did; `cap` the budget that made it
    as low as it is, None where that is what such answers usually take."""

    def __init__(
        self,
        store: Reservations | Lease,
        number: int,
        decide: Decide,
        *,
        run: str,
        owns_store: bool,
    ) -> None:
        self.run = run
        self.lowered: int | None = None
        self.cap: str | None = None
        self._store = store
        self._number = number
        self._decide = decide
        self._owns_store = owns_store
        self._is_open = True

    def may_repeat(self, error: LlmctlError) -> bool:
        """Whether the call may be tried again after `error`. Where the try that failed may be
        billed all the same, it counts as spent, and as much is reserved once more."""
        if not may_be_billed(error):
            return True
        try:
            self._store.repeat(self._number, self._decide, at=_now())
        except (BudgetRefused, IoFailed):
            return False
        return True

    def settle(
        self,
        cost: Cost,
        *,
        sent: bool = True,
        error: LlmctlError | None = None,
        shown: bool = False,
    ) -> None:
        """Replace the worst case by what the call cost. An unknown cost keeps it, unless nothing
        can have been billed: nothing was `sent`, or it ended in an `error` that says so with
        nothing `shown` of an answer. Later calls do nothing. A file that cannot be written keeps
        the worst case too."""
        if not self._is_open:
            return
        self._is_open = False
        spent = _amount(cost)
        if spent is None and (not sent or (error and not shown and not may_be_billed(error))):
            spent = NOTHING_SPENT
        try:
            self._store.settle(self._number, spent, at=_now())
        except IoFailed:
            pass
        finally:
            if self._owns_store:
                self._store.close()

    def give_back(self) -> None:
        """The call was not sent."""
        self.settle(Cost(), sent=False)


def admit(
    call: Call,
    estimate: Estimate,
    loaded: Loaded,
    *,
    provider: str,
    run: str | None = None,
    store: Reservations | Lease | None = None,
    at: datetime | None = None,
) -> Admitted:
    """Reserve the worst case of `call` under every cap that holds; raises BudgetRefused where it
    does not fit, where its price is not known, and where the state file cannot be written.

    Where the user set no limit to the answer, it gets one: what fits, and at most what answers of
    the model usually take. `at` is the moment of UTC by whose day and month it counts.
    """
    if is_free(estimate):
        return Admitted(call=call)
    from llmctl.cost.caps import is_limited

    if not is_limited(loaded, provider):
        return Admitted(call=call)
    from llmctl.cost.admission import Admission

    run, at = run or f"call-{new_run()}", at or _now()
    rules = _rules(store, provider, run, at)
    admission = Admission(call, estimate, loaded, provider=provider, run=run, at=at, rules=rules)
    opened = store or _opened()
    try:
        number = admission.reserve(opened)
    except BaseException as error:
        if store is None:
            opened.close()
        if isinstance(error, IoFailed):
            raise _unwritable(error) from error
        raise
    reservation = Reservation(
        opened, number, admission.decide_again, run=admission.run, owns_store=store is None
    )
    reservation.lowered, reservation.cap = admission.lowered, admission.lowered_by
    return Admitted(call=admission.call, reservation=reservation, notes=tuple(admission.notes))


def _rules(
    store: Reservations | Lease | None, provider: str, run: str, at: datetime
) -> Rules | None:
    """The caps that a lease has looked up already."""
    if store is None:
        return None
    from llmctl.cost.lease import Lease

    return store.rules(provider, run, at) if isinstance(store, Lease) else None


def is_free(estimate: Estimate) -> bool:
    """Whether it is known that neither input nor output cost anything."""
    least = estimate.high_input
    return least is not None and least.amount == 0 and estimate.token_price == 0


def open_store() -> Reservations:
    """The state file, for many calls. Raises ConfigError and IoFailed."""
    from llmctl import settings
    from llmctl.store.reservations import Reservations

    return Reservations(settings.paths().data / "state.db")


def new_run() -> str:
    """A name for calls that share a cap; sorts by time."""
    import os
    import time

    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(4).hex()}"


def _amount(cost: Cost) -> tuple[Decimal, str] | None:
    """What a call cost; None where that is not known, or cannot be."""
    amount = read_amount(cost.amount)
    return None if amount is None or cost.currency is None else (amount, cost.currency)


def _opened() -> Reservations:
    try:
        return open_store()
    except IoFailed as error:
        raise _unwritable(error) from error


def _unwritable(error: IoFailed) -> BudgetRefused:
    return BudgetRefused(
        _("the budget cannot be kept: {why}", why=error.message),
        hint=error.hint,
        reason="state",
    )


def _now() -> datetime:
    from datetime import UTC, datetime

    return datetime.now(UTC)
