"""What a run holds on to of the rows that are only looked at."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from llmctl.batch.registering import Looked
from llmctl.cli import batch_job
from llmctl.cli.batch_calls import Maker
from llmctl.cli.batch_job import Job
from llmctl.cli.batch_session import Session
from llmctl.output.terminal import Terminal
from llmctl.rows import Row
from tests.unit.cli.batches import asked, loaded_for, run, write


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("waiting", [0, 5])
def test_the_rows_by_which_a_job_is_estimated_are_not_held_any_longer(waiting: int) -> None:
    job = SimpleNamespace(looked=Looked(sample=[Row(1, {"prompt": "x"})]), is_stream=False)
    quiet = SimpleNamespace(quiet=True)
    session: Any = SimpleNamespace(_job=job, _prepared=SimpleNamespace(asked=quiet))

    asyncio.run(Session._estimate(session, waiting))

    assert job.looked.sample == []


def test_of_large_rows_fewer_are_looked_at_when_a_job_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(*("x" * 1000 for _row in range(50)))
    run(lambda _row: False)
    monkeypatch.setattr(batch_job, "SAMPLE_SIZE", 10_000)
    one = asked(input="in.jsonl")
    loaded = loaded_for(one)

    with Job(one, loaded, Maker(one, loaded, Terminal()), "out.jsonl") as job:
        assert len(asyncio.run(job.some_waiting())) == 10
