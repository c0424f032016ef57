"""Certificates: whose are believed, which are not, and that there is no way around it."""

import asyncio
import datetime
import re
import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from llmctl.errors import ConfigError, NetworkFailed
from llmctl.transport import tls
from llmctl.transport.tls import ssl_context
from tests.unit.transport.loopback import Received, lane, server_side, serving, status, whole
from tests.unit.transport.proxies import speaking

PACKAGE = Path(tls.__file__).parent.parent
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


def ask(context: ssl.SSLContext, *, host: str = "127.0.0.1", ca_file: str | None = None) -> int:
    """The status of an answer over TLS; whatever the lane raises."""

    async def main() -> int:
        async with (
            serving(whole(), context) as server,
            lane(server.url("https", host), ca_file=ca_file) as one,
        ):
            return await status(one)

    return asyncio.run(main())


def refused(context: ssl.SSLContext, ca_file: str | None, host: str = "127.0.0.1") -> NetworkFailed:
    with pytest.raises(NetworkFailed) as caught:
        ask(context, host=host, ca_file=ca_file)
    assert (caught.value.reason, caught.value.retryable) == ("tls", False)
    assert caught.value.host == host
    return caught.value


# ---------------------------------------------------------------------------------- who is believed


def test_an_unknown_issuer_is_not_believed_and_the_way_to_name_it_is_told(
    secured: ssl.SSLContext,
) -> None:
    error = refused(secured, None)

    assert "the certificate of 127.0.0.1 is not accepted" in error.message
    assert "llmctl config set providers.acme.ca_file FILE" in (error.hint or "")


def write_pem(ca: trustme.CA, folder: Path) -> Path:
    path = folder / "own.pem"
    ca.cert_pem.write_to_path(path)
    return path


def write_commented(ca: trustme.CA, folder: Path) -> Path:
    path = folder / "commented.pem"
    path.write_bytes("# Корневой сертификат\n".encode() + ca.cert_pem.bytes())
    return path


def write_der(ca: trustme.CA, folder: Path) -> Path:
    path = folder / "own.cer"
    certificate = x509.load_pem_x509_certificate(ca.cert_pem.bytes())
    path.write_bytes(certificate.public_bytes(Encoding.DER))
    return path


def write_folder(ca: trustme.CA, folder: Path) -> Path:
    made = folder / "certificates"
    made.mkdir()
    write_der(ca, made)
    (made / "README").write_text("not one of them")
    return made


def write_rehashed(ca: trustme.CA, folder: Path) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl command is not installed")
    path = write_pem(ca, folder)
    asked = [openssl, "x509", "-noout", "-hash", "-in", str(path)]
    name = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    made = folder / "rehashed"
    made.mkdir()
    path.rename(made / f"{name}.0")
    return made


FORMS = [write_pem, write_commented, write_der, write_folder, write_rehashed]


@pytest.mark.parametrize("write", FORMS)
def test_a_providers_own_authority_in_every_form(
    write: Callable[[trustme.CA, Path], Path],
    authority: trustme.CA,
    secured: ssl.SSLContext,
    tmp_path: Path,
) -> None:
    assert ask(secured, ca_file=str(write(authority, tmp_path))) == 200


@pytest.mark.parametrize("write", FORMS)
def test_requests_ca_bundle_in_every_form(
    write: Callable[[trustme.CA, Path], Path],
    authority: trustme.CA,
    secured: ssl.SSLContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(write(authority, tmp_path)))

    assert ask(secured) == 200


@pytest.mark.parametrize("write", [write_pem, write_der])
def test_ssl_cert_file(
    write: Callable[[trustme.CA, Path], Path],
    authority: trustme.CA,
    secured: ssl.SSLContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(write(authority, tmp_path)))

    assert ask(secured) == 200


def test_ssl_cert_dir(
    authority: trustme.CA,
    secured: ssl.SSLContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(write_rehashed(authority, tmp_path)))

    assert ask(secured) == 200


def test_the_providers_authority_comes_on_top_of_the_rest(
    authority: trustme.CA,
    secured: ssl.SSLContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(write_pem(authority, tmp_path)))
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)

    assert ask(secured, ca_file=str(other)) == 200


def test_the_systems_store_stays_when_an_authority_is_added(ca_file: str) -> None:
    alone = ssl_context().cert_store_stats()["x509"]

    assert ssl_context(ca_file).cert_store_stats()["x509"] == alone + 1


def test_a_home_folder_is_understood(
    ca_file: str, secured: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(Path(ca_file).parent))
    monkeypatch.setenv("USERPROFILE", str(Path(ca_file).parent))

    assert ask(secured, ca_file="~/ca.pem") == 200


# ------------------------------------------------------------------------------ who is not believed


def test_a_certificate_for_another_host(authority: trustme.CA, ca_file: str) -> None:
    error = refused(server_side(authority.issue_cert("other.example.test")), ca_file)

    assert "llmctl config get providers.acme.base_url" in (error.hint or "")


