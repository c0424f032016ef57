"""Where rows go, and what is known of them before they are asked."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmctl.batch.identity import digest_of, name_of
from llmctl.batch.results import Results
from llmctl.batch.shape import Ended, Hop
from llmctl.batch.work import Work, unsent
from llmctl.cli.batch_keeper import Kept
from llmctl.errors import Filtered, PipeClosed
from llmctl.rows import Row
from llmctl.store.answers import Answers
from llmctl.store.journal import Entry, Journal, State
from llmctl.values import replace
from tests.unit.cli.batches import answered, maker

ROWS = [Row(1, {"prompt": "a"}), Row(2, {"prompt": "b"}, "x"), Row(3, {"prompt": "a"}, "y")]


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


class Files:
    def __init__(self, folder: Path, rows: list[Row]) -> None:
        self.out, self.errors = folder / "out.jsonl", folder / "out.errors.jsonl"
        self.journal = Journal(folder / "out.jsonl.journal")
        self.results = Results.open(self.out, self.journal, errors=self.errors, adopt=None)
        self.results.begin({"id": "1"})
        self.journal.register([Entry(r.line, name_of(r.name), digest_of(r)) for r in rows])

    def kept(self, **how: Any) -> Kept:
        return Kept(self.results, self.journal, **{"dedupes": True, **how})


@pytest.fixture
def job(folder: Path) -> Iterator[Files]:
    made = Files(folder, ROWS)
    yield made
    made.results.close()
    made.journal.close()


def work(row: Row) -> Work:
    made = Work(row)
    made.made = maker().make(row)
    return made


def test_answers_and_failures_go_to_their_files(job: Files) -> None:
    refused = Ended(line=2, id="x", receipt=unsent(None, Filtered("no")))
    job.kept().keep([answered(ROWS[0]), refused])

    (line,) = job.out.read_text().splitlines()
    assert json.loads(line)["row"] == {"id": "1", "line": 1}
    (line,) = job.errors.read_text().splitlines()
    assert json.loads(line)["error"]["code"] == "filtered"
    assert [job.journal.state(n) for n in (1, 2, 3)] == [State.DONE, State.FAILED, State.WAITING]
    assert job.journal.counts().causes == {"filtered": 1}


def test_an_identical_row_that_is_done_is_known(job: Files) -> None:
    kept = job.kept()
    assert kept.known(work(ROWS[2])) is None
    kept.keep([answered(ROWS[0], "Blue.")])
    found = kept.known(work(ROWS[2]))

    assert found is not None
    assert (found.line, found.id, found.same_as) == (3, "y", "1")
    assert (found.receipt.text, found.receipt.attempts, found.receipt.cost.amount) == (
        "Blue.", 0, "0",
    )  # fmt: skip
    assert kept.known(work(ROWS[1])) is None
    assert job.kept(dedupes=False).known(work(ROWS[2])) is None


def test_one_that_failed_is_not(job: Files) -> None:
    kept = job.kept()
    kept.keep([Ended(line=1, id="1", receipt=unsent(None, Filtered("no")))])

    assert kept.known(work(ROWS[2])) is None


def test_the_name_of_a_twin_is_its_id(job: Files) -> None:
    kept = job.kept()
    kept.keep([answered(ROWS[2])])
    found = kept.known(work(ROWS[0]))

    assert found is not None
    assert found.same_as == "y"


def test_answers_of_earlier_jobs_are_found_by_what_was_asked(job: Files, folder: Path) -> None:
    answers = Answers(folder / "answers.db")
    kept = job.kept(answers=answers)
    for row in ROWS[:2]:
        assert kept.known(work(row)) is None
    kept.keep([answered(ROWS[0]), Ended(line=2, id="x", receipt=unsent(None, Filtered("no")))])

    other = job.kept(dedupes=False, answers=answers)
    found = other.known(work(Row(9, {"prompt": "a"}, "z")))
    assert found is not None
    assert (found.line, found.id, found.cached, found.same_as) == (9, "z", True, None)
    assert (found.receipt.text, found.receipt.attempts, found.receipt.cost.amount) == (
        "Blue.", 0, "0",
    )  # fmt: skip
    assert other.known(work(Row(9, {"prompt": "b"}))) is None  # it failed
    assert other.known(work(Row(9, {"prompt": "a", "options": {"top_p": 1}}))) is None


def test_an_answer_of_another_model_is_not_kept_for_the_one_that_was_asked(
    job: Files, folder: Path
) -> None:
    answers = Answers(folder / "answers.db")
    kept = job.kept(answers=answers)
    kept.known(work(ROWS[0]))
    kept.keep([replace(answered(ROWS[0]), hops=(Hop("ollama/tiny", "network"),))])

    assert job.kept(dedupes=False, answers=answers).known(work(ROWS[0])) is None


def test_standard_output_gets_whole_lines_of_answers(job: Files) -> None:
    said: list[bytes] = []
    kept = job.kept(tee=said.append)
    kept.keep([answered(ROWS[0]), Ended(line=2, id="x", receipt=unsent(None, Filtered("no")))])

    assert b"".join(said) == job.out.read_bytes()


def test_a_reader_that_went_away_is_told_after_the_row_is_safe(job: Files) -> None:
    def gone(_data: bytes) -> None:
        raise PipeClosed("gone")

    with pytest.raises(PipeClosed):
        job.kept(tee=gone).keep([answered(ROWS[0])])

    assert job.journal.state(1) is State.DONE
