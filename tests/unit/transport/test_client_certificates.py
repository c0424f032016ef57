"""Client certificates: shown to the provider's own host, and to nobody else."""

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from llmctl.errors import ConfigError, NetworkFailed
from llmctl.transport import trouble
from llmctl.transport.dial import Dialling, _certificates
from llmctl.transport.tls import ssl_context
from tests.unit.transport.loopback import Received, lane, serving, status


class Pair:
    """A server's authority, and a client's certificate of another, in files."""

    def __init__(self, folder: Path) -> None:
        self.server_ca, self.client_ca = trustme.CA(), trustme.CA()
        self.client = self.client_ca.issue_cert("client@example.com", common_name="Bank")
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(self.server_ca.cert_pem.bytes())
        self.cert_file, self.key_file = folder / "cert.pem", folder / "key.pem"
        self.cert_file.write_bytes(b"".join(one.bytes() for one in self.client.cert_chain_pems))
        self.key_file.write_bytes(self.client.private_key_pem.bytes())
        self.both = folder / "both.pem"
        self.both.write_bytes(self.client.private_key_and_cert_chain_pem.bytes())

    def asking(self) -> ssl.SSLContext:
        """A server's side of TLS that lets only holders of a certificate in."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server_ca.issue_cert("127.0.0.1").configure_cert(context)
        context.verify_mode = ssl.CERT_REQUIRED
        self.client_ca.configure_trust(context)
        return context


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def shown(pair: Pair, **files: str) -> str:
    """The common name in the certificate that the server saw."""
    seen: list[str] = []

    async def answer(_received: Received, writer: asyncio.StreamWriter) -> None:
        peer = dict(writer.get_extra_info("peercert"))
        seen.extend(value for part in peer["subject"] for key, value in part if key == "commonName")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    async def main() -> int:
        async with (
            serving(answer, pair.asking()) as server,
            lane(server.url("https"), ca_file=str(pair.ca_file), **files) as one,
        ):
            return await status(one)

    assert asyncio.run(main()) == 200
    return seen[0]


def test_certificate_and_key_in_two_files(pair: Pair) -> None:
    assert shown(pair, cert_file=str(pair.cert_file), key_file=str(pair.key_file)) == "Bank"


def test_both_in_one_file(pair: Pair) -> None:
    assert shown(pair, cert_file=str(pair.both)) == "Bank"


def test_without_one_the_server_hangs_up(pair: Pair) -> None:
    with pytest.raises(NetworkFailed):
        shown(pair)


def test_other_hosts_are_not_shown_it(pair: Pair) -> None:
    """Where tokens come from, and a proxy on the way."""
    how = Dialling(
        provider="acme",
        ca_file=str(pair.ca_file),
        cert_file=str(pair.both),
        cert_host="api.example.com",
    )

    assert _certificates("tokens.example.com", how) is ssl_context(str(pair.ca_file))
    assert _certificates("api.example.com", how) is not ssl_context(str(pair.ca_file))


def test_files_that_will_not_do(pair: Pair, tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("hello")
    for files in [(tmp_path / "nowhere", None), (nonsense, None), (pair.cert_file, nonsense)]:
        cert_file, key_file = (None if one is None else str(one) for one in files)
        with pytest.raises(ConfigError, match="client certificate"):
            ssl_context(None, cert_file, key_file)


def test_a_locked_key_is_not_asked_about_on_the_terminal(pair: Pair, tmp_path: Path) -> None:
    key = load_pem_private_key(pair.key_file.read_bytes(), None)
    lock = BestAvailableEncryption(b"x" * 8)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))

    with pytest.raises(ConfigError, match="locked with a password"):
        ssl_context(None, str(pair.cert_file), str(locked))


@pytest.mark.parametrize(
    ("code", "fixable", "hint"),
    [
        (19, True, "llmctl doctor acme --fix"),
        (20, True, "llmctl doctor acme --fix"),
        (20, False, "providers.acme.ca_file"),
        (10, True, "clock"),
        (62, True, "belongs to another host"),
    ],
)
def test_the_hint_names_what_mends_it(code: int, fixable: bool, hint: str) -> None:
    error = ssl.SSLCertVerificationError(1, "failed")
    error.verify_code, error.verify_message = code, "self-signed certificate"

    said = trouble.no_tls(error, "api.example.com", "acme", fixable=fixable)
    assert hint in (said.hint or "")
