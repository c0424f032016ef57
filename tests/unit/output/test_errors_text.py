import pytest

from llmctl.errors import (
    AuthFailed,
    Interrupted,
    LlmctlError,
    NetworkFailed,
    PipeClosed,
    ProviderFailed,
    RateLimited,
)
from llmctl.output.errors_text import error_text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (Interrupted("interrupted"), "llmctl: interrupted\n"),
        (
            AuthFailed(
                "the key was refused",
                provider="openai",
                host="api.openai.com",
                status=401,
                request_id="req_1",
                hint="llmctl keys set openai",
            ),
            "llmctl: the key was refused\n"
            "  at openai (api.openai.com), HTTP 401, request req_1\n"
            "  hint: llmctl keys set openai\n",
        ),
        (
            NetworkFailed(
                "cannot reach api.openai.com: connection refused",
                provider="openai",
                host="api.openai.com",
                hint="check the proxy",
            ),
            "llmctl: cannot reach api.openai.com: connection refused\n  hint: check the proxy\n",
        ),
        (
            RateLimited("HTTP 429 Too Many Requests", provider="groq", status=429),
            "llmctl: HTTP 429 Too Many Requests\n  at groq\n",
        ),
        (PipeClosed("stdout is closed"), ""),
    ],
)
def test_what_happened_where_and_what_next(error: LlmctlError, text: str) -> None:
    assert error_text(error) == text


def test_a_server_cannot_drive_the_terminal() -> None:
    error = ProviderFailed(
        "bad\x1b]0;owned\x07\r\nthing\u202e", provider="x\x1b[2J", request_id="\x9b31m", hint="\x08"
    )

    assert error_text(error) == (
        "llmctl: bad␛]0;owned␇ thing<U+202E>\n  at x␛[2J, request <U+009B>31m\n  hint: ␈\n"
    )


def test_a_page_of_html_is_shortened() -> None:
    first = error_text(ProviderFailed("<html>\n" * 10_000)).splitlines()

    assert len(first) == 1
    assert first[0].startswith("llmctl: <html> <html> ")
    assert len(first[0]) == len("llmctl: ") + 500
