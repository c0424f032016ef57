"""Whether a call that failed may be on the bill all the same."""

from llmctl.errors import (
    AuthFailed,
    BudgetRefused,
    ConfigError,
    LlmctlError,
    NetworkFailed,
    NotFound,
    PrivacyRefused,
    RateLimited,
    UsageError,
)

# An error of the provider itself says that there was no answer, and answers are what is charged.
# From these the answer may only have been lost on its way: a gateway gave up waiting, or what was
# behind it went away.
LOST = frozenset({408, 499, 502, 504, 520, 522, 524})
# No connection, so no request.
BEFORE = frozenset({"dns", "connect", "tls", "proxy", "checksum"})
NEVER_SENT = (UsageError, ConfigError, PrivacyRefused, BudgetRefused)
REFUSED = (AuthFailed, NotFound, RateLimited)


def may_be_billed(error: LlmctlError) -> bool:
    """Whether an attempt that ended in `error`, before anything of an answer came, may cost money.
    In doubt it may: an answer that was begun and lost, an interruption, a time-out."""
    if isinstance(error, NEVER_SENT):
        return False
    if isinstance(error, NetworkFailed) and error.status is None:
        return error.reason not in BEFORE
    if error.status is not None and error.status >= 400:
        return error.status in LOST
    return not isinstance(error, REFUSED)
