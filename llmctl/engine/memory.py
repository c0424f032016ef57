"""How much memory there is for a model to be loaded into, and how much one takes."""

from collections.abc import Iterator
from pathlib import Path

from llmctl.messages import _

# What a model takes beside its file: the keys and values of 4096 tokens and what is computed with,
# which for models up to ten billion parameters is below these bytes; of a small file it is less.
WORKING = 800_000_000
TIMES_SMALL = 3
# A part of the file is laid out anew when it is loaded.
TENTH = 10

ROOT = Path("/")
GROUPS = "sys/fs/cgroup"
NO_LIMIT = 1 << 60  # what a group without a limit says in the older form is above it


def needed(size: int) -> int:
    """Bytes that a model whose files have `size` bytes takes when it is loaded as it is by default:
    the files, a tenth of them, and 0.8 GB to work with (three times the file where that is less).
    """
    return size + size // TENTH + min(WORKING, TIMES_SMALL * size)


def amount(size: int) -> str:
    """Bytes in the words of whoever buys memory."""
    if size >= 1_000_000_000:
        return _("{size:.1f} GB", size=size / 1e9)
    return _("{size:.0f} MB", size=size / 1e6)


def available(root: Path = ROOT) -> int | None:
    """Bytes that can be taken now without anything being swapped out, the limits of containers
    heeded; None where the system does not say."""
    known = [one for one in (_free(root), *_left_in_groups(root)) if one is not None]
    return min(known) if known else None


def _free(root: Path) -> int | None:
    for line in _read(root / "proc/meminfo").splitlines():
        name, _mark, rest = line.partition(":")
        figure = rest.removesuffix("kB").strip()
        if name == "MemAvailable" and figure.isdigit():
            return int(figure) * 1024
    return None


def _left_in_groups(root: Path) -> Iterator[int]:
    """Of every group with a limit that this process is in, what is left of that."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _number, kinds, place = line.split(":", 2) if line.count(":") >= 2 else ("", "", "")
        if kinds == "":
            top, limit, used = root / GROUPS, "memory.max", "memory.current"
        elif "memory" in kinds.split(","):
            top = root / GROUPS / "memory"
            limit, used = "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        group = Path(place.lstrip("/"))
        for one in (group, *group.parents):
            most, taken = _number_in(top / one / limit), _number_in(top / one / used)
            if most is not None and most < NO_LIMIT:
                yield max(0, most - (taken or 0) + _cached(top / one))


def _cached(group: Path) -> int:
    """Bytes of files that the group holds and would give up."""
    for line in _read(group / "memory.stat").splitlines():
        name, _blank, figure = line.partition(" ")
        if name in ("inactive_file", "total_inactive_file") and figure.isdigit():
            return int(figure)
    return 0


def _number_in(path: Path) -> int | None:
    text = _read(path).strip()
    return int(text) if text.isascii() and text.isdigit() else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
