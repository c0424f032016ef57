"""From an error answer to the error it stands for, the same for every provider.

The body beats the status: many hosts answer 400 or 429 for what is really a refused key, a spent
quota or a prompt that is too long, and say so only in words or codes.
"""

import json
import re
from collections.abc import Iterable, Mapping

from llmctl.dialects.look import at, int_at, text_at
from llmctl.errors import (
    AuthFailed,
    Filtered,
    LlmctlError,
    NotFound,
    ProviderFailed,
    RateLimited,
    Rejected,
)
from llmctl.messages import _
from llmctl.types import Json

LONGEST_SAID = 1000
REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-amzn-trace-id", "x-amz-cf-id")

# Words that providers use as `code`, `type` or `status`, by the error they mean. The first row
# that matches wins, so the more telling ones come first.
SIGNS: tuple[tuple[type[LlmctlError], str | None, frozenset[str]], ...] = (
    (
        AuthFailed,
        "region",
        frozenset({"unsupported_country_region_territory", "user_location_not_supported"}),
    ),
    (
        RateLimited,
        "quota",
        frozenset(
            {
                "insufficient_quota",
                "billing_hard_limit_reached",
                "billing_not_active",
                "billing_error",
                "quota_exceeded",
                "credit_balance_exhausted",
                "enforced_spend_limit_reached",
                "contract_spend_limit_reached",
                "linked_organization_spend_limit_reached",
                "linked_organization_billing_unavailable",
                "insufficient_balance",
            }
        ),
    ),
    (
        Rejected,
        "context",
        frozenset(
            {"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"}
        ),
    ),
    (
        Filtered,
        None,
        frozenset(
            {
                "content_filter",
                "content_policy_violation",
                "moderation_blocked",
                "content_filtered",
                "image_content_policy_violation",
                "misalignment_policy_violation",
                "bio_policy",
                "invalid_prompt",
            }
        ),
    ),
    # Told inside an answer that began well, where no status says so.
    (
        Rejected,
        None,
        frozenset(
            {
                "data_residency_mismatch",
                *("invalid_image", "invalid_image_format", "invalid_image_mode"),
                *("invalid_base64_image", "invalid_image_url", "image_parse_error"),
                *("image_too_large", "image_too_small", "image_file_too_large"),
                *("unsupported_image_media_type", "empty_image_file", "image_file_not_found"),
                "failed_to_download_image",
            }
        ),
    ),
    (NotFound, None, frozenset({"model_not_found", "not_found_error"})),
    (
        AuthFailed,
        None,
        frozenset(
            {
                "invalid_api_key",
                "incorrect_api_key",
                "authentication_error",
                "invalid_authentication",
                "permission_error",
                "api_key_invalid",
            }
        ),
    ),
    (RateLimited, "rate", frozenset({"rate_limit_exceeded", "rate_limit_error"})),
    (ProviderFailed, "overloaded", frozenset({"overloaded_error", "unavailable_error"})),
)

# Phrases, for hosts that give no code. Kept few: a phrase may be quoted from the prompt.
PHRASES: tuple[tuple[type[LlmctlError], str | None, re.Pattern[str]], ...] = (
    (
        Rejected,
        "context",
        re.compile(
            r"maximum context length|context window|too many tokens|exceeds the context length"
            r"|`inputs` (tokens \+|must have less)|input tokens must be no more than"
        ),
    ),
    (AuthFailed, "region", re.compile(r"user location is not supported")),
    (RateLimited, "quota", re.compile(r"exceeded your current quota|insufficient (funds|balance)")),
    (AuthFailed, "folder", re.compile(r"folder id .* does not match with service account folder")),
)

# Servers of one's own, and Hugging Face, while a model is read into memory: it ends by itself.
LOADING = re.compile(r"loading model|model is loading|currently loading")

# What llama.cpp's server says, with 500, of a text for a vector that it cannot read at once.
TOO_LARGE = re.compile(r"input (\(\d+ tokens\) )?is too large to process")

RETRYABLE = frozenset({408, 409, 425, 500, 502, 503, 504, 520, 522, 524, 529})


