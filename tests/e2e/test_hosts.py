"""Every host that is only a card: whole runs against a simulator that has the host's quirks, and
refuses what the host would refuse."""

import json
from pathlib import Path
from typing import Any

import pytest

from llmctl import catalogue
from llmctl.settings import Settings
from tests.e2e.harness import Llmctl, Result
from tests.simulator import Simulator
from tests.simulator.answers import TEXT, THOUGHT
from tests.simulator.hosts import HOSTS, host_url

pytestmark = pytest.mark.usefixtures("warm")

QUESTION = "Столица Австралии?"
SCHEMA = '{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}'
KEY = "host" + "4" * 28
# By the documents of the hosts.
LIMITS = {"azure": "max_completion_tokens", "groq": "max_completion_tokens",
          "xai": "max_completion_tokens"}  # fmt: skip
SEEDS = {"mistral": "random_seed"}


@pytest.fixture(params=sorted(HOSTS))
def host(request: pytest.FixtureRequest, llmctl: Llmctl, sim: Simulator) -> str:
    """The id of a host whose card leads to the simulator, its key in the card's variable."""
    name: str = request.param
    card = catalogue.card(name, Settings())
    llmctl.env[f"LLMCTL_PROVIDERS__{name.upper()}__BASE_URL"] = host_url(sim.url, name)
    llmctl.env[card.auth.env[0]] = KEY
    sim.key = KEY
    return name


def ask(llmctl: Llmctl, host: str, *flags: str, model: str = "mock") -> Result:
    return llmctl.run("-m", f"{host}/{model}", *flags, QUESTION)


def body(sim: Simulator) -> Any:
    return sim.calls[-1].json


def test_a_streamed_answer_with_its_usage(host: str, llmctl: Llmctl, sim: Simulator) -> None:
    result = ask(llmctl, host, "--json")

    assert result.code == 0, result.err
    envelope = result.json
    assert envelope["text"] == TEXT
    assert envelope["finish_reason"] == "stop"
    assert envelope["usage"]["output_tokens"] == 4
    assert envelope["usage"]["input_tokens"] == max(1, len(sim.calls[-1].body) // 8)
    assert envelope["request_id"]
    assert body(sim)["stream"] is True
    assert body(sim)["messages"] == [{"role": "user", "content": QUESTION}]


def test_a_whole_answer_means_the_same(host: str, llmctl: Llmctl, sim: Simulator) -> None:
    result = ask(llmctl, host, "--json", "--no-stream")

    assert (result.code, result.json["text"]) == (0, TEXT)
    assert result.json["usage"]["output_tokens"] == 4
    assert not body(sim).get("stream")
    assert "stream_options" not in body(sim)


def test_thoughts_are_told_from_the_answer(host: str, llmctl: Llmctl) -> None:
    for flags in ((), ("--no-stream",)):
        result = ask(llmctl, host, "--json", *flags, model="mock-thinks")

        assert result.code == 0, result.err
        assert (result.json["reasoning"], result.json["text"]) == (THOUGHT, TEXT)


def test_limit_seed_and_instructions_go_by_the_names_the_host_knows(
    host: str, llmctl: Llmctl, sim: Simulator
) -> None:
    result = ask(llmctl, host, "-s", "Кратко.", "--max-tokens", "2", "--seed", "7", "--stop", "END")

    assert (result.code, result.out) == (0, "Blue light scatters \n"), result.err
    assert body(sim)[LIMITS.get(host, "max_tokens")] == 2
    assert body(sim)[SEEDS.get(host, "seed")] == 7
    assert body(sim)["stop"] == ["END"]
    assert body(sim)["messages"][0] == {"role": "system", "content": "Кратко."}


def test_a_schema_is_kept_whatever_the_host_knows_of_schemas(
    host: str, llmctl: Llmctl, sim: Simulator
) -> None:
    result = ask(llmctl, host, "--schema", SCHEMA)

    wanted = body(sim)["response_format"]["type"]
    assert wanted == ("json_schema" if HOSTS[host].schema else "json_object")
    if HOSTS[host].schema:
        assert (result.code, json.loads(result.out)) == (0, {"city": "pear"})
    else:  # the simulated model knows no schema by words, but it was told
        assert SCHEMA.replace(":", ": ").replace(",", ", ") in body(sim)["messages"][0]["content"]
        assert result.code == 14


def test_a_conversation_goes_on(host: str, llmctl: Llmctl, sim: Simulator) -> None:
    assert ask(llmctl, host).code == 0
    assert llmctl.run("-m", f"{host}/mock", "-c", "А Канады?").code == 0

    assert [one["role"] for one in body(sim)["messages"]] == ["user", "assistant", "user"]
    assert body(sim)["messages"][1]["content"] == TEXT


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("key-echo", 6, "llmctl keys set"),
        ("region", 6, "proxy"),
        ("no-model", 7, "--live"),
        ("quota", 8, "account's limits"),
        ("payment", 8, "Insufficient credits"),
        ("error-in-stream", 10, "ran out of memory"),
        ("cut", 11, "cut off"),
        ("filtered", 13, "filter"),
        ("context", 16, "shorten the prompt"),
    ],
)
def test_failures_have_the_codes_of_the_table(
    host: str, llmctl: Llmctl, sim: Simulator, fault: str, code: int, words: str
) -> None:
    result = ask(llmctl, host, model=f"mock-fault-{fault}")

    assert result.code == code, result.err
    assert words in result.err
    assert KEY not in result.err
    assert len(sim.calls) == 1


