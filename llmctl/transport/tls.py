"""Certificates: the operating system's trust store, and what the user adds to it.

There is no way to turn verification off.
"""

import os
import ssl
import sys
from functools import cache

from llmctl.errors import ConfigError
from llmctl.messages import _


@cache
def ssl_context(ca_file: str | None = None) -> ssl.SSLContext:
    """The context for one CA file of the user's, made once. SSL_CERT_FILE and SSL_CERT_DIR take the
    place of the system's store, as OpenSSL has it; REQUESTS_CA_BUNDLE and `ca_file` (PEM or DER)
    are added. Raises ConfigError for a file that cannot be read."""
    context = _system_context()
    for path in (os.environ.get("REQUESTS_CA_BUNDLE"), ca_file):
        if path:
            _add(context, path)
    return context


def _system_context() -> ssl.SSLContext:
    if sys.platform in ("darwin", "win32"):
        import truststore

        context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return context
    named = os.environ.get("SSL_CERT_FILE")
    if named and not os.path.isfile(named):  # OpenSSL would go on with no certificate at all
        raise _unreadable(named, _("SSL_CERT_FILE names it, and it is not there"))
    context = ssl.create_default_context()
    defaults = ssl.get_default_verify_paths()
    if defaults.cafile is None and defaults.capath is None:
        import certifi  # a Python built without a store of its own; comes with httpx

        context.load_verify_locations(certifi.where())
    return context


def _add(context: ssl.SSLContext, path: str) -> None:
    path = os.path.expanduser(path)
    try:
        if os.path.isdir(path):
            context.load_verify_locations(capath=path)
            return
        with open(path, "rb") as file:
            data = file.read()
        if b"-----BEGIN" in data:
            context.load_verify_locations(cadata=data.decode("ascii", "ignore"))
        else:
            context.load_verify_locations(cadata=data)
    except OSError as error:  # an SSLError is one too
        raise _unreadable(path, error.strerror or str(error)) from None


def _unreadable(path: str, why: str) -> ConfigError:
    return ConfigError(
        _("cannot use the certificates in {path}: {why}", path=path, why=why),
        hint=_("it must be a certificate in PEM or DER form"),
    )
