"""Authorities' certificates, read and found; what they say is checked against another library."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509

from llmctl.transport.certificates import find, named, read
from tests.unit.transport.authorities import NAME, OWNER, authority, der, pem, sha256


@pytest.mark.parametrize("form", [pem, der])
def test_both_forms_say_the_same(form: Callable[[x509.Certificate], bytes]) -> None:
    made = authority()
    [one] = read(form(made))

    assert (one.name, one.subject) == (NAME, f"{NAME}, {OWNER}, RU")
    assert one.sha256 == sha256(made)
    assert one.fingerprint.replace(":", "").lower() == sha256(made)
    assert one.der == der(made)
    assert x509.load_pem_x509_certificate(one.pem.encode()) == made


def test_validity_is_that_of_the_certificate() -> None:
    made = authority(days=2)
    [one] = read(der(made))

    begins = made.not_valid_before_utc.timestamp()
    ends = made.not_valid_after_utc.timestamp()
    assert [one.holds_at(at) for at in (begins - 1, begins, ends, ends + 1)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("data", [b"", b"hello", b"\x30\x82\x00\x04abcd", b"\x00" * 99])
def test_what_is_no_certificate_is_none(data: bytes) -> None:
    assert read(data) == []
    assert named(NAME, data + NAME.encode() + data) == []


def test_a_certificate_that_may_not_issue_others_is_no_authority() -> None:
    assert read(pem(authority(ca=False))) == []


def test_damaged_blocks_do_not_hide_whole_ones() -> None:
    made = authority()
    damaged = b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n"

    assert [one.sha256 for one in read(damaged + pem(made))] == [sha256(made)]


def test_one_name_in_a_bundle() -> None:
    wanted = authority()
    bundle = b"".join(map(pem, [authority("Other Root"), wanted, authority(f"{NAME} 2")]))

    assert [one.sha256 for one in named(NAME, bundle)] == [sha256(wanted)]


def test_one_name_in_a_browsers_database(tmp_path: Path) -> None:
    wanted = authority()
    path = tmp_path / "cert9.db"
    with sqlite3.connect(path) as database:
        database.execute("create table nssPublic (id integer, a11 blob, a101 blob)")
        for number, one in enumerate([authority("Other Root"), wanted, authority("Third")]):
            database.execute(
                "insert into nssPublic values (?, ?, ?)", (number, der(one), b"\0" * 9)
            )
    database.close()

    assert [one.sha256 for one in named(NAME, path.read_bytes())] == [sha256(wanted)]


def test_a_search_of_the_machine(tmp_path: Path) -> None:
    system, home = tmp_path / "etc", tmp_path / "home"
    anchors, downloads = system / "anchors" / "deep", home / "Downloads"
    profile = home / ".mozilla/firefox/abc.default"
    for folder in (anchors, downloads, profile):
        folder.mkdir(parents=True)
    first, second = authority(), authority()
    bundle = system / "bundle.crt"
    bundle.write_bytes(pem(authority("Other Root")))
    (anchors / "root.crt").write_bytes(pem(first))
    (anchors / "broken.crt").symlink_to(tmp_path / "nowhere")
    (anchors / "notes.txt").write_bytes(pem(authority()))
    (downloads / "russian_trusted_root_ca.cer").write_bytes(der(first))
    (profile / "cert9.db").write_bytes(b"SQLite format 3\0" + der(second) + b"\0" * 50)

    found = list(find(NAME, home, (str(bundle), str(system / "anchors"))))
    assert [(one.sha256, source) for one, source in found] == [
        (sha256(first), str(anchors / "root.crt")),
        (sha256(second), str(profile / "cert9.db")),
    ]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_what_may_not_be_read_is_passed_by(tmp_path: Path) -> None:
    (tmp_path / "a.crt").write_bytes(pem(authority()))
    (tmp_path / "a.crt").chmod(0)

    assert list(find(NAME, tmp_path / "home", (str(tmp_path),))) == []