def test_a_name_is_not_covered_by_its_address(authority: trustme.CA, ca_file: str) -> None:
    context = server_side(authority.issue_cert("127.0.0.1"))

    assert ask(context, ca_file=ca_file) == 200
    assert "config get" in (refused(context, ca_file, "localhost").hint or "")


def test_a_trailing_dot_is_no_part_of_the_name(secured: ssl.SSLContext, ca_file: str) -> None:
    assert ask(secured, host="localhost.", ca_file=ca_file) == 200


@pytest.mark.parametrize(
    ("begins", "ends", "words"),
    [(NOW - 9 * DAY, NOW - DAY, "expired"), (NOW + DAY, NOW + 9 * DAY, "not yet valid")],
)
def test_a_certificate_out_of_its_time(
    begins: datetime.datetime,
    ends: datetime.datetime,
    words: str,
    authority: trustme.CA,
    ca_file: str,
) -> None:
    certificate = authority.issue_cert("127.0.0.1", not_before=begins, not_after=ends)
    error = refused(server_side(certificate), ca_file)

    assert words in error.message
    assert "clock" in (error.hint or "")


def test_an_authority_that_is_not_the_issuer(secured: ssl.SSLContext, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)

    assert "is not accepted" in refused(secured, str(other)).message


# ------------------------------------------------------------------------------------ no way around


def test_verification_is_never_off(ca_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
    for context in (ssl_context(), ssl_context(ca_file)):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname is True
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_nothing_in_the_code_turns_it_off() -> None:
    words = re.compile(r"CERT_NONE|CERT_OPTIONAL|_create_unverified|check_hostname|verify=False")
    found = [path.name for path in PACKAGE.rglob("*.py") if words.search(path.read_text("utf-8"))]

    assert found == []


def test_one_context_serves_all_connections(ca_file: str) -> None:
    assert ssl_context(ca_file) is ssl_context(ca_file)
    assert ssl_context(ca_file) is not ssl_context()


# ---------------------------------------------------------------------------- files that are no use


@pytest.mark.parametrize(
    "data",
    [b"", b"junk", b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", b"0\x82\x01\0"],
)
@pytest.mark.parametrize("variable", ["ca_file", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_file_without_a_certificate_is_named_with_its_source(
    data: bytes, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(data)
    if variable != "ca_file":
        monkeypatch.setenv(variable, str(path))
    with pytest.raises(ConfigError) as caught:
        ssl_context(str(path) if variable == "ca_file" else None)

    assert f"{path} (from {variable}): it holds no certificate" in caught.value.message
    assert "PEM or DER" in (caught.value.hint or "")


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"No such file"):
        ssl_context(str(tmp_path / "missing.pem"))


def test_a_folder_without_a_certificate_says_so(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("nothing here")
    with pytest.raises(ConfigError, match=r"it holds no certificate"):
        ssl_context(str(tmp_path))


def test_a_useless_file_is_reported_before_anything_is_sent(tmp_path: Path) -> None:
    async def main() -> int:
        async with serving(whole()) as server:
            async with lane(server.url("https"), ca_file=str(tmp_path / "no")) as one:
                with pytest.raises(ConfigError):
                    await status(one)
            return server.connections

    assert asyncio.run(main()) == 0


# ------------------------------------------------------------------------------ servers without TLS


async def greeted(greeting: bytes) -> NetworkFailed:
    """The error when a server says this as soon as it is connected, and closes."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await reader.read(10_000)

    async with speaking(speak) as port, lane(f"https://127.0.0.1:{port}") as one:
        with pytest.raises(NetworkFailed) as caught:
            await status(one)
        return caught.value


def test_a_server_that_speaks_plain_http_is_told_from_a_bad_certificate() -> None:
    error = asyncio.run(greeted(b"HTTP/1.1 400 Bad Request\r\n\r\n"))

    assert (error.reason, error.retryable) == ("tls", False)
    assert "wrong version number" in error.message
    assert "base_url http://" in (error.hint or "")


def test_a_server_that_closes_while_it_is_being_secured_may_be_asked_again() -> None:
    error = asyncio.run(greeted(b""))

    assert (error.reason, error.retryable) == ("tls", True)
    assert "closed the connection while it was being secured" in error.message


def test_only_http_1_is_offered(authority: trustme.CA, ca_file: str) -> None:
    context = server_side(authority.issue_cert("127.0.0.1"))
    context.set_alpn_protocols(["h2", "http/1.1"])
    chosen: list[str | None] = []

    async def answer(_received: Received, writer: asyncio.StreamWriter) -> None:
        chosen.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async def main() -> None:
        async with (
            serving(answer, context) as server,
            lane(server.url("https"), ca_file=ca_file) as one,
        ):
            await status(one)

    asyncio.run(main())
    assert chosen == ["http/1.1"]
