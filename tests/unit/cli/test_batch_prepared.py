"""What is settled before a row is read: room for lanes, a summary that can be written."""

import resource
from pathlib import Path

import pytest

from llmctl.cli.batch_prepared import (
    OTHER_FILES,
    refuse_output,
    refuse_summary,
    with_room,
)
from llmctl.errors import IoFailed, UsageError


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, int]]:
    now = {"files": (1024, 1024)}
    monkeypatch.setattr(resource, "getrlimit", lambda _what: now["files"])
    monkeypatch.setattr(
        resource, "setrlimit", lambda _what, values: now.__setitem__("files", values)
    )
    return now


def test_as_many_lanes_as_there_are_files(
    limits: dict[str, tuple[int, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert with_room(2000, quiet=False) == 1024 - OTHER_FILES
    assert "924" in capsys.readouterr().err
    assert limits["files"] == (1024, 1024)


def test_the_limit_is_raised_as_far_as_it_may_be(limits: dict[str, tuple[int, int]]) -> None:
    limits["files"] = (256, 4096)

    assert with_room(240, quiet=True) == 240
    assert limits["files"] == (240 + OTHER_FILES, 4096)


def test_few_lanes_change_nothing(limits: dict[str, tuple[int, int]]) -> None:
    assert with_room(8, quiet=False) == 8
    assert limits["files"] == (1024, 1024)


@pytest.mark.parametrize("name", ["", "nowhere/summary.json"])
def test_a_summary_that_cannot_be_written_is_refused_before_the_work(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(UsageError, match="summary"):
        refuse_summary(str(tmp_path / name))


def test_a_summary_that_can(tmp_path: Path) -> None:
    refuse_summary(None)
    refuse_summary(str(tmp_path / "summary.json"))


def test_an_output_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(IoFailed) as caught:
        refuse_output(str(tmp_path / "no where" / "out.jsonl"))

    assert "there is no folder" in caught.value.message
    assert caught.value.hint == f"make it first: mkdir -p '{tmp_path / 'no where'}'"
    assert list(tmp_path.iterdir()) == []
    for path in (str(tmp_path / "out.jsonl"), "-", None):
        refuse_output(path)
