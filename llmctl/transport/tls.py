"""Certificates: the operating system's trust store, and what the user adds to it.

There is no way to turn verification off.
"""

import os
import re
import ssl
import sys
from contextlib import suppress
from functools import cache

from llmctl.errors import ConfigError
from llmctl.messages import _

REHASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")


@cache
def ssl_context(
    ca_file: str | None = None, cert_file: str | None = None, key_file: str | None = None
) -> ssl.SSLContext:
    """The context for one CA file of the user's, made once. On Linux SSL_CERT_FILE and SSL_CERT_DIR
    take the place of the system's store, as OpenSSL has it, elsewhere they are added;
    REQUESTS_CA_BUNDLE and `ca_file` (PEM or DER, or a folder) are always added. `cert_file` is a
    client certificate in PEM form, `key_file` its key where that is not in the same file. Raises
    ConfigError for a file that cannot be used."""
    context, known = _system_context()
    context.set_alpn_protocols(["http/1.1"])
    for path, source in (
        (os.environ.get("REQUESTS_CA_BUNDLE"), "REQUESTS_CA_BUNDLE"),
        (ca_file, "ca_file"),
    ):
        if path and path not in known:
            _add(context, path, source)
    if cert_file:
        _show(context, cert_file, key_file)
    return context


def _show(context: ssl.SSLContext, cert_file: str, key_file: str | None) -> None:
    """Make the client certificate one that is shown to servers that ask for it."""

    def locked() -> str:  # without it OpenSSL would ask on the terminal
        raise ConfigError(
            _("the key in {path} is locked with a password", path=key_file or cert_file),
            hint=_("unlock it into a private file: openssl pkey -in LOCKED -out KEY"),
        )

    cert_file = os.path.expanduser(cert_file)
    key_file = os.path.expanduser(key_file) if key_file else None
    try:
        context.load_cert_chain(cert_file, key_file, locked)
    except OSError as error:  # SSLError is one
        why = error.strerror if error.errno else _("no certificate with its key in PEM form")
        raise ConfigError(
            _("cannot use the client certificate in {path}: {why}", path=cert_file, why=why),
            hint=_("cert_file names the certificate, key_file its key"),
        ) from None


def _system_context() -> tuple[ssl.SSLContext, set[str]]:
    """The context, and the files that are in it already."""
    named = os.environ.get("SSL_CERT_FILE")
    folder = os.environ.get("SSL_CERT_DIR")
    if sys.platform in ("darwin", "win32"):
        import truststore

        context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        for path, source in ((named, "SSL_CERT_FILE"), (folder, "SSL_CERT_DIR")):
            if path:
                _add(context, path, source)
        return context, {path for path in (named, folder) if path}
    context = ssl.create_default_context()
    if named and not context.cert_store_stats()["x509"]:  # OpenSSL goes on without a word
        _add(context, named, "SSL_CERT_FILE")
    defaults = ssl.get_default_verify_paths()
    if defaults.cafile is None and defaults.capath is None:
        import certifi  # a Python built without a store of its own; comes with httpx

        context.load_verify_locations(certifi.where())
    return context, {named} if named else set()


def _add(context: ssl.SSLContext, path: str, source: str) -> None:
    path = os.path.expanduser(path)
    try:
        if os.path.isdir(path):
            _add_folder(context, path)
        else:
            _add_file(context, path)
    except (ssl.SSLError, ValueError):  # ValueError: it is empty
        raise _unusable(path, source, _("it holds no certificate")) from None
    except OSError as error:
        raise _unusable(path, source, error.strerror or str(error)) from None


def _add_file(context: ssl.SSLContext, path: str) -> None:
    with open(path, "rb") as file:
        data = file.read()
    if b"-----BEGIN" in data:
        context.load_verify_locations(cadata=data.decode("ascii", "ignore"))
    else:
        context.load_verify_locations(cadata=data)


def _add_folder(context: ssl.SSLContext, path: str) -> None:
    """OpenSSL finds certificates in a folder by names that `openssl rehash` gives them; in one that
    nobody has prepared every file is tried. Raises ValueError when none is a certificate."""
    names = sorted(os.listdir(path))
    if any(REHASHED.fullmatch(name) for name in names):
        context.load_verify_locations(capath=path)
        return
    found = False
    for name in names:
        with suppress(OSError, ValueError):  # SSLError is an OSError
            _add_file(context, os.path.join(path, name))
            found = True
    if not found:
        raise ValueError


def _unusable(path: str, source: str, why: str) -> ConfigError:
    return ConfigError(
        _("cannot use the certificates in {path} (from {source}): {why}", path=path,
          source=source, why=why),
        hint=_("it must be a file of certificates in PEM or DER form"),
    )  # fmt: skip
