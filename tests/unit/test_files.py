"""Expected modes are those the documentation promises: 0600 files in 0700 folders."""

import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from llmctl import files
from llmctl.errors import IoFailed

POSIX = pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX matter")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@POSIX
def test_a_new_folder_and_its_parents_are_private(tmp_path: Path) -> None:
    files.private_dir(tmp_path / "a" / "b")

    assert [mode(tmp_path / "a"), mode(tmp_path / "a" / "b")] == [0o700, 0o700]


@POSIX
def test_an_open_folder_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)

    files.private_dir(folder)

    assert mode(folder) == 0o700


@POSIX
def test_what_its_owner_may_only_read_stays_so(tmp_path: Path) -> None:
    folder, file = tmp_path / "data", tmp_path / "data" / "ledger.db"
    folder.mkdir()
    file.touch()
    file.chmod(0o444)
    folder.chmod(0o555)

    files.private_dir(folder)
    files.repair_file(file)

    assert (mode(folder), mode(file)) == (0o500, 0o400)


@POSIX
def test_a_shared_folder_is_not_ours_to_close(tmp_path: Path) -> None:
    folder = tmp_path / "like-tmp"
    folder.mkdir()
    folder.chmod(0o1777)

    with pytest.raises(IoFailed) as caught:
        files.private_dir(folder)

    assert caught.value.reason == "shared-folder"
    assert str(folder / "llmctl") in str(caught.value.hint)
    assert mode(folder) == 0o777


@POSIX
def test_a_home_folder_is_not_ours_to_close(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    tmp_path.chmod(0o755)

    with pytest.raises(IoFailed):
        files.private_dir(tmp_path)

    assert mode(tmp_path) == 0o755


@POSIX
def test_a_link_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "theirs").mkdir()
    link = tmp_path / "data"
    link.symlink_to(tmp_path / "theirs")
    owner = os.lstat(link).st_uid
    if owner == 0:
        os.lchown(link, 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)

    with pytest.raises(IoFailed) as caught:
        files.private_dir(link)

    assert caught.value.reason == "not-ours"


@POSIX
def test_a_link_of_ours_is_followed(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk").chmod(0o755)
    (tmp_path / "data").symlink_to(tmp_path / "disk")

    files.private_dir(tmp_path / "data")

    assert mode(tmp_path / "disk") == 0o700


def test_a_folder_cannot_stand_under_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(IoFailed) as caught:
        files.private_dir(tmp_path / "file" / "data")

    assert str(tmp_path / "file" / "data") in caught.value.message


@POSIX
def test_what_is_written_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        files.write_private(tmp_path / "keys" / "keys.toml", b"secret")
    finally:
        os.umask(before)

    assert (tmp_path / "keys" / "keys.toml").read_bytes() == b"secret"
    assert mode(tmp_path / "keys" / "keys.toml") == 0o600
    assert mode(tmp_path / "keys") == 0o700


@POSIX
def test_writing_over_an_open_file_closes_it(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_bytes(b"old")
    path.chmod(0o644)

    files.write_private(path, b"new")

    assert (path.read_bytes(), mode(path)) == (b"new", 0o600)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"old")

    def full(_fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(IoFailed) as caught:
        files.write_private(path, b"new")

    assert caught.value.reason == "full"
    assert path.read_bytes() == b"old"
    assert [path] == list(tmp_path.iterdir())


@POSIX
def test_a_linked_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "dotfiles").chmod(0o755)
    kept = tmp_path / "dotfiles" / "config.toml"
    kept.write_bytes(b"old")
    link = tmp_path / "config" / "config.toml"
    link.parent.mkdir()
    link.symlink_to(kept)

    files.write_private(link, b"new")

    assert link.is_symlink()
    assert kept.read_bytes() == b"new"
    assert mode(tmp_path / "dotfiles") == 0o755


def test_a_lock_keeps_others_out_until_it_is_let_go(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with files.lock(path, 1):
        with pytest.raises(IoFailed) as caught, files.lock(path, 0):
            pass
        assert caught.value.reason == "locked"
    with files.lock(path, 0):
        pass


def test_a_lock_waits_for_its_turn(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    taken = threading.Event()

    def hold() -> None:
        with files.lock(path, 1):
            taken.set()
            time.sleep(0.1)

    holder = threading.Thread(target=hold)
    holder.start()
    taken.wait()
    begun = time.monotonic()
    with files.lock(path, 5):
        waited = time.monotonic() - begun
    holder.join()

    assert 0.05 < waited < 4


def test_a_lock_that_its_holder_removed_is_not_held_by_two(tmp_path: Path) -> None:
    """Whoever has waited for the old file takes the new one."""
    path = tmp_path / "a.lock"
    waits, ends = threading.Event(), threading.Event()
    held = []

    def wait() -> None:
        waits.set()
        with files.lock(path, 5):
            held.append(path.stat().st_ino)
            ends.wait(5)

    waiting = threading.Thread(target=wait)
    with files.lock(path, 1):
        waiting.start()
        waits.wait(5)
        time.sleep(0.05)  # it has opened the file by then
        path.unlink()
        path.touch()
    while not held:
        time.sleep(0.005)
    with pytest.raises(IoFailed), files.lock(path, 0):
        pass
    ends.set()
    waiting.join()


def test_a_lock_dies_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    program = (
        "import os, sys, pathlib; from llmctl import files\n"
        "with files.lock(pathlib.Path(sys.argv[1]), 1): os._exit(7)"
    )

    assert subprocess.run([sys.executable, "-c", program, path], check=False).returncode == 7
    with files.lock(path, 0):
        pass


@POSIX
def test_what_others_may_have_written_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cached"
    files.write_private(path, b"ours")
    assert files.read_own(path) == b"ours"
    path.chmod(0o620)
    with pytest.raises(PermissionError):
        files.read_own(path)
    path.chmod(0o600)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(PermissionError):
        files.read_own(path)
