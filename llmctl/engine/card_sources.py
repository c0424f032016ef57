"""Where newer cards come from: a file, a folder, a package, an address, the package index. What
comes is text by provider, of which nothing is believed yet."""

import gzip
import io
import re
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from llmctl.errors import ConfigError, LlmctlError, PrivacyRefused, UsageError
from llmctl.files import unreadable
from llmctl.messages import _
from llmctl.types import Level

if TYPE_CHECKING:
    from llmctl.settings import Loaded

PACKAGE = "llmctl-cli"
OTHERWISE = "llmctl cards update --from FILE"

# Ours are of 2 to 60 kB, some thirty of them; a checkout has 5 MB.
LONGEST_CARD = 256 << 10
MOST_CARDS = 500
LONGEST_DOWNLOAD = 64 << 20
LONGEST_UNPACKED = 64 << 20
# Others may unpack without a bound, and no tool makes wheels or releases with them.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DAMAGES = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError,
           NotImplementedError, RuntimeError)  # fmt: skip

CARD = re.compile(r"([a-z][a-z0-9]*)\.toml")
# In a wheel, and in an archive of a checkout or of a release, with or without a folder around it.
PACKED = re.compile(r"(?:[^/]+/)?(?:llmctl/_providers|providers)/([a-z][a-z0-9]*)\.toml")
FOLDERS = ("", "providers", "_providers", "llmctl/_providers")

ZIPS, TARS = (".zip", ".whl"), (".tar.gz", ".tgz")

# Makes a progress bar for a title; see `llmctl.engine.pull`.
Progress = Callable[[str], AbstractContextManager[Callable[[int], None]]]


def of_path(path: Path) -> dict[str, bytes]:
    """The cards in a file, a folder or an archive. Raises UsageError for what holds none or
    cannot be read."""
    try:
        if path.is_dir():
            return _of_folder(path)
        with open(path, "rb") as file:
            return of_file(file, path.name)
    except OSError as error:
        raise unreadable(error, path, _holds()) from None


def of_file(file: BinaryIO, name: str) -> dict[str, bytes]:
    """The same of an open file that has this name."""
    lower = name.lower()
    if CARD.fullmatch(name):
        return {name.removesuffix(".toml"): file.read(LONGEST_CARD + 1)}
    try:
        if lower.endswith(ZIPS):
            found = dict(_limited(_of_zip(file)))
        elif lower.endswith(TARS):
            found = dict(_limited(_of_tar(file)))
        else:
            raise UsageError(
                _("{name} is neither a card (openai.toml) nor a package of llmctl", name=name),
                hint=_holds(),
            )
    except DAMAGES as error:
        raise ConfigError(
            _("{name} is damaged: {why}", name=name, why=str(error) or type(error).__name__),
            hint=_("fetch it again"),
        ) from None
    return _some(found, name)


def _holds() -> str:
    return _("one of: a .toml, a folder of them, .whl, .zip, .tar.gz")


def _of_folder(folder: Path) -> dict[str, bytes]:
    for below in FOLDERS:
        cards = sorted((folder / below).glob("*.toml"))
        if cards := [one for one in cards if CARD.fullmatch(one.name)]:
            return dict(_limited((one.stem, _start(one)) for one in cards))
    return _some({}, folder.name or str(folder))


