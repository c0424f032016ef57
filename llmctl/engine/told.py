"""What a server tells of the limits of an account: that it is overloaded, and in the head of an
answer how long a limit is used up.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from llmctl.engine.retry import asked_wait
from llmctl.errors import LlmctlError, ProviderFailed

# By limits that servers tell beside a good answer an account is held no longer than this: most are
# by the minute, some hosts tell 0 with every answer, and one that means it answers 429 to the next.
LONGEST_S = 60.0
# A number beyond this is a moment, not a span: thirty years in seconds.
MOMENT = 1e9
OVERLOADED = frozenset({503, 529})
_REMAINING = re.compile(r"(?i)(.*ratelimit.*?)-remaining(.*)")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def is_overload(error: LlmctlError) -> bool:
    """Whether a server says that it is asked for too much at a time."""
    if not isinstance(error, ProviderFailed) or error.reason == "loading":
        return False
    return error.status in OVERLOADED or error.retry_after_s is not None


def used_up(limits: Mapping[str, str], wall: float) -> float:
    """Seconds until each of the limits, headers by name, has something left; 0 where all have.

    `wall` is Unix time. Known are `x-ratelimit-remaining-requests` beside `…-reset-requests`,
    `anthropic-ratelimit-requests-remaining` beside `…-reset`, the same for tokens, and
    `ratelimit: "api";r=0;t=55`.
    """
    longest = 0.0
    lower: dict[str, str] | None = None
    for name, left in limits.items():
        if left.strip() != "0":  # -1 and the like say that nothing is known
            if name.lower() == "ratelimit" and (wait := asked_wait({"ratelimit": left}, "", _now)):
                longest = max(longest, wait)
            continue
        if (found := _REMAINING.fullmatch(name)) is None:
            continue
        lower = lower or {key.lower(): value for key, value in limits.items()}
        reset = lower.get(f"{found[1]}-reset{found[2]}".lower())
        if reset is not None and (wait := span(reset, wall)) is not None:
            longest = max(longest, wait)
    return min(longest, LONGEST_S)


def span(stated: str, wall: float) -> float | None:
    """Seconds from `wall` until `stated`: `6m0s`, `12ms`, seconds, Unix time in seconds or
    milliseconds, or a moment in RFC 3339; None for anything else."""
    stated = stated.strip()
    try:
        number = float(stated)
    except ValueError:
        return _duration(stated) if _DURATION.match(stated) else _until(stated, wall)
    if not 0 <= number < float("inf"):
        return None
    if number > MOMENT:
        return max(0.0, (number / 1000 if number > MOMENT * 1000 else number) - wall)
    return number


def _duration(stated: str) -> float | None:
    pieces = list(_DURATION.finditer(stated))
    if "".join(piece[0] for piece in pieces) != stated:
        return None
    return sum(float(piece[1]) * _UNITS[piece[2]] for piece in pieces)


def _until(stated: str, wall: float) -> float | None:
    try:
        moment = datetime.fromisoformat(stated)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - wall)


def _now() -> float:
    return 0.0  # nothing that is asked for here depends on it
