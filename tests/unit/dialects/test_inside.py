"""Errors inside an answer that began well, as hosts really send them."""

import pytest

from llmctl.dialects.failures import inside
from llmctl.types import Json


@pytest.mark.parametrize(
    ("document", "code", "reason", "retryable"),
    [
        ({"error": {"message": "the engine is overloaded", "type": "server_error", "code": None}},
         "provider-error", None, True),
        ({"error": "an unexpected error was encountered"}, "provider-error", None, True),
        ({"object": "error", "message": "bad luck", "type": "InternalServerError", "code": 500},
         "provider-error", None, True),
        # OpenRouter puts the status of the host behind it into `code`.
        ({"error": {"code": 429, "message": "Rate limited"}}, "rate-limited", "rate", True),
        ({"error": {"code": "400", "message": "no"}}, "rejected", None, False),
        ({"error": {"code": 7, "message": "no"}}, "provider-error", None, True),
        ({"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}},
         "rate-limited", "quota", False),
        ({"error": "You exceeded your current quota"}, "rate-limited", "quota", False),
        ({"error": {"message": "no", "code": "content_filter"}}, "filtered", None, False),
        ({"error": {"message": "no", "code": "context_length_exceeded"}},
         "rejected", "context", False),
        ({"error": {"type": "overloaded_error", "message": "Overloaded"}},
         "provider-error", "overloaded", True),
    ],
)  # fmt: skip
def test_the_document_says_what_it_is(
    document: Json, code: str, reason: str | None, retryable: bool
) -> None:
    error = inside(document)

    assert (error.code, error.reason, error.retryable) == (code, reason, retryable)


def test_its_words_are_passed_on() -> None:
    assert "bad luck" in inside({"error": {"message": "bad luck"}}).message
    assert "{'odd': 1}" in inside({"error": {"odd": 1}}).message
