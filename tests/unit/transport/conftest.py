"""What the tests of the transport share: an environment without proxies and certificates, and an
authority for the certificates of loopback servers."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from llmctl.transport import egress
from llmctl.transport.tls import ssl_context
from tests.unit.transport.loopback import server_side

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in (*VARIABLES, *map(str.upper, VARIABLES), *CERTIFICATES):
        monkeypatch.delenv(name, raising=False)
    # The hook itself stays for ever; whether it forbids anything is put back.
    monkeypatch.setattr(egress, "_forbidden", False)
    ssl_context.cache_clear()
    yield
    ssl_context.cache_clear()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    """The authority's certificate, as PEM."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def secured(authority: trustme.CA) -> ssl.SSLContext:
    """A server's side of TLS for this machine's names, and for one that is nobody's."""
    return server_side(authority.issue_cert("127.0.0.1", "localhost", "api.example.test"))
