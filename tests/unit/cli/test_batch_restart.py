"""A job that is begun anew: what was there is thrown away only where there is something to take its
place, and nobody else is still at it."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from llmctl.batch.native import NativeFiles, NativeJob, Part, Stage
from llmctl.cli.batch_native_fetch import HeldJob
from llmctl.errors import ConfigError, LlmctlError, UsageError
from tests.unit.cli.batches import left, run, write, written


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def kept() -> bytes:
    """The answers of a job of two rows."""
    write("a", "b")
    run()
    return Path("out.jsonl").read_bytes()


# ---- the input


@pytest.mark.parametrize(
    ("data", "flags", "said"),
    [
        ("", {}, "has no rows"),
        ("\n\n", {}, "has no rows"),
        ("{\n[]\n", {}, "no row of in.jsonl can be asked; the first: "),
        ('{"prompt": "a"}\n', {"column": "nope"}, "there is no column nope"),
        ('{"prompt": "a"}\n', {"input_format": "doc"}, "there is no format doc"),
        ('{"prompt": "a", "id": "a"}\n', {"shard": "1/2"}, "has no rows"),
    ],
)
def test_an_input_of_no_use_leaves_the_answers(
    folder: Path, data: str, flags: dict[str, Any], said: str
) -> None:
    before = kept()
    (folder / "in.jsonl").write_text(data)
    if "shard" in flags:  # one of the two has it
        from llmctl.batch.sharding import Shard

        flags = {"shard": next(one for one in ("1/2", "2/2") if not Shard.read(one).has("a"))}
    with pytest.raises(UsageError, match=said):
        run(restart=True, **flags)

    assert Path("out.jsonl").read_bytes() == before
    write("a", "b")
    assert run().lines == []  # it is the same job still


def test_one_row_of_use_is_enough() -> None:
    kept()
    write("c", first="{\n\n")
    found = run(restart=True)

    assert found.lines == [3]
    assert written() == [3]


@pytest.mark.parametrize("way", ["pipe", "file"])
def test_a_pipe_with_nothing_in_it_leaves_them(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    before = kept()
    with nothing(way) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(UsageError, match="standard input has no rows"):
            run(input=None, restart=True)

    assert Path("out.jsonl").read_bytes() == before


def nothing(way: str) -> Any:
    if way == "file":
        Path("empty").write_text("")
        return Path("empty").open()
    read, write = os.pipe()
    os.close(write)
    return os.fdopen(read)


def test_a_pipe_with_something_in_it_is_read_from_its_beginning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept()
    read, write_end = os.pipe()
    os.write(write_end, b'{"prompt": "c"}\n')
    os.close(write_end)
    with os.fdopen(read) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        found = run(input=None, restart=True)

    assert (found.lines, written()) == ([1], [1])


# ---- a provider that is at it


def handed_in(folder: Path, stage: Stage, id: str = "1") -> NativeFiles:
    sets = NativeFiles(folder / "out.jsonl")
    part = Part(key="k", requested="openai/m", kind="chat", rows=2, stage=stage, job="batch_1")
    sets.write(NativeJob(id=id, host="api.test", output="out.jsonl", parts=(part,)))
    sets.folder.mkdir()
    for path in (sets.rows("k"), sets.requests("k")):
        path.write_text("private")
    return sets


@pytest.mark.parametrize("restart", [True, False])
def test_while_sets_are_at_the_provider_no_other_job_is_begun(folder: Path, restart: bool) -> None:
    write("a", "b")
    sets = handed_in(folder, Stage.HANDED_IN)
    with pytest.raises(UsageError, match=r"are still at api\.test") as caught:
        run(restart=restart)

    assert "batch cancel" in str(caught.value.hint)
    assert sets.read() is not None
    assert left(folder) == {"in.jsonl", "out.jsonl.batch.json"}


def test_answers_of_sets_that_are_through_are_not_waited_for(folder: Path) -> None:
    kept()
    sets = handed_in(folder, Stage.FETCHED)

    assert run(restart=True).lines == [1, 2]
    assert sets.read() is None
    assert not sets.folder.exists()


def test_what_an_unknown_version_has_handed_in_is_not_forgotten(folder: Path) -> None:
    before = kept()
    (folder / "out.jsonl.batch.json").write_text('{"version": 99}')
    with pytest.raises(ConfigError):
        run(restart=True)

    assert Path("out.jsonl").read_bytes() == before


def test_answers_for_another_job_are_not_taken(folder: Path) -> None:
    """The journal is not that of the rows that were handed in."""
    before = kept()
    sets = handed_in(folder, Stage.HANDED_IN, id="another")
    state = sets.read()
    assert state is not None
    with pytest.raises(LlmctlError, match="another job than the one that was handed in"):
        HeldJob(sets, state).__enter__()

    assert Path("out.jsonl").read_bytes() == before
    assert run().lines == []  # it is held by nobody
