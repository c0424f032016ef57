"""Faults by share: as many as were asked for, the same ones each time, and counted."""

import json
import urllib.error
import urllib.request
from collections import Counter
from http.client import IncompleteRead
from typing import Any

import pytest

from benchmarks.harness import LoadServer
from tests.simulator import Simulator
from tests.simulator.shares import Shares, repeated, shares_of

SHARES = "mock-fault-shares:429=2,500=1,cut=0.5"
HALF = "mock-fault-shares:cut=50,after=3"


def post(url: str, model: str, prompt: str) -> Any:
    body = {"model": model, "messages": [{"role": "user", "content": prompt}]}
    request = urllib.request.Request(
        f"{url}/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def test_a_share_is_met_by_so_many() -> None:
    """Of 20,000 draws a share of 2 % is 400 ± 20 (one standard deviation); five are allowed."""
    shares = shares_of(SHARES)

    met = Counter(shares.draw(f"row {number}", 1) for number in range(20_000))

    assert 300 <= met["429"] <= 500
    assert 130 <= met["500"] <= 270
    assert 50 <= met["cut"] <= 150
    assert sum(met.values()) == 20_000


def test_another_try_or_seed_draws_anew() -> None:
    one, other = shares_of("x:cut=50"), shares_of("x:cut=50,seed=1")
    prompts = [f"row {number}" for number in range(64)]

    first = [one.draw(prompt, 1) for prompt in prompts]

    assert first == [one.draw(prompt, 1) for prompt in prompts]
    assert first != [one.draw(prompt, 2) for prompt in prompts]
    assert first != [other.draw(prompt, 1) for prompt in prompts]


def test_what_the_name_says() -> None:
    assert shares_of("mock") == Shares(())
    assert shares_of("m:429=25,500=25,after=2,ms=40") == Shares(
        (("429", 0.25), ("500", 0.5)), after=2, wait=0.04
    )
    with pytest.raises(ValueError, match="418"):
        shares_of("m:418=1")


def test_the_simulator_plays_and_counts(sim: Simulator) -> None:
    assert post(sim.openai_url, "mock-fault-shares:429=0", "Repeat: [1]")["choices"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(sim.openai_url, "mock-fault-shares:429=100,after=3", "Repeat: [1]")
    refused.value.close()
    assert (refused.value.code, refused.value.headers["retry-after"]) == (429, "3")
    with pytest.raises(IncompleteRead):
        post(sim.openai_url, "mock-fault-shares:cut=100", "Repeat: [2]")

    assert sim.tally.met == {"Repeat: [1]": ["ok", "429"], "Repeat: [2]": ["cut"]}
    assert sim.tally.requests == 3


def test_what_was_sent_in_vain() -> None:
    assert repeated({"a": ["429", "ok"], "b": ["ok", "ok", "500", "ok"], "c": ["cut"]}) == 2


def test_the_server_for_crowds_plays_and_counts() -> None:
    with LoadServer("crowdserver") as server:
        url = f"{server.root}/v1"
        answer = post(url, "mock", "[7] say")
        assert answer["choices"][0]["message"]["content"].startswith("[7]")
        for model, code in (("m:429=100,after=3", 429), ("m:500=100", 500)):
            with pytest.raises(urllib.error.HTTPError) as refused:
                post(url, model, "[7] say")
            refused.value.close()
            assert refused.value.code == code
        with pytest.raises(IncompleteRead):
            post(url, "m:cut=100", "[8]")

        assert server.tally() == {"[7]": ["ok", "429", "500"], "[8]": ["cut"]}
