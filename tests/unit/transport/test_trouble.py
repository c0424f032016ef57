"""Each error names its host and cause, says whether asking again can help, and what to type."""

import errno
import secrets
import socket
import ssl

import pytest

from llmctl.errors import AuthFailed, LlmctlError, NetworkFailed
from llmctl.transport import trouble
from llmctl.transport.proxy import parse_proxy

# The reasons that scripts may rely on, from the docstring of NetworkFailed.
REASONS = {"dns", "connect", "tls", "proxy", "timeout", "idle", "reset"}


def verification(code: int, message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, message
    return error


def unspoken() -> ssl.SSLError:
    """As OpenSSL reports a server that speaks plain HTTP."""
    error = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")
    error.reason = "WRONG_VERSION_NUMBER"
    return error


REFUSED = OSError(errno.ECONNREFUSED, "x")
PROXY = parse_proxy("http://me:hidden@proxy.test:3128", "x")


@pytest.mark.parametrize(
    ("error", "reason", "retryable", "words", "hint"),
    [
        (trouble.no_address(socket.gaierror(socket.EAI_NONAME, "Name not known"), "a.test", "acme"),
         "dns", False, "a.test cannot be looked up: name not known", "llmctl doctor acme"),
        (trouble.no_address(socket.gaierror(socket.EAI_AGAIN, "Try again"), "a.test", "acme"),
         "dns", True, "try again", "llmctl doctor acme"),
        (trouble.no_connection(REFUSED, "127.0.0.1", 11434, "acme"),
         "connect", False, "127.0.0.1:11434: connection refused", "is the server started?"),
        (trouble.no_connection(REFUSED, "a.test", 443, "acme"),
         "connect", True, "a.test:443: connection refused", "llmctl doctor acme --live"),
        (trouble.no_connection(OSError(errno.ENETUNREACH, "x"), "127.0.0.1", 1, "acme"),
         "connect", True, "network is unreachable", "is the server started?"),
        (trouble.connect_timeout("a.test", 443, 1.5, "acme"),
         "connect", True, "a.test:443 did not take the connection within 1.5 s", "HTTPS_PROXY"),
        (trouble.no_tls(verification(10, "certificate has expired"), "a.test", "acme"),
         "tls", False, "certificate of a.test is not accepted: certificate has expired", "clock"),
        (trouble.no_tls(verification(9, "not yet valid"), "a.test", "acme"),
         "tls", False, "not yet valid", "clock"),
        (trouble.no_tls(verification(62, "Hostname mismatch."), "a.test", "acme"),
         "tls", False, "Hostname mismatch", "config get providers.acme.base_url"),
        (trouble.no_tls(verification(64, "IP address mismatch"), "1.2.3.4", "acme"),
         "tls", False, "IP address mismatch", "config get providers.acme.base_url"),
        (trouble.no_tls(verification(20, "unable to get local issuer"), "a.test", "acme"),
         "tls", False, "unable to get local issuer", "providers.acme.ca_file FILE"),
        (trouble.no_tls(unspoken(), "a.test", "acme"),
         "tls", False, "no secure connection to a.test: wrong version number", "base_url http://"),
        (trouble.no_tls(ConnectionResetError(), "a.test", "acme"),
         "tls", True, "a.test closed the connection while", "doctor acme --live"),
        (trouble.proxy_trouble(PROXY, "no luck"),
         "proxy", True, "the proxy http://proxy.test:3128 did not connect us: no luck", '"none"'),
        (trouble.no_answer("a.test", "acme"),
         "reset", True, "a.test closed the connection without an answer", "doctor acme --live"),
        (trouble.broken_off("a.test", "acme"), "reset", True, "in the middle of its answer", ""),
        (trouble.silent("a.test", 120.0, "acme"),
         "idle", False, "a.test has been silent for 120 s", "--idle-timeout"),
        (trouble.too_late("a.test", 60.0, "acme"),
         "timeout", False, "no whole answer from a.test within 60 s", "--timeout"),
    ],
)  # fmt: skip
def test_reason_retry_words_and_hint(
    error: LlmctlError, reason: str, retryable: bool, words: str, hint: str
) -> None:
    assert isinstance(error, NetworkFailed)
    assert error.exit_code == 9
    assert error.reason in REASONS
    assert (error.reason, error.retryable) == (reason, retryable)
    assert words in error.message
    assert hint in (error.hint or "")
    assert "hidden" not in f"{error.message}{error.hint}"


def test_a_cause_without_a_number_is_told_in_its_own_words_but_not_for_ever() -> None:
    error = trouble.no_connection(OSError("odd " * 1000), "a.test", 1, "acme")

    assert "odd odd" in error.message
    assert len(error.message) < 300


def test_a_damaged_key_is_not_shown() -> None:
    error = trouble.damaged_key("acme")

    assert isinstance(error, AuthFailed)
    assert (error.reason, error.retryable, error.exit_code) == ("damaged-key", False, 6)
    assert "llmctl keys set acme" in (error.hint or "")


def test_a_proxys_password_is_in_no_error() -> None:
    password = secrets.token_hex(12)
    proxy = parse_proxy(f"socks5://me:{password}@proxy.test", "x")

    assert password not in trouble.proxy_trouble(proxy, "no").message
