"""Hugging Face beyond what every host does: models with a partner's name, and base models."""

from typing import Any

import pytest

from tests.e2e.harness import Llmctl, Result
from tests.simulator import Simulator
from tests.simulator.answers import TEXT
from tests.simulator.hosts import host_url

pytestmark = pytest.mark.usefixtures("warm")

TOKEN = "hf_" + "x" * 34
ROUTER = {"LLMCTL_PROVIDERS__HUGGINGFACE__TEXT_GENERATION": "router"}
TGI = {"LLMCTL_PROVIDERS__HUGGINGFACE__TEXT_GENERATION": "tgi"}


@pytest.fixture(autouse=True)
def address(llmctl: Llmctl, sim: Simulator) -> None:
    url = host_url(sim.url, "huggingface")
    llmctl.env["LLMCTL_PROVIDERS__HUGGINGFACE__BASE_URL"] = url
    llmctl.env["HF_TOKEN"] = TOKEN
    sim.key = TOKEN


def complete(llmctl: Llmctl, model: str, *flags: str, **how: str) -> Result:
    return llmctl.run("-m", f"huggingface/{model}", "--complete", *flags, "Once upon", env=how)


def last(sim: Simulator) -> tuple[str, Any]:
    return sim.calls[-1].path.removeprefix("/hosts/huggingface"), sim.calls[-1].json


@pytest.mark.parametrize("suffix", ["", ":groq", ":fastest", ":cheapest", ":preferred"])
def test_who_answers_stands_behind_the_models_name(
    llmctl: Llmctl, sim: Simulator, suffix: str
) -> None:
    model = f"mock-org/mock{suffix}"

    assert llmctl.run("-m", f"huggingface/{model}", "Столица Австралии?").out == TEXT + "\n"

    path, body = last(sim)
    assert (path, body["model"], next(iter(body))) == ("/v1/chat/completions", model, "model")


def test_a_base_model_is_continued_by_hf_inference(llmctl: Llmctl, sim: Simulator) -> None:
    flags = ("--max-tokens", "9", "--temperature", "0.5", "--seed", "7", "--stop", "END", "--json")

    result = complete(llmctl, "mock-org/base", *flags, "-o", "top_k=5", **ROUTER)

    assert (result.code, result.json["text"]) == (0, TEXT), result.err
    usage = result.json["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (2, 4)
    assert last(sim) == (
        "/hf-inference/models/mock-org/base",
        {
            "inputs": "Once upon",
            "stream": True,
            "parameters": {
                "return_full_text": False,
                "details": True,
                "max_new_tokens": 9,
                "temperature": 0.5,
                "seed": 7,
                "stop": ["END"],
                "top_k": 5,
            },
        },
    )


def test_or_by_the_partner_that_is_named(llmctl: Llmctl, sim: Simulator) -> None:
    result = complete(llmctl, "mock-org/base:featherless-ai", "--max-tokens", "2", **ROUTER)

    assert (result.code, result.out) == (0, "Blue light scatters \n"), result.err
    path, body = last(sim)
    assert path == "/featherless-ai/v1/completions"
    assert (body["model"], body["prompt"], body["max_tokens"]) == ("mock-org/base", "Once upon", 2)


@pytest.mark.parametrize("partner", ["fastest", "groq"])
def test_what_continues_no_texts_is_said_before_anything_is_sent(
    llmctl: Llmctl, sim: Simulator, partner: str
) -> None:
    result = complete(llmctl, f"mock-org/base:{partner}", **ROUTER)

    assert (result.code, sim.requests) == (2, [])
    assert "mock-org/base:deepinfra" in result.err
    assert ":hf-inference" in result.err


def test_an_endpoint_of_ones_own_is_asked_and_nobody_else(llmctl: Llmctl, sim: Simulator) -> None:
    """The address is the user's, so that the router has no part in it without being told."""
    result = complete(llmctl, "mock")

    assert (result.code, result.out) == (0, TEXT + "\n"), result.err
    assert last(sim)[0] == "/v1/completions"


def test_or_in_its_own_format_at_its_root(llmctl: Llmctl, sim: Simulator) -> None:
    for flags in ((), ("--no-stream",)):
        result = complete(llmctl, "tgi", *flags, "--temperature", "0", **TGI)

        assert (result.code, result.out) == (0, TEXT + "\n"), result.err
        path, body = last(sim)
        assert (path, body["stream"]) == ("/", not flags)
        # TGI refuses a temperature of 0; what it means is the likeliest token.
        assert body["parameters"]["do_sample"] is False
        assert "temperature" not in body["parameters"]


def test_dry_run_shows_where_a_text_would_go(llmctl: Llmctl, sim: Simulator) -> None:
    shown = complete(llmctl, "mock-org/base", "--dry-run", **ROUTER)

    url = f"{sim.url}/hosts/huggingface/hf-inference/models/mock-org/base"
    assert shown.json["url"] == url
    assert sim.requests == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [("cut", 11), ("error-in-stream", 10), ("error-first", 10), ("no-model", 7), ("key-echo", 6)],
)
def test_failures_of_text_generation(llmctl: Llmctl, sim: Simulator, fault: str, code: int) -> None:
    result = complete(llmctl, f"mock-fault-{fault}", "--log", "off", **ROUTER)

    assert result.code == code, result.err
    assert TOKEN not in result.err


def test_a_model_that_is_being_loaded_is_waited_for(llmctl: Llmctl, sim: Simulator) -> None:
    result = complete(llmctl, "mock-fault-loading", **ROUTER)

    assert (result.code, result.out) == (0, TEXT + "\n")
    assert len(sim.calls) == 3
    assert result.err.count("Waiting until it is ready") == 1


def test_an_organisation_pays(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.env["LLMCTL_PROVIDERS__HUGGINGFACE__BILL_TO"] = "acme"

    assert llmctl.run("-m", "huggingface/mock-org/mock", "hello there").code == 0

    assert sim.calls[-1].headers["x-hf-bill-to"] == "acme"
    assert sim.calls[-1].headers["authorization"] == f"Bearer {TOKEN}"
