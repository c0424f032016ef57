"""What runs say of cost: before anything is sent, with a provider's own count, and afterwards."""

from typing import Any

import pytest

from tests.attachments import png
from tests.e2e.harness import Llmctl, Result
from tests.simulator import Simulator
from tests.simulator.counting import AROUND, words

pytestmark = pytest.mark.usefixtures("warm")

HOST = "LLMCTL_PROVIDERS__{}__FACTS"
ASK = "Why is the sky blue?"
KEYS = {
    "version", "model", "input_tokens", "token_method", "low", "high", "price_source", "price_date",
}  # fmt: skip


def estimate(llmctl: Llmctl, *arguments: str, **given: Any) -> Any:
    result = llmctl.run("cost", "estimate", *arguments, "--json", **given)
    assert (result.code, result.err) == (0, ""), result.err
    assert result.json.keys() >= KEYS
    assert result.json["version"] == 1
    return result.json


def at_home(*providers: str) -> dict[str, str | None]:
    """The simulator stands for the provider itself, whose prices hold there."""
    return {HOST.format(one.upper()): "inherit" for one in providers}


# ---- before


@pytest.mark.parametrize(
    ("moment", "amount"),
    [("2026-11-30T23:59:59Z", "0.012"), ("2026-12-01T00:00Z", "0.024")],
)
def test_a_price_is_that_of_the_moment(llmctl: Llmctl, moment: str, amount: str) -> None:
    tokens = ("--input-tokens", "1000", "--output-tokens", "1000")
    env = {"GEMINI_API_KEY": None, "LLMCTL_PROVIDERS__GEMINI__BASE_URL": None}

    found = estimate(
        llmctl, "-m", "gemini/gemini-4-argon", *tokens, "--at", moment, env=env
    )  # 1,000 × 2 + 1,000 × 10 millionths of a dollar, twice as much from December on

    assert found["model"] == "gemini/gemini-4-argon"
    assert found["low"] == found["high"] == {"amount": amount, "currency": "USD"}
    assert (found["input_tokens"], found["token_method"]) == (1000, "given")
    assert found["price_date"] is not None
    assert found["unknown_because"] is None


@pytest.mark.parametrize(
    ("flags", "amount"),
    [
        (("--input-tokens", "272000", "--output-tokens", "1000"), "0.0277"),
        (("--input-tokens", "272001", "--output-tokens", "1000"), "0.0551502"),
        (("--input-tokens", "1000", "--output-tokens", "1000", "--mode", "batch"), "0.0003"),
        # 600 × 0.1 + 400 × 0.01
        (("--input-tokens", "1000", "--output-tokens", "0", "--cached-tokens", "400"), "0.000064"),
    ],
)
def test_sizes_modes_and_caches(llmctl: Llmctl, flags: tuple[str, ...], amount: str) -> None:
    env = {"LLMCTL_PROVIDERS__OPENAI__BASE_URL": None}

    assert estimate(llmctl, "-m", "openai/gpt-6-luna", *flags, env=env)["low"]["amount"] == amount


def test_nothing_is_sent_and_no_key_is_needed(llmctl: Llmctl, sim: Simulator) -> None:
    env = {**at_home("openai"), "OPENAI_API_KEY": None}

    found = estimate(llmctl, "-m", "openai/gpt-5", "--max-tokens", "100", ASK, env=env)

    assert sim.requests == []
    assert found["token_method"] == "exact-local"
    assert found["input_tokens"] == 13  # "Why is the sky blue?" is 6, and 7 are around it
    assert float(found["low"]["amount"]) < float(found["high"]["amount"])


def test_a_prompt_may_be_piped_in(llmctl: Llmctl) -> None:
    one = estimate(llmctl, "-m", "gemini/mock", ASK)
    more = estimate(llmctl, "-m", "gemini/mock", ASK, stdin=b"a diff\n" * 200)

    assert one["token_method"] == "estimate"
    assert more["input_tokens"] > one["input_tokens"] + 400


def test_a_piped_prompt_may_be_in_another_encoding(llmctl: Llmctl) -> None:
    flags, text = ("-m", "gemini/mock"), "Почему небо голубое?"

    old = estimate(llmctl, *flags, "--encoding", "cp1251", stdin=text.encode("cp1251"))

    assert old["input_tokens"] == estimate(llmctl, *flags, stdin=text.encode())["input_tokens"]


@pytest.mark.parametrize("model", ["openai/gpt-6-luna", "huggingface/nobody/knows-it"])
def test_an_unknown_price_is_null_and_no_failure(llmctl: Llmctl, model: str) -> None:
    found = estimate(llmctl, "-m", model, ASK)  # at the simulator, which is nobody's own host

    assert (found["low"], found["high"], found["price_source"]) == (None, None, None)
    assert found["unknown_because"] in ("other-host", "model-not-listed")
    shown = llmctl.run("cost", "estimate", "-m", model, ASK)
    assert shown.code == 0
    assert "unknown: " in shown.out


