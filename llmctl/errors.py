"""Everything that can go wrong, and the exit code each kind has.

    LlmctlError                    1  internal
    ├── UsageError                 2  usage             wrong flags or input
    ├── ConfigError                3  config            settings, card, template or file
    ├── PrivacyRefused             4  privacy-refused   policy forbids it; nothing was sent
    ├── BudgetRefused              5  budget-refused    the cost limit, or no price under a limit
    ├── AuthFailed                 6  auth              key missing, refused, not permitted
    ├── NotFound                   7  not-found         provider, model, weights
    ├── RateLimited                8  rate-limited      rate or quota, after the allowed waiting
    ├── NetworkFailed              9  network           DNS, connect, TLS, proxy, time-out
    ├── ProviderFailed            10  provider-error    5xx, no answer, an error in the stream
    ├── CutOff                    11  cut-off           text came, its end mark did not
    ├── Incomplete                12  incomplete        stopped by length
    ├── Filtered                  13  filtered          content filter, refusal
    ├── SchemaMismatch            14  schema-mismatch   not what --schema asks for
    ├── Partial                   15  partial           some items failed
    ├── Rejected                  16  rejected          this request, by its content
    ├── CheckFailed               17  check-failed      a check the user asked for
    ├── IoFailed                  18  io                output not writable, disk full
    ├── Interrupted              130  interrupted       SIGINT
    ├── PipeClosed               141  pipe-closed       the reader went away
    └── Terminated               143  terminated        SIGTERM

The table that `llmctl help exit-codes` prints and config/exit-codes.json are made from these
classes; nothing else states a number.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from llmctl.messages import _
from llmctl.types import NOTHING, Failure, Json
from llmctl.values import dataclass


class LlmctlError(Exception):
    """The root: a bug in llmctl when raised as itself.

    `hint` is the next command to type, `reason` a stable word that splits a code further,
    `host` where it happened, `retry_after_s` how long the server asked us to wait.
    """

    code: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 1
    when: ClassVar[str] = "a bug in llmctl"
    retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        reason: str | None = None,
        provider: str | None = None,
        host: str | None = None,
        status: int | None = None,
        retry_after_s: float | None = None,
        request_id: str | None = None,
        retryable: bool | None = None,
        details: Mapping[str, Json] = NOTHING,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.reason = reason
        self.provider = provider
        self.host = host
        self.status = status
        self.retry_after_s = retry_after_s
        self.request_id = request_id
        self.details = details
        if retryable is not None:
            self.retryable = retryable

    def __str__(self) -> str:
        """The message as it is now: what a server repeated of a key is masked after the fact, and a
        traceback must not show what stood there before."""
        return self.message

    def failure(self) -> Failure:
        """This error as data, for `--json`, the ledger and batch rows."""
        return Failure(
            code=self.code,
            exit_code=self.exit_code,
            message=self.message,
            reason=self.reason,
            retryable=self.retryable,
            provider=self.provider,
            status=self.status,
            retry_after_s=self.retry_after_s,
            request_id=self.request_id,
            hint=self.hint,
        )


class UsageError(LlmctlError):
    code, exit_code = "usage", 2
    when = "wrong flags or input; a job that changed since its journal was made"


class ConfigError(LlmctlError):
    code, exit_code = "config", 3
    when = "settings, card, template or file invalid or unreadable; an untrusted project file"


class PrivacyRefused(LlmctlError):
    code, exit_code = "privacy-refused", 4
    when = "policy forbids it, or nothing is left after policy; nothing was sent"


class BudgetRefused(LlmctlError):
    code, exit_code = "budget-refused", 5
    when = "would pass, or has reached, the cost limit; price unknown under a limit"


class AuthFailed(LlmctlError):
    code, exit_code = "auth", 6
    when = "key missing, refused, expired, not permitted; country refused (reason: region)"


class NotFound(LlmctlError):
    code, exit_code = "not-found", 7
    when = "no such provider, model, weights"


class RateLimited(LlmctlError):
    """`reason` is "rate" (retryable) or "quota" (not)."""

    code, exit_code = "rate-limited", 8
    when = "rate or quota, after the allowed waiting (reason: rate or quota)"
    retryable = True


class NetworkFailed(LlmctlError):
    """`reason` is one of dns, connect, tls, proxy, timeout, idle, reset."""

    code, exit_code = "network", 9
    when = "DNS, connect, TLS, proxy, timeout before the first token"
    retryable = True


class ProviderFailed(LlmctlError):
    code, exit_code = "provider-error", 10
    when = "5xx, an answer that is not an answer, an error inside the stream"
    retryable = True


class CutOff(LlmctlError):
    code, exit_code = "cut-off", 11
    when = "the stream ended or fell silent after text and before its end mark"


class Incomplete(LlmctlError):
    code, exit_code = "incomplete", 12
    when = "finish reason length without the user's own limit, or with --schema, or in batch"


class Filtered(LlmctlError):
    code, exit_code = "filtered", 13
    when = "content filter, refusal, blocked prompt"


class SchemaMismatch(LlmctlError):
    code, exit_code = "schema-mismatch", 14
    when = "the answer does not match --schema"


class Partial(LlmctlError):
    code, exit_code = "partial", 15
    when = "some items succeeded and some failed, or all failed for different causes"


class Rejected(LlmctlError):
    code, exit_code = "rejected", 16
    when = "the provider rejects this request (context too long, parameter, attachment)"


class CheckFailed(LlmctlError):
    code, exit_code = "check-failed", 17
    when = "a check, threshold or scan asked for by the user did not pass"


class IoFailed(LlmctlError):
    code, exit_code = "io", 18
    when = "output not writable, disk full, another process owns this output"


class Interrupted(LlmctlError):
    code, exit_code = "interrupted", 130
    when = "SIGINT, state saved"


class PipeClosed(LlmctlError):
    code, exit_code = "pipe-closed", 141
    when = "the reader closed the pipe (quiet)"


class Terminated(LlmctlError):
    code, exit_code = "terminated", 143
    when = "SIGTERM, state saved"


class Stopped(BaseException):
    """What a signal raises where no event loop runs. It is no Exception, so that nothing that bears
    with trouble (a cache, a search, a ledger) takes it for its own. `error` says which it was."""

    def __init__(self, error: LlmctlError) -> None:
        super().__init__(error.message)
        self.error = error


@dataclass(frozen=True, slots=True)
class ExitCode:
    exit_code: int
    code: str
    when: str


def exit_codes() -> Iterator[ExitCode]:
    """The whole table, by number; 0 comes first."""
    yield ExitCode(0, "ok", _("also when the user's own --max-tokens was reached without --schema"))
    kinds: list[type[LlmctlError]] = [LlmctlError, *LlmctlError.__subclasses__()]
    for kind in sorted(kinds, key=lambda kind: kind.exit_code):
        yield ExitCode(kind.exit_code, kind.code, _(kind.when))


def internal(error: BaseException) -> LlmctlError:
    """An exception nobody expected, as the error a user sees; its text may hold a prompt, so only
    its type is named."""
    return LlmctlError(
        _("llmctl failed unexpectedly ({kind})", kind=type(error).__name__),
        hint=_("set LLMCTL_DEBUG=1 and run it again for the traceback, and report it"),
    )
