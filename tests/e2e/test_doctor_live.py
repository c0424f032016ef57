"""`llmctl doctor PROVIDER --live`: says what it costs, tries what the card claims, records it."""

import json
from pathlib import Path

import pytest

from tests.e2e.harness import KEY, Llmctl
from tests.live.replay import calls, read, replayed
from tests.llama_server import NAME, LlamaServer
from tests.simulator import Simulator

pytestmark = pytest.mark.usefixtures("warm")

# Prices in tokens that make the figures easy: ten answers of 256, 64 or 16 tokens, 1,000 read.
PRICED = """\
card = 1
id = "mine"
name = "Mine"
kind = "api"
dialect = "openai_chat"
default_model = "mock"

[endpoint]
base_url = "{url}"

[auth]
kind = "key"
env = ["MINE_KEY"]

[[models]]
id = "mock"

[[models.prices]]
since = "2026-01-01"
currency = "{currency}"
input = "1"
output = "{output}"
source = {{ title = "made up", checked = "2026-11-23" }}
"""


def priced(llmctl: Llmctl, sim: Simulator, output: str, currency: str = "USD") -> None:
    folder = llmctl.config / "providers"
    folder.mkdir(parents=True)
    text = PRICED.format(url=sim.openai_url, output=output, currency=currency)
    (folder / "mine.toml").write_text(text)
    llmctl.env["MINE_KEY"] = KEY


@pytest.mark.parametrize(
    ("output", "currency", "tokens", "said"),
    [
        # 1,000 × 1 + 2,560 × 10 millionths of a dollar
        ("10", "USD", 256, "0.0266 USD"),
        # 2,560 × 50 would be 0.128: 1,000 × 1 + 640 × 50
        ("50", "USD", 64, "0.0330 USD"),
        # 640 × 200 would be 0.128: 1,000 × 1 + 160 × 200
        ("200", "USD", 16, "0.0330 USD"),
        # Not comparable with the bound: the middle one, 1,000 × 1 + 640 × 1200
        ("1200", "RUB", 64, "0.7690 RUB"),
    ],
)
def test_the_cost_is_said_and_bounded(
    llmctl: Llmctl, sim: Simulator, output: str, currency: str, tokens: int, said: str
) -> None:
    priced(llmctl, sim, output, currency)

    result = llmctl.run("doctor", "mine", "--live")

    assert result.code == 0, result.out
    assert f"at most {said} at its price of 2026-01-01" in result.err
    assert f"at most {tokens * 10} tokens back" in result.err
    limits = {one.json.get("max_tokens") for one in sim.calls}
    assert limits == {tokens, 16}
    assert len(sim.requests) == 10


def test_a_model_that_is_too_dear_is_not_asked(llmctl: Llmctl, sim: Simulator) -> None:
    priced(llmctl, sim, "600")  # 160 × 600 millionths are 0.096 already

    result = llmctl.run("doctor", "mine", "--live")

    assert (result.code, sim.requests) == (5, [])
    assert "0.10 USD" in result.err
    assert "-m" in result.err