def test_the_model_inside_costs_nothing(llmctl: Llmctl) -> None:
    found = estimate(llmctl, ASK)

    assert found["model"].startswith("local/")
    assert found["high"] == {"amount": "0", "currency": "USD"}
    assert found["price_source"] == "own hardware"


def test_people_get_lines(llmctl: Llmctl) -> None:
    env = {"LLMCTL_PROVIDERS__YANDEXGPT__BASE_URL": None}

    shown = llmctl.run("cost", "estimate", "-m", "yandexgpt/yandexgpt", ASK, env=env)

    assert shown.code == 0
    for text in ("RUB to ", "VAT included", "checked 2026-", "1,000 characters", "an estimate"):
        assert text in shown.out


def test_a_rate_of_ones_own_converts(llmctl: Llmctl) -> None:
    llmctl.config.mkdir(exist_ok=True)
    (llmctl.config / "config.toml").write_text(
        '[rates]\n"USD/RUB" = { rate = "80", date = "2026-11-24", source = "mine" }\n'
    )
    env = {"LLMCTL_PROVIDERS__OPENAI__BASE_URL": None}
    tokens = ("--input-tokens", "1000", "--output-tokens", "1000", "--currency", "rub")

    found = estimate(llmctl, "-m", "openai/gpt-6-luna", *tokens, env=env)

    assert found["low"] == {"amount": "0.048", "currency": "RUB"}  # 0.0006 × 80
    assert (found["rates"][0]["rate"], found["rates"][0]["date"]) == ("80", "2026-11-24")


@pytest.mark.parametrize(
    "flags",
    [
        ("--input-tokens", "5", "hello"),
        ("--cached-tokens", "5", "hello"),
        ("--input-tokens", "5", "--output-tokens", "5", "--cached-tokens", "6"),
        ("--at", "yesterday", "hello"),
        ("--input-tokens", "-1"),
    ],
)
def test_what_does_not_go_together(llmctl: Llmctl, flags: tuple[str, ...]) -> None:
    assert llmctl.run("cost", "estimate", "-m", "gemini/mock", *flags).code == 2


def test_a_misspelt_model_is_told(llmctl: Llmctl) -> None:
    result = llmctl.run("cost", "estimate", "-m", "gemni/mock", "hello")

    assert result.code == 2
    assert "gemini/mock" in result.err


def test_a_dry_run_has_the_estimate(llmctl: Llmctl, sim: Simulator) -> None:
    flags = ("--dry-run", "--max-tokens", "100", ASK)

    known = llmctl.run("-m", "openai/gpt-5", *flags, env=at_home("openai")).json
    unknown = llmctl.run("-m", "openai/gpt-5", *flags).json

    assert sim.requests == []
    assert known["estimate"]["token_method"] == "exact-local"
    assert known["estimate"]["input_tokens"] == 13
    assert known["cost"]["low"] == known["estimate"]["low"]
    assert known["cost"]["high"]["currency"] == "USD"
    assert unknown["cost"] is None
    assert unknown["estimate"]["input_tokens"] == 13


def test_a_picture_that_is_not_counted_leaves_the_cost_without_a_bound(llmctl: Llmctl) -> None:
    (llmctl.home / "cat.png").write_bytes(png())
    asked = ("-m", "openai/gpt-5", "-a", "cat.png", ASK)

    dry = llmctl.run(*asked, "--dry-run", "--max-tokens", "100", env=at_home("openai")).json
    told = llmctl.run("cost", "estimate", *asked, env=at_home("openai"))

    assert dry["estimate"]["not_counted"] == ["image/png"]
    assert dry["cost"]["low"]["currency"] == "USD"
    assert (dry["cost"]["usual"], dry["cost"]["high"]) == (None, None)
    assert dry["estimate"]["input_tokens_most"] is None
    assert "without a bound" in told.out


# ---- the provider's own count

COUNTED = {
    "openai": "/v1/responses/input_tokens",
    "anthropic": "/anthropic/v1/messages/count_tokens",
    "yandexgpt": "/foundationModels/v1/tokenizeCompletion",
    "gigachat": "/gigachat/v1/tokens/count",
    "llamacpp": "/v1/chat/completions/input_tokens",
}


