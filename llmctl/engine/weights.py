"""The files of embedded models: where they are, whether they are whole, and who they are.

A damaged file loads without a complaint and answers nonsense, so a checksum is a necessity: it is
computed once for each state of a file (size and time of change) and the result is kept.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
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
PULLED = "llama.cpp"  # the engine whose files are pulled

Notice = Callable[[str], None]


def folder() -> Path:
    """Where pulled models are kept, a folder each."""
    return paths().data / "models"


def place(model: "Model") -> Path:
    """Where the file of a model of the catalogue is or would be."""
    stated = model.weights.file if model.weights else None
    name = Path(stated or f"{model.id}{SUFFIX}").name
    within = package_folder(model) if is_bundled(model) else None
    return (within or own_folder(model.id)) / name


def own_folder(id: str) -> Path:
    """The folder of a pulled model, which a name from the Hub (`org/name:Q4_K_M`) is one of too."""
    return folder() / id.replace("/", "--").replace(":", "--")


def is_bundled(model: "Model") -> bool:
    """Whether the file comes inside the package that runs it."""
    return model.weights is not None and model.weights.engine != PULLED


def package_folder(model: "Model") -> Path | None:
    """Where that package is, which is not imported; None where it is not installed."""
    from importlib.util import find_spec

    found = find_spec(model.weights.engine) if model.weights else None
    places = found.submodule_search_locations if found else None
    return Path(places[0]) if places else None


def present(model: "Model") -> Path | None:
    """The file if it is there, in its full size as far as that is known for certain."""
    path = place(model)
    try:
        size = path.stat().st_size
    except OSError:
        return None
    known = model.weights
    counts = known is not None and known.verified and not is_bundled(model)
    stated = known.size if known is not None and counts else None
    if parts := parts_of(model.id):
        whole = all(one.is_file() and one.stat().st_size == bytes for one, bytes, _sum in parts)
        return path if whole else None
    return path if stated in (None, size) else None


def parts_of(id: str) -> list[tuple[Path, int, str]]:
    """Path, size and checksum of each file of a model that came in several; empty for others."""
    return _parts_in(_records().get(id, {}), own_folder(id))


def _parts_in(record: Mapping[str, Json], place: Path) -> list[tuple[Path, int, str]]:
    parts = record.get("files")
    return [
        (place / Path(one["name"]).name, one["size"], one["sha256"])
        for one in (parts if isinstance(parts, list) else ())
    ]


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
    if path is None or is_bundled(model):  # pip has checked what is in a package
        return path
    known = _records().get(model.id, {})
    parts = parts_of(model.id)
    if known.get("checked") == _state(path, parts):
        return path
    wanted = expected(model)
    sums = [(one, stated) for one, _size, stated in parts] or ([(path, wanted)] if wanted else [])
    for one, stated in sums:
        notice(_("Checking {path} (it has changed, or was never checked) …", path=one))
        if sha256(one) != stated:
            raise damaged(model, one)
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
    from llmctl.engine.pulled import HUB_NAME

    raise NotFound(
        _("there is no local model {name}", name=name),
        hint=_("did you mean: -m {names}", names=_(" or ").join(f"{card.id}/{one}" for one in near))
        if near
        else _("fetch it from the Hub: llmctl models pull {provider}/{name}", provider=card.id,
               name=name)
        if HUB_NAME.fullmatch(name)
        else _("see them: llmctl models list {provider}; a file of your own: -m"
               " {provider}/./model.gguf", provider=card.id),
        reason="weights",
    )  # fmt: skip


def pulled_ids(repo: str, quant: str | None) -> list[str]:
    """The names under which something of a repository of the Hub is here, whole or not."""
    begin = own_folder(repo).name + "--"
    labels = [one.name.removeprefix(begin) for one in folder().glob(f"{begin}*") if one.is_dir()]
    return sorted(
        f"{repo}:{label}" for label in labels if quant is None or label.lower() == quant.lower()
    )


def remove(model: "Model") -> int:
    """Delete what a pull brought, whole or not; the bytes that became free, 0 for none."""
    import shutil

    own = own_folder(model.id)
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
        records[model.id] = {**known, "pulled_at": moment}
        records[model.id]["checked"] = _state(path, _parts_in(known, own_folder(model.id)))


def record_of(model: "Model") -> Mapping[str, Json]:
    """What is known of a pulled model: `source`, `sha256`, `pulled_at`; empty where it is not."""
    return _records().get(model.id, {})


def records() -> Mapping[str, Mapping[str, Json]]:
    """The same of all pulled models, by their ids."""
    return _records()


def _state(path: Path, parts: Iterable[tuple[Path, int, str]] = ()) -> list[int]:
    """Size and time of change of the file, or of each part in turn."""
    found = [one.stat() for one in [one for one, _size, _sum in parts] or [path]]
    return [number for one in found for number in (one.st_size, one.st_mtime_ns)]


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
