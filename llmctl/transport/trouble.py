"""What went wrong on the way to a host, in words and with the next thing to try."""

import errno
import os
import socket
import ssl

from llmctl.errors import NetworkFailed
from llmctl.messages import _


def connect_trouble(error: OSError, host: str, port: int) -> NetworkFailed:
    """The error for a connection that did not come about."""
    if isinstance(error, ssl.SSLError):
        return tls_trouble(error, host)
    if isinstance(error, socket.gaierror):
        return NetworkFailed(
            _("the name {host} cannot be looked up: {why}", host=host,
              why=error.strerror or str(error)),
            reason="dns",
            host=host,
            hint=_("check the network and the spelling of base_url"),
        )  # fmt: skip
    if isinstance(error, TimeoutError):
        return connect_timeout(host, port)
    return NetworkFailed(
        _("cannot connect to {host}:{port}: {why}", host=host, port=port, why=_cause(error)),
        reason="connect",
        host=f"{host}:{port}",
        hint=_("is the server running there? see: llmctl doctor"),
    )


def _cause(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError) or error.errno == errno.ECONNREFUSED:
        return _("connection refused")
    if error.errno:
        return os.strerror(error.errno).lower()
    # With several addresses asyncio joins what each said.
    return _("connection refused") if "refused" in str(error).lower() else str(error)[:200]


def connect_timeout(host: str, port: int) -> NetworkFailed:
    return NetworkFailed(
        _("{host}:{port} does not answer the attempt to connect", host=host, port=port),
        reason="timeout",
        host=host,
        hint=_("check the network; a proxy is set with HTTPS_PROXY or the setting proxy"),
    )


def tls_trouble(error: ssl.SSLError, host: str) -> NetworkFailed:
    """Certificates that do not convince are not tried again."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return NetworkFailed(
            _("the certificate of {host} is not trusted: {why}", host=host,
              why=error.verify_message),
            reason="tls",
            host=host,
            retryable=False,
            hint=_(
                "name the right CA: llmctl config set providers.ID.ca_file FILE"
                " (or SSL_CERT_FILE); verification stays on"
            ),
        )  # fmt: skip
    why = (error.reason or str(error)).replace("_", " ").lower()
    return NetworkFailed(
        _("no secure connection to {host}: {why}", host=host, why=why),
        reason="tls",
        host=host,
        hint=_("does base_url begin with https where the server speaks plain http?"),
    )


def proxy_trouble(proxy: object, why: str) -> NetworkFailed:
    return NetworkFailed(
        _("the proxy {proxy} did not connect us: {why}", proxy=proxy, why=why),
        reason="proxy",
        hint=_('check HTTPS_PROXY and the setting proxy ("none" goes direct)'),
    )


def reset(host: str) -> NetworkFailed:
    return NetworkFailed(
        _("{host} closed the connection in the middle of its answer", host=host),
        reason="reset",
        host=host,
    )


def silent(host: str, seconds: float) -> NetworkFailed:
    return NetworkFailed(
        _("{host} has been silent for {seconds:g} s", host=host, seconds=seconds),
        reason="idle",
        host=host,
        retryable=False,
        hint=_("wait longer with --idle-timeout SECONDS"),
    )
