"""What the tests of the transport share: an environment without proxies and certificates."""

from collections.abc import Iterator

import pytest

from llmctl.transport import egress
from llmctl.transport.tls import ssl_context

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
