"""When to ask again, and how long to wait before it.

The server's own word comes first: `retry-after-ms`, `retry-after` in seconds or as a date, a
`ratelimit` that is used up, or the words "try again in 2s" in its message. A wait beyond the limit
ends the call with that figure in the error instead of sitting it out.
"""

import re
from collections.abc import Callable, Mapping

from llmctl.errors import LlmctlError
from llmctl.values import dataclass

# Compiled when a server first says something: most runs see no such text.
_SPELT = (
    r"(?i)(?:try again|retry) (?:in|after) ((?:\d+(?:\.\d+)?\s*(?:ms|milliseconds?|s|sec(?:ond)?s?"
    r"|m|min(?:ute)?s?|h|hours?)\s*)+)"
)
# Of a limit of which nothing is left, the seconds until there is: `"api";r=0;t=55`.
_USED_UP = r";\s*r=0\s*;\s*t=(\d{1,6})(?!\d)"
_PIECE = r"(?i)(\d+(?:\.\d+)?)\s*([a-z]+)"
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def asked_wait(headers: Mapping[str, str], said: str, now: Callable[[], float]) -> float | None:
    """Seconds the server asks to wait, None where it says nothing usable; `now` is Unix time."""
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    if (value := headers.get("retry-after")) is not None:
        if (seconds := _number(value)) is not None:
            return seconds
        if (moment := _date(value)) is not None:
            return max(0.0, moment - now())
    if used_up := re.findall(_USED_UP, headers.get("ratelimit", "")):
        return max(float(seconds) for seconds in used_up)
    if spelt := re.search(_SPELT, said):
        return sum(
            float(amount) * _UNITS["ms" if _is_milliseconds(unit) else unit[0].lower()]
            for amount, unit in re.findall(_PIECE, spelt[1])
        )
    return None


def _is_milliseconds(unit: str) -> bool:
    return unit.lower() == "ms" or unit.lower().startswith("milli")


def _number(value: str | None) -> float | None:
    """A plain number that is not negative; anything else is as if it were not there."""
    try:
        number = float(value) if value is not None else -1.0
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _date(value: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


# Seconds between two looks at a server that still loads its model.
LOOK_AGAIN = 2.0


def _chance() -> float:
    import random  # most calls need no second try

    return random.random()


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how patiently. `attempts` counts repeats after the first try, waits are in
    seconds: `base` doubles up to `ceiling`, `max_wait` bounds all waiting of one call together."""

    attempts: int = 4
    base: float = 0.5
    ceiling: float = 8.0
    max_wait: float = 60.0

    def wait(
        self,
        error: LlmctlError,
        tried: int,
        waited: float,
        chance: Callable[[], float] = _chance,
    ) -> float | None:
        """Seconds until the next try after `tried` failed ones; None to give up.

        A server that still loads its model is looked at again until `max_wait`, however often that
        is. Without the server's word the wait is exponential with up to a quarter taken off at
        random, so that many processes do not come back at the same moment.
        """
        loading = error.reason == "loading"
        if not error.retryable or (tried > self.attempts and not loading):
            return None
        wait = error.retry_after_s
        if loading:
            wait = min(LOOK_AGAIN, self.base * 2 ** min(tried - 1, 9))
        elif wait is None:
            wait = min(self.ceiling, self.base * 2 ** (tried - 1)) * (1 - 0.25 * chance())
        return None if waited + wait > self.max_wait else wait
