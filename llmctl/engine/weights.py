"""The files of embedded models: where they are, whether they are whole, and who they are.

A damaged file loads without a complaint and answers nonsense, so a checksum is a necessity: it is
computed once for each state of a file (size and time of change) and the result is kept.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from llmctl.errors import ConfigError, NotFound
from llmctl.files import FILE, OTHERS, lock, private_dir, write_private
from llmctl.messages import _
from llmctl.settings.places import paths
from llmctl.types import Json

if TYPE_CHECKING:
    from llmctl.cards import Card, Model

BLOCK = 4 << 20
LOCK_S = 10.0
SUFFIX = ".gguf"

Notice = Callable[[str], None]


def folder() -> Path:
    """Where pulled models are kept, a folder each."""
    return paths().data / "models"


def place(model: "Model") -> Path:
    """Where the file of a model of the catalogue is or would be."""
    stated = model.weights.file if model.weights else None
    return folder() / model.id / Path(stated or f"{model.id}{SUFFIX}").name


def present(model: "Model") -> Path | None:
    """The file if it is there, in its full size as far as that is known for certain."""
    path = place(model)
    try:
        size = path.stat().st_size
    except OSError:
        return None
    known = model.weights
    stated = known.size if known is not None and known.verified else None
    return path if stated in (None, size) else None


def expected(model: "Model") -> str | None:
    """The checksum the file must have: the catalogue's where it was computed from the file itself,
    else the one pinned at the first pull."""
    known = model.weights
    if known is not None and known.verified and known.sha256:
        return known.sha256
    return _records().get(model.id, {}).get("sha256")


def ready(model: "Model", notice: Notice) -> Path | None:
    """The file, known to be whole; None where there is none. Raises ConfigError for a damaged one.

    Reads all of it when it has changed since the last look, which `notice` is told.
    """
    path = present(model)
    if path is None:
        return None
    known = _records().get(model.id, {})
    if known.get("checked") == _state(path):
        return path
    wanted = expected(model)
    if wanted is not None:
        notice(_("Checking {path} (it has changed, or was never checked) …", path=path))
        if sha256(path) != wanted:
            raise damaged(model, path)
    remember(model, path, {**known, "sha256": wanted})
    return path


def damaged(model: "Model", path: Path) -> ConfigError:
    return ConfigError(
        _("{path} is damaged: its checksum is not that of {model}", path=path, model=model.id),
        hint=_("get it again: llmctl models rm local/{model}, then llmctl models pull"
               " local/{model}", model=model.id),
        reason="checksum",
    )  # fmt: skip


def by_path(name: str, card: "Card") -> Path:
    """The file that a name outside the catalogue means; raises NotFound for one that is no path."""
    path = Path(name).expanduser()
    if path.suffix.lower() == SUFFIX or name.startswith((".", "~")) or path.is_absolute():
        return path.absolute()
    near = get_close_matches(name, [model.id for model in card.models], 3)
    raise NotFound(
        _("there is no local model {name}", name=name),
        hint=_("did you mean: -m {names}", names=_(" or ").join(f"{card.id}/{one}" for one in near))
        if near
        else _("see them: llmctl models list {provider}; a file of your own: -m"
               " {provider}/./model.gguf", provider=card.id),
        reason="weights",
    )  # fmt: skip


def remove(model: "Model") -> int:
    """Delete what a pull brought, whole or not; the bytes that became free, 0 for none."""
    import shutil

    own = place(model).parent
    freed = sum(one.stat().st_size for one in own.rglob("*") if one.is_file())
    shutil.rmtree(own, ignore_errors=True)
    with _changing() as known:
        known.pop(model.id, None)
    return freed


def remember(model: "Model", path: Path, known: Mapping[str, Json]) -> None:
    """Keep that the file as it is now is whole, and where it came from."""
    if path.stat().st_mode & OTHERS:
        path.chmod(FILE)
    moment = known.get("pulled_at") or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with _changing() as records:
        records[model.id] = {**known, "pulled_at": moment, "checked": _state(path)}


def record_of(model: "Model") -> Mapping[str, Json]:
    """What is known of a pulled model: `source`, `sha256`, `pulled_at`; empty where it is not."""
    return _records().get(model.id, {})


def _state(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def _index() -> Path:
    return folder() / "index.json"


def _records() -> dict[str, dict[str, Json]]:
    try:
        known = json.loads(_index().read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


@contextmanager
def _changing() -> Iterator[dict[str, dict[str, Json]]]:
    """The records to be changed, against other processes; kept at the end of the block."""
    private_dir(folder())
    with lock(folder() / "index.lock", LOCK_S):
        records = _records()
        yield records
        write_private(_index(), json.dumps(records, indent=1).encode())


def sha256(path: Path) -> str:
    """The checksum of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def sha256_calmly(path: Path) -> str:
    """The same, letting a signal through between two blocks."""
    import asyncio

    digest = hashlib.sha256()
    with open(path, "rb") as file:  # noqa: ASYNC230  a pull is alone in its process
        while block := file.read(BLOCK):
            digest.update(block)
            await asyncio.sleep(0)
    return digest.hexdigest()
