"""A server that fetches models itself: its steps shown, its errors and silences told."""

import asyncio

import pytest

from llmctl import catalogue
from llmctl.engine import server_pull
from llmctl.errors import CutOff, NetworkFailed, NotFound
from llmctl.settings import ProviderSettings, Settings
from tests.simulator import Simulator
from tests.simulator.model_lists import LAYER, SIZE
from tests.unit.engine.weights_shared import Told


def at(url: str) -> Settings:
    return Settings(providers={"ollama": ProviderSettings(base_url=url)})


def pull(url: str, model: str, told: Told | None = None) -> None:
    told, own = told or Told(), at(url)
    card = catalogue.card("ollama", own)
    work = server_pull.pull(card, model, own, notice=told.notices.append, progress=told.bar)
    asyncio.run(work)


def test_a_bar_for_each_large_piece_and_every_state_once(sim: Simulator) -> None:
    told = Told()
    pull(sim.url, "mock:8b", told)

    assert told.bars == [(f"Fetching mock:8b, {LAYER[:12]}", SIZE, SIZE)]
    assert told.notices == ["pulling manifest", "verifying sha256 digest", "writing manifest"]
    assert [(one.method, one.path) for one in sim.requests] == [
        ("POST", "/api/pull"), ("POST", "/api/show")
    ]  # fmt: skip
    assert sim.requests[0].json == {"model": "mock:8b", "stream": True}


def test_a_model_of_a_cloud_is_told_to_be_one(sim: Simulator) -> None:
    told = Told()
    pull(sim.url, "mock-cloud", told)

    assert told.notices[-1].endswith("only passes it on to https://ollama.com:443.")


def test_a_model_that_there_is_not(sim: Simulator) -> None:
    with pytest.raises(NotFound, match="file does not exist") as caught:
        pull(sim.url, "nosuch")

    assert (caught.value.provider, caught.value.host) == ("ollama", f"127.0.0.1:{sim.port}")


@pytest.mark.parametrize("model", ["mock-half", "mock-torn"])
def test_an_answer_that_ends_too_early(sim: Simulator, model: str) -> None:
    with pytest.raises(CutOff) as caught:
        pull(sim.url, model)

    assert caught.value.exit_code == 11
    assert caught.value.hint == f"go on with it: llmctl models pull ollama/{model}"


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(NetworkFailed):
        pull("http://127.0.0.1:9", "mock")


def test_a_model_is_deleted(sim: Simulator) -> None:
    own = at(sim.url)
    asyncio.run(server_pull.remove(catalogue.card("ollama", own), "mock", own))

    [request] = sim.requests
    assert (request.method, request.path) == ("DELETE", "/api/delete")
    assert request.json == {"model": "mock"}
    with pytest.raises(NotFound, match="nosuch"):
        asyncio.run(server_pull.remove(catalogue.card("ollama", own), "nosuch", own))


def test_who_fetches_models_itself() -> None:
    does = {
        one: server_pull.pulls(catalogue.card(one, Settings()))
        for one in ("ollama", "llamacpp", "openai", "local", "huggingface")
    }
    assert [name for name, pulls in does.items() if pulls] == ["ollama"]
