"""Models of the Hub and of a server: found, shown, pulled, asked, removed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import KEY, Llmctl
from tests.hub import Hub, serving
from tests.hub_models import Repo
from tests.simulator import Simulator
from tests.simulator.hosts import host_url

pytestmark = pytest.mark.usefixtures("warm")
PARTNER = {"provider": "together", "providerId": "x", "status": "live", "task": "conversational"}


@pytest.fixture
def hub(llmctl: Llmctl, sim: Simulator) -> Iterator[Hub]:
    repos = [
        Repo("mock/tiny-GGUF", {"tiny-Q8_0.gguf": b"GGUF" + b"x" * 5000, "README.md": b"#"},
             tags=("gguf", "license:mit"), card={"license": "mit"}),
        Repo("mock/tiny", {"model.safetensors": b"x"}, parameters=135_000_000,
             partners=[PARTNER]),
        Repo("mock/gated-GGUF", {"g-Q4_K_M.gguf": b"GGUF"}, gated="manual"),
    ]  # fmt: skip
    with serving(Hub(repos=repos)) as one:
        llmctl.env["LLMCTL_PROVIDERS__HUGGINGFACE__HUB_URL"] = one.url
        llmctl.env["LLMCTL_PROVIDERS__HUGGINGFACE__BASE_URL"] = host_url(sim.url, "huggingface")
        sim.models = ("mock/tiny",)
        yield one


def test_a_search_and_one_of_what_it_found(llmctl: Llmctl, hub: Hub) -> None:
    found = llmctl.run("models", "list", "huggingface", "--search", "tiny", "--json")

    assert found.code == 0, found.err
    document = found.json
    assert (document["version"], document["search"]) == (1, "tiny")
    quantised, served = document["models"]
    assert (quantised["id"], quantised["gguf"], quantised["licence"]) == (
        "mock/tiny-GGUF", True, "mit"
    )  # fmt: skip
    assert served["served_by"][0]["model"] == "huggingface/mock/tiny:together"
    assert (served["served_by"][0]["output"], served["served_by"][0]["ttft_s"]) == ("0.4", 0.6)
    lines = llmctl.run("models", "list", "huggingface", "--search", "tiny").out.splitlines()
    assert lines[2].split() == [
        *("huggingface/mock/tiny", "text-generation", "-", "135M", "0", "no"),
        *("together", "0.1/0.4", "USD", "0.6", "s"),
    ]
    shown = llmctl.run("models", "show", "huggingface/mock/tiny-GGUF").out
    assert "runs here as local/mock/tiny-GGUF:Q8_0, 5.0 kB" in shown
    assert llmctl.run("models", "show", "hf.co/mock/tiny-GGUF").out == shown


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("list", "huggingface", "--search", " "), 2, "--search wants a word"),
        (("list", "openai", "--gguf"), 2, "for searching a hub"),
        (("list", "huggingface", "--search", "x", "--sort", "size"), 2, "downloads, likes"),
        (("show", "huggingface/mock/nosuch"), 7, "--search nosuch"),
        (("show", "local/mock/tiny-GGUF"), 7, "llmctl models show huggingface/mock/tiny-GGUF"),
        (("show", "mock/tiny-GGUF"), 2, "one of the Hub: huggingface/mock/tiny-GGUF"),
        (("show", "ollama/nosuch"), 7, "ollama has no model nosuch"),
        (("pull", "local/mock/tiny"), 7, "--gguf --search tiny"),
        (("pull", "local/mock/gated-GGUF"), 6, "accept them at"),
        (("pull", "local/mock/tiny-GGUF", "--quant", "Q2_K"), 7, "it has: Q8_0"),
        (("pull", "ollama/nosuch"), 7, "file does not exist"),
        (("pull", "ollama/mock-half"), 11, "go on with it: llmctl models pull ollama/mock-half"),
        (("rm", "local/mock/tiny-GGUF"), 7, "was not pulled"),
    ],
)
def test_what_goes_wrong_is_said(
    llmctl: Llmctl, hub: Hub, arguments: tuple[str, ...], code: int, said: str
) -> None:
    result = llmctl.run("models", *arguments)

    assert (result.code, result.out) == (code, "")
    assert said in result.err


def test_nothing_is_asked_where_nothing_may_leave(llmctl: Llmctl, hub: Hub, sim: Simulator) -> None:
    llmctl.env["LLMCTL_POLICY__MAX_LEVEL"] = "device"

    for arguments in (
        ("list", "huggingface", "--search", "tiny"),
        ("show", "huggingface/mock/tiny"),
        ("pull", "local/mock/tiny-GGUF"),
        ("pull", "ollama/mock"),
    ):
        assert llmctl.run("models", *arguments).code == 4
    assert (hub.asked, sim.requests) == ([], [])


def test_names_from_the_network_are_harmless_on_a_terminal(llmctl: Llmctl, hub: Hub) -> None:
    hub.repos[0].card = {"license": "mit\x1b]0;title\x07", "base_model": "a\x1b[2Jb"}

    shown = llmctl.run("models", "show", "huggingface/mock/tiny-GGUF")

    assert shown.code == 0
    assert b"\x1b" not in shown.stdout
    assert "a␛[2Jb" in shown.out


def test_pulled_listed_and_removed(llmctl: Llmctl, hub: Hub) -> None:
    pulled = llmctl.run("models", "pull", "hf.co/mock/tiny-GGUF")

    assert (pulled.code, pulled.out) == (0, "")
    assert "tiny-Q8_0.gguf" in pulled.err
    assert "Ask it: llmctl -m local/mock/tiny-GGUF:Q8_0" in pulled.err
    again = llmctl.run("models", "pull", "local/mock/tiny-GGUF")
    assert "is here already" in again.err
    rows = llmctl.run("models", "list", "local", "--search", "tiny", "--json").json["models"]
    assert [(one["id"], one["here"], one["verified"]) for one in rows] == [
        ("mock/tiny-GGUF:Q8_0", True, True)
    ]
    removed = llmctl.run("models", "rm", "local/mock/tiny-GGUF")
    assert (removed.code, "5.0 kB" in removed.err) == (0, True)
    assert not list(Path(llmctl.data).rglob("*.gguf"))


def test_a_server_pulls_shows_and_deletes(llmctl: Llmctl, sim: Simulator) -> None:
    pulled = llmctl.run("models", "pull", "ollama/mock:8b")

    assert (pulled.code, pulled.out) == (0, "")
    assert "98.4 MB" in pulled.err
    shown = llmctl.run("models", "show", "ollama/mock", "--json").json["model"]
    assert shown["published"]["quantisation"] == "Q4_1"
    assert shown["published"]["context"] == 4096
    assert llmctl.run("models", "rm", "ollama/mock").code == 0
    assert [one.method for one in sim.requests][-1] == "DELETE"


def test_the_key_goes_to_the_hub_and_not_to_its_store(llmctl: Llmctl, hub: Hub) -> None:
    token = "hf_" + KEY[3:]
    hub.gate = token
    llmctl.env["HF_TOKEN"] = token

    assert llmctl.run("models", "pull", "local/mock/gated-GGUF").code == 0

    seen = {(place, headers.get("authorization")) for place, _m, _p, headers in hub.asked}
    assert seen == {("hub", f"Bearer {token}"), ("store", None)}


def test_a_model_from_the_hub_answers_here(llmctl: Llmctl, hub: Hub, weights: Path) -> None:
    """SmolLM2 under a name of the Hub: fetched over a connection that breaks, then asked."""
    data = weights.read_bytes()
    hub.repos.append(Repo("mock/Smol-GGUF", {"Smol-Q4_1.gguf": data}, tags=("gguf",)))
    hub.cuts = [40_000_000]
    llmctl.env["LLMCTL_LOCAL__THREADS"] = "1"

    pulled = llmctl.run("models", "pull", "local/mock/Smol-GGUF")
    assert pulled.code == 0, pulled.err
    assert hub.fetched == ["", "bytes=40000000-"]
    asked = llmctl.run(
        "-m", "local/mock/Smol-GGUF", "--max-tokens", "24", "--temperature", "0", "--json",
        "Why is the sky blue?",
    )  # fmt: skip

    assert asked.code == 0, asked.err
    assert "light" in asked.json["text"]
    assert asked.json["model"]["requested"] == "local/mock/Smol-GGUF"
    assert asked.json["privacy"]["level"] == "device"
    assert asked.json["cost"]["amount"] == "0"