def test_an_unknown_price_is_said_to_be_unknown(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("doctor", "openai", "--live", "-m", "openai/mock")

    assert "not known here" in result.err
    assert "USD" not in result.err


def test_a_claim_that_fails_is_named_and_the_check_fails(llmctl: Llmctl, sim: Simulator) -> None:
    # The calls come in the order of the claims: streamed, whole (the list is no call), system, …
    sim.script(["ok", "ok", "ok", "ok", "no-schema"])

    result = llmctl.run("doctor", "openai", "--live", "-m", "openai/mock", "--json")

    assert (result.code, result.json["failed"]) == (17, "schema")
    states = {one["layer"]: one["state"] for one in result.json["checks"]}
    assert states["stop"] == "ok", "the claims after it are tried all the same"
    assert "--record" in result.err
    assert "openai" in result.err


def test_recording_is_of_live_only(llmctl: Llmctl, sim: Simulator, tmp_path: Path) -> None:
    path = tmp_path / "r.json"

    result = llmctl.run("doctor", "openai", "--record", str(path))

    assert (result.code, sim.requests, path.exists()) == (2, [], False)
    assert "--live" in result.err


def test_a_file_that_cannot_be_written_costs_nothing(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("doctor", "openai", "--live", "--record", "/nowhere/r.json")

    assert (result.code, sim.requests) == (18, [])


def test_a_failure_is_recorded_too_without_the_key_it_repeats(
    llmctl: Llmctl, sim: Simulator, tmp_path: Path
) -> None:
    path = tmp_path / "r.json"
    model = "openai/mock-fault-key-echo"

    result = llmctl.run("doctor", "openai", "--live", "-m", model, "--record", str(path))

    assert (result.code, len(sim.calls)) == (6, 1)
    text = path.read_text()
    assert KEY in sim.calls[0].headers["authorization"]
    assert KEY not in text + result.out + result.err
    (check,) = json.loads(text)["checks"]
    assert check["answer"]["error"] == "auth"
    assert "***" in check["exchanges"][0]["response"]["pieces"][0]


def test_a_host_that_is_not_there_is_recorded_as_such(llmctl: Llmctl, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    env = {"LLMCTL_PROVIDERS__OPENAI__BASE_URL": "http://nowhere.invalid/v1"}

    result = llmctl.run("doctor", "openai", "--live", "--record", str(path), env=env)

    assert result.code == 9
    (check,) = read(path)["checks"]
    assert check["answer"]["error"] == "network"
    assert [one["response"]["status"] for one in check["exchanges"]] == [None]
    assert calls(read(path)) == [], "nothing came that could be decoded again"


def test_an_interrupted_check_leaves_no_file(
    llmctl: Llmctl, sim: Simulator, tmp_path: Path
) -> None:
    path = tmp_path / "r.json"
    command = ("doctor", "openai", "--live", "-m", "openai/mock-fault-no-head")

    with llmctl.start(*command, "--record", str(path)) as running:
        sim.wait_for(1)
        running.signal()
        result = running.end()

    assert result.code == 130
    assert list(tmp_path.iterdir()) == [llmctl.home]


def test_what_looks_like_a_key_of_somebody_is_not_recorded(
    llmctl: Llmctl, sim: Simulator, tmp_path: Path
) -> None:
    """A server that shows the key of another account."""
    path = tmp_path / "r.json"
    stranger = "sk-" + "Q7w" * 12
    sim.models = ("mock", stranger)

    result = llmctl.run("doctor", "ollama", "--live", "-m", "ollama/mock", "--record", str(path))

    assert result.code == 17
    assert not path.exists()
    assert list(tmp_path.glob("*.part")) == []
    assert stranger not in result.out + result.err


def test_a_real_server_does_what_its_card_claims(
    llmctl: Llmctl, llama: LlamaServer, tmp_path: Path
) -> None:
    """llama.cpp's own server with a real model; its recording decodes to the same."""
    path = tmp_path / "r.json"
    env = {"LLMCTL_PROVIDERS__LLAMACPP__BASE_URL": llama.openai_url, "LLAMA_API_KEY": llama.key}
    command = ("doctor", "llamacpp", "--live", "-m", f"llamacpp/{NAME}", "--json")

    result = llmctl.run(*command, "--record", str(path), env=env)

    assert (result.code, result.json["failed"]) == (0, None), result.out
    states = {one["layer"]: one["state"] for one in result.json["checks"]}
    # It has one model and serves it under any name; a short answer proves nothing of a limit.
    left_out = {name for name, state in states.items() if state == "skipped"}
    assert left_out - {"max-tokens"} == {"no-model"}
    assert states["bad-request"] == states["schema"] == "ok"
    assert llama.key not in path.read_text()
    recording = read(path)
    for check in calls(recording):
        now, then = replayed(recording, check), check["answer"]
        assert (now.text, now.finish, now.error) == (then["text"], then["finish"], then["error"])


def test_the_model_inside_the_process_does_too(llmctl: Llmctl, weights: Path) -> None:
    result = llmctl.run("doctor", "local", "--live", "-m", f"local/{weights}", "--json")

    assert (result.code, result.json["failed"]) == (0, None), result.err + result.out
    states = {one["layer"]: one["state"] for one in result.json["checks"]}
    assert states["answer"] == states["schema"] == states["bad-request"] == "ok"
    left_out = [name for name, state in states.items() if state == "skipped"]
    left_out = [name for name in left_out if name != "max-tokens"]  # a short answer proves nothing
    assert left_out == ["list", "no-model"]


def test_what_is_left_of_tokens_paid_in_advance(llmctl: Llmctl, sim: Simulator) -> None:
    sim.models = ("GigaChat-2",)
    sim.balance = {"GigaChat": 12_345.0, "GigaChat-Max": 0.0}
    left = llmctl.run("doctor", "gigachat", "--live", "--json")
    sim.balance = None
    none = llmctl.run("doctor", "gigachat", "--live", "--json")

    said = [{one["layer"]: one for one in result.json["checks"]} for result in (left, none)]
    assert (left.code, none.code) == (0, 0), left.out + none.out
    assert said[0]["balance"]["text"].startswith(
        "tokens left: GigaChat 12,345, GigaChat-Max 0; used up: GigaChat-Max"
    )
    assert said[1]["balance"] == {
        "layer": "balance", "state": "ok", "text": "pay as you go: no balance",
    }  # fmt: skip
