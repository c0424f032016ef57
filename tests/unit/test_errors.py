"""The tree of errors: the docstring draws it as it is, and each says what scripts need."""

import re

import pytest

from llmctl import errors
from llmctl.errors import LlmctlError, RateLimited, exit_codes, internal

KINDS: list[type[LlmctlError]] = [
    LlmctlError,
    *(kind for kind in LlmctlError.__subclasses__() if kind.__module__ == "llmctl.errors"),
]
# The table of exit codes that scripts build on.
DOCUMENTED = {
    0: "ok", 1: "internal", 2: "usage", 3: "config", 4: "privacy-refused", 5: "budget-refused",
    6: "auth", 7: "not-found", 8: "rate-limited", 9: "network", 10: "provider-error",
    11: "cut-off", 12: "incomplete", 13: "filtered", 14: "schema-mismatch", 15: "partial",
    16: "rejected", 17: "check-failed", 18: "io", 130: "interrupted", 141: "pipe-closed",
    143: "terminated",
}  # fmt: skip


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn = re.findall(r"(\w+) +(\d+) +([a-z-]+)(?: |$)", errors.__doc__ or "", re.MULTILINE)

    assert sorted(drawn) == sorted(
        (kind.__name__, str(kind.exit_code), kind.code) for kind in KINDS
    )


def test_the_codes_are_the_documented_ones() -> None:
    assert {one.exit_code: one.code for one in exit_codes()} == DOCUMENTED
    assert all(one.when for one in exit_codes())


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_as_data_has_every_key(kind: type[LlmctlError]) -> None:
    error = kind(
        "what happened", hint="what to type", reason="why", provider="p", host="h", status=429,
        retry_after_s=2.5, request_id="r", details={"a": 1},
    )  # fmt: skip

    failure = error.failure()

    assert (failure.code, failure.exit_code) == (kind.code, kind.exit_code)
    assert (failure.message, failure.reason, failure.provider) == ("what happened", "why", "p")
    assert (failure.status, failure.retry_after_s, failure.request_id) == (429, 2.5, "r")
    assert failure.retryable is kind.retryable


def test_what_is_worth_another_try() -> None:
    assert {kind.code for kind in KINDS if kind.retryable} == {
        "rate-limited", "network", "provider-error",
    }  # fmt: skip
    assert not RateLimited("", reason="quota", retryable=False).retryable
    assert RateLimited.retryable


def test_a_bug_is_named_by_its_kind_and_never_by_its_text() -> None:
    error = internal(ValueError("the prompt of somebody"))

    assert error.exit_code == 1
    assert "ValueError" in error.message
    assert "somebody" not in f"{error.message}{error.hint}"
