"""`batch run --engine ray` with a Ray of one process: what is done by us, and what is refused."""

import json
from collections import Counter
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.batches import errors_of, lines, name, write_rows
from tests.e2e.harness import Llmctl, Result
from tests.simulator import Simulator

STUB = str(Path(__file__).with_name("ray_stub"))
MODEL = "openai/mock-fault-shares:ms=0"


class Job:
    def __init__(self, llmctl: Llmctl) -> None:
        self.llmctl = llmctl
        self.input = llmctl.home / "in.jsonl"
        self.folder = llmctl.home / "out"

    def run(self, *more: str, model: str = MODEL, source: str | None = None) -> Result:
        return self.llmctl.run(
            "batch", "run", source or str(self.input), "--output", str(self.folder), "-m", model,
            "--engine", "ray", *more, env={"PYTHONPATH": STUB},
        )  # fmt: skip

    @property
    def outputs(self) -> list[Path]:
        return sorted(self.folder.glob("part-??????.jsonl"))

    @property
    def answers(self) -> Counter[str]:
        return Counter(one["row"]["id"] for path in self.outputs for one in lines(path))

    @property
    def failures(self) -> list[Any]:
        return [one for path in self.outputs for one in lines(errors_of(path))]


@pytest.fixture
def job(llmctl: Llmctl) -> Job:
    return Job(llmctl)


def test_each_block_is_a_part_and_each_row_is_there_once(job: Job, sim: Simulator) -> None:
    write_rows(job.input, 250)
    summary = job.llmctl.home / "summary.json"

    done = job.run("--summary", str(summary))

    assert done.code == 0, done.err
    # Two workers would have four blocks of 31 lines each; no block has less than 100.
    assert [sum(1 for _one in lines(path)) for path in job.outputs] == [100, 100, 50]
    assert job.answers == {name(number): 1 for number in range(250)}
    assert sim.tally.requests == 250
    told = json.loads(summary.read_text())
    assert told["rows"] == {"total": 250, "done": 250, "failed": 0, "waiting": 0}
    assert told["run"]["rows"] == told["run"]["requests"] == 250
    assert "part 3 of 3" in done.err
    assert "reckoned from 30 of the rows" in done.err  # ten of each of three small blocks


def test_lines_and_ids_are_those_of_the_file(job: Job) -> None:
    write_rows(job.input, 150)

    assert job.run().code == 0

    rows = [one["row"] for path in job.outputs for one in lines(path)]
    assert {(row["id"], row["line"]) for row in rows} == {(name(n), n + 1) for n in range(150)}


def test_parts_in_order_are_the_whole_in_order(job: Job) -> None:
    write_rows(job.input, 250)

    assert job.run("--ordered", "-j", "16").code == 0

    rows = [one["row"]["id"] for path in job.outputs for one in lines(path)]
    assert rows == [name(number) for number in range(250)]


def test_the_same_command_again_asks_for_nothing(job: Job, sim: Simulator) -> None:
    write_rows(job.input, 150)
    assert job.run().code == 0
    before = sim.tally.requests

    again = job.run()

    assert again.code == 0, again.err
    assert sim.tally.requests == before
    assert "answered 150 of 150" in again.err


def test_failures_of_parts_are_summed(job: Job) -> None:
    write_rows(job.input, 120)
    with job.input.open("a") as out:
        out.write("no json\n")

    done = job.run()

    assert done.code == 15
    assert [(one["row"]["line"], one["error"]["code"]) for one in job.failures] == [(121, "usage")]
    assert "1 of 121 rows failed" in done.err


def test_how_far_it_is_is_told_of_the_folder(job: Job) -> None:
    write_rows(job.input, 120)
    with job.input.open("a") as out:
        out.write("no json\n")
    job.run()

    told = job.llmctl.run("batch", "status", str(job.folder), "--json").json

    assert told["rows"] == {"total": 121, "done": 120, "failed": 1, "waiting": 0}
    assert told["causes"] == {"usage": 1}
    assert told["running"] is False
    assert job.llmctl.run("batch", "status", str(job.llmctl.home)).code == 2


def test_failures_are_asked_again_after_retry(job: Job, sim: Simulator) -> None:
    write_rows(job.input, 150)
    sim.script(["filtered"] * 3)
    model = "openai/mock"
    assert job.run(model=model).code == 15
    assert len(job.failures) == 3
    before = len(sim.calls)
    assert job.run(model=model).code == 15  # it is not asked again by itself
    assert len(sim.calls) == before

    retried = job.llmctl.run("batch", "retry", str(job.folder))

    assert retried.code == 0
    assert "wait again: 3" in retried.err
    assert job.run(model=model).code == 0
    assert len(sim.calls) == before + 3
    assert job.failures == []
    assert "no row" in job.llmctl.run("batch", "retry", str(job.folder)).err


def test_the_report_of_a_folder_is_of_all_its_parts(job: Job, sim: Simulator) -> None:
    write_rows(job.input, 150)
    sim.script(["filtered"] * 3)
    assert job.run(model="openai/mock").code == 15
    assert len(job.outputs) == 2
    page = job.llmctl.home / "report.html"

    made = job.llmctl.run("batch", "report", f"{job.folder}/", "--output", str(page))

    assert made.code == 0, made.err
    text = page.read_text(encoding="utf-8")
    assert "Rows answered: 147 of 150" in text
    assert "Rows that failed: 3" in text
    assert "<title>Job: out ·" in text
    own = str(job.outputs[0])
    assert job.llmctl.run("batch", "report", str(job.folder), "--output", own).code == 2
    assert job.answers.total() == 147


