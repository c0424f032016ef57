"""Jobs that are there: how far one is, and what of it may be tried again."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from llmctl import files
from llmctl.batch.shape import Ended
from llmctl.batch.work import unsent
from llmctl.cli import batching
from llmctl.cli.batch_asked import BatchAsked
from llmctl.cli.batch_calls import Maker
from llmctl.cli.batch_keeper import Kept
from llmctl.cli.batch_looks import is_running, known, retried
from llmctl.cli.batch_what_if import _shared_out, estimated_with
from llmctl.errors import Filtered, IoFailed, Rejected, UsageError
from llmctl.output.terminal import Terminal
from llmctl.rows import Row
from llmctl.store.journal import End, Journal, State
from tests.unit.cli.batches import Run, asked, loaded_for, write


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture
def again(monkeypatch: pytest.MonkeyPatch) -> list[BatchAsked]:
    """What is run again."""
    found: list[BatchAsked] = []
    monkeypatch.setattr(batching, "ran", found.append)
    return found


@pytest.fixture
def failed(folder: Path) -> None:
    """A job of the rows a to e, of which a to c failed and e waits."""
    errors = {1: Filtered("no"), 2: Rejected("too long"), 3: Rejected("too long")}
    usual = Kept.keep

    def keep(self: Kept, ended: Sequence[Ended]) -> None:
        usual(self, [
            one if (error := errors.get(one.line)) is None
            else Ended(line=one.line, id=one.id, receipt=unsent(None, error))
            for one in ended
        ])  # fmt: skip

    write(*"abcde")
    flags = {"column": "prompt", "concurrency": 3, "summary": "s.json"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Kept, "keep", keep)
        Run(asked(input="in.jsonl", **flags), lambda row: row.line != 5)


def test_how_far_a_job_is() -> None:
    write(*"abcde")
    Run(asked(input="in.jsonl"), lambda row: row.line < 3)
    paths, job, summary = known("out.jsonl")

    assert (summary.rows, summary.done, summary.failed, summary.waiting) == (5, 2, 0, 3)
    assert summary.input == str(Path("in.jsonl").absolute())
    assert summary.output == "out.jsonl"
    assert job["registered"] is True
    assert not is_running(paths)


def test_where_there_is_no_job_there_is_nothing_to_say(folder: Path) -> None:
    with pytest.raises(UsageError, match="there is no journal"):
        known("out.jsonl")
    assert list(folder.iterdir()) == []
    Journal(folder / "out.jsonl.journal").close()
    with pytest.raises(UsageError, match="there is no job"):
        known("out.jsonl")


def test_a_link_to_the_output_is_the_same_job(folder: Path) -> None:
    write("a")
    Run(asked(input="in.jsonl"))
    (folder / "link.jsonl").symlink_to("out.jsonl")

    assert known("link.jsonl")[2].done == 1


def test_a_job_that_is_held_is_running(folder: Path) -> None:
    write("a")
    Run(asked(input="in.jsonl"))
    paths, _job, _summary = known("out.jsonl")
    with files.lock(folder / "out.jsonl.journal.lock", 0, own_folder=False):
        assert is_running(paths)
    assert not is_running(paths)


@pytest.mark.usefixtures("failed")
def test_all_failures_are_tried_again_as_they_were_asked(again: list[BatchAsked]) -> None:
    assert known("out.jsonl")[2].causes == {"filtered": 1, "rejected": 2}
    retried("out.jsonl", None, concurrency=9, quiet=False)

    (one,) = again
    assert (one.model, one.column, one.concurrency) == ("ollama/tiny", "prompt", 9)
    assert (one.output, one.restart, one.summary) == ("out.jsonl", False, None)
    assert one.input == str(Path("in.jsonl").absolute())
    assert known("out.jsonl")[2].failed == 3  # until it is known that they can be asked
    assert Run(one).lines == [1, 2, 3, 5]


@pytest.mark.usefixtures("failed")
def test_or_those_of_one_cause(again: list[BatchAsked]) -> None:
    retried("out.jsonl", ["rejected"])

    (one,) = again
    assert Run(one).lines == [2, 3, 5]
    assert known("out.jsonl")[2].causes == {"filtered": 1}


@pytest.mark.usefixtures("failed")
@pytest.mark.parametrize("changed", ["input", "journal"])
def test_where_it_cannot_be_run_the_causes_are_kept(
    again: list[BatchAsked], folder: Path, changed: str
) -> None:
    retried("out.jsonl", None)
    if changed == "input":
        write("other")
    else:
        with Journal(folder / "out.jsonl.journal") as journal:
            journal.note("what", {"model": "another/one"})
    with pytest.raises(UsageError):
        Run(again[0])

    assert known("out.jsonl")[2].causes == {"filtered": 1, "rejected": 2}
    assert len((folder / "out.errors.jsonl").read_text().splitlines()) == 3


def test_it_is_tried_again_from_any_folder(
    again: list[BatchAsked], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the files of the flags lie makes no other job."""
    write("a")
    (folder / "note.txt").write_text("Read this.")
    (folder / "schema.json").write_text('{"type": "object"}')
    flags = {"attachment": ["note.txt"], "schema": "schema.json"}
    Run(asked(input="in.jsonl", **flags), lambda _row: False)
    with Journal(folder / "out.jsonl.journal") as journal:
        journal.finish([End(1, State.FAILED, code="filtered", error=b"{}\n")])
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    retried("../out.jsonl", None)

    assert Run(again[0]).lines == [1]


