"""A job from one run to the next: what is gone on with, what is refused, what is left of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from llmctl import files
from llmctl.errors import IoFailed, LlmctlError, UsageError
from llmctl.store.journal import Journal
from tests.unit.cli.batches import Run, asked, left, refused, run, write, written


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def test_all_rows_are_asked_once_and_none_again() -> None:
    write("a", "b", "c")
    first, second = run(), run()

    assert (first.lines, second.lines) == ([1, 2, 3], [])
    assert written() == [1, 2, 3]
    assert second.looked is None  # the input is the same, and is not read again


def test_rows_that_wait_are_asked_by_the_next_run() -> None:
    write(*"abcdef")
    run(lambda row: row.line % 2 == 0)

    assert run().lines == [1, 3, 5]
    assert sorted(written()) == [1, 2, 3, 4, 5, 6]


def test_bad_rows_stand_among_the_errors_and_are_not_asked() -> None:
    write("a", "b", first='{"prompt": \n')
    found = run()

    assert found.lines == [2, 3]
    assert found.counts.failed == 1
    (line,) = Path("out.errors.jsonl").read_text().splitlines()
    assert json.loads(line)["row"]["line"] == 1
    assert run().lines == []  # nor tried again: that will not pass


# ---- another job


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"model": "ollama/other"}, "model: ollama/tiny → ollama/other"),
        ({"system": "Be brief."}, "system: (none) → Be brief."),
        ({"template": "Say {{ prompt }}"}, "template: (none) → user: Say {{ prompt }}"),
        ({"option": ["top_p=0.5"]}, "options:"),
        ({"schema": '{"type": "object"}'}, "schema:"),
        ({"temperature": 0.0}, "temperature: (none) → 0.0"),
        ({"max_tokens": 5}, "max_tokens: (none) → 5"),
        ({"stop": ["x"]}, "stop:"),
        ({"seed": 0}, "seed: (none) → 0"),
        ({"columns": "prompt"}, "columns:"),
        ({"shard": "1/2"}, "shard: (none) → 1/2"),
    ],
)
def test_a_job_that_asks_something_else_is_refused_with_what(
    flags: dict[str, Any], said: str
) -> None:
    write("a", "b")
    run()
    error = refused(**flags)

    wanted, found = said.removesuffix(":"), error.message
    assert wanted in found or wanted.replace("user: ", "") in found
    assert error.hint is not None
    assert "--restart" in error.hint


@pytest.mark.parametrize(
    "flags", [{"concurrency": 9}, {"grace": 1.0}, {"give_up": 5.0}, {"summary": "s.json"}]
)
def test_how_a_run_goes_is_no_other_job(flags: dict[str, Any]) -> None:
    write("a", "b")
    run()

    assert run(**flags).lines == []


def test_restart_begins_anew() -> None:
    write("a", "b")
    run()
    again = run(restart=True, system="Be brief.")

    assert again.lines == [1, 2]
    assert written() == [1, 2]


def test_an_output_that_is_not_ours_is_refused(folder: Path) -> None:
    write("a")
    (folder / "out.jsonl").write_text("precious\n")
    with pytest.raises(LlmctlError):
        run()

    assert (folder / "out.jsonl").read_text() == "precious\n"
    assert left(folder) == {"in.jsonl", "out.jsonl"}


# ---- nothing to do, nobody to do it


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("flags", [{}, {"ordered": True}, {"output": "out.csv"}])
def test_an_empty_input_leaves_no_files_behind(
    folder: Path, data: bytes, flags: dict[str, Any]
) -> None:
    (folder / "in.jsonl").write_bytes(data)
    with pytest.raises(UsageError, match=r"in\.jsonl has no rows"):
        run(**flags)

    assert left(folder) == {"in.jsonl"}


@pytest.mark.parametrize("name", ["nowhere.jsonl", "."])
def test_an_input_that_cannot_be_read_leaves_none_either(folder: Path, name: str) -> None:
    with pytest.raises(LlmctlError):
        Run(asked(input=name))

    assert left(folder) == set()


def test_a_job_that_another_process_holds_is_left_alone(folder: Path) -> None:
    write("a", "b")
    run()
    lock = folder / "out.jsonl.journal.lock"
    with files.lock(lock, 0, own_folder=False), pytest.raises(IoFailed) as caught:
        run()

    assert caught.value.reason == "locked"
    assert run().lines == []


@pytest.mark.parametrize("restart", [False, True])
def test_another_name_of_the_output_is_held_too(folder: Path, restart: bool) -> None:
    write("a", "b")
    run()
    before = (folder / "out.jsonl").read_bytes()
    (folder / "link.jsonl").symlink_to("out.jsonl")
    lock = folder / "out.jsonl.journal.lock"
    with files.lock(lock, 0, own_folder=False), pytest.raises(IoFailed) as caught:
        run(output="link.jsonl", restart=restart)

    assert caught.value.reason == "locked"
    assert (folder / "out.jsonl").read_bytes() == before
    assert run(output="link.jsonl").lines == []
    assert (folder / "link.jsonl").is_symlink()


def test_jobs_of_one_name_and_two_forms_keep_their_failures_apart(folder: Path) -> None:
    write("a", first="{\n")
    run()
    run(output="out.csv")

    assert {"out.errors.jsonl", "out.csv.errors.jsonl"} < left(folder)


def test_a_job_that_another_process_is_about_to_begin_keeps_its_journal(folder: Path) -> None:
    """It holds the lock, and nothing stands in the journal yet."""
    write("a", "b")
    lock = folder / "out.jsonl.journal.lock"
    with (
        Journal(folder / "out.jsonl.journal") as theirs,
        files.lock(lock, 0, own_folder=False),
    ):
        with pytest.raises(IoFailed):
            run()
        assert theirs.in_place


def test_an_output_that_cannot_be_one_leaves_no_journal(folder: Path) -> None:
    write("a", "b")
    (folder / "out.jsonl").mkdir()
    with pytest.raises(UsageError):
        run()

    assert left(folder) == {"in.jsonl"}


# ---- shards, carried columns


def test_shards_share_the_rows_out() -> None:
    write(*map(str, range(40)))
    runs = [run(shard=f"{n}/3", output=f"out-{n}.jsonl") for n in (1, 2, 3)]

    assert sorted(line for one in runs for line in one.lines) == list(range(1, 41))
    assert all(one.counts.total == len(one.lines) for one in runs)
    assert run(shard="2/3", output="out-2.jsonl").lines == []
