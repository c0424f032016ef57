"""Which certificate is offered, and where it goes."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509

from llmctl import catalogue, settings
from llmctl.cards import Authority, Card, Source
from llmctl.engine import authority as subject
from llmctl.errors import ConfigError, NotFound, UsageError
from llmctl.settings import Settings
from llmctl.transport import certificates
from llmctl.values import replace
from tests.unit.transport.authorities import NAME, authority, der, pem, sha256


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with an empty folder of downloads, on a system without a store."""
    files = certificates._files
    monkeypatch.setattr(certificates, "_files", lambda home, _system: files(home, ()))
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{name}_DIR", str(tmp_path / name.lower()))
    folder = tmp_path / "home" / "Downloads"
    folder.mkdir(parents=True)
    return folder.parent


@pytest.fixture
def card() -> Card:
    return catalogue.card("gigachat", Settings())


def knowing(card: Card, *fingerprints: str) -> Card:
    made = Authority(name=NAME, url="https://ca.example/", sha256=fingerprints, source=_source())
    return replace(card, authority=made)


def _source() -> Source:
    return Source(title="a test", checked="2026-11-25")


def test_the_card_names_the_root_by_its_fingerprint(card: Card) -> None:
    """As several public projects state it."""
    assert card.authority is not None
    assert card.authority.name == NAME
    assert card.authority.url.startswith("https://www.gosuslugi.ru/")
    known = "D2:6D:2D:02:31:B7:C3:9F:92:CC:73:85:12:BA:54:10:35:19:E4:40:5D:68:B5:BD:70:3E:97:88:CA"
    assert card.authority.sha256 == (f"{known}:8E:CF:31".replace(":", "").lower(),)


def test_the_known_one_comes_before_others(card: Card, home: Path) -> None:
    other, right = authority(), authority()
    (home / "Downloads" / "a.crt").write_bytes(pem(other))
    (home / "Downloads" / "b.cer").write_bytes(der(right))
    found = subject.found(knowing(card, sha256(right)), home)

    assert found.certificate.sha256 == sha256(right)
    assert found.known is True
    assert found.source.endswith("b.cer")


def test_another_fingerprint_is_said(card: Card, home: Path) -> None:
    (home / "Downloads" / "a.crt").write_bytes(pem(authority()))

    assert subject.found(card, home).known is False
    assert subject.found(knowing(card), home).known is None


def test_with_nothing_there_it_says_where_to_get_it(card: Card, home: Path) -> None:
    (home / "Downloads" / "old.crt").write_bytes(pem(authority(days=-1)))
    with pytest.raises(NotFound) as caught:
        subject.found(card, home)

    hint = caught.value.hint or ""
    assert "https://www.gosuslugi.ru/crt" in hint
    assert "llmctl doctor gigachat --fix --ca FILE" in hint


def test_a_provider_without_an_authority_of_its_own(home: Path) -> None:
    with pytest.raises(UsageError, match="openai"):
        subject.found(catalogue.card("openai", Settings()), home)


@pytest.mark.parametrize("form", [pem, der])
def test_a_file_of_the_users(
    card: Card, tmp_path: Path, form: Callable[[x509.Certificate], bytes]
) -> None:
    made = authority("Bank Test Root")
    path = tmp_path / "root"
    path.write_bytes(form(made))
    found = subject.given(card, str(path))

    assert (found.certificate.sha256, found.known) == (sha256(made), None)


def test_the_wanted_one_of_several_in_a_file(card: Card, tmp_path: Path) -> None:
    made = authority()
    path = tmp_path / "bundle.pem"
    path.write_bytes(pem(authority("Other")) + pem(made) + pem(authority("Third")))
    assert subject.given(card, str(path)).certificate.sha256 == sha256(made)

    path.write_bytes(pem(authority("Other")) + pem(authority("Third")))
    with pytest.raises(ConfigError, match="2 authorities"):
        subject.given(card, str(path))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "No such file"),
        (b"hello", "no certificate of an authority"),
        (pem(authority(ca=False)), "no certificate of an authority"),
        (pem(authority(days=-1)), "valid only"),
    ],
)
def test_files_that_will_not_do(card: Card, tmp_path: Path, data: bytes | None, said: str) -> None:
    path = tmp_path / "root.pem"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(UsageError if data is None else ConfigError, match=said):
        subject.given(card, str(path))


def test_it_is_kept_for_one_provider(card: Card, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "root.cer"
    path.write_bytes(der(authority()))
    chosen = subject.given(card, str(path)).certificate
    kept = subject.adopt("gigachat", chosen)
    path.unlink()

    assert kept == tmp_path / "config" / "certificates" / "gigachat.pem"
    assert kept.read_text() == chosen.pem
    if os.name == "posix":
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    loaded = settings.load().settings
    assert loaded.providers["gigachat"].ca_file == str(kept)
    assert list(loaded.providers) == ["gigachat"]
    assert loaded.network.ca_file is None
