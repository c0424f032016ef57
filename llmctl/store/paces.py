"""What the processes of one machine tell each other about the pace of an account.

It stands in the state file but is no guarantee: nothing is lost when it is, so that no commit here
waits for the disk, and what cannot be right by the clock is taken for nothing.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

from llmctl.store import database
from llmctl.store.state import open_state

# The longest hold there is: that of a limit a day. Beyond it a time in the file comes from a clock
# that was set back.
MAX_HOLD_S = 86_400.0
# No schedule is honestly further ahead: processes take fractions of a second, and a request of many
# tokens is at most a minute or two of its rate.
MAX_AHEAD_S = 180.0
# The event loop stands still meanwhile.
PATIENCE_MS = 250
KEEP_S = 2 * MAX_HOLD_S

Kind = Literal["requests", "tokens"]


class Shared:
    """The pace of one account, `account` being a digest of what it is known by. For one thread.

    Raises ConfigError and IoFailed as `open_state` does, IoFailed at any call. `wall` is Unix time.
    """

    def __init__(self, path: Path, account: str, wall: Callable[[], float] = time.time) -> None:
        self._path, self._account, self._wall = path, account, wall
        self._connection = open_state(path)
        with database.said_plainly(path):
            self._connection.execute("PRAGMA synchronous=NORMAL").close()
            self._connection.execute(f"PRAGMA busy_timeout={PATIENCE_MS}").close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def hold(self, seconds: float) -> None:
        """Nobody shall begin a request for so many seconds; a longer hold that stands stays."""
        now = self._wall()
        until = now + min(seconds, MAX_HOLD_S)
        with database.said_plainly(self._path), database.transaction(self._connection):
            if self._left("hold_until", MAX_HOLD_S, now) < until - now:
                self._put("hold_until", until, now)

    def held(self) -> float:
        """Seconds until a request may begin; 0 where nothing holds it."""
        with database.said_plainly(self._path):
            return max(0.0, self._left("hold_until", MAX_HOLD_S, self._wall()))

    def reserve(self, kind: Kind, units: float, every: float, slack: float) -> float:
        """Take so many `units` of a rate, `every` seconds each, with so many seconds of burst: the
        seconds until the first is due, negative where it was before. Each next one is due `every`
        seconds later."""
        column = f"{kind}_at"
        with database.said_plainly(self._path), database.transaction(self._connection):
            now = self._wall()
            even = max(0.0, self._left(column, MAX_AHEAD_S, now))
            self._put(column, now + even + units * every, now)
        return even - slack

    def _left(self, column: str, most: float, now: float) -> float:
        row = self._connection.execute(
            f"SELECT {column} FROM paces WHERE account = ?",  # noqa: S608  names of ours
            (self._account,),
        ).fetchone()
        at = row[0] if row is not None else 0.0
        if not isinstance(at, float | int):
            raise database.damaged(self._path)
        return at - now if at - now <= most else 0.0

    def _put(self, column: str, at: float, now: float) -> None:
        put = self._connection.execute(
            f"UPDATE paces SET {column} = ?, touched = ? WHERE account = ?",  # noqa: S608
            (at, now, self._account),
        )
        if not put.rowcount:
            # The first of this account for long: a moment to clear out what nobody uses.
            self._connection.execute("DELETE FROM paces WHERE touched < ?", (now - KEEP_S,))
            self._connection.execute(
                f"INSERT INTO paces (account, {column}, touched) VALUES (?, ?, ?)",  # noqa: S608
                (self._account, at, now),
            )