@pytest.mark.usefixtures("failed")
def test_a_cause_that_nothing_failed_in_is_refused(again: list[BatchAsked]) -> None:
    with pytest.raises(UsageError, match="no row failed with network") as caught:
        retried("out.jsonl", ["rejected", "network"])

    assert caught.value.hint == "causes: filtered, rejected"
    assert again == []
    assert known("out.jsonl")[2].failed == 3


@pytest.mark.usefixtures("failed")
def test_while_it_runs_nothing_is_put_back(again: list[BatchAsked], folder: Path) -> None:
    with (
        files.lock(folder / "out.jsonl.journal.lock", 0, own_folder=False),
        pytest.raises(IoFailed),
    ):
        retried("out.jsonl", None)

    assert again == []
    assert known("out.jsonl")[2].failed == 3


def test_without_failures_nothing_is_run(
    again: list[BatchAsked], capsys: pytest.CaptureFixture[str]
) -> None:
    write("a")
    Run(asked(input="in.jsonl"))
    retried("out.jsonl", None)

    assert again == []
    assert "no row of this job has failed" in capsys.readouterr().err


# ---- estimates


@pytest.mark.parametrize(
    ("shares", "rows", "wanted"),
    [
        ({}, 100, {}),
        ({"a": 1}, 100, {"a": 100}),
        ({"a": 3, "b": 1}, 100, {"a": 75, "b": 25}),
        ({"a": 2, "b": 1}, 100, {"a": 67, "b": 33}),
        ({"a": 1, "b": 200}, 3, {"a": 0, "b": 3}),
        ({"a": 1, "b": 1, "c": 1}, 10_000_001, {"a": 3333335, "b": 3333333, "c": 3333333}),
    ],
)
def test_rows_are_shared_out_as_the_sample_has_them(
    shares: dict[str, int], rows: int, wanted: dict[str, int]
) -> None:
    assert _shared_out(shares, rows) == wanted


def test_rows_that_make_no_call_are_not_among_those_that_are_estimated() -> None:
    """One of three sampled rows is of no use, and 10 are like them: 9 are estimated at least."""
    one = asked(input="in.jsonl", column="prompt")
    prepared: Any = SimpleNamespace(maker=Maker(one, loaded_for(one), Terminal()))
    sample = [Row(1, {"prompt": "a"}), Row(2, {"other": "b"}), Row(3, {"prompt": "c"})]

    found, unmade = estimated_with(prepared, sample, 10)

    assert found.rows == 9
    assert list(unmade) == [2]
    assert "there is no column prompt" in unmade[2]
    found, unmade = estimated_with(prepared, sample[1:2], 1)
    assert (found.rows, list(unmade)) == (0, [2])
