"""Folders, and which project file is in force."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmctl.settings.places import PROJECT_FILE, paths, project_file, project_name

KINDS = ("config", "data", "cache")


def test_variables_move_each_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for kind in KINDS:
        monkeypatch.setenv(f"LLMCTL_{kind.upper()}_DIR", f"{tmp_path}/{kind}-here")

    found = paths()

    assert [tmp_path / f"{kind}-here" for kind in KINDS] == [found.config, found.data, found.cache]


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LLMCTL_DATA_DIR", "~/kept")

    assert tmp_path / "kept" == paths().data


@pytest.mark.skipif(sys.platform != "linux", reason="names of the XDG specification")
def test_the_systems_folders_are_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for kind in KINDS:
        monkeypatch.delenv(f"LLMCTL_{kind.upper()}_DIR")
        monkeypatch.setenv(f"XDG_{kind.upper()}_HOME", str(tmp_path / kind))

    found = paths()

    assert [tmp_path / kind / "llmctl" for kind in KINDS] == [
        found.config, found.data, found.cache,
    ]  # fmt: skip


def test_the_nearest_project_file_up_to_the_repositorys_root(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = folders / "repository"
    (folders / PROJECT_FILE).write_text("")
    assert project_file() is None  # it lies above the repository
    (root / PROJECT_FILE).write_text("")
    assert project_file() == root / PROJECT_FILE
    (root / "deep" / PROJECT_FILE).write_text("")
    assert project_file() == root / "deep" / PROJECT_FILE
    monkeypatch.chdir(root)
    assert project_file() == root / PROJECT_FILE


def test_the_search_ends_at_the_home_folder(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = folders / "home"
    (home / "work").mkdir(parents=True)
    (folders / PROJECT_FILE).write_text("")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home / "work")

    assert project_file() is None
    (home / PROJECT_FILE).write_text("")
    assert project_file() == home / PROJECT_FILE


def test_a_worktree_has_a_file_for_its_git_folder(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = folders / "tree"
    tree.mkdir()
    (tree / ".git").write_text("gitdir: elsewhere\n")
    (folders / PROJECT_FILE).write_text("")
    monkeypatch.chdir(tree)

    assert project_file() is None


def test_a_folder_of_that_name_is_no_file(folders: Path) -> None:
    (folders / "repository" / PROJECT_FILE).mkdir()

    assert project_file() is None


def test_looking_at_the_places_loads_no_more_than_it_needs(tmp_path: Path) -> None:
    """With the folders named, platformdirs has nothing to say."""
    code = (
        "import sys; from llmctl.settings.places import paths; paths();"
        " sys.exit('platformdirs' in sys.modules)"
    )
    env = {**os.environ, **{f"LLMCTL_{kind.upper()}_DIR": str(tmp_path) for kind in KINDS}}

    assert subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode == 0


@pytest.mark.parametrize("mark", [PROJECT_FILE, ".git"])
def test_a_project_is_named_after_its_folder(
    folders: Path, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    inside = folders / "home" / "work" / "shop" / "src" / "deep"
    inside.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folders / "home"))
    (folders / "home" / "work" / "shop" / mark).touch()

    monkeypatch.chdir(inside)
    assert project_name() == "shop"
    (inside / ".git").mkdir()
    assert project_name() == "deep"
    monkeypatch.chdir(folders / "home" / "work")
    assert project_name() is None


def test_the_home_folder_is_no_project(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = folders / "home"
    (home / "work").mkdir(parents=True)
    (home / ".git").mkdir()
    (folders / PROJECT_FILE).touch()  # above the home folder
    monkeypatch.setenv("HOME", str(home))

    for folder in (home, home / "work"):
        monkeypatch.chdir(folder)
        assert project_name() is None
