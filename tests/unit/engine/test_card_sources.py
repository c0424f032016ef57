"""Cards out of files, folders and packages, hostile ones among them."""

import asyncio
import gzip
import io
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from llmctl.engine.card_sources import (
    LONGEST_CARD,
    LONGEST_UNPACKED,
    MOST_CARDS,
    of_file,
    of_path,
    of_url,
    refuse_distant,
)
from llmctl.errors import ConfigError, PrivacyRefused, UsageError
from llmctl.settings import Loaded, Policy, Settings
from llmctl.types import Level


def zipped(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in entries.items():
            packed.writestr(name, data)
    return path


def tarred(path: Path, entries: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as packed:
        for name, data in entries.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            packed.addfile(entry, io.BytesIO(data))
    return path


WHEEL = {
    "llmctl/_providers/acme.toml": b"acme",
    "llmctl/_providers/beta.toml": b"beta",
    "llmctl/_providers/README.md": b"no card",
    "llmctl/cards.py": b"no card",
    "tests/e2e/providers/evil.toml": b"no card of the package's",
    "llmctl/_providers/../../providers/up.toml": b"no card",
    "/etc/providers/abs.toml": b"no card",
    "llmctl/_providers/Upper.toml": b"no id",
}
RELEASE = {
    "llmctl_cli-1.0/providers/acme.toml": b"acme",
    "llmctl_cli-1.0/tests/providers/evil.toml": b"no",
}


def test_what_a_path_may_be(tmp_path: Path) -> None:
    wheel = zipped(tmp_path / "llmctl_cli-1.0-py3-none-any.whl", WHEEL)
    assert of_path(wheel) == {"acme": b"acme", "beta": b"beta"}
    assert of_path(tarred(tmp_path / "llmctl_cli-1.0.tar.gz", RELEASE)) == {"acme": b"acme"}
    assert of_path(zipped(tmp_path / "llmctl-main.zip", RELEASE)) == {"acme": b"acme"}

    for below in ("", "providers", "llmctl/_providers"):
        folder = tmp_path / f"folder{len(below)}"
        (folder / below).mkdir(parents=True)
        (folder / below / "acme.toml").write_bytes(b"acme")
        (folder / below / "Not an id.toml").write_bytes(b"x")
        assert of_path(folder) == {"acme": b"acme"}
    assert of_path(folder / below / "acme.toml") == {"acme": b"acme"}


@pytest.mark.parametrize("name", ["cards.json", "Acme.toml", "a.b.toml", "x.tar", "noending"])
def test_what_is_no_source(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UsageError):
        of_path(tmp_path / name)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        of_path(tmp_path / "none.toml")
    with pytest.raises(UsageError, match="holds no cards"):
        of_path(tmp_path)
    with pytest.raises(UsageError, match="holds no cards"):
        of_path(zipped(tmp_path / "a.zip", {"other.toml": b""}))


@pytest.mark.parametrize("name", ["a.zip", "a.whl", "a.tar.gz", "a.tgz"])
@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 broken", b"\x1f\x8b\x08\x00 broken"])
def test_damaged_packages(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises((ConfigError, UsageError)):
        of_path(tmp_path / name)


def test_what_unpacks_to_too_much(tmp_path: Path) -> None:
    bomb = {"providers/acme.toml": b"\0" * (50 << 20)}
    assert len(of_path(zipped(tmp_path / "a.zip", bomb))["acme"]) == LONGEST_CARD + 1

    many = {f"providers/a{number}.toml": b"" for number in range(MOST_CARDS + 1)}
    with pytest.raises(ConfigError, match="more than"):
        of_path(zipped(tmp_path / "b.zip", many))


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.REGTYPE])
def test_a_tar_of_huge_entries_is_not_unpacked(tmp_path: Path, kind: bytes) -> None:
    """Be it a file or what describes one; 100 MB of zeros are packed in 100 kB."""
    entry = tarfile.TarInfo("zeros")
    entry.type, entry.size = kind, 100 << 20
    path = tmp_path / "a.tar.gz"
    with gzip.open(path, "wb") as packed:
        packed.write(entry.tobuf(tarfile.USTAR_FORMAT))
        for _megabyte in range(100):
            packed.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError, match="too large"):
            of_path(path)
        assert tracemalloc.get_traced_memory()[1] < 3 * LONGEST_UNPACKED
    finally:
        tracemalloc.stop()


def test_a_zip_packed_in_an_unusual_way(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as packed:
        packed.writestr("providers/acme.toml", b"acme")
    with pytest.raises(ConfigError, match=r"a\.zip is damaged: its way of packing"):
        of_path(path)


def flipped(path: Path, at: int) -> Path:
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)
    return path


def test_damage_within_a_package(tmp_path: Path) -> None:
    """One byte of what is packed, of the sum in a gzip's last eight bytes, of its first two."""
    card = b"".join(b"%d " % number for number in range(3000))
    zipped_card = zipped(tmp_path / "a.zip", {"providers/acme.toml": card})
    packed = {"providers/acme.toml": card}
    damaged = [
        flipped(zipped_card, 30 + len("providers/acme.toml")),
        flipped(tarred(tmp_path / "b.tar.gz", packed), 200),
        flipped(tarred(tmp_path / "c.tar.gz", packed), -6),
        flipped(tarred(tmp_path / "d.tar.gz", packed), 0),
    ]
    cut = tarred(tmp_path / "e.tar.gz", packed)
    cut.write_bytes(cut.read_bytes()[:-20])
    for path in (*damaged, cut):
        with pytest.raises(ConfigError, match="is damaged") as caught:
            of_path(path)
        assert caught.value.hint == "fetch it again"
        with pytest.raises(ConfigError, match="is damaged"):  # as it comes from an address
            of_file(io.BytesIO(path.read_bytes()), path.name)


def test_links_in_a_package_lead_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        link = tarfile.TarInfo("providers/acme.toml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        packed.addfile(link)
    with pytest.raises(UsageError, match="holds no cards"):
        of_path(path)


@pytest.mark.parametrize(
    "url",
    ["http://example.test/acme.toml", "ftp://example.test/acme.toml", "https:///acme.toml",
     "https://me:secret@example.test/acme.toml", "https://[::1/acme.toml", "file:///etc/acme.toml"],
)  # fmt: skip
def test_addresses_that_are_not_asked(url: str) -> None:
    with pytest.raises(UsageError, match="https alone") as caught:
        asyncio.run(of_url(url, Loaded(Settings(), {})))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("level", "host", "allowed"),
    [
        (None, None, True),
        (Level.NO_TRAINING, None, True),  # limits where prompts go
        (Level.NETWORK, None, False),
        (Level.DEVICE, None, False),
        (Level.DEVICE, "example.test", False),
        (Level.DEVICE, "127.0.0.1", True),
    ],
)
def test_policy(level: Level | None, host: str | None, allowed: bool) -> None:
    loaded = Loaded(Settings(policy=Policy(max_level=level)), {})
    if allowed:
        refuse_distant(host, loaded)
        return
    with pytest.raises(PrivacyRefused) as caught:
        refuse_distant(host, loaded)
    assert "--from FILE" in (caught.value.hint or "")
