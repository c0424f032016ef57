"""Reported times against the truth: what the simulator really did, and delays that were scripted.

Bounds are 10 ms or 5 %, whichever is more, and hold for the best of a few runs; those of most runs
are wider: what a run loses to a busy machine is none of llmctl's doing, what every run shows is.
"""

import asyncio
from collections.abc import Sequence
from statistics import median

import pytest

from llmctl.compare.figures import Metric
from llmctl.compare.measures import measure
from llmctl.compare.shape import Case, Mark, Trial
from llmctl.types import Receipt
from tests.simulator import Request, Simulator
from tests.unit.compare.field import Heard, run
from tests.unit.transport.proxies import socks_proxy

RUNS = 4
# What a busy machine may take from most runs.
BUSY_S = 0.05
# What asyncio, a loopback and a busy machine take to begin and to end a comparison.
START_S = 0.15


def close(found: Sequence[float], truth: Sequence[float]) -> bool:
    bound = max(0.010, 0.05 * median(truth))
    off = [abs(a - b) for a, b in zip(found, truth, strict=True)]
    return min(off) <= bound and median(off) <= bound + BUSY_S


def figures(trials: Sequence[Trial], metric: Metric) -> list[float]:
    found = [measure(one, metric) for one in trials]
    assert None not in found, [one.receipt.error for one in trials]
    return [one for one in found if one is not None]


def truth(requests: Sequence[Request]) -> tuple[list[float], list[float]]:
    """Seconds from the request to the first word and to the last, as the server has them; what
    comes after that it sends at once."""
    return (
        [one.sent[0] - one.at for one in requests],
        [one.sent[-1] - one.at for one in requests],
    )


async def rest(_case: Case, _receipt: Receipt) -> tuple[Mark, ...]:
    """So that the formal end of an answer, a packet of its own, is here before the next request;
    without it a connection cannot be kept."""
    await asyncio.sleep(0.03)
    return ()


@pytest.mark.parametrize("pace", ["200-5-10", "40-20-5", "0-1-0"])
@pytest.mark.parametrize("provider", ["openai", "anthropic", "ollama"])
def test_time_to_the_first_token_and_to_the_last(
    field: Simulator, provider: str, pace: str
) -> None:
    heard = run([f"{provider}/mock-fault-timed:{pace}"], repeat=RUNS)

    first, whole = truth(field.calls)
    assert len(first) == RUNS
    assert close(figures(heard.trials, Metric.TTFT), first)
    assert close(figures(heard.trials, Metric.TOTAL), whole)
    scripted = int(pace.partition("-")[0]) / 1000
    assert close(figures(heard.trials, Metric.TTFT), [scripted] * RUNS)


def test_tokens_a_second_are_those_after_the_first(field: Simulator) -> None:
    """20 words, one every 10 ms: 19 in 190 ms."""
    heard = run(["openai/mock-fault-timed:50-20-10"], repeat=RUNS)

    rates = [19 / (one.sent[-1] - one.sent[0]) for one in field.calls]
    speeds = figures(heard.trials, Metric.SPEED)
    assert min(abs(a / b - 1) for a, b in zip(speeds, rates, strict=True)) < 0.05


def test_the_second_run_is_on_a_kept_connection(field: Simulator) -> None:
    heard = run(["openai/mock-fault-timed:10-2-1"], repeat=3, mark=rest)

    assert {one.connection for one in field.calls} == {field.calls[0].connection}
    latencies = [one.receipt.latency for one in heard.trials]
    assert [one.reused for one in latencies] == [False, True, True]
    assert latencies[0].connect_s is not None
    assert [one.connect_s for one in latencies[1:]] == [None, None]


