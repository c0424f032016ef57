"""`ask --fill-mask`: guesses for a gap, from encoder models at Hugging Face."""

import pytest

from tests.e2e.harness import Llmctl, Result
from tests.simulator import Simulator
from tests.simulator.hosts import host_url

pytestmark = pytest.mark.usefixtures("warm")

TOKEN = "hf_" + "x" * 34
TEXT = "Paris is the [MASK] of France."
GUESSED = (
    "0.9000\tcapital\tParis is the capital of France.\n"
    "0.0500\theart\tParis is the heart of France.\n"
)


@pytest.fixture(autouse=True)
def address(llmctl: Llmctl, sim: Simulator) -> None:
    url = host_url(sim.url, "huggingface")
    llmctl.env["LLMCTL_PROVIDERS__HUGGINGFACE__BASE_URL"] = url
    llmctl.env["LLMCTL_PROVIDERS__HUGGINGFACE__TEXT_GENERATION"] = "router"
    llmctl.env["HF_TOKEN"] = TOKEN
    sim.key = TOKEN


def fill(llmctl: Llmctl, model: str, *flags: str, text: str = TEXT) -> Result:
    return llmctl.run("ask", "--fill-mask", "-m", f"huggingface/{model}", *flags, text)


def test_a_guess_a_line_and_all_of_them_in_the_details(llmctl: Llmctl, sim: Simulator) -> None:
    plain = fill(llmctl, "mock-bert", "-o", "top_k=2")
    told = fill(llmctl, "mock-bert", "-o", "top_k=2", "--json").json

    assert (plain.code, plain.out) == (0, GUESSED), plain.err
    assert told["details"]["guesses"][1] == {
        "score": 0.05, "word": "heart", "text": "Paris is the heart of France.",
    }  # fmt: skip
    assert told["text"] == GUESSED
    assert sim.calls[-1].path == "/hosts/huggingface/hf-inference/models/mock-bert"
    assert sim.calls[-1].json == {"inputs": TEXT, "parameters": {"top_k": 2}}


def test_the_models_own_sign_takes_the_place_of_another(llmctl: Llmctl, sim: Simulator) -> None:
    done = fill(llmctl, "mock-roberta", "-o", "top_k=2")

    assert (done.code, done.out) == (0, GUESSED), done.err
    assert "another sign for a gap" in done.err
    assert [one.json["inputs"] for one in sim.calls] == [TEXT, TEXT.replace("[MASK]", "<mask>")]


def test_columns_at_a_terminal(llmctl: Llmctl) -> None:
    flags = ("ask", "--fill-mask", "-o", "top_k=2", "-q")
    shown = llmctl.on_terminal(*flags, "-m", "huggingface/mock-bert", TEXT)

    assert shown.out.replace("\r\n", "\n") == (
        "0.9000  capital  Paris is the capital of France.\n"
        "0.0500  heart    Paris is the heart of France.\n"
    )


def test_an_endpoint_of_ones_own(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.env["LLMCTL_PROVIDERS__HUGGINGFACE__BASE_URL"] = (
        f"{sim.url}/hosts/huggingface/encoder/v1"
    )
    llmctl.env.pop("LLMCTL_PROVIDERS__HUGGINGFACE__TEXT_GENERATION")

    done = fill(llmctl, "bert", "-o", "top_k=2")

    assert (done.code, done.out) == (0, GUESSED), done.err
    assert sim.calls[-1].path == "/hosts/huggingface/encoder/"


@pytest.mark.parametrize(
    ("model", "code", "said", "calls"),
    [
        ("mock-bert-mock-fault-loading", 0, "Loading model", 3),
        ("mock-bert-mock-fault-no-guesses", 10, "guessed nothing", 1),
        ("mock-bert-mock-fault-no-mask-named", 16, "its page on the Hub names it", 1),
        ("mock-bert-mock-fault-500-final", 10, "The server had an error", 1),
        ("mock-bert-mock-fault-no-model", 7, "does not exist", 1),
    ],
)
def test_faults(
    llmctl: Llmctl, sim: Simulator, model: str, code: int, said: str, calls: int
) -> None:
    done = fill(llmctl, model)

    assert (done.code, said in done.err, len(sim.calls)) == (code, True, calls), done.err
    assert bool(done.out) == (code == 0)


def test_nothing_is_sent_without_a_gap_or_to_who_fills_none(llmctl: Llmctl, sim: Simulator) -> None:
    no_gap = fill(llmctl, "mock-bert", text="Paris is the capital.")
    chats = llmctl.run("ask", "--fill-mask", "-m", "anthropic/mock", TEXT)

    assert (no_gap.code, chats.code) == (2, 2)
    assert "-m huggingface/google-bert/bert-base-uncased" in chats.err
    assert sim.requests == []


def test_a_gap_survives_what_is_redacted(llmctl: Llmctl, sim: Simulator) -> None:
    """The answer has the address again, and the provider never had it."""
    text = "Write to ann@example.org in [MASK]."
    done = fill(llmctl, "mock-roberta", "--redact", "-o", "top_k=1", text=text)

    assert (done.code, done.out) == (
        0, "0.9000\tcapital\tWrite to ann@example.org in capital.\n",
    ), done.err  # fmt: skip
    assert len(sim.calls) == 2
    assert not any(b"ann@example.org" in one.body for one in sim.calls)


def test_a_host_without_a_way_to_continue_texts_says_who_has(llmctl: Llmctl) -> None:
    done = llmctl.run("--complete", "-m", "huggingface/mock-org/mock:together", "Once upon")

    assert (done.code, done.out) == (7, "")
    assert "-m ollama/MODEL" in done.err
    assert "-m huggingface/ORG/MODEL" in done.err
