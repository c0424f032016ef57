"""Empty folders of our own, no system policy, and a working directory in a repository."""

import os
from pathlib import Path

import pytest

from llmctl import settings


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [one for one in os.environ if one.startswith("LLMCTL_")]:
        monkeypatch.delenv(name)
    for kind in ("config", "data", "cache"):
        monkeypatch.setenv(f"LLMCTL_{kind.upper()}_DIR", str(tmp_path / kind))
    monkeypatch.setattr(settings, "SYSTEM_POLICY", tmp_path / "policy.toml")
    work = tmp_path / "repository" / "deep"
    work.mkdir(parents=True)
    (tmp_path / "repository" / ".git").mkdir()
    monkeypatch.chdir(work)
    return tmp_path
