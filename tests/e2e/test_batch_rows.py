"""What becomes of rows: order and columns of the output, shares of a job, other models where one
does not answer, schemas and what does not fit them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.batches import held, lines
from tests.e2e.batching import MODEL, Job
from tests.e2e.harness import Llmctl
from tests.e2e.test_redaction import KEY
from tests.simulator import Simulator

pytestmark = pytest.mark.usefixtures("warm")

SLOW = "openai/mock-fault-shares:ms=5"
SCHEMA = '{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}'
ENVELOPE = {
    *("version", "llmctl", "id", "started_at", "text", "reasoning", "media", "model"),
    *("finish_reason", "tool_calls", "usage", "cost", "latency", "privacy", "request_id"),
    *("attempts", "details", "error"),
}


def test_the_shape_of_a_row(llmctl: Llmctl) -> None:
    job = Job(llmctl).documents(
        {"id": "a", "prompt": "Repeat: one"},
        {"prompt": "x", "model": "openai/mock-fault-context"},
    )
    assert job.run().code == 15

    [answer], [failure] = job.answers, job.failures
    for one in (answer, failure):
        assert set(one) >= ENVELOPE | {"row"}
        assert one["version"] == 1
    assert (answer["row"], answer["text"], answer["error"]) == ({"id": "a", "line": 1}, "one", None)
    assert answer["usage"]["source"] == "reported"
    assert failure["row"] == {"id": "2", "line": 2}
    error = failure["error"]
    assert (error["code"], error["exit_code"], error["status"]) == ("rejected", 16, 400)


def test_in_the_order_of_the_input(llmctl: Llmctl, sim: Simulator) -> None:
    job = Job(llmctl, "").documents(
        {"id": "slow", "prompt": "Repeat: 1", "model": "openai/mock-fault-shares:ms=300"},
        {"id": "fails", "prompt": "Repeat: 2", "model": "openai/mock-fault-context"},
        *({"id": f"n{n}", "prompt": f"Repeat: {n}", "model": MODEL} for n in range(3, 20)),
    )

    result = job.run("-j", "4", "--ordered")

    assert result.code == 15, result.err
    assert [one["row"]["line"] for one in job.answers] == [1, *range(3, 20)]


def test_columns_are_carried_along(llmctl: Llmctl) -> None:
    rows = [
        {"id": "a", "prompt": "Repeat: one", "topic": "x", "n": 1.5, "more": {"k": [None]}},
        {"id": "b", "prompt": "Repeat: two", "topic": "y", "secret": "stays here"},
    ]
    job = Job(llmctl).documents(*rows)

    assert job.run("--columns", "topic, n,more").code == 0

    found = {one["row"]["id"]: one["row"]["columns"] for one in job.answers}
    assert found == {"a": {"topic": "x", "n": 1.5, "more": {"k": [None]}}, "b": {"topic": "y"}}


def test_shards_are_the_job_once(llmctl: Llmctl, sim: Simulator) -> None:
    """Three processes, in any order, answer each row once between them, the same each time."""
    outputs = []
    for number in (3, 1, 2):
        job = Job(llmctl, "openai/mock-fault-shares:ms=0").rows(200)
        job.output = llmctl.home / f"out-{number}.jsonl"
        result = job.run("-j", "8", "--shard", f"{number}/3")
        assert result.code == 0, result.err
        outputs.append([one["row"]["id"] for one in job.answers])

    whole = [name for names in outputs for name in names]
    assert sorted(whole) == [f"r{number:08d}" for number in range(200)]
    # Of a binomial with p = 1/3 and n = 200 more than five standard deviations are out of reach.
    assert all(abs(len(names) - 200 / 3) < 5 * 6.67 for names in outputs)
    assert sim.tally.requests == 200
    for bad in ("0/3", "4/3", "x", "1/0"):
        assert Job(llmctl).run("--shard", bad).code == 2


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("500-forever", "provider-error"),
        ("rate-forever", "rate-limited"),
        ("filtered-first", "filtered"),
        ("reset-first", "network"),
    ],
)
def test_another_model_where_one_does_not_answer(
    llmctl: Llmctl, sim: Simulator, fault: str, cause: str
) -> None:
    job = Job(llmctl, f"openai/mock-fault-{fault}").rows(4)

    llmctl.env["LLMCTL_NETWORK__RETRIES"] = "1"

    result = job.run("-j", "2", "--fallback", "llamacpp/mock")

    assert result.code == 0, result.err
    assert held(job.output, 4).done == 4
    for one in job.answers:
        assert one["row"]["hops"] == [{"model": f"openai/mock-fault-{fault}", "cause": cause}]
        assert one["model"]["requested"] == "llamacpp/mock"


def test_none_where_the_request_is_what_is_wrong(llmctl: Llmctl, sim: Simulator) -> None:
    job = Job(llmctl, "openai/mock-fault-context").rows(3)

    assert job.run("--fallback", "llamacpp/mock").code == 16
    assert {one.json["model"] for one in sim.calls} == {"mock-fault-context"}


def test_policy_is_asked_again_of_the_other(llmctl: Llmctl, sim: Simulator) -> None:
    job = Job(llmctl, "llamacpp/mock-fault-500-forever").rows(3)

    result = job.run("--fallback", "openai/mock", "--local-only")

    assert result.code in (4, 10), result.err
    assert {one.json["model"] for one in sim.calls} <= {"mock-fault-500-forever"}


def test_a_schema_with_one_repair(llmctl: Llmctl, sim: Simulator) -> None:
    """Prose comes first; the second try is told what was wrong."""
    job = Job(llmctl, "openai/mock-fault-no-schema").documents({"id": "a", "prompt": "give me a"})

    result = job.run("--schema", SCHEMA)

    assert result.code == 0, result.err
    assert [json.loads(one["text"]) for one in job.answers] == [{"a": 1}]
    first, second = [one.json["messages"] for one in sim.calls]
    assert len(second) > len(first)
    assert job.answers[0]["attempts"] == 2


def test_a_row_that_never_fits(llmctl: Llmctl, sim: Simulator) -> None:
    job = Job(llmctl, "openai/mock-fault-escapes").documents({"id": "a", "prompt": "give me a"})

    result = job.run("--schema", SCHEMA)

    assert result.code == 14, result.err
    assert len(sim.calls) == 2
    assert job.by_id() == {"a": "schema-mismatch"}


def secrets(job: Job) -> Job:
    return job.documents(
        {"id": "well", "prompt": "Repeat: one"},
        {"id": "secret", "prompt": f"Repeat: my key is {KEY}"},
        {"id": "too", "prompt": "Repeat: two"},
    )


def test_a_row_that_must_not_leave(llmctl: Llmctl, sim: Simulator) -> None:
    job = secrets(Job(llmctl))

    result = job.run("--secrets", "block")

    assert result.code == 15, result.err
    assert job.by_id() == {"well": "one", "secret": "privacy-refused", "too": "two"}
    everywhere = b"".join(one.body for one in sim.requests)
    assert KEY.encode() not in everywhere
    assert KEY not in result.err
    assert KEY not in json.dumps(job.failures)


def test_such_a_row_stays_on_this_machine(llmctl: Llmctl, sim: Simulator, weights: Path) -> None:
    job = secrets(Job(llmctl))

    result = job.run("--on-pii", f"local/{weights}", "--max-tokens", "8")

    assert KEY.encode() not in b"".join(one.body for one in sim.requests)
    found: dict[str, Any] = {one["row"]["id"]: one for one in (*job.answers, *job.failures)}
    assert found["well"]["text"] == "one"
    kept = found["secret"]
    assert kept["row"]["hops"] == [{"model": MODEL, "cause": "privacy-refused"}]
    assert kept["model"]["provider"] == "local"
    assert result.code in (0, 15), result.err  # eight tokens may not be enough for an answer
    assert kept["error"] is None or kept["error"]["code"] == "incomplete"
    assert list(lines(job.output))