def failure(status: int, headers: Mapping[str, str], body: str) -> LlmctlError:
    """The error for an answer in the shape `{"error": {"message", "type", "code"}}`, or near it."""
    answer = parsed(body)
    words = (text_at(answer, "error", key) for key in ("code", "type", "status"))
    return classify(
        status,
        headers,
        said=message_in(answer) or plain(body),
        signs=[word.lower() for word in words if word],
    )


def inside(answer: Json, signs: Iterable[str] = ()) -> LlmctlError:
    """The error for an error document in an answer that began well: `{"error": …}`, or the error
    as the document itself. Its codes count as they do in an error answer, since a spent quota does
    not come back by asking again; a number is the status it would have had. `signs` are further
    codes, in lower case, that a dialect reads out of it."""
    error = at(answer, "error") or answer
    said = message_in(answer) or str(error)[:300]
    words = (text_at(error, key) for key in ("code", "type", "status"))
    status = int_at(error, "code")
    if status is not None and not 400 <= status < 600:
        status = None
    codes = frozenset((*signs, *(word.lower() for word in words if word)))
    kind, reason = _kind(status, said.lower(), codes)
    return kind(
        _("the provider broke off with an error: {said}", said=said),
        status=status,
        reason=reason,
        retryable=False if reason == "quota" else None,
    )


def classify(
    status: int, headers: Mapping[str, str], *, said: str, signs: Iterable[str]
) -> LlmctlError:
    """The error for a status, what the provider said, and its codes in lower case."""
    kind, reason = _kind(status, said.lower(), frozenset(signs))
    wording = said or _("no explanation was given")
    error = kind(
        _("the provider answered {status}: {said}", status=status, said=wording),
        status=status,
        reason=reason,
        request_id=next((headers[name] for name in REQUEST_ID_HEADERS if name in headers), None),
    )
    if reason == "quota":
        error.retryable = False
    elif kind is ProviderFailed:
        error.retryable = status in RETRYABLE or status >= 500
    if (asked := headers.get("x-should-retry")) in ("true", "false"):
        error.retryable = asked == "true"
    return error


def _kind(
    status: int | None, said: str, signs: frozenset[str]
) -> tuple[type[LlmctlError], str | None]:
    """`status` is None where nobody has said one."""
    if status == 503 and LOADING.search(said):
        return ProviderFailed, "loading"
    if status == 500 and TOO_LARGE.search(said):
        return Rejected, "context"
    for kind, reason, words in SIGNS:
        if signs & words:
            return kind, reason
    if status in (None, 400, 413, 422, 429):
        for kind, reason, phrase in PHRASES:
            if phrase.search(said):
                return kind, reason
    match status:
        case None:
            return ProviderFailed, None
        case 401 | 403 | 407:
            return AuthFailed, None
        case 402:
            return RateLimited, "quota"
        case 404:
            return NotFound, None
        case 429:
            return RateLimited, "rate"
        case 451:
            return AuthFailed, "region"
        case 501:
            return Rejected, "unsupported"
        case _ if status in RETRYABLE or not 400 <= status < 500:
            return ProviderFailed, None
        case _:
            return Rejected, None


def parsed(body: str) -> Json:
    """The body as JSON, None when it is something else; a one-element list is unwrapped."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer[0] if isinstance(answer, list) and len(answer) == 1 else answer


def message_in(answer: Json) -> str | None:
    """The human words in an error body, wherever hosts put them; their beginning, since some quote
    the whole request."""
    for path in (
        ("error", "message"),
        ("error",),
        ("message",),
        ("detail",),
        ("error_description",),
        ("detail", 0, "msg"),
    ):
        found = at(answer, *path)
        if isinstance(found, str) and found.strip():
            return found.strip()[:LONGEST_SAID]
        if isinstance(found, list) and found and all(isinstance(item, str) for item in found):
            return "; ".join(found)[:LONGEST_SAID]
    return None


def plain(body: str) -> str:
    """A body that is no JSON as one short line: an HTML page shrinks to its title."""
    if title := re.search(r"<title[^>]{0,200}>([^<]{1,200})", body[:20_000], re.IGNORECASE):
        return " ".join(title[1].split())
    if body.lstrip()[:1] == "<":
        return _("a web page, not an API answer")
    return " ".join(body[:1000].split())[:300]
