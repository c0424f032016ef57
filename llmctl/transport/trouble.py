"""What went wrong on the way to a host, in words and with the next thing to try.

An error that would only repeat itself is not tried again: a wrong name, a certificate that does
not convince, a port of this machine on which nothing listens.
"""

import errno
import os
import socket
import ssl

from llmctl.errors import AuthFailed, NetworkFailed
from llmctl.messages import _
from llmctl.transport.egress import is_local

# X.509 results of OpenSSL (openssl-verification-options(1)).
NOT_YET_VALID, EXPIRED = 9, 10
HOST_MISMATCH, ADDRESS_MISMATCH = 62, 64
# What EAI_NONAME and EAI_NODATA say does not change by asking again; EAI_AGAIN may.
NO_SUCH_NAME = tuple(
    getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name)
)


def no_address(error: OSError, host: str, provider: str) -> NetworkFailed:
    """The name could not be looked up."""
    return NetworkFailed(
        _("the name {host} cannot be looked up: {why}", host=host, why=_cause(error)),
        reason="dns",
        host=host,
        provider=provider,
        retryable=error.errno not in NO_SUCH_NAME,
        hint=_("check the network and the spelling: llmctl doctor {provider}", provider=provider),
    )


def no_connection(error: OSError, host: str, port: int, provider: str) -> NetworkFailed:
    """No address of the host took the connection."""
    here = is_local(host)
    refused = error.errno == errno.ECONNREFUSED
    return NetworkFailed(
        _("cannot connect to {host}:{port}: {why}", host=host, port=port, why=_cause(error)),
        reason="connect",
        host=f"{host}:{port}",
        provider=provider,
        retryable=not (here and refused),
        hint=_("is the server started? see: llmctl doctor {provider}", provider=provider)
        if here
        else _("see where it breaks: llmctl doctor {provider} --live", provider=provider),
    )


def connect_timeout(host: str, port: int, seconds: float, provider: str) -> NetworkFailed:
    return NetworkFailed(
        _("{host}:{port} did not take the connection within {seconds:g} s", host=host, port=port,
          seconds=seconds),
        reason="connect",
        host=f"{host}:{port}",
        provider=provider,
        hint=_("check the network; a proxy is set with HTTPS_PROXY or"
               " llmctl config set providers.{provider}.proxy URL", provider=provider),
    )  # fmt: skip


def silent_tls(host: str, port: int, seconds: float, provider: str) -> NetworkFailed:
    return NetworkFailed(
        _("{host}:{port} took the connection, but did not answer in TLS within {seconds:g} s",
          host=host, port=port, seconds=seconds),
        reason="tls",
        host=f"{host}:{port}",
        provider=provider,
        retryable=not is_local(host),
        hint=_("if the server speaks plain http:"
               " llmctl config set providers.{provider}.base_url http://…", provider=provider),
    )  # fmt: skip


def no_tls(error: OSError, host: str, provider: str, *, fixable: bool = False) -> NetworkFailed:
    """The connection stands, but TLS on it does not. `fixable` as in `Target`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return NetworkFailed(
            _("the certificate of {host} is not accepted: {why}", host=host,
              why=error.verify_message.rstrip(".")),
            reason="tls",
            host=host,
            provider=provider,
            retryable=False,
            hint=_certificate_hint(error.verify_code, provider, fixable),
        )  # fmt: skip
    if not isinstance(error, ssl.SSLError):
        return NetworkFailed(
            _("{host} closed the connection while it was being secured", host=host),
            reason="tls",
            host=host,
            provider=provider,
            hint=_("see where it breaks: llmctl doctor {provider} --live", provider=provider),
        )
    return NetworkFailed(
        _("no secure connection to {host}: {why}", host=host, why=_tls_cause(error)),
        reason="tls",
        host=host,
        provider=provider,
        retryable=False,
        hint=_("if the server speaks plain http:"
               " llmctl config set providers.{provider}.base_url http://…", provider=provider),
    )  # fmt: skip


def _certificate_hint(code: int, provider: str, fixable: bool) -> str:
    if code in (EXPIRED, NOT_YET_VALID):
        return _("is this machine's clock right? else the host must renew its certificate")
    if code in (HOST_MISMATCH, ADDRESS_MISMATCH):
        return _("it belongs to another host; check the address:"
                 " llmctl config get providers.{provider}.base_url", provider=provider)  # fmt: skip
    if fixable:
        return _("its authority is unknown to this system; find it and store it for this provider"
                 " alone: llmctl doctor {provider} --fix", provider=provider)  # fmt: skip
    return _("if you trust its issuer, name its CA:"
             " llmctl config set providers.{provider}.ca_file FILE (or SSL_CERT_FILE)",
             provider=provider)  # fmt: skip


def _tls_cause(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()


def _cause(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return (error.strerror or str(error)).lower()
    return os.strerror(error.errno).lower() if error.errno else str(error)[:200]


def proxy_trouble(proxy: object, why: str, *, retryable: bool = True) -> NetworkFailed:
    return NetworkFailed(
        _("the proxy {proxy} did not connect us: {why}", proxy=proxy, why=why),
        reason="proxy",
        retryable=retryable,
        hint=_('check HTTPS_PROXY and the setting proxy ("none" goes direct)'),
    )


def no_answer(host: str, provider: str) -> NetworkFailed:
    return NetworkFailed(
        _("{host} closed the connection without an answer", host=host),
        reason="reset",
        host=host,
        provider=provider,
        hint=_("see where it breaks: llmctl doctor {provider} --live", provider=provider),
    )


def broken_off(host: str, provider: str) -> NetworkFailed:
    return NetworkFailed(
        _("{host} closed the connection in the middle of its answer", host=host),
        reason="reset",
        host=host,
        provider=provider,
    )


def silent(host: str, seconds: float, provider: str) -> NetworkFailed:
    return NetworkFailed(
        _("{host} has been silent for {seconds:g} s", host=host, seconds=seconds),
        reason="idle",
        host=host,
        provider=provider,
        retryable=False,
        hint=_("wait longer with --idle-timeout SECONDS"),
    )


def too_late(host: str, seconds: float, provider: str) -> NetworkFailed:
    return NetworkFailed(
        _("no whole answer from {host} within {seconds:g} s", host=host, seconds=seconds),
        reason="timeout",
        host=host,
        provider=provider,
        retryable=False,
        hint=_("wait longer with --timeout SECONDS"),
    )


def damaged_key(provider: str) -> AuthFailed:
    """A header that cannot be sent; its value is not shown."""
    return AuthFailed(
        _("the key of {provider} holds characters that no key has", provider=provider),
        reason="damaged-key",
        provider=provider,
        hint=_("store it again: llmctl keys set {provider}", provider=provider),
    )