def test_a_limit_of_the_rate_is_waited_out(host: str, llmctl: Llmctl, sim: Simulator) -> None:
    result = ask(llmctl, host, model="mock-fault-rate-text-ms")

    assert (result.code, result.out) == (0, TEXT + "\n")
    assert len(sim.calls) == 2


def test_a_wrong_key_and_none(host: str, llmctl: Llmctl, sim: Simulator) -> None:
    sim.key = "another" + "5" * 20

    result = ask(llmctl, host)

    assert (result.code, result.out) == (6, "")
    assert f"llmctl keys set {host}" in result.err


def test_the_host_is_asked_for_its_models(host: str, llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("models", "list", host, "--live", "--json")

    assert result.code == 0, result.err
    assert [one["id"] for one in result.json["models"]] == list(sim.models)
    assert sim.requests[-1].method == "GET"


def test_doctor_looks_at_it(host: str, llmctl: Llmctl) -> None:
    result = llmctl.run("doctor", host, "--json")

    assert result.code == 0, result.err
    assert result.json["failed"] is None


# ---- what only one of them does ----------------------------------------------------------------


def at(llmctl: Llmctl, sim: Simulator, host: str) -> None:
    llmctl.env[f"LLMCTL_PROVIDERS__{host.upper()}__BASE_URL"] = host_url(sim.url, host)


def test_what_openrouter_charged_is_the_cost(llmctl: Llmctl, sim: Simulator) -> None:
    at(llmctl, sim, "openrouter")

    cost = ask(llmctl, "openrouter", "--json").json["cost"]

    assert (cost["amount"], cost["currency"], cost["kind"]) == ("0.0000145", "USD", "reported")
    assert body(sim)["provider"] == {"data_collection": "deny"}


def test_the_times_that_groq_states_are_kept(llmctl: Llmctl, sim: Simulator) -> None:
    at(llmctl, sim, "groq")

    latency = ask(llmctl, "groq", "--json").json["latency"]

    assert latency["server"] == {"queue_s": 0.01, "prompt_s": 0.002, "output_s": 0.05}
    # Four tokens that came in one piece: the server's word is the only measure.
    assert latency["output_tokens_per_s"] == pytest.approx(4 / 0.05)


def test_perplexity_is_asked_by_its_agent_api(llmctl: Llmctl, sim: Simulator) -> None:
    """Chat completions ended there on 2026-09-27; what is left has the format of responses."""
    llmctl.env["LLMCTL_PROVIDERS__PERPLEXITY__BASE_URL"] = sim.openai_url
    llmctl.env["PERPLEXITY_API_KEY"] = sim.key = KEY

    result = ask(llmctl, "perplexity", "--json")

    assert (result.code, result.json["text"]) == (0, TEXT), result.err
    assert (sim.calls[-1].path, body(sim)["store"]) == ("/v1/responses", False)


def test_azure_has_no_address_until_one_is_set(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.env["AZURE_OPENAI_API_KEY"] = KEY

    result = ask(llmctl, "azure")

    assert (result.code, sim.requests) == (3, [])
    assert "llmctl config set providers.azure.base_url https://RESOURCE" in result.err


def test_the_version_of_azures_older_interface_goes_behind_the_path(
    llmctl: Llmctl, sim: Simulator
) -> None:
    address = f"{host_url(sim.url, 'azure')}?api-version=2024-10-21"
    llmctl.env["LLMCTL_PROVIDERS__AZURE__BASE_URL"] = address
    llmctl.env["AZURE_OPENAI_API_KEY"] = KEY

    assert ask(llmctl, "azure").code == 0

    assert sim.calls[-1].path.endswith("/openai/v1/chat/completions")
    assert sim.calls[-1].query == "api-version=2024-10-21"
    assert sim.calls[-1].headers["api-key"] == KEY
    assert "authorization" not in sim.calls[-1].headers


def test_a_second_account_of_a_host_is_three_lines(llmctl: Llmctl, sim: Simulator) -> None:
    file: Path = llmctl.config / "config.toml"
    file.parent.mkdir(exist_ok=True)
    url = host_url(sim.url, "mistral")
    text = f'[providers.eumistral]\nextends = "mistral"\nbase_url = "{url}"\n'
    file.write_text(text, encoding="utf-8")

    result = ask(llmctl, "eumistral", "--seed", "7")

    assert (result.code, result.out) == (0, TEXT + "\n"), result.err
    assert body(sim)["random_seed"] == 7


def test_every_card_with_a_host_in_the_simulator_is_of_the_same_dialect() -> None:
    """A card that another host needs code for belongs elsewhere."""
    dialects = {name: catalogue.card(name, Settings()).dialect for name in HOSTS}

    assert {name for name, one in dialects.items() if one != "openai_chat"} == {"huggingface"}
