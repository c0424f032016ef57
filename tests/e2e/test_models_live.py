"""`models list PROVIDER --live`: the provider's own word, and what may keep it from being asked."""

import json
from datetime import date

import pytest

from tests.e2e.harness import KEY, Llmctl
from tests.simulator import Simulator
from tests.simulator.answers import TEXT
from tests.simulator.hosts import host_url

pytestmark = pytest.mark.usefixtures("warm")


@pytest.mark.parametrize(
    ("provider", "path"),
    [("openai", "/v1/models"), ("ollama", "/api/tags"), ("llamacpp", "/v1/models"),
     ("gemini", "/v1beta/models")],
)  # fmt: skip
def test_a_provider_lists_its_models(
    llmctl: Llmctl, sim: Simulator, provider: str, path: str
) -> None:
    listed = llmctl.run("models", "list", provider, "--live", "--json")

    assert listed.code == 0, listed.err
    document = listed.json
    assert (document["version"], document["live"]) == (1, True)
    assert [one["id"] for one in document["models"]] == list(sim.models)
    assert [(one.method, one.path) for one in sim.requests] == [("GET", path)]
    assert not sim.requests[0].body


def test_what_the_card_knows_stands_beside_it(llmctl: Llmctl, sim: Simulator) -> None:
    rows = json.loads(llmctl.run("models", "list", "openai", "--live", "--json").out)["models"]
    known = {one["id"]: one for one in rows}

    assert (known["gpt-6-luna"]["described"], known["gpt-6-luna"]["context"]) == (True, 1_050_000)
    assert (known["mock"]["described"], known["mock"]["context"]) == (False, None)
    assert known["mock"].keys() == known["gpt-6-luna"].keys()
    table = llmctl.run("models", "list", "openai", "--live").out
    assert "openai/mock-thinks" in table
    assert table.splitlines()[0].split()[0] == "model"


def test_the_key_goes_along_and_a_wrong_one_is_said(llmctl: Llmctl, sim: Simulator) -> None:
    sim.key = KEY
    assert llmctl.run("models", "list", "openai", "--live").code == 0
    sim.key = "other"

    refused = llmctl.run("models", "list", "openai", "--live")

    assert (refused.code, refused.out) == (6, "")
    assert "llmctl keys set openai" in refused.err
    assert KEY not in refused.err


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("max_level = 'device'", 4),
        ("max_level = 'network'", 4),
        ("deny = ['openai']", 4),
        ("allow = ['ollama']", 4),
        # What these limit is where prompts go.
        ("max_level = 'zero-retention'", 0),
        ("regions = ['RU']", 0),
        ("open_weights = true", 0),
    ],
)
def test_policy_holds_for_the_question_too(
    llmctl: Llmctl, sim: Simulator, rule: str, code: int
) -> None:
    llmctl.config.mkdir(exist_ok=True)
    (llmctl.config / "config.toml").write_text(f"[policy]\n{rule}\n", encoding="utf-8")

    result = llmctl.run("models", "list", "openai", "--live")

    assert result.code == code, result.err
    assert len(sim.requests) == (0 if code else 1)


def test_a_server_here_is_asked_even_where_nothing_may_leave(
    llmctl: Llmctl, sim: Simulator
) -> None:
    llmctl.env["LLMCTL_POLICY__MAX_LEVEL"] = "device"

    assert llmctl.run("models", "list", "ollama", "--live").code == 0


@pytest.mark.parametrize("arguments", [(), ("local",)])
def test_nobody_and_the_embedded_engine_are_not_asked(
    llmctl: Llmctl, sim: Simulator, arguments: tuple[str, ...]
) -> None:
    result = llmctl.run("models", "list", *arguments, "--live")

    assert (result.code, sim.requests) == (2, [])
    assert "llmctl models list" in result.err


def test_a_server_that_is_not_there(llmctl: Llmctl) -> None:
    llmctl.env["LLMCTL_PROVIDERS__OLLAMA__BASE_URL"] = "http://127.0.0.1:9"

    result = llmctl.run("models", "list", "ollama", "--live")

    assert (result.code, result.out) == (9, "")
    assert "127.0.0.1" in result.err


# ---- prices that a provider publishes


