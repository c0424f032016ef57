"""A job that is not what it was: refused with what changed, and how to go on nevertheless."""

import json

import pytest

from tests.batches import held, lines, write_rows
from tests.e2e.batching import Job
from tests.e2e.harness import Llmctl
from tests.simulator import Simulator

pytestmark = pytest.mark.usefixtures("warm")

MODEL = "openai/mock-fault-shares:ms=0"
SCHEMA = '{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}'
TEMPLATE = 'prompt = "Repeat: {text}"\n'


def done(llmctl: Llmctl, *more: str) -> Job:
    job = Job(llmctl, MODEL).rows(3)
    first = job.run(*more)
    assert first.code == 0, first.err
    return job


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("-m", "openai/mock"), ("mock-fault-shares:ms=0", "openai/mock")),
        (("-s", "Be brief"), ("Be brief",)),
        (("-o", "top_p=0.5"), ("top_p", "0.5")),
        (("--temperature", "0.3"), ("temperature", "0.3")),
        (("--schema", SCHEMA), ("schema",)),
        (("--max-tokens", "7"), ("max_tokens", "7")),
    ],
)
def test_what_changed_is_said(
    llmctl: Llmctl, sim: Simulator, flags: tuple[str, ...], said: tuple[str, ...]
) -> None:
    job = done(llmctl)
    before = job.output.read_bytes()

    refused = job.run(*flags)

    assert refused.code == 2, refused.err
    for word in (*said, "--restart"):
        assert word.replace("_", "-") in refused.err.replace("_", "-"), refused.err
    assert "Traceback" not in refused.err
    assert sim.tally.requests == 3
    assert job.output.read_bytes() == before


def test_what_does_not_matter_is_not_asked_about(llmctl: Llmctl, sim: Simulator) -> None:
    """How fast and where the summary goes is about a run, not about the job."""
    job = done(llmctl, "-j", "2")

    again = job.run("-j", "7", "--summary", str(llmctl.home / "s.json"), "-q", "--grace", "1")

    assert again.code == 0, again.err
    assert sim.tally.requests == 3


def test_a_changed_template(llmctl: Llmctl, sim: Simulator) -> None:
    folder = llmctl.config / "templates"
    folder.mkdir(parents=True)
    template = folder / "mine.toml"
    template.write_text(TEMPLATE.replace("{text}", "{{ prompt }}"))
    job = Job(llmctl, MODEL).documents({"prompt": "a"}, {"prompt": "b"})
    first = job.run("-t", "mine")
    assert first.code == 0, first.err
    template.write_text(TEMPLATE.replace("{text}", "please {{ prompt }}"))

    refused = job.run("-t", "mine")

    assert refused.code == 2, refused.err
    assert "please" in refused.err
    assert "--restart" in refused.err
    assert sim.tally.requests == 2


def test_restart_begins_anew(llmctl: Llmctl, sim: Simulator) -> None:
    job = done(llmctl)

    again = job.run("-m", "openai/mock", "--restart")

    assert again.code == 0, again.err
    assert len(sim.calls) == 6
    assert held(job.output, 3).done == 3
    assert {one["model"]["requested"] for one in job.answers} == {"openai/mock"}


def test_a_changed_row(llmctl: Llmctl, sim: Simulator) -> None:
    job = done(llmctl)
    rows = list(lines(job.input))
    rows[1]["prompt"] = "Repeat: another"
    job.documents(*rows)

    refused = job.run()

    assert refused.code == 2, refused.err
    assert "2" in refused.err  # the line
    assert "--restart" in refused.err
    assert sim.tally.requests == 3


def test_rows_that_went_away(llmctl: Llmctl, sim: Simulator) -> None:
    job = done(llmctl)
    write_rows(job.input, 2)

    assert job.run().code == 2
    assert sim.tally.requests == 3


def test_rows_that_do_not_come_through_the_pipe_any_more(llmctl: Llmctl, sim: Simulator) -> None:
    job = Job(llmctl, MODEL).rows(3)
    rows = job.input.read_bytes().splitlines(keepends=True)
    run = ("batch", "run", "-", "--output", str(job.output), "-m", MODEL)
    assert llmctl.run(*run, stdin=b"".join(rows[:2])).code == 0

    gone = llmctl.run(*run, stdin=rows[0] + b"\n" + rows[2])

    assert gone.code == 2, gone.err
    assert "not there any more: 1" in gone.err
    assert held(job.output, 3).done == 3  # the new row was asked nevertheless


def test_added_rows_alone(llmctl: Llmctl, sim: Simulator) -> None:
    job = Job(llmctl, MODEL).documents({"id": "a", "prompt": "Repeat: one"})
    assert job.run().code == 0
    job.documents({"id": "a", "prompt": "Repeat: one"}, {"id": "b", "prompt": "Repeat: two"})

    refused = job.run()
    added = job.run("--only-new")

    assert refused.code == 2, refused.err
    assert "--only-new" in refused.err
    assert added.code == 0, added.err
    assert job.by_id() == {"a": "one", "b": "two"}
    assert sim.tally.requests == 2
    assert job.run().code == 0
    assert sim.tally.requests == 2


def test_a_journal_of_a_later_version_or_none(llmctl: Llmctl, sim: Simulator) -> None:
    """A journal that is no database is said to be none; nothing is thrown away for it."""
    job = done(llmctl)
    before = job.output.read_bytes()
    (llmctl.home / "out.jsonl.journal").write_bytes(b"nothing of ours" * 400)

    refused = job.run()

    assert refused.code in (2, 3, 18), refused.err
    assert "journal" in refused.err
    assert "Traceback" not in refused.err
    assert job.output.read_bytes() == before
    assert sim.tally.requests == 3


def test_failed_rows_by_cause(llmctl: Llmctl, sim: Simulator) -> None:
    """What may go better next time is tried again by itself, the rest only when asked for."""
    job = Job(llmctl, "").documents(
        {"id": "well", "prompt": "Repeat: x", "model": "openai/mock"},
        {"id": "cut", "prompt": "x", "model": "openai/mock-fault-short-body"},
        {"id": "no", "prompt": "x", "model": "openai/mock-fault-context"},
    )
    first = job.run()
    asked = len(sim.calls)

    assert first.code == 15, first.err
    assert job.by_id() == {"well": "x", "cut": "network", "no": "rejected"}
    job.run()
    assert {one.json["model"] for one in sim.calls[asked:]} == {"mock-fault-short-body"}
    asked = len(sim.calls)
    job.other("retry", "--cause", "rejected")
    assert [one.json["model"] for one in sim.calls[asked:]] == ["mock-fault-context"]
    assert json.loads(job.other("status", "--json").stdout)["version"] == 1
