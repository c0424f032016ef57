"""Gemini's errors: `google.rpc.Status`, whose details tell what the HTTP status does not. A wrong
key and a refused country are 400, a spent day and a busy second are both 429."""

import re
from collections.abc import Iterator, Mapping

from llmctl.dialects import failures
from llmctl.dialects.look import at, text_at
from llmctl.errors import LlmctlError
from llmctl.types import Json

# Codes of google.rpc by the word of `failures.SIGNS` that means the same.
CODES: Mapping[str, str] = {
    "UNAUTHENTICATED": "authentication_error",
    "PERMISSION_DENIED": "permission_error",
    "NOT_FOUND": "not_found_error",
    "RESOURCE_EXHAUSTED": "rate_limit_exceeded",
    "UNAVAILABLE": "overloaded_error",
}

# Of these there are no codes.
COUNTRY = re.compile(r"location is not supported|not available in your (country|region)")
TOO_LONG = re.compile(r"token count.{0,40} exceeds the maximum number of tokens")

DELAY = re.compile(r"(\d+(?:\.\d+)?)s")


def failure(status: int, headers: Mapping[str, str], body: str) -> LlmctlError:
    """The error that a status outside 2xx stands for."""
    answer = failures.parsed(body)
    error = failures.classify(
        status,
        headers,
        said=failures.message_in(answer) or failures.plain(body),
        signs=_signs(answer),
    )
    return _with_delay(error, answer)


def inside(answer: Json) -> LlmctlError:
    """The error for an error document in an answer that began well."""
    return _with_delay(failures.inside(answer, _signs(answer)), answer)


def _with_delay(error: LlmctlError, answer: Json) -> LlmctlError:
    """RetryInfo says when to come back, in a header there is nothing. A spent day does not come
    back in the seconds that it names."""
    for detail in _details(answer):
        spelt = DELAY.fullmatch(text_at(detail, "retryDelay") or "")
        if spelt and error.reason != "quota":
            error.retry_after_s = float(spelt[1])
    return error


def _signs(answer: Json) -> Iterator[str]:
    said = text_at(answer, "error", "message") or ""
    if COUNTRY.search(said):
        yield "user_location_not_supported"
    if TOO_LONG.search(said):
        yield "context_length_exceeded"
    if code := CODES.get(text_at(answer, "error", "status") or ""):
        yield code
    for detail in _details(answer):
        if reason := text_at(detail, "reason"):
            yield reason.lower()
        violations = at(detail, "violations")
        for violation in violations if isinstance(violations, list) else ():
            # Quotas of a minute refill while we wait, and the message is the same for all.
            if "PerDay" in (text_at(violation, "quotaId") or ""):
                yield "insufficient_quota"


def _details(answer: Json) -> list[Json]:
    details = at(answer, "error", "details")
    return details if isinstance(details, list) else []