@pytest.mark.parametrize("provider", sorted(COUNTED))
def test_providers_count_when_asked(llmctl: Llmctl, sim: Simulator, provider: str) -> None:
    found = estimate(llmctl, "-m", f"{provider}/mock", "-s", "Be brief.", "--remote", ASK)

    around = 0 if provider == "gigachat" else 2 * AROUND
    assert found["input_tokens"] == words("Be brief.", ASK) + around
    assert found["token_method"] == "exact-remote"
    assert found["not_counted"] == (["template"] if provider == "gigachat" else [])
    assert sim.requests[-1].path == COUNTED[provider]


def test_gemini_counts_too(llmctl: Llmctl, sim: Simulator) -> None:
    found = estimate(llmctl, "-m", "gemini/mock", "--remote", ASK)

    assert found["input_tokens"] == len(sim.requests[-1].body) // 8
    assert found["token_method"] == "exact-remote"


def test_the_ledger_keeps_what_was_sent_to_be_counted(llmctl: Llmctl) -> None:
    """It left like any prompt; its tokens are nobody's usage, and nothing is owed for them."""
    estimate(llmctl, "-m", "gemini/mock", "--remote", ASK)

    (run,) = llmctl.run("logs", "list", "--json").json["runs"]
    assert (run["log"]["kind"], run["model"]["provider"]) == ("count", "gemini")
    assert run["prompt_start"] == ASK
    assert run["usage"]["input_tokens"] is None
    assert llmctl.run("cost", "report", "--json").json["total"]["unpriced"] == 0


def test_a_count_is_sent_like_the_prompt_itself(llmctl: Llmctl, sim: Simulator) -> None:
    estimate(llmctl, "-m", "yandexgpt/mock", "--remote", ASK)
    llmctl.run("-m", "yandexgpt/mock", ASK)

    counted, asked = sim.requests
    assert counted.headers["x-data-logging-enabled"] == "false"
    for name in ("x-data-logging-enabled", "authorization", "x-folder-id", "host"):
        assert counted.headers[name] == asked.headers[name]


@pytest.mark.parametrize(
    "rule",
    [
        ("LLMCTL_POLICY__MAX_LEVEL", "device"),
        ("LLMCTL_POLICY__DENY", '["openai"]'),
        ("LLMCTL_POLICY__REGIONS", '["RU"]'),
    ],
)
def test_what_policy_forbids_to_send_is_not_counted_either(
    llmctl: Llmctl, sim: Simulator, rule: tuple[str, str]
) -> None:
    result = llmctl.run("cost", "estimate", "-m", "openai/mock", "--remote", ASK, env=dict([rule]))

    assert result.code == 4
    assert sim.requests == []


def test_who_cannot_count_is_not_asked(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("cost", "estimate", "-m", "ollama/mock", "--remote", ASK)

    assert result.code == 2
    assert "no way to count" in result.err
    assert sim.requests == []


# ---- afterwards


def receipt(result: Result) -> Any:
    assert result.code == 0, result.err
    return result.json


def test_an_answer_costs_its_usage_times_the_price(llmctl: Llmctl, sim: Simulator) -> None:
    sim.models = ("gemini-3.8-flash",)
    flags = ("-m", "gemini/gemini-3.8-flash", ASK, "--json")

    shown = receipt(llmctl.run(*flags, env=at_home("gemini")))
    elsewhere = receipt(llmctl.run(*flags))

    usage, cost = shown["usage"], shown["cost"]
    # 0.75 and 3.75 dollars a million
    expected = usage["input_tokens"] * 75 + usage["output_tokens"] * 375
    assert round(float(cost["amount"]) * 1e8) == expected
    assert (cost["currency"], cost["kind"]) == ("USD", "computed")
    assert cost["price_source"]
    assert cost["price_date"]
    assert (elsewhere["cost"]["amount"], elsewhere["cost"]["kind"]) == (None, "unknown")
    assert elsewhere["cost"]["unknown_because"] == "other-host"


def test_the_model_that_answered_is_charged(llmctl: Llmctl, sim: Simulator) -> None:
    """The simulator says gpt-6-luna-2026-09-01 for gpt-6-luna."""
    shown = receipt(llmctl.run("-m", "openai/gpt-6-luna", ASK, "--json", env=at_home("openai")))

    assert shown["model"]["resolved"] == "gpt-6-luna-2026-09-01"
    expected = shown["usage"]["input_tokens"] + shown["usage"]["output_tokens"] * 5
    assert round(float(shown["cost"]["amount"]) * 1e7) == expected
    assert sim.calls


def test_an_answer_cut_by_length_is_charged_too(llmctl: Llmctl) -> None:
    result = llmctl.run(
        "-m", "openai/gpt-6-luna", ASK, "--json", "--max-tokens", "1", env=at_home("openai")
    )

    assert result.json["finish_reason"] == "length"
    assert result.json["cost"]["kind"] == "computed"