def test_opening_the_connection_is_apart(field: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way to the server takes 200 ms to open, the model 50 ms to its first word."""
    url = f"http://api.example.test:{field.port}/v1"
    monkeypatch.setenv("LLMCTL_PROVIDERS__OPENAI__BASE_URL", url)
    heard: list[Heard] = []

    async def main() -> None:
        async with socks_proxy(after=0.2) as proxy:
            monkeypatch.setenv("LLMCTL_PROVIDERS__OPENAI__PROXY", proxy.url("socks5h"))
            heard.append(await asyncio.to_thread(run, ["openai/mock-fault-timed:50-3-5"], repeat=3))

    asyncio.run(main())

    first, whole = truth(field.calls)
    trials = heard[0].trials
    opened = trials[0].receipt.latency.connect_s
    assert opened is not None
    assert 0.2 <= opened <= 0.2 + BUSY_S
    for trial, ttft, total in zip(trials, first, whole, strict=True):
        assert close(figures([trial], Metric.TTFT), [ttft])
        assert close(figures([trial], Metric.TOTAL), [total])


def test_waiting_for_ones_turn_at_a_limit_stays_apart(field: Simulator) -> None:
    """A 429 says to come again after a second; what counts is the try that was answered."""
    field.script(["rate-seconds"])
    heard = run(["openai/mock-fault-timed:100-3-5"])

    (trial,) = heard.trials
    assert trial.succeeded
    assert len(field.calls) == 2
    assert field.calls[1].at - field.calls[0].at >= 1.0
    first, whole = truth(field.calls[1:])
    assert close(figures([trial], Metric.TTFT), first)
    assert close(figures([trial], Metric.TOTAL), whole)
    assert trial.receipt.latency.waited_s is not None
    assert abs(trial.receipt.latency.waited_s - 1.0) <= 2 * BUSY_S


def test_loading_the_model_stays_apart(field: Simulator) -> None:
    """Of 200 ms to the first word the server says that it was loading for 150."""
    heard = run(["ollama/mock-fault-timed:200-3-5-150"], repeat=3)

    first, whole = truth(field.calls)
    assert close(figures(heard.trials, Metric.TTFT), [one - 0.150 for one in first])
    assert close(figures(heard.trials, Metric.TOTAL), [one - 0.150 for one in whole])
    assert [one.receipt.latency.load_s for one in heard.trials] == [0.15] * 3


def test_fetching_a_token_stays_apart(field: Simulator) -> None:
    heard = run(["gigachat/mock-fault-timed:60-3-5"], repeat=2)

    paths = [one.path for one in field.requests]
    assert paths[0] == "/gigachat/oauth"
    assert close(figures(heard.trials, Metric.TTFT), truth(field.calls)[0])
    assert (heard.trials[0].receipt.latency.auth_s or 0.0) > 0.0


# ---- several models


def test_four_models_take_as_long_as_the_slowest(field: Simulator) -> None:
    names = [f"openai/mock-fault-timed:{first}-4-10" for first in (20, 60, 120, 220)]
    names[1] = names[1].replace("openai", "anthropic")
    heard = run(names, repeat=3)

    slowest = 3 * (0.220 + 3 * 0.010)
    assert all(one.succeeded for one in heard.trials)
    assert slowest <= heard.seconds < slowest * 1.05 + START_S
    # Each was measured as if it had been alone.
    for place, first in enumerate((0.020, 0.060, 0.120, 0.220)):
        assert close(figures(heard.of(place), Metric.TTFT), [first] * 3)


def overlapping(requests: Sequence[Request]) -> int:
    """The most requests that were under way at once."""
    moments = [(one.at, 1) for one in requests]
    moments += [(one.sent[-1], -1) for one in requests]
    under_way = most = 0
    for _at, change in sorted(moments):
        under_way += change
        most = max(most, under_way)
    return most


@pytest.mark.parametrize(
    "names",
    [
        ("gigachat/mock-fault-timed:20-2-5", "gigachat/mock-fault-timed:30-2-5"),
        ("ollama/mock-fault-timed:20-2-5", "vllm/mock-fault-timed:30-2-5"),
    ],
    ids=["one account", "one machine"],
)
def test_models_that_share_something_take_turns(field: Simulator, names: tuple[str, ...]) -> None:
    heard = run(names, repeat=4, lanes=3)

    assert overlapping(field.calls) == 1
    assert len(heard.trials) == 8
    # Interleaved by the plan: never one model's trials all before the other's.
    order = [one.candidate for _at, one in heard.begun]
    assert all({*order[at : at + 2]} == {0, 1} for at in range(0, 8, 2))
    # Waiting for one another is no time of the model.
    assert close(figures(heard.of(0), Metric.TTFT), [0.020] * 4)
    assert close(figures(heard.of(1), Metric.TTFT), [0.030] * 4)


def test_a_limit_of_two_lets_two_at_a_time(
    field: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMCTL_PROVIDERS__OPENAI__CONCURRENCY", "2")
    names = [f"openai/mock-fault-timed:{first}-2-5" for first in (60, 61, 62)]
    run(names, repeat=2, lanes=4)

    assert overlapping(field.calls) == 2


@pytest.mark.parametrize("lanes", [1, 3])
def test_lanes_are_runs_of_one_model_at_a_time(field: Simulator, lanes: int) -> None:
    run(["openai/mock-fault-timed:80-2-5"], repeat=6, lanes=lanes, mark=rest)

    assert overlapping(field.calls) == lanes
    assert len({one.connection for one in field.calls}) == lanes


def test_two_prompts_to_one_model_share_its_connection(field: Simulator) -> None:
    run(["openai/mock-fault-timed:10-2-1"] * 2, repeat=2, mark=rest)

    assert overlapping(field.calls) == 1
    assert len({one.connection for one in field.calls}) == 1
