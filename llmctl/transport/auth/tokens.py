"""Tokens with an end, kept in private files for all processes.

The clock of this machine may be wrong, and so may the server's: how long a token lives is taken
from the server's own time, how old it is from ours, and what counts in the end is whether the
server still takes it.
"""

import hashlib
import json
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path

from llmctl.errors import IoFailed
from llmctl.files import read_own, write_private
from llmctl.values import dataclass, field

MARGIN_S = 60.0
# A longer life than this is a wrong clock or a wrong unit.
LONGEST_S = 7 * 24 * 3600.0

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Token:
    """A token, when it was fetched (Unix time of this machine) and its life from then, seconds."""

    value: str = field(repr=False)
    fetched: float
    life: float

    def is_fresh(self, now: float) -> bool:
        """Whether it may be sent; a time before it was fetched says that the clock was moved."""
        return -MARGIN_S <= now - self.fetched < self.life - MARGIN_S


def life_of(expires_at: float | None, date: str | None, now: float, usual: float) -> float:
    """Seconds from now until `expires_at` (Unix time, s or ms) by the server's clock, which its
    `Date` header tells, else by ours; `usual` where that makes no sense."""
    if expires_at is None:
        return usual
    if expires_at > 1e11:
        expires_at /= 1000
    life = expires_at - (_moment(date) or now)
    return life if 0 < life <= LONGEST_S else usual


def _moment(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except (ValueError, TypeError, OverflowError):
        return None


class Shelf:
    """Where the token for one set of credentials lies. A shelf that cannot be read or written is
    an empty one: without it every process fetches a token of its own."""

    def __init__(self, folder: Path, name: str, *credentials: str) -> None:
        digest = hashlib.sha256("\0".join(credentials).encode()).hexdigest()[:32]
        self._path = folder / f"{name}-{digest}.json"

    @property
    def lock(self) -> Path:
        """The file to be locked while a token is fetched."""
        return self._path.with_suffix(".lock")

    def read(self) -> Token | None:
        try:
            kept = json.loads(read_own(self._path))
            return Token(str(kept["token"]), float(kept["fetched"]), float(kept["life"]))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def write(self, token: Token) -> None:
        kept = {"token": token.value, "fetched": token.fetched, "life": token.life}
        try:
            write_private(self._path, json.dumps(kept).encode())
        except IoFailed:
            return


def wall_clock() -> float:
    return time.time()
