"""How long an answer may keep us waiting: one timer for the whole of it, not one a piece."""

import asyncio
from collections.abc import Awaitable
from math import inf
from typing import TypeVar

Thing = TypeVar("Thing")


class Patience:
    """Bears waits of at most `idle` seconds each, and none past `deadline` (on the loop's clock).

    The timer looks only now and then when the present wait began, so that a piece which is there
    already costs next to nothing; it goes on from one answer to the next, each of which `begin`s.
    """

    def __init__(self, idle: float, deadline: float | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        self.idle = idle
        self._deadline = deadline
        self._since: float | None = None
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ran_out = False

    def begin(self, deadline: float | None) -> None:
        """Another answer, with a deadline of its own."""
        self._deadline = deadline
        if deadline is not None and self._timer is not None and self._timer.when() > deadline:
            self.close()

    @property
    def overdue(self) -> bool:
        """Whether the deadline has passed."""
        return self._deadline is not None and self.loop.time() >= self._deadline

    async def bear(self, coming: Awaitable[Thing]) -> Thing:
        """What comes; raises TimeoutError when it does not come in time."""
        self._since = self.loop.time()
        self._task = asyncio.current_task()
        if self._timer is None:
            self._set(self._since)
        try:
            return await coming
        except asyncio.CancelledError:
            if self._ran_out:
                self._ran_out = False
                if self._task is not None and self._task.uncancel() == 0:
                    raise TimeoutError from None
            raise
        finally:
            self._since = None

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self, since: float) -> None:
        due = since + self.idle
        if self._deadline is not None:
            due = min(due, self._deadline)
        if due != inf:
            self._timer = self.loop.call_at(due, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._since is None:
            return  # nobody waits: the next wait sets the timer again
        now = self.loop.time()
        if now - self._since < self.idle and not self.overdue:
            self._set(self._since)
        elif self._task is not None:
            self._ran_out = True
            self._task.cancel()
