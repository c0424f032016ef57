"""Whole runs against YandexGPT as the simulator plays it: both APIs, operations, and tokens."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from tests.e2e.harness import KEY, Llmctl
from tests.simulator import Simulator
from tests.simulator.answers import TEXT
from tests.simulator.site import MODELS

ASK = "Столица Австралии?"
MODE = "LLMCTL_PROVIDERS__YANDEXGPT__MODE"
OWN = ("YC_API_KEY", "YC_IAM_TOKEN", "YC_OAUTH_TOKEN", "YC_TOKEN")


@pytest.mark.parametrize("flags", [(), ("--no-stream",)])
def test_a_prompt_in_cyrillic(llmctl: Llmctl, sim: Simulator, flags: tuple[str, ...]) -> None:
    result = llmctl.run("-m", "yandexgpt/mock", ASK, "--json", *flags)

    assert result.code == 0, result.err
    assert result.json["text"] == TEXT
    assert result.json["finish_reason"] == "stop"
    assert result.json["usage"]["output_tokens"] == 4
    assert result.json["request_id"] == "req-sim-1"
    (call,) = sim.calls
    assert call.path == "/foundationModels/v1/completion"
    assert call.json == {
        "modelUri": "gpt://b1gown/mock",
        "completionOptions": {} if flags else {"stream": True},
        "messages": [{"role": "user", "text": ASK}],
    }
    assert call.headers["authorization"] == f"Api-Key {KEY}"
    assert call.headers["x-folder-id"] == "b1gown"
    assert call.headers["x-data-logging-enabled"] == "false"


def test_text_streams_once_though_each_line_repeats_it(llmctl: Llmctl) -> None:
    result = llmctl.run("-m", "yandexgpt/mock", f"Repeat: {ASK * 20}")

    assert (result.code, result.out) == (0, ASK * 20 + "\n")


def test_logging_is_refused_unless_the_user_allows_it(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.env["LLMCTL_PROVIDERS__YANDEXGPT__DATA_LOGGING"] = "allow"

    assert llmctl.run("-m", "yandexgpt/mock", ASK).code == 0
    assert "x-data-logging-enabled" not in sim.calls[0].headers


def test_instructions_schema_and_options(llmctl: Llmctl, sim: Simulator, tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    file = tmp_path / "city.json"
    file.write_text(json.dumps(schema))
    hidden = {"mode": "ENABLED_HIDDEN"}
    options = f"reasoningOptions={json.dumps(hidden)}"

    result = llmctl.run("-m", "yandexgpt/mock", ASK, "-s", "Кратко.", "--schema", str(file),
                        "-o", options, "--max-tokens", "50", "--temperature", "0.3",
                        "--seed", "7")  # fmt: skip

    assert result.code == 0, result.err
    assert json.loads(result.out) == {"city": "pear"}
    assert "--seed" in result.err
    assert sim.calls[0].json == {
        "modelUri": "gpt://b1gown/mock",
        "completionOptions": {
            "stream": True,
            "temperature": 0.3,
            "maxTokens": "50",
            "reasoningOptions": hidden,
        },
        "messages": [{"role": "system", "text": "Кратко."}, {"role": "user", "text": ASK}],
        "jsonSchema": {"schema": schema},
    }


def test_a_conversation(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.run("-m", "yandexgpt/mock", ASK)
    llmctl.run("-m", "yandexgpt/mock", "-c", "А Новой Зеландии?")

    assert sim.calls[1].json["messages"] == [
        {"role": "user", "text": ASK},
        {"role": "assistant", "text": TEXT},
        {"role": "user", "text": "А Новой Зеландии?"},
    ]


@pytest.mark.parametrize(
    ("model", "uri"),
    [
        ("mock/rc", "gpt://b1gown/mock/rc"),
        ("mock/latest@tamr1", "gpt://b1gown/mock/latest@tamr1"),
        ("gpt://b1gelse/mock/latest", "gpt://b1gelse/mock/latest"),
    ],
)
def test_branches_tunings_and_whole_addresses(
    llmctl: Llmctl, sim: Simulator, model: str, uri: str
) -> None:
    result = llmctl.run("-m", f"yandexgpt/{model}", ASK)

    assert (result.code, result.out) == (0, TEXT + "\n"), result.err
    assert sim.calls[0].json["modelUri"] == uri


def test_an_open_model_is_asked_by_the_compatible_api(llmctl: Llmctl, sim: Simulator) -> None:
    sim.models = (*MODELS, "gpt-oss-120b")

    result = llmctl.run("-m", "yandexgpt/gpt-oss-120b", ASK, "--json")

    assert result.json["text"] == TEXT, result.err
    assert result.json["usage"]["output_tokens"] == 4
    (call,) = sim.calls
    assert call.path == "/v1/chat/completions"
    assert call.json == {
        "model": "gpt://b1gown/gpt-oss-120b",
        "messages": [{"role": "user", "content": ASK}],
        "stream": True,
    }
    assert call.headers["authorization"] == f"Api-Key {KEY}"
    assert call.headers["openai-project"] == "b1gown"
    assert call.headers["x-data-logging-enabled"] == "false"


# ---- operations


def test_an_answer_that_is_asked_for_later(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("-m", "yandexgpt/mock", ASK, "--events", env={MODE: "async"})

    events = [json.loads(line) for line in result.out.splitlines()]
    assert result.code == 0, result.err
    kinds = ["start", "progress", "progress", "text", "finished", "receipt"]
    assert [one["type"] for one in events] == kinds
    assert events[3]["text"] == TEXT
    name = events[4]["request_id"]
    asked = [(one.method, one.path) for one in sim.requests]
    operation = ("GET", f"/operations/{name}")
    assert asked == [("POST", "/foundationModels/v1/completionAsync"), operation, operation]
    assert "stream" not in sim.calls[0].json["completionOptions"]
    keys = {one.headers["authorization"] for one in sim.requests}
    assert keys == {f"Api-Key {KEY}"}


def test_an_operation_that_fails(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("-m", "yandexgpt/mock-fault-operation-failed", ASK, env={MODE: "async"})

    assert result.code == 16, result.err
    assert "too long" in result.err
    assert len(sim.calls) == 1


# ---- errors


def test_a_wrong_key(llmctl: Llmctl, sim: Simulator) -> None:
    sim.key = "another"

    result = llmctl.run("-m", "yandexgpt/mock", ASK)

    assert result.code == 6
    assert "llmctl keys set yandexgpt" in result.err
    assert KEY not in result.err


def test_a_folder_that_is_not_the_keys(llmctl: Llmctl) -> None:
    result = llmctl.run("-m", "yandexgpt/mock-fault-wrong-folder", ASK)

    assert result.code == 6
    assert "b1gother" in result.err
    assert "llmctl config set providers.yandexgpt.folder b1gown" in result.err


def test_no_folder(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("-m", "yandexgpt/mock", ASK, env={"YC_FOLDER_ID": None})

    assert result.code == 3
    assert "YC_FOLDER_ID" in result.err
    assert sim.requests == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("rate-forever", 8),
        ("filtered-first", 13),
        ("no-model", 7),
        ("context", 16),
        ("cut", 11),
        ("error-in-stream", 10),
        ("forbidden", 6),
        ("length", 12),
    ],
)
def test_faults(llmctl: Llmctl, fault: str, code: int) -> None:
    result = llmctl.run("-m", f"yandexgpt/mock-fault-{fault}", ASK)

    assert result.code == code, result.err


def test_text_that_is_taken_back_is_said(llmctl: Llmctl) -> None:
    result = llmctl.run("-m", "yandexgpt/mock-fault-rewritten", ASK, "--json")

    assert result.code == 0
    assert result.json["details"]["text"] == "The sky is blue."
    assert "rewritten" in result.err


def test_doctor(llmctl: Llmctl) -> None:
    assert llmctl.run("doctor", "yandexgpt").code == 0
    missing = llmctl.run("doctor", "yandexgpt", env={"YC_FOLDER_ID": None})

    assert missing.code == 3
    assert "folder" in missing.out


def test_models_are_listed_as_they_are_asked_for(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("models", "list", "yandexgpt", "--live")

    assert result.code == 0, result.err
    assert "yandexgpt/mock/latest" in result.out
    assert sim.requests[-1].headers["openai-project"] == "b1gown"


# ---- tokens


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    file = tmp_path / "sa.json"
    warning = "PLEASE DO NOT REMOVE THIS LINE! Yandex.Cloud SA Key ID <ajekey>\n"
    stored = {"id": "ajekey", "service_account_id": "ajesa", "private_key": warning + pem}
    file.write_text(json.dumps(stored))
    return file


def test_many_commands_fetch_one_token(llmctl: Llmctl, sim: Simulator, key_file: Path) -> None:
    env = {**dict.fromkeys(OWN), "YC_SA_KEY_FILE": str(key_file)}

    with ThreadPoolExecutor(5) as pool:
        runs = list(pool.map(lambda _n: llmctl.run("-m", "yandexgpt/mock", ASK, env=env), range(5)))

    assert [one.code for one in runs] == [0] * 5, runs[0].err
    tokens = [one for one in sim.requests if one.path == "/iam/v1/tokens"]
    assert len(tokens) == 1
    assert {one.headers["authorization"] for one in sim.calls} == {"Bearer t1.sim-1"}
    kept = list((llmctl.cache / "tokens").glob("*.json"))
    assert [stat.S_IMODE(one.stat().st_mode) for one in kept] == [0o600]


def test_a_token_of_a_persons_account(llmctl: Llmctl, sim: Simulator) -> None:
    env = {**dict.fromkeys(OWN), "YC_OAUTH_TOKEN": "y0_" + "a" * 30}

    assert llmctl.run("-m", "yandexgpt/mock", ASK, env=env).code == 0
    assert sim.requests[0].json == {"yandexPassportOauthToken": "y0_" + "a" * 30}
    assert sim.calls[0].headers["authorization"] == "Bearer t1.sim-1"


def test_no_key_at_all(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("-m", "yandexgpt/mock", ASK, env={**dict.fromkeys(OWN), "PATH": "/nowhere"})

    assert result.code == 6
    assert "sa_key_file" in result.err
    assert sim.requests == []
