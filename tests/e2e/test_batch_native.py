"""Batches of providers from the command line: handed in, asked after, fetched, cancelled; nothing
handed in twice, whatever is lost on the way."""

import json
import signal
import stat
import time
from decimal import Decimal
from typing import Any

import pytest

from tests.e2e.harness import KEY, Llmctl
from tests.simulator import Simulator
from tests.simulator.answers import PIECES, TEXT

CORP = {"LLMCTL_PROVIDERS__GIGACHAT__SCOPE": "GIGACHAT_API_CORP"}
MODELS = ("openai", "gemini", "anthropic", "gigachat", "yandexgpt")
PROMPTS = ("one", "two", "three", "four")

pytestmark = pytest.mark.usefixtures("warm")


@pytest.fixture(autouse=True)
def _corporate(llmctl: Llmctl) -> None:
    llmctl.env |= CORP


def rows(llmctl: Llmctl, *prompts: str) -> None:
    lines = [json.dumps({"id": f"r{n}", "prompt": text}) for n, text in enumerate(prompts, 1)]
    (llmctl.home / "in.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def submit(llmctl: Llmctl, provider: str, *more: str) -> Any:
    return llmctl.run(
        "batch", "submit", "in.jsonl", "--output", "out.jsonl", "-m", f"{provider}/mock", *more
    )


def fetch(llmctl: Llmctl, *more: str) -> Any:
    return llmctl.run("batch", "fetch", "out.jsonl", *more)


def wait(llmctl: Llmctl, *more: str) -> Any:
    return fetch(llmctl, "--wait", "--every", "0.1", *more)


def lines(llmctl: Llmctl, name: str = "out.jsonl") -> list[Any]:
    path = llmctl.home / name
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def ids(llmctl: Llmctl, name: str = "out.jsonl") -> list[str]:
    return sorted(one["row"]["id"] for one in lines(llmctl, name))


def state(llmctl: Llmctl) -> Any:
    return json.loads((llmctl.home / "out.jsonl.batch.json").read_text(encoding="utf-8"))


def made(sim: Simulator) -> list[Any]:
    """The requests that make a batch, or begin an operation."""
    ends = ("/v1/batches", ":batchGenerateContent", "/messages/batches", "completionAsync")
    return [one for one in sim.requests if one.method == "POST" and one.path.endswith(ends)]


# ---- all of them


@pytest.mark.parametrize("provider", MODELS)
def test_rows_are_handed_in_and_fetched(llmctl: Llmctl, sim: Simulator, provider: str) -> None:
    rows(llmctl, *PROMPTS)

    handed = submit(llmctl, provider)
    assert handed.code == 0, handed.err
    assert "rows 4 ·" in handed.err
    assert lines(llmctl) == []

    result = wait(llmctl)

    assert result.code == 0, result.err
    assert ids(llmctl) == ["r1", "r2", "r3", "r4"]
    for one in lines(llmctl):
        assert one["text"] == TEXT
        assert one["usage"]["output_tokens"] == len(PIECES)
        assert one["finish_reason"] == "stop"
        assert one["error"] is None
        assert one["latency"]["total_s"] is None  # nobody says how long it took
    assert lines(llmctl, "out.errors.jsonl") == []
    assert KEY not in (llmctl.home / "out.jsonl.batch.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("provider", MODELS)
def test_while_it_runs_fetch_says_so(llmctl: Llmctl, sim: Simulator, provider: str) -> None:
    rows(llmctl, "one")
    submit(llmctl, provider)

    first = fetch(llmctl)

    assert first.code == 12
    assert "still at" in first.err
    assert lines(llmctl) == []
    assert wait(llmctl).code == 0
    assert ids(llmctl) == ["r1"]


@pytest.mark.parametrize("provider", MODELS)
def test_the_same_command_hands_nothing_in_twice(
    llmctl: Llmctl, sim: Simulator, provider: str
) -> None:
    rows(llmctl, *PROMPTS)
    submit(llmctl, provider)
    count = len(made(sim))

    again = submit(llmctl, provider)

    assert again.code == 0, again.err
    assert "nothing is left" in again.err
    assert len(made(sim)) == count
    wait(llmctl)
    assert submit(llmctl, provider).code == 0
    assert len(made(sim)) == count


@pytest.mark.parametrize("provider", MODELS)
def test_a_row_that_fails_stands_beside_the_output(
    llmctl: Llmctl, sim: Simulator, provider: str
) -> None:
    rows(llmctl, "one", "FAIL", "three")
    if provider == "yandexgpt":  # its operations are those of one request each
        sim.script(["ok", "operation-failed", "ok"])
    submit(llmctl, provider)

    result = wait(llmctl)

    assert result.code == 15, result.err
    assert ids(llmctl) == ["r1", "r3"]
    [bad] = lines(llmctl, "out.errors.jsonl")
    assert bad["row"] == {"id": "r2", "line": 2}
    assert bad["error"]["code"] == "rejected"
    count = len(made(sim))
    submit(llmctl, provider)  # what was rejected is not tried again
    assert len(made(sim)) == count


# ---- of sets


SETS = ("openai", "gemini", "anthropic", "gigachat")


@pytest.mark.parametrize("provider", SETS)
@pytest.mark.parametrize("fault", ["lost", "busy"])
def test_a_set_whose_making_fails_is_made_once(
    llmctl: Llmctl, sim: Simulator, provider: str, fault: str
) -> None:
    rows(llmctl, *PROMPTS)
    sim.batches.script([fault])

    result = submit(llmctl, provider)

    assert result.code == 0, result.err
    assert len(sim.batches.held) == 1
    assert len(made(sim)) == (1 if fault == "lost" else 2)
    assert wait(llmctl).code == 0
    assert ids(llmctl) == ["r1", "r2", "r3", "r4"]


@pytest.mark.parametrize("provider", ["openai", "gemini", "anthropic"])
def test_rows_that_expired_are_handed_in_again(
    llmctl: Llmctl, sim: Simulator, provider: str
) -> None:
    rows(llmctl, *PROMPTS)
    sim.batches.script(["expires"])
    submit(llmctl, provider)

    first = wait(llmctl)

    assert first.code == 15, first.err
    assert ids(llmctl) == ["r1", "r2"]
    assert ids(llmctl, "out.errors.jsonl") == ["r3", "r4"]
    for one in lines(llmctl, "out.errors.jsonl"):
        assert (one["error"]["code"], one["error"]["reason"]) == ("provider-error", "expired")

    again = submit(llmctl, provider)

    assert again.code == 0, again.err
    assert "rows 2 ·" in again.err
    assert wait(llmctl).code == 0
    assert ids(llmctl) == ["r1", "r2", "r3", "r4"]
    assert lines(llmctl, "out.errors.jsonl") == []


@pytest.mark.parametrize("provider", SETS)
def test_a_row_without_a_result_is_missing(llmctl: Llmctl, sim: Simulator, provider: str) -> None:
    rows(llmctl, "one", "two")
    sim.batches.script(["unanswered"])
    submit(llmctl, provider)

    assert wait(llmctl).code == 15
    assert ids(llmctl) == ["r1"]
    [one] = lines(llmctl, "out.errors.jsonl")
    assert (one["error"]["code"], one["error"]["reason"]) == ("provider-error", "missing")


@pytest.mark.parametrize("provider", ["openai", "gemini"])
def test_a_set_that_failed_as_a_whole(llmctl: Llmctl, sim: Simulator, provider: str) -> None:
    rows(llmctl, "one", "two")
    sim.batches.script(["fails"])
    submit(llmctl, provider)

    result = wait(llmctl)

    assert result.code == 16, result.err  # all for one cause
    assert lines(llmctl) == []
    assert len(lines(llmctl, "out.errors.jsonl")) == 2


@pytest.mark.parametrize("provider", ["openai", "gemini", "anthropic"])
def test_cancelled_in_the_middle(llmctl: Llmctl, sim: Simulator, provider: str) -> None:
    rows(llmctl, *PROMPTS)
    submit(llmctl, provider)

    result = llmctl.run("batch", "cancel", "out.jsonl")

    assert result.code == 0, result.err
    assert wait(llmctl).code == 15
    assert ids(llmctl) == ["r1", "r2"]
    reasons = {one["error"]["reason"] for one in lines(llmctl, "out.errors.jsonl")}
    assert reasons == {"cancelled"}
    assert llmctl.run("batch", "cancel", "out.jsonl").code == 2  # nothing is under way any more


def test_gigachat_has_no_way_to_cancel(llmctl: Llmctl, sim: Simulator) -> None:
    rows(llmctl, "one")
    submit(llmctl, "gigachat")

    result = llmctl.run("batch", "cancel", "out.jsonl")

    assert result.code == 2
    assert "no way to cancel" in result.err


def test_operations_are_cancelled_one_by_one(llmctl: Llmctl, sim: Simulator) -> None:
    rows(llmctl, "one", "two")
    submit(llmctl, "yandexgpt")

    assert llmctl.run("batch", "cancel", "out.jsonl").code == 0
    assert wait(llmctl).code == 10  # all for one cause
    assert lines(llmctl) == []
    reasons = [one["error"]["reason"] for one in lines(llmctl, "out.errors.jsonl")]
    assert reasons == ["cancelled", "cancelled"]


def test_an_operation_that_may_have_begun_is_told_and_not_begun_twice(
    llmctl: Llmctl, sim: Simulator
) -> None:
    rows(llmctl, "one", "two", "three")
    sim.script(["ok", "hang-up-once", "ok"])

    assert submit(llmctl, "yandexgpt").code == 0
    assert len(made(sim)) == 3
    assert wait(llmctl).code == 15

    assert ids(llmctl) == ["r1", "r3"]
    [one] = lines(llmctl, "out.errors.jsonl")
    assert (one["error"]["code"], one["error"]["reason"]) == ("network", "in-doubt")
    # Whoever hands it in once more knows it by then.
    assert submit(llmctl, "yandexgpt").code == 0
    assert len(made(sim)) == 4
    assert wait(llmctl).code == 0
    assert ids(llmctl) == ["r1", "r2", "r3"]


# ---- what is refused


def test_personal_accounts_of_gigachat_have_no_batches(llmctl: Llmctl, sim: Simulator) -> None:
    rows(llmctl, "one")
    del llmctl.env["LLMCTL_PROVIDERS__GIGACHAT__SCOPE"]

    result = submit(llmctl, "gigachat")

    assert result.code == 2
    assert "GIGACHAT_API_CORP" in result.err
    assert "llmctl batch run" in result.err
    assert sim.requests == []


@pytest.mark.parametrize("model", ["ollama/mock", "groq/mock"])
def test_who_takes_no_batches(llmctl: Llmctl, sim: Simulator, model: str) -> None:
    rows(llmctl, "one")
    result = llmctl.run(
        "batch", "submit", "in.jsonl", "--output", "out.jsonl", "-m", model,
        env={"GROQ_API_KEY": KEY},
    )  # fmt: skip

    assert result.code == 2, result.err
    assert "takes no batches" in result.err
    assert not (llmctl.home / "out.jsonl").exists()


def test_a_bad_row_does_not_keep_the_others(llmctl: Llmctl, sim: Simulator) -> None:
    (llmctl.home / "in.jsonl").write_text(
        '{"id": "a", "prompt": "one"}\nnot json\n'
        '{"id": "c", "model": "gemini/mock", "prompt": "x"}\n'
    )

    assert submit(llmctl, "openai").code == 0
    assert wait(llmctl).code == 15
    assert ids(llmctl) == ["a"]
    codes = [one["error"]["code"] for one in lines(llmctl, "out.errors.jsonl")]
    assert codes == ["usage", "usage"]


def test_nobody_sends_rows_that_are_at_the_provider(llmctl: Llmctl, sim: Simulator) -> None:
    """`batch run` on the output of such a job would pay for all of them once more."""
    rows(llmctl, "one")
    submit(llmctl, "openai")

    result = llmctl.run("batch", "run", "in.jsonl", "--output", "out.jsonl", "-m", "openai/mock")

    assert result.code == 2
    assert "were handed in by `llmctl batch submit`" in result.err
    assert "llmctl batch fetch" in result.err
    assert sim.calls == []


def test_a_job_is_not_begun_anew_while_it_is_at_the_provider(
    llmctl: Llmctl, sim: Simulator
) -> None:
    rows(llmctl, "one")
    submit(llmctl, "openai")

    result = submit(llmctl, "openai", "--restart")

    assert result.code == 2
    assert "batch cancel" in result.err
    assert len(sim.batches.held) == 1


# ---- money, privacy


def test_the_price_is_that_of_batches(llmctl: Llmctl, sim: Simulator) -> None:
    rows(llmctl, "one")
    env = {"LLMCTL_PROVIDERS__OPENAI__FACTS": "inherit"}
    run = ("batch", "submit", "in.jsonl", "--output", "out.jsonl", "-m", "openai/gpt-6-luna")
    assert llmctl.run(*run, env=env).code == 0
    assert llmctl.run("batch", "fetch", "out.jsonl", "--wait", "--every", "0.1", env=env).code == 0
    whole = llmctl.run(
        "ask", "-m", "openai/gpt-6-luna", "--no-stream", "--json", "one", env=env
    ).json

    [one] = lines(llmctl)

    assert one["cost"]["kind"] == "computed"
    assert one["cost"]["price_source"] == whole["cost"]["price_source"]
    usage = one["usage"]
    assert usage["output_tokens"] == whole["usage"]["output_tokens"]
    # Half of what the same tokens cost alone.
    price = json.loads(llmctl.run(
        "cost", "estimate", "-m", "openai/gpt-6-luna", "--input-tokens",
        str(usage["input_tokens"]), "--output-tokens", str(usage["output_tokens"]), "--json",
        env=env,
    ).out)["high"]["amount"]  # fmt: skip
    assert Decimal(one["cost"]["amount"]) * 2 == Decimal(price)
    assert one["privacy"]["level"] == "no-training"


def test_a_budget_is_reserved_and_settled(llmctl: Llmctl, sim: Simulator) -> None:
    rows(llmctl, "one", "two")
    env = {"LLMCTL_PROVIDERS__OPENAI__FACTS": "inherit"}
    run = ("batch", "submit", "in.jsonl", "--output", "out.jsonl", "-m", "openai/gpt-6-luna",
           "--max-tokens", "1000")  # fmt: skip

    poor = llmctl.run(*run, "--max-cost", "0.0000001 USD", env=env)
    assert poor.code == 5, poor.err
    assert sim.batches.held == {}

    rich = llmctl.run(*run, "--max-cost", "1 USD", env=env)
    assert rich.code == 0, rich.err
    assert state(llmctl)["parts"][0]["reserved"] is not None

    result = llmctl.run("batch", "fetch", "out.jsonl", "--wait", "--every", "0.1", env=env)
    assert result.code == 0, result.err
    [part] = state(llmctl)["parts"]
    assert (part["stage"], part["reserved"]) == ("fetched", None)
    costs = llmctl.run("cost", "budgets", "--json", env={**env, "LLMCTL_BUDGET__PER_DAY": "9 USD"})
    assert costs.code == 0
    assert costs.json["open"] == []
    [day] = costs.json["budgets"]
    assert (day["window"], day["reserved"]) == ("day", "0")


def test_placeholders_are_put_back(llmctl: Llmctl, sim: Simulator) -> None:
    rows(llmctl, "write to anna@example.org")

    assert submit(llmctl, "openai", "--redact").code == 0
    [data] = sim.batches.files.values()
    assert b"anna@example.org" not in data
    assert b"[EMAIL_1]" in data
    folder = llmctl.home / "out.jsonl.batch"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    [kept] = folder.glob("*.rows.jsonl")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "anna@example.org" in kept.read_text(encoding="utf-8")
    assert not list(folder.glob("*.requests"))

    assert wait(llmctl).code == 0
    assert lines(llmctl)[0]["privacy"]["redactions"] == {"email": 1}
    assert not list(folder.glob("*"))


def test_nothing_stays_at_the_provider(llmctl: Llmctl, sim: Simulator) -> None:
    for provider in SETS:
        rows(llmctl, "one")
        out = f"{provider}.jsonl"
        run = ("in.jsonl", "--output", out, "-m", f"{provider}/mock")
        assert llmctl.run("batch", "submit", *run).code == 0
        assert llmctl.run("batch", "fetch", out, "--wait", "--every", "0.1").code == 0

    assert sim.batches.files == {}
    assert sim.files.held == {}


def test_with_keep_it_stays(llmctl: Llmctl, sim: Simulator) -> None:
    rows(llmctl, "one")
    submit(llmctl, "openai")
    assert wait(llmctl, "--keep").code == 0
    assert len(sim.batches.files) == 2  # what was handed in, and the answers


# ---- jobs


def test_the_jobs_that_are_known(llmctl: Llmctl, sim: Simulator) -> None:
    assert llmctl.run("batch", "jobs", "--json").json == {"version": 1, "jobs": []}
    rows(llmctl, "one", "two")
    submit(llmctl, "openai")

    [job] = llmctl.run("batch", "jobs", "--json").json["jobs"]

    assert job["model"] == "openai/mock"
    assert [part["rows"] for part in job["parts"]] == [2]
    assert job["parts"][0]["job"] in sim.batches.held
    assert job["parts"][0]["phase"] == "running"
    assert "out.jsonl" in llmctl.run("batch", "jobs").out
    wait(llmctl)
    assert llmctl.run("batch", "jobs", "--json").json["jobs"] == []


def test_a_process_that_ended_before_the_answer_came(llmctl: Llmctl, sim: Simulator) -> None:
    """The state says that a set was to be made; the provider's list says that it was."""
    rows(llmctl, "one", "two")
    submit(llmctl, "openai")
    path = llmctl.home / "out.jsonl.batch.json"
    document = state(llmctl)
    document["parts"][0] |= {"stage": "intended", "job": None}
    path.write_text(json.dumps(document))

    assert "nothing is left" in submit(llmctl, "openai").err
    assert len(sim.batches.held) == 1
    assert wait(llmctl).code == 0
    assert ids(llmctl) == ["r1", "r2"]


@pytest.mark.parametrize("provider", SETS)
def test_killed_before_the_answer_came(llmctl: Llmctl, sim: Simulator, provider: str) -> None:
    rows(llmctl, "one", "two")
    sim.batches.script(["held"])
    run = ("batch", "submit", "in.jsonl", "--output", "out.jsonl", "-m", f"{provider}/mock")
    with llmctl.start(*run) as running:
        until = time.monotonic() + 20
        while not sim.batches.held and time.monotonic() < until:
            time.sleep(0.02)
        running.signal(signal.SIGKILL)
        assert running.end().code == -signal.SIGKILL
    assert state(llmctl)["parts"][0]["stage"] == "intended"

    again = submit(llmctl, provider)

    assert "nothing is left" in again.err, again.err
    assert len(sim.batches.held) == 1
    assert wait(llmctl).code == 0
    assert ids(llmctl) == ["r1", "r2"]


def test_a_set_that_was_never_made_is_made(llmctl: Llmctl, sim: Simulator) -> None:
    rows(llmctl, "one", "two")
    submit(llmctl, "openai")
    path = llmctl.home / "out.jsonl.batch.json"
    document = state(llmctl)
    document["parts"][0] |= {"stage": "intended", "job": None}
    path.write_text(json.dumps(document))
    sim.batches.held.clear()

    assert "rows 2 ·" in submit(llmctl, "openai").err
    assert len(sim.batches.held) == 1


def test_a_dry_run_sends_nothing(llmctl: Llmctl, sim: Simulator) -> None:
    rows(llmctl, *PROMPTS)

    told = submit(llmctl, "openai", "--dry-run", "--json").json

    assert (told["rows"], told["batches"]) == (4, 1)
    assert sim.requests == []
    assert not (llmctl.home / "out.jsonl.batch.json").exists()


def test_a_mistyped_command_leaves_nothing_behind(llmctl: Llmctl) -> None:
    rows(llmctl, "Repeat: one")

    wrong = submit(llmctl, "openai", "--column", "nope")

    assert wrong.code == 2, wrong.err
    assert "nope" in wrong.err
    assert [path.name for path in llmctl.home.glob("out*")] == []
    assert submit(llmctl, "openai").code == 0
