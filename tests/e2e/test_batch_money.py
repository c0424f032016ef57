"""What a job may cost: told before it begins, kept while it runs, by eight lanes and by two
processes. A token of the prompt costs 0.0001 USD, one of the answer 0.001."""

from decimal import Decimal

import pytest

from tests.batches import held
from tests.e2e.batching import Job
from tests.e2e.harness import Llmctl, Running
from tests.e2e.test_budgets import CARD
from tests.simulator import Request, Simulator

pytestmark = pytest.mark.usefixtures("warm", "card")

MODEL = "acme/mock-fault-shares:ms=5"
LANES = ("-j", "8", "--max-tokens", "20")


@pytest.fixture
def card(llmctl: Llmctl, sim: Simulator) -> None:
    file = llmctl.config / "providers" / "acme.toml"
    file.parent.mkdir(parents=True)
    file.write_text(CARD.format(url=sim.openai_url), encoding="utf-8")
    llmctl.env["ACME_API_KEY"] = "acme" + "7" * 20


def price(call: Request) -> Decimal:
    """What the simulator's answer to it costs, by the tokens that it states."""
    said = call.json["messages"][-1]["content"].removeprefix("Repeat: ")
    written = -(-len(said) // 12)
    return max(1, len(call.body) // 8) * Decimal("0.0001") + written * Decimal("0.001")


def spent(sim: Simulator) -> Decimal:
    return sum(map(price, sim.calls), Decimal(0))


def told(job: Job) -> Decimal:
    return sum((Decimal(one["cost"]["amount"]) for one in job.answers), Decimal(0))


def test_the_limit_is_kept_by_eight_lanes(llmctl: Llmctl, sim: Simulator) -> None:
    job = Job(llmctl, MODEL).rows(400)

    result = job.run(*LANES, "--max-cost", "0.50 USD")

    assert result.code == 5, result.err
    assert "0.50 USD" in result.err
    assert Decimal("0.40") < spent(sim) <= Decimal("0.50")
    assert told(job) == spent(sim)
    assert job.failures == []
    assert held(job.output, 400, whole=False).done == len(sim.calls)


def test_what_is_left_goes_on_with_more(llmctl: Llmctl, sim: Simulator) -> None:
    job = Job(llmctl, MODEL).rows(60)
    reached = job.run(*LANES, "--max-cost", "0.10 USD")
    assert reached.code == 5
    assert "more for --max-cost" in reached.err
    assert "0.10 USD'" not in reached.err  # the command that would end in the same way

    more = job.run(*LANES, "--max-cost", "9 USD")

    assert more.code == 0, more.err
    assert held(job.output, 60).done == len(sim.calls) == 60


def test_two_processes_share_the_budget_of_a_day(llmctl: Llmctl, sim: Simulator) -> None:
    (llmctl.config / "config.toml").write_text('[budget]\nper_day = "0.60 USD"\n')
    jobs = [Job(llmctl, MODEL).rows(400), Job(llmctl, MODEL).rows(400)]
    jobs[1].output = llmctl.home / "second.jsonl"
    running: list[Running] = [job.start(*LANES) for job in jobs]
    ended = [one.end() for one in running]

    assert [one.code for one in ended] == [5, 5], ended[0].err + ended[1].err
    assert Decimal("0.48") < spent(sim) <= Decimal("0.60")
    assert sum(map(told, jobs)) == spent(sim)
    [day] = [
        one
        for one in llmctl.run("cost", "budgets", "--json").json["budgets"]
        if (one["window"], one["provider"]) == ("day", None)
    ]
    assert Decimal(day["spent"]) + Decimal(day["reserved"]) <= Decimal("0.60")


def test_a_killed_job_leaves_the_limit_kept(llmctl: Llmctl, sim: Simulator) -> None:
    """What was in flight may have been paid: it stays counted, as much as it can have cost."""
    (llmctl.config / "config.toml").write_text('[budget]\nper_day = "0.40 USD"\n')
    job = Job(llmctl, MODEL).rows(400)
    with job.start(*LANES) as running:
        sim.wait_for(30)
        running.process.kill()
        running.end()

    assert job.run(*LANES).code == 5
    assert spent(sim) <= Decimal("0.40")


def test_a_price_that_nobody_knows_is_refused(llmctl: Llmctl, sim: Simulator) -> None:
    result = Job(llmctl, "acme/unpriced").rows(3).run("--max-cost", "1 USD")

    assert (result.code, sim.calls) == (5, [])


def test_a_row_without_a_price_and_one_that_does_not_fit_keep_no_other_row_from_its_answer(
    llmctl: Llmctl, sim: Simulator
) -> None:
    """80,000 characters are at least 8,000 tokens, which cost 0.80 USD."""
    large = " ".join(["word"] * 16_000)
    job = Job(llmctl, MODEL).documents(
        {"id": "large", "prompt": large},
        {"id": "unpriced", "prompt": "Repeat: x", "model": "acme/unpriced"},
        *({"id": f"r{n}", "prompt": f"Repeat: {n}"} for n in range(5)),
    )

    result = job.run(*LANES, "--max-cost", "0.50 USD")

    assert result.code == 5, result.err
    answers = {f"r{n}": str(n) for n in range(5)}
    assert job.by_id() == {**answers, "unpriced": "budget-refused"}
    assert len(sim.calls) == 5
    assert job.run(*LANES, "--max-cost", "9 USD").code == 15
    assert len(sim.calls) == 6
    assert set(job.by_id()) == {*answers, "unpriced", "large"}


def test_a_dry_run_tells_and_sends_nothing(llmctl: Llmctl, sim: Simulator) -> None:
    job = Job(llmctl, MODEL).rows(400)

    result = job.run(*LANES, "--dry-run")

    assert result.code == 0, result.err
    shown = result.out + result.err
    assert "400" in shown
    assert "USD" in shown
    assert sim.requests == []
    assert job.files() == set()


def test_identical_rows_are_paid_once(llmctl: Llmctl, sim: Simulator) -> None:
    rows = [{"id": f"r{n}", "prompt": f"Repeat: {n % 3}"} for n in range(60)]
    job = Job(llmctl, MODEL).documents(*rows)

    result = job.run(*LANES)

    assert result.code == 0, result.err
    assert len(sim.calls) == 3
    assert job.by_id() == {f"r{n}": str(n % 3) for n in range(60)}
    assert told(job) == spent(sim)
    copies = [one["row"] for one in job.answers if "same_as" in one["row"]]
    assert len(copies) == 57
    assert len({one["same_as"] for one in copies}) == 3


def test_identical_rows_apart_where_that_is_wanted(llmctl: Llmctl, sim: Simulator) -> None:
    rows = [{"id": f"r{n}", "prompt": "Repeat: x"} for n in range(6)]
    job = Job(llmctl, MODEL).documents(*rows)

    assert job.run(*LANES, "--no-dedupe").code == 0
    assert len(sim.calls) == 6
    assert all("same_as" not in one["row"] for one in job.answers)


def test_answers_of_an_earlier_job(llmctl: Llmctl, sim: Simulator) -> None:
    job = Job(llmctl, MODEL).rows(5)
    assert job.run(*LANES).code == 0
    assert not list(llmctl.cache.rglob("*answers*"))  # off unless asked for
    other = Job(llmctl, MODEL)
    other.output = llmctl.home / "second.jsonl"
    assert other.run(*LANES, "--cache").code == 0
    assert len(sim.calls) == 10
    third = Job(llmctl, MODEL)
    third.output = llmctl.home / "third.jsonl"

    cached = third.run(*LANES, "--cache")

    assert cached.code == 0, cached.err
    assert len(sim.calls) == 10
    assert [one["row"]["cached"] for one in third.answers] == [True] * 5
    assert held(third.output, 5).done == 5
    kept = [one for one in llmctl.home.parent.rglob("answers*") if one.is_file()]
    assert kept
    assert all(one.stat().st_mode & 0o077 == 0 for one in kept)