def _start(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(LONGEST_CARD + 1)


def _some(found: dict[str, bytes], name: str) -> dict[str, bytes]:
    if not found:
        raise UsageError(
            _("{name} holds no cards of providers", name=name),
            hint=_holds(),
        )
    return found


def _of_zip(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(file) as packed:
        for entry in packed.infolist():
            if name := PACKED.fullmatch(entry.filename):
                if entry.compress_type not in METHODS:
                    raise NotImplementedError(_("its way of packing is none of packages"))
                with packed.open(entry) as inner:  # never unpacked by its path
                    yield name[1], inner.read(LONGEST_CARD + 1)


class _Unpacked(io.RawIOBase):
    """What is packed, read once from its beginning, and no more of it than a package may have."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = gzip.GzipFile(fileobj=file)
        self._left = LONGEST_UNPACKED

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise EOFError(_("it is too large for a package of llmctl"))
        return data


def _of_tar(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    unpacked = _Unpacked(file)
    with tarfile.open(fileobj=unpacked, mode="r|") as packed:
        for entry in packed:
            name = PACKED.fullmatch(entry.name)
            if name and entry.isfile() and (inner := packed.extractfile(entry)):
                yield name[1], inner.read(LONGEST_CARD + 1)
    while unpacked.read(1 << 16):  # to the sum at the end, which tells whether all is whole
        pass


def _limited(cards: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    for number, card in enumerate(cards):
        if number >= MOST_CARDS:
            raise ConfigError(_("there are more than {count} cards in it", count=MOST_CARDS))
        yield card


async def of_url(url: str, loaded: "Loaded") -> dict[str, bytes]:
    """The cards at an address, over https alone. Raises UsageError for another address,
    PrivacyRefused where policy forbids it, and what requests raise."""
    from llmctl.transport.dial import Dialling
    from llmctl.transport.download import Source

    host = refuse_address(url)
    refuse_distant(host, loaded)
    own = loaded.settings
    how = Dialling(
        provider="llmctl",
        ca_file=own.network.ca_file,
        proxy=own.network.proxy,
        local_only=own.policy.local_only,
        timeout=own.network.connect_timeout,
    )
    try:
        source = Source(url, how, {}, idle_timeout=own.network.idle_timeout)
        body = await source.read(LONGEST_DOWNLOAD)
    except LlmctlError as error:
        if not isinstance(error, PrivacyRefused):
            error.hint = _("a file will do as well: {command}", command=OTHERWISE)
        raise
    return of_file(io.BytesIO(body), urlsplit(url).path.rpartition("/")[2])


def refuse_address(url: str) -> str:
    """The host of an address; raises UsageError for one that cards are not fetched from."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme != "https" or not host or parts.username or parts.password:
        raise UsageError(
            _("cards come over https alone, from an address without user and password"),
            hint=_("or from a file: {command}", command=OTHERWISE),
        )
    return host


def refuse_distant(host: str | None, loaded: "Loaded") -> None:
    """Raises PrivacyRefused where policy keeps everything on one's own machines; `host` None is
    wherever the package index may be."""
    from llmctl.transport.egress import is_local

    near = loaded.settings.policy.max_level in (Level.DEVICE, Level.NETWORK)
    if near and (host is None or not is_local(host)):
        raise PrivacyRefused(
            _("policy ({where}) forbids to ask {host} for cards",
              host=host or _("the package index"), where=loaded.origin("policy.max_level")),
            hint=_("bring a file here, then: {command}", command=OTHERWISE),
        )  # fmt: skip


async def of_index(loaded: "Loaded", progress: Progress) -> tuple[dict[str, bytes], str]:
    """The cards of the newest release at the package index of the user's pip or uv, and the name
    of that release. Raises PrivacyRefused, NotFound without an installer, NetworkFailed."""
    from llmctl.engine.package import installed

    refuse_distant(None, loaded)
    with tempfile.TemporaryDirectory(prefix="llmctl-cards-") as folder:
        into = Path(folder)
        await installed(PACKAGE, into, progress, otherwise=OTHERWISE)
        return _of_package(into)


def _of_package(into: Path) -> tuple[dict[str, bytes], str]:
    """The cards and the name of a release, as pip leaves it (a wheel) or uv (what is in it)."""
    for wheel in into.glob("*.whl"):
        return of_path(wheel), "-".join(wheel.name.split("-")[:2]).replace("_", "-")
    release = next((one.stem for one in into.glob("llmctl_cli-*.dist-info")), PACKAGE)
    return of_path(into), release.replace("_", "-")
