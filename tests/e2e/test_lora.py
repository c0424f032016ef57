"""LoRA files over the real model inside the process: that they change its answer, by their strength
and not at all at none; and tuned models at providers, which have names of their own."""

import os
from pathlib import Path

import pytest

from tests.e2e.harness import Llmctl
from tests.llama_server import NAME, LlamaServer
from tests.lora import write_adapter
from tests.simulator import Simulator
from tests.simulator.answers import TEXT

pytestmark = pytest.mark.usefixtures("warm")

MODEL = "local/./smol.gguf"
ASK = ("-m", MODEL, "-q", "--complete", "--temperature", "0", "--max-tokens", "8")
PROMPT = "The capital of France is"


@pytest.fixture
def here(llmctl: Llmctl, weights: Path) -> Llmctl:
    os.link(weights, llmctl.home / "smol.gguf")
    llmctl.env["LLMCTL_LOCAL__THREADS"] = "1"
    write_adapter(llmctl.home / "adapter.gguf")
    return llmctl


def test_an_adapter_changes_the_answer_by_its_strength(here: Llmctl) -> None:
    plain = here.run(*ASK, PROMPT).out
    laid_over = here.run(*ASK, "-o", "lora=adapter.gguf", PROMPT)
    at_none = here.run(*ASK, "-o", "lora=adapter.gguf=0", PROMPT)
    twice = here.run(*ASK, "-o", 'lora=["adapter.gguf=0.5", "adapter.gguf=0.5"]', PROMPT)

    assert "Paris" in plain
    assert (laid_over.code, at_none.code) == (0, 0), laid_over.err
    assert laid_over.out.strip()
    assert laid_over.out != plain
    assert at_none.out == plain
    assert twice.out == laid_over.out  # two halves are a whole


def test_the_setting_holds_until_a_call_says_otherwise(here: Llmctl) -> None:
    plain = here.run(*ASK, PROMPT).out
    here.run("config", "set", "local.lora", '["adapter.gguf"]')

    assert here.run(*ASK, PROMPT).out != plain
    assert here.run(*ASK, "-o", "lora=", PROMPT).out == plain


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("none.gguf", 7, "there is no LoRA file"),
        ("smol.gguf", 3, "is no adapter"),
        ("other.gguf", 3, "made for models of the architecture gemma3"),
        ("half.gguf", 3, "cannot be loaded with its LoRA files"),
    ],
)
def test_files_that_do_not_fit(here: Llmctl, name: str, code: int, said: str) -> None:
    write_adapter(here.home / "other.gguf", general__architecture="gemma3")
    whole = (here.home / "adapter.gguf").read_bytes()
    (here.home / "half.gguf").write_bytes(whole[: len(whole) // 2])

    done = here.run(*ASK, "-o", f"lora={name}", PROMPT)

    assert (done.code, said in done.err, done.out) == (code, True, ""), done.err
    assert "hint" in done.err


# ---- elsewhere ---------------------------------------------------------------------------------


def test_a_server_is_told_of_its_adapters_in_its_own_form(llmctl: Llmctl, sim: Simulator) -> None:
    done = llmctl.run("-m", "llamacpp/mock", "-o", 'lora=[{"id": 0, "scale": 0.5}]', "hi")

    assert (done.code, sim.calls[-1].json["lora"]) == (0, [{"id": 0, "scale": 0.5}])


def test_a_real_server_takes_that_form(llmctl: Llmctl, llama: LlamaServer) -> None:
    """It has no adapters loaded, and an empty list of them is one, too; what is none it refuses."""
    llmctl.env["LLMCTL_PROVIDERS__LLAMACPP__BASE_URL"] = llama.openai_url
    llmctl.env["LLAMA_API_KEY"] = llama.key
    ask = ("-m", f"llamacpp/{NAME}", "-q", "--max-tokens", "2")

    taken = llmctl.run(*ask, "-o", "lora=[]", "hi")
    wrong = llmctl.run(*ask, "-o", 'lora={"id": 0}', "hi")

    assert (taken.code, wrong.code) == (0, 16), taken.err + wrong.err


@pytest.mark.parametrize("name", ["ft:mock:org::7p4lURel", "mock-lora-sql"])
def test_names_with_colons_and_names_of_adapters(llmctl: Llmctl, sim: Simulator, name: str) -> None:
    """OpenAI's tuned models, and the adapters of a vLLM server, which are models there."""
    sim.models = ("ft", "mock-lora-sql")
    provider = "openai" if ":" in name else "vllm"

    done = llmctl.run("-m", f"{provider}/{name}", "--json", "hi")

    assert (done.code, done.json["text"]) == (0, TEXT), done.err
    assert sim.calls[-1].json["model"] == name
    assert done.json["model"]["requested"] == f"{provider}/{name}"


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("yandexgpt/latest@tamr4f", "gpt://b1gown/yandexgpt/latest@tamr4f"),
        ("yandexgpt-lite/latest@tamr4f", "gpt://b1gown/yandexgpt-lite/latest@tamr4f"),
        ("gpt://other/yandexgpt/latest@tamr4f", "gpt://other/yandexgpt/latest@tamr4f"),
    ],
)
def test_yandex_names_a_tuning_by_a_suffix(llmctl: Llmctl, name: str, uri: str) -> None:
    done = llmctl.run("-m", f"yandexgpt/{name}", "--dry-run", "hi").json

    assert done["body"]["modelUri"] == uri
    assert done["estimate"]["token_method"] == "estimate"


def test_an_endpoint_of_ones_own_is_an_account_with_its_own_format(
    llmctl: Llmctl, sim: Simulator
) -> None:
    """A dedicated endpoint: chats as at OpenAI, texts in TGI's format with an adapter by name."""
    llmctl.config.mkdir()
    (llmctl.config / "config.toml").write_text(
        f'[providers.mytuned]\nextends = "huggingface"\ntext_generation = "tgi"\n'
        f'base_url = "{sim.url}/hosts/huggingface/v1"\n'
    )

    chat = llmctl.run("-m", "mytuned/mock", "hi")
    chatted = sim.calls[-1]
    text = llmctl.run("-m", "mytuned/mock", "--complete", "-o", "adapter_id=me/sql", "Once")
    continued = sim.calls[-1]

    assert (chat.out, text.out) == (f"{TEXT}\n", f"{TEXT}\n"), chat.err + text.err
    assert (chatted.path, continued.path) == (
        "/hosts/huggingface/v1/chat/completions", "/hosts/huggingface/",
    )  # fmt: skip
    assert continued.json["parameters"]["adapter_id"] == "me/sql"
    assert "authorization" not in continued.headers  # no key was stored for this account