def test_prices_of_a_list_are_shown_as_they_are_charged(llmctl: Llmctl, sim: Simulator) -> None:
    """The simulator's host asks 0.00000015 and 0.0000006 US dollars for a token."""
    llmctl.env["LLMCTL_PROVIDERS__OPENROUTER__BASE_URL"] = host_url(sim.url, "openrouter")
    llmctl.env["OPENROUTER_API_KEY"] = KEY

    rows = llmctl.run("models", "list", "openrouter", "--live", "--json").json["models"]
    said = {one["id"]: one["published"] for one in rows}
    assert said["mock"] == {
        "input": "0.15",
        "output": "0.6",
        "cache_read": "0.075",
        "cache_write": None,
        "currency": "USD",
        "unit": 1_000_000,
        "context": 128_000,
        "output_limit": 16_384,
        "ttft_s": None,
        "output_tokens_per_s": None,
        "title": "Simulator: mock",
        "retires": None,
        "lifecycle": None,
        "size": None,
        "parameters": None,
        "quantisation": None,
        "family": None,
        "licence": None,
        "capabilities": [],
        "elsewhere": None,
    }
    assert (said["mock-thinks"]["input"], said["mock-thinks"]["currency"]) == (None, None)
    assert all(one["offers"] == [] for one in rows)
    head, *lines = llmctl.run("models", "list", "openrouter", "--live").out.splitlines()
    shown = {line.split()[0]: line.split() for line in lines}
    assert "1M tokens" in head
    assert shown["openrouter/mock"][-3:] == ["0.15", "0.6", "USD"]
    assert shown["openrouter/mock-thinks"][-3:] == ["-", "-", "-"]


def test_prices_and_speeds_of_each_partner(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.env["LLMCTL_PROVIDERS__HUGGINGFACE__BASE_URL"] = host_url(sim.url, "huggingface")
    llmctl.env["HF_TOKEN"] = "hf_" + KEY[3:]

    rows = llmctl.run("models", "list", "huggingface", "--live", "--json").json["models"]
    mock = next(one for one in rows if one["id"] == "mock")
    assert mock["published"]["input"] is None  # it depends on the partner
    first, second = mock["offers"]
    assert first["model"] == "huggingface/mock:together"
    assert (first["input"], first["output"], first["currency"]) == ("0.1", "0.4", "USD")
    assert (first["ttft_s"], first["output_tokens_per_s"], first["context"]) == (0.6, 40.1, 131072)
    assert (second["model"], second["input"]) == ("huggingface/mock:groq", None)
    lines = llmctl.run("models", "list", "huggingface", "--live").out.splitlines()
    shown = {line.split()[0]: line.split() for line in lines}
    assert shown["huggingface/mock:together"][-5:] == ["0.1", "0.4", "USD", "0.6", "40.1"]
    assert shown["huggingface/mock:groq"][-5:] == ["-"] * 5


# ---- models whose day has passed ---------------------------------------------------------------

CARD = """\
card = 1
id = "acme"
name = "Acme"
kind = "api"
dialect = "openai_chat"
any_model = true
endpoint = {{ base_url = "{url}" }}
auth = {{ kind = "key", env = ["ACME_API_KEY"] }}

[[models]]
id = "mock"
retires = "{day}"

[[models]]
id = "mock-old"
match = ["mock-old-*"]
retires = "2026-01-31"
"""


@pytest.fixture
def acme(llmctl: Llmctl, sim: Simulator) -> None:
    file = llmctl.config / "providers" / "acme.toml"
    file.parent.mkdir(parents=True)
    later = date(date.today().year + 2, 1, 1).isoformat()
    file.write_text(CARD.format(url=sim.openai_url, day=later), encoding="utf-8")
    llmctl.env["ACME_API_KEY"] = "a" * 20


@pytest.mark.usefixtures("acme")
def test_a_model_past_its_day_answers_with_a_warning(llmctl: Llmctl) -> None:
    past = llmctl.run("-m", "acme/mock-old-2025", "hello there")

    assert (past.code, past.out) == (0, TEXT + "\n")
    assert "2026-01-31" in past.err
    assert "llmctl models list acme --live" in past.err
    assert llmctl.run("-m", "acme/mock", "hello there").err == ""


@pytest.mark.usefixtures("acme")
def test_the_day_is_shown_with_the_model(llmctl: Llmctl) -> None:
    listed = llmctl.run("models", "list", "acme")
    assert "2026-01-31" in listed.out
    rows = {one["id"]: one for one in llmctl.run("models", "list", "acme", "--json").json["models"]}
    assert rows["mock-old"]["retires"] == "2026-01-31"
    assert "2026-01-31" in llmctl.run("models", "show", "acme/mock-old").out


@pytest.mark.usefixtures("acme")
def test_a_name_that_no_card_knows_is_asked_for_and_the_nearest_are_named(
    llmctl: Llmctl, sim: Simulator
) -> None:
    sim.models = ("mock",)

    unknown = llmctl.run("-m", "acme/moc-old", "hello there")

    assert (unknown.code, len(sim.calls)) == (7, 1)
    assert "acme/mock-old" in unknown.err


def test_a_country_that_is_refused_is_said_as_such_with_ways_out(llmctl: Llmctl) -> None:
    refused = llmctl.run("-m", "openai/mock-fault-region", "hello there", "--json")

    assert refused.code == 6
    assert refused.json["error"]["reason"] == "region"
    shown = llmctl.run("-m", "openai/mock-fault-region", "hello there").err
    assert "territory not supported" in shown
    assert "llmctl config set providers.openai.proxy" in shown
    assert "yandexgpt (RU)" in shown
    assert "openrouter" not in shown  # it is of the same country