def test_blank_lines_make_no_trouble(job: Job) -> None:
    """A block of nothing but blank lines is a part without rows."""
    write_rows(job.input, 100)
    with job.input.open("a") as out:
        out.write("\n" * 150)

    done = job.run()

    assert done.code == 0, done.err
    assert sum(job.answers.values()) == 100
    for told in (job.run(), job.llmctl.run("batch", "status", str(job.folder))):
        assert "answered 100 of 100" in told.out + told.err


def test_shards_are_cut_out_of_each_block(job: Job, sim: Simulator) -> None:
    from llmctl.batch.sharding import Shard

    write_rows(job.input, 150)

    assert job.run("--shard", "2/3").code == 0

    shard = Shard.read("2/3")
    assert set(job.answers) == {name(n) for n in range(150) if shard.has(name(n))}


def test_what_would_ask_something_else_is_refused(job: Job, sim: Simulator) -> None:
    write_rows(job.input, 20)
    assert job.run().code == 0
    before = sim.tally.requests

    other = job.run("--max-tokens", "7")

    assert other.code == 2
    assert "max_tokens: (none) → 7" in other.err
    assert sim.tally.requests == before
    assert job.run("--max-tokens", "7", "--restart").code == 0
    assert sim.tally.requests == before + 20


def test_an_input_that_has_grown_is_refused(job: Job) -> None:
    write_rows(job.input, 20)
    assert job.run().code == 0
    write_rows(job.input, 21)

    other = job.run()

    assert other.code == 2
    assert "bytes" in other.err


def test_rows_that_changed_in_a_file_of_the_same_size_are_refused(job: Job) -> None:
    write_rows(job.input, 20)
    assert job.run().code == 0
    job.input.write_text(job.input.read_text().replace("[00000007]", "[00000008]"))

    other = job.run()

    assert other.code == 2
    assert "changed rows: 1 (lines 8)" in other.err


def test_a_file_that_was_only_touched_is_the_same(job: Job, sim: Simulator) -> None:
    write_rows(job.input, 20)
    assert job.run().code == 0
    job.input.write_text(job.input.read_text())
    before = sim.tally.requests

    assert job.run().code == 0

    assert sim.tally.requests == before


def test_what_stops_one_part_stops_all(job: Job, sim: Simulator) -> None:
    write_rows(job.input, 300)
    sim.key = "another"

    done = job.run()

    assert done.code == 6
    assert len(sim.requests) <= 8  # those of one worker that were under way
    assert "on " in done.err


@pytest.mark.parametrize(
    ("more", "said"),
    [(("--limit", "3"), "--limit"), (("--only-new",), "--only-new")],
)
def test_flags_that_need_one_file_are_refused(job: Job, more: tuple[str, ...], said: str) -> None:
    write_rows(job.input, 20)

    refused = job.run(*more)

    assert refused.code == 2
    assert said in refused.err
    assert not job.outputs


@pytest.mark.parametrize("source", ["-", "hf://datasets/a/b", "in.csv"])
def test_what_has_no_blocks_is_refused(job: Job, source: str) -> None:
    (job.llmctl.home / "in.csv").write_text("prompt\na\n")

    refused = job.run(source=source)

    assert refused.code == 2
    assert not job.outputs


def test_an_empty_file_is_refused(job: Job) -> None:
    job.input.write_bytes(b"")

    assert job.run().code == 2


def test_parts_of_nobody_are_left_alone(job: Job) -> None:
    write_rows(job.input, 20)
    job.folder.mkdir()
    (job.folder / "part-000001.jsonl").write_text("mine\n")

    refused = job.run()

    assert refused.code == 2
    assert (job.folder / "part-000001.jsonl").read_text() == "mine\n"


@pytest.mark.skipif(find_spec("ray") is not None, reason="Ray is installed here")
def test_without_ray_it_says_what_to_install(job: Job) -> None:
    write_rows(job.input, 20)

    done = job.llmctl.run(
        "batch", "run", str(job.input), "--output", str(job.folder), "-m", MODEL, "--engine", "ray"
    )

    assert done.code == 7
    assert "pip install 'llmctl-cli[ray]'" in done.err


def test_one_budget_holds_for_all_parts(job: Job) -> None:
    """Input at 0.1 and output at 0.5 USD a million: 300 rows of at least 12 and 2 tokens cost more
    than 0.00066 USD. A third of that is given, and a quarter of what is left may lie idle."""
    write_rows(job.input, 300)
    job.llmctl.env["LLMCTL_PROVIDERS__OPENAI__FACTS"] = "inherit"

    done = job.run("--max-cost", "0.00022 USD", "--max-tokens", "2", model="openai/gpt-6-luna")

    spent = sum(Decimal(one["cost"]["amount"]) for path in job.outputs for one in lines(path))
    assert done.code == 5, done.err
    assert Decimal("0.0001") < spent <= Decimal("0.00022")
