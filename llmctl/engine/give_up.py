"""When a provider counts as down, so that a job ends instead of failing row by row."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from llmctl.errors import (
    AuthFailed,
    Filtered,
    Incomplete,
    LlmctlError,
    RateLimited,
    Rejected,
    SchemaMismatch,
)
from llmctl.messages import _

AFTER_S = 300.0
# Fewer errors say nothing, however long it was between them: a single one with a long Retry-After
# has nothing tried again.
ERRORS = 3
# What only a server that works says.
ALIVE = (Filtered, Incomplete, Rejected, SchemaMismatch)


class GiveUp:
    """Hears what each try came to. `is_over` when for `after_s` seconds nothing has worked and at
    least three tries failed in a way that could pass; 429 for ever is one."""

    def __init__(
        self, after_s: float = AFTER_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.after_s = after_s
        self._clock = clock
        self._since: float | None = None
        self._errors = 0
        self._last: LlmctlError | None = None

    def heard(self, error: LlmctlError | None) -> None:
        """How a try ended. What tells nothing of the provider (a refused key, a budget) counts
        neither way."""
        if error is None or isinstance(error, ALIVE):
            self._since, self._errors, self._last = None, 0, None
        elif error.retryable and not isinstance(error, AuthFailed):
            if self._since is None:
                self._since = self._clock()
            self._errors += 1
            self._last = error

    @property
    def is_over(self) -> bool:
        return self.left is not None and self.left <= 0

    @property
    def left(self) -> float | None:
        """Seconds until it is over, if nothing works until then; None where too few tries failed
        for that."""
        if self._since is None or self._errors < ERRORS:
            return None
        return max(0.0, self.after_s - (self._clock() - self._since))

    def error(self) -> LlmctlError:
        """Why it was given up, of the kind of the last error. Only after an error was heard."""
        last, since = self._last, self._since
        assert last is not None and since is not None  # noqa: S101, PT018
        found = type(last)(
            _("{provider} is given up: nothing has worked for {seconds:.0f} s; last: {cause}",
              provider=last.provider or last.host or "?", seconds=self._clock() - since,
              cause=last.message),
            reason=last.reason,
            provider=last.provider,
            host=last.host,
            status=last.status,
            request_id=last.request_id,
            retry_after_s=last.retry_after_s,
        )  # fmt: skip
        return found


def too_long(provider: str, hold_s: float, give_up: float, *, elsewhere: bool) -> LlmctlError:
    """What ends a job in place of a hold of so many seconds, longer than its patience; `elsewhere`:
    another process was told of it."""
    until = datetime.now().astimezone() + timedelta(seconds=hold_s)
    told = (
        _("another llmctl process, or an earlier one, was told so")
        if elsewhere
        else _("it has told so itself")
    )
    return RateLimited(
        _("{provider} takes no requests until {time:%Y-%m-%d %H:%M:%S}: {told}",
          provider=provider, time=until, told=told),
        hint=_("go on then, or ask another model; --give-up SECONDS (it is {seconds:g}) says how"
               " long is waited, an hour at most", seconds=give_up),
        reason="rate",
        provider=provider,
        retry_after_s=hold_s,
    )  # fmt: skip
