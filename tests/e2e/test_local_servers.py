"""Servers of the user's own: found, waited for while they load, and told how to work."""

import socket

import pytest

from tests.e2e.harness import Llmctl
from tests.llama_server import NAME, LlamaServer
from tests.simulator import Simulator
from tests.simulator.answers import TEXT

pytestmark = pytest.mark.usefixtures("warm")

GRAMMAR = 'root ::= "yes" | "no"'


@pytest.mark.parametrize("provider", ["llamacpp", "ollama", "vllm", "lmstudio", "openai"])
def test_a_loading_server_is_waited_for_with_one_note(
    llmctl: Llmctl, sim: Simulator, provider: str
) -> None:
    result = llmctl.run("-m", f"{provider}/mock-fault-loading", "hello there")

    assert (result.code, result.out) == (0, TEXT + "\n")
    assert len(sim.calls) == 3
    assert result.err == (
        "llmctl: the provider answered 503: Loading model. "
        "Waiting until it is ready, for at most 60 s.\n"
    )


def test_it_is_waited_for_longer_than_trouble_is_tried_again(
    llmctl: Llmctl, sim: Simulator
) -> None:
    llmctl.env["LLMCTL_NETWORK__RETRIES"] = "1"

    assert llmctl.run("-m", "llamacpp/mock-fault-loading", "hello there").code == 0


def test_but_not_for_ever(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.env["LLMCTL_NETWORK__MAX_WAIT"] = "0"

    result = llmctl.run("-m", "llamacpp/mock-fault-loading", "hello there")

    assert (result.code, len(sim.calls)) == (10, 1)
    assert "llmctl config set network.max_wait" in result.err


def test_a_grammar_goes_as_it_stands(llmctl: Llmctl, sim: Simulator) -> None:
    assert llmctl.run("-m", "llamacpp/mock", "-o", f"grammar={GRAMMAR}", "Is it?").code == 0

    assert sim.calls[-1].json["grammar"] == GRAMMAR


def test_nothing_is_left_at_lm_studio(llmctl: Llmctl, sim: Simulator) -> None:
    """Its chat completions keep nothing and have no word for it; no other path is asked."""
    assert llmctl.run("-m", "lmstudio/mock", "hello there").code == 0

    assert [one.path for one in sim.requests] == ["/v1/chat/completions"]
    assert "store" not in sim.calls[-1].json


# ---- the context of Ollama ---------------------------------------------------------------------

CARD = """\
card = 1
id = "ollama"
name = "Ollama"
kind = "local"
dialect = "ollama"
any_model = true
endpoint = { base_url = "http://127.0.0.1:11434" }
settings = [{ name = "context", help = "tokens" }]

[quirks]
extra_body = { num_ctx = 8192 }

[[models]]
id = "mock"
quirks = { extra_body = { num_ctx = 32768 } }
"""


@pytest.mark.parametrize(
    ("card", "setting", "flags", "expected"),
    [
        (False, None, (), None),
        (False, "16384", (), 16384),
        (False, "16384", ("-o", "num_ctx=2048"), 2048),
        (True, None, (), 32768),
        (True, "16384", (), 16384),
    ],
)
def test_the_nearest_word_on_the_context_holds(
    llmctl: Llmctl,
    sim: Simulator,
    card: bool,
    setting: str | None,
    flags: tuple[str, ...],
    expected: int | None,
) -> None:
    """The option before the setting, the setting before the model's card, nothing by default."""
    if card:
        file = llmctl.config / "providers" / "ollama.toml"
        file.parent.mkdir(parents=True)
        file.write_text(CARD, encoding="utf-8")
    if setting is not None:
        llmctl.env["LLMCTL_PROVIDERS__OLLAMA__CONTEXT"] = setting

    result = llmctl.run("-m", "ollama/mock", *flags, "hello there")

    assert result.code == 0, result.err
    assert sim.calls[-1].json.get("options", {}).get("num_ctx") == expected


def test_a_prompt_that_is_too_long_is_not_to_be_cut(llmctl: Llmctl, sim: Simulator) -> None:
    assert llmctl.run("-m", "ollama/mock", "hello there").code == 0

    assert sim.calls[-1].json["truncate"] is False


@pytest.mark.parametrize("wrong", ["lots", "-1", "0"])
def test_a_context_is_a_number(llmctl: Llmctl, sim: Simulator, wrong: str) -> None:
    llmctl.env["LLMCTL_PROVIDERS__OLLAMA__CONTEXT"] = wrong

    result = llmctl.run("-m", "ollama/mock", "hello there")

    assert (result.code, sim.requests) == (2, [])
    assert "providers.ollama.context 32768" in result.err


# ---- found -------------------------------------------------------------------------------------


def test_servers_that_listen_are_marked_and_told_nothing(llmctl: Llmctl, sim: Simulator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        unused = free.getsockname()[1]
    llmctl.env["LLMCTL_PROVIDERS__VLLM__BASE_URL"] = f"http://127.0.0.1:{unused}/v1"
    llmctl.env["LLMCTL_PROVIDERS__LMSTUDIO__BASE_URL"] = "http://192.0.2.1:1234/v1"

    listed = llmctl.run("providers", "list", "--json")

    listening = {one["id"]: one["listening"] for one in listed.json["providers"]}
    assert (listening["llamacpp"], listening["ollama"], listening["vllm"]) == (True, True, False)
    # Another machine is not looked at, nor what is no server of the user's.
    assert {listening[one] for one in ("lmstudio", "openai", "mistral", "local")} == {None}
    assert sim.requests == []
    table = llmctl.run("providers", "list").out.splitlines()
    rows = {line.split()[0]: line for line in table}
    assert rows["llamacpp"].endswith("listening")
    assert rows["vllm"].endswith("not found")


# ---- the real thing ----------------------------------------------------------------------------


def test_a_real_server_is_found_asked_and_held_to_a_grammar(
    llmctl: Llmctl, llama: LlamaServer
) -> None:
    llmctl.env["LLMCTL_PROVIDERS__LLAMACPP__BASE_URL"] = llama.openai_url
    llmctl.env["LLAMA_API_KEY"] = llama.key

    listed = llmctl.run("providers", "list", "--json").json["providers"]
    assert {one["id"]: one["listening"] for one in listed}["llamacpp"] is True
    has = llmctl.run("models", "list", "llamacpp", "--live", "--json")
    assert [one["id"] for one in has.json["models"]] == [NAME], has.err
    held = llmctl.run(
        *("-m", f"llamacpp/{NAME}", "-o", f"grammar={GRAMMAR}", "--json", "Is the sky blue?")
    )
    assert held.code == 0, held.err
    assert held.json["text"] in ("yes", "no")
    assert held.json["latency"]["server"]["output_s"] > 0
