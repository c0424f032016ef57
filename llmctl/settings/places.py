"""The folders of settings, data and caches, and the project file above the working directory."""

import os
from pathlib import Path

from llmctl.values import dataclass

PROJECT_FILE = ".llmctl.toml"
SYSTEM_POLICY = Path("/etc/llmctl/policy.toml")


@dataclass(frozen=True, slots=True)
class Paths:
    config: Path
    data: Path
    cache: Path


def paths() -> Paths:
    """`LLMCTL_CONFIG_DIR`, `LLMCTL_DATA_DIR`, `LLMCTL_CACHE_DIR`, else where the system keeps such
    things."""
    return Paths(*(_place(kind) for kind in ("config", "data", "cache")))


def _place(kind: str) -> Path:
    if given := os.environ.get(f"LLMCTL_{kind.upper()}_DIR"):
        return Path(given).expanduser()
    import platformdirs

    return Path(getattr(platformdirs, f"user_{kind}_dir")("llmctl", appauthor=False))


def project_file() -> Path | None:
    """The nearest project file from here up to the repository's root or the home folder."""
    try:
        here = Path.cwd()
    except OSError:  # the folder was removed under us
        return None
    home = os.path.expanduser("~")
    for folder in (here, *here.parents):
        found = folder / PROJECT_FILE
        if found.is_file():
            return found
        if str(folder) == home or (folder / ".git").exists():
            return None
    return None


def project_name() -> str | None:
    """The name, not the path, of the nearest folder from here up that holds a project file or a
    repository. The home folder is none: what lies there is about its owner."""
    try:
        here = os.getcwd()
    except OSError:  # the folder was removed under us
        return None
    home = os.path.expanduser("~")
    while here != home:
        above, name = os.path.split(here)
        # Plain calls of the system: this runs at every prompt.
        if any(os.path.exists(f"{here}/{mark}") for mark in (PROJECT_FILE, ".git")):
            return name or None
        if above == here:
            break
        here = above
    return None
