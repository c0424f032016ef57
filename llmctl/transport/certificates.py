"""Certificates of authorities as they lie about on a machine: read, described, and found where
systems and browsers keep them."""

import hashlib
import os
import re
import ssl
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmctl.values import dataclass, field

BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
LONGEST_FILE = 32 * 1024 * 1024

# How far before its subject's name a certificate begins at most: serial number, algorithm, the
# issuer's name, dates and what stands before the name.
LONGEST_HEAD = 1024
DER_BEGINS = b"\x30\x82"

# Where Linux distributions keep authorities, bundles first.
SYSTEM_PLACES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/ca-certificates",
    "/usr/share/ca-certificates",
    "/etc/pki/ca-trust/source/anchors",
    "/usr/share/pki/ca-trust-source/anchors",
    "/etc/ca-certificates/trust-source/anchors",
    "/usr/share/ca-certificates/trust-source/anchors",
    "/etc/pki/trust/anchors",
    "/etc/ssl/certs",
)
# Databases of browsers, below the home folder: they hold certificates as they are.
BROWSER_PLACES = (
    ".pki/nssdb/cert9.db",
    ".mozilla/firefox/*/cert9.db",
    ".config/mozilla/firefox/*/cert9.db",
    "snap/firefox/common/.mozilla/firefox/*/cert9.db",
    "snap/chromium/current/.pki/nssdb/cert9.db",
    ".var/app/*/.mozilla/firefox/*/cert9.db",
    "Library/Application Support/Firefox/Profiles/*/cert9.db",
    "AppData/Roaming/Mozilla/Firefox/Profiles/*/cert9.db",
)
DOWNLOADS = ("Downloads", "Загрузки", "Desktop", "Рабочий стол")
ENDINGS = frozenset({".crt", ".cer", ".pem", ".der", ".db", ".0"})


@dataclass(frozen=True, slots=True)
class Certificate:
    """An authority's certificate. `name` is its common name, `subject` all of its names in a line,
    the dates are as OpenSSL prints them, `sha256` is the fingerprint in lower-case hex."""

    name: str
    subject: str
    not_before: str
    not_after: str
    sha256: str
    der: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """In pairs, as others print it."""
        return ":".join(re.findall("..", self.sha256.upper()))

    @property
    def pem(self) -> str:
        return ssl.DER_cert_to_PEM_cert(self.der)

    def holds_at(self, now: float) -> bool:
        """Whether it is valid at a Unix time."""
        begins, ends = map(ssl.cert_time_to_seconds, (self.not_before, self.not_after))
        return begins <= now <= ends


def read(data: bytes) -> list[Certificate]:
    """The authorities in a file in PEM or DER form; certificates that may not issue others are
    left out, and so is what is no certificate."""
    blocks = [_decoded(block) for block in BLOCK.findall(data)]
    return [one for der in blocks or [data] if (one := _certificate(der)) is not None]


def _decoded(block: bytes) -> bytes:
    try:
        return b64decode(b"".join(block.split()))
    except ValueError:
        return b""


def _certificate(der: bytes) -> Certificate | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=der)
        [known] = context.get_ca_certs()  # of authorities only
    except (ssl.SSLError, ValueError):
        return None
    facts: dict[str, Any] = dict(known)
    names = [pair for part in facts["subject"] for pair in part]
    return Certificate(
        name=next((value for key, value in names if key == "commonName"), ""),
        subject=", ".join(value for _key, value in reversed(names)),
        not_before=facts["notBefore"],
        not_after=facts["notAfter"],
        sha256=hashlib.sha256(der).hexdigest(),
        der=der,
    )


def named(name: str, data: bytes) -> list[Certificate]:
    """The authorities of that common name in a file of any kind: PEM, DER, or a browser's database,
    in which certificates lie as they are."""
    blocks = [_decoded(block) for block in BLOCK.findall(data)]
    wanted = name.encode()
    ders = dict.fromkeys(blocks or _inside(wanted, data))
    found = [_certificate(der) for der in ders if wanted in der]
    return [one for one in found if one is not None and one.name == name]


def _inside(wanted: bytes, data: bytes) -> Iterator[bytes]:
    """Everything around a name that begins and ends like a certificate."""
    at = data.find(wanted)
    while at >= 0:
        start = data.rfind(DER_BEGINS, max(0, at - LONGEST_HEAD), at)
        while start >= 0:
            size = int.from_bytes(data[start + 2 : start + 4], "big") + 4
            if start + size > at + len(wanted):
                yield data[start : start + size]
            start = data.rfind(DER_BEGINS, max(0, at - LONGEST_HEAD), start)
        at = data.find(wanted, at + len(wanted))


def find(
    name: str, home: Path, system: tuple[str, ...] = SYSTEM_PLACES
) -> Iterator[tuple[Certificate, str]]:
    """Authorities of that common name on this machine, and where each was found: in the store of
    the system, folders of downloads, and browsers' databases. Each is given once."""
    seen: set[str] = set()
    for source, data in _everywhere(name, home, system):
        for one in named(name, data):
            if one.sha256 not in seen:
                seen.add(one.sha256)
                yield one, source


def _everywhere(name: str, home: Path, system: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    for path in _files(home, system):
        try:
            if path.stat().st_size <= LONGEST_FILE:
                yield str(path), path.read_bytes()
        except OSError:
            continue
    if sys.platform == "win32":
        for store in ("ROOT", "CA"):
            for der, kind, _trust in ssl.enum_certificates(store):
                if kind == "x509_asn":
                    yield f"Windows: {store}", der
    elif sys.platform == "darwin":
        yield "Keychain", _keychain(name)


def _files(home: Path, system: tuple[str, ...]) -> Iterator[Path]:
    for place in system:
        path = Path(place)
        yield from sorted(_below(path)) if path.is_dir() else [path]
    for place in DOWNLOADS:
        yield from sorted(_below(home / place, deep=False))
    for pattern in BROWSER_PLACES:
        yield from sorted(home.glob(pattern))


def _below(folder: Path, *, deep: bool = True) -> Iterator[Path]:
    """Files in a folder that may be certificates, links to the same places left out."""
    for root, folders, files in os.walk(folder):
        if not deep:
            folders.clear()
        for file in files:
            if os.path.splitext(file)[1].lower() in ENDINGS:
                yield Path(root, file)


def _keychain(name: str) -> bytes:
    import subprocess

    command = ["/usr/bin/security", "find-certificate", "-a", "-c", name, "-p"]
    try:
        return subprocess.run(  # noqa: S603  a fixed program, and the name stands on a card
            command, capture_output=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return b""
