"""Bad input: each kind has its exit code, says what to type next, and nothing of it is sent."""

import os
import shlex
from pathlib import Path

import pytest

from tests.e2e.harness import KEY, Llmctl, Result
from tests.simulator import Simulator
from tests.simulator.answers import TEXT

RUSSIAN = "Привет, как твои дела сегодня?"
BASE_URL = "LLMCTL_PROVIDERS__OPENAI__BASE_URL"


@pytest.fixture(autouse=True)
def default_model(llmctl: Llmctl) -> None:
    llmctl.env["LLMCTL_DEFAULTS__MODEL"] = "openai/mock"


def check(result: Result, code: int, *said: str) -> None:
    """The exit code; one to four lines that hold `said` and the next command; an empty stdout."""
    assert (result.code, result.out) == (code, "")
    lines = result.err.splitlines()
    assert 1 <= len(lines) <= 4, result.err
    assert lines[0].startswith("llmctl: ")
    assert "Traceback" not in result.err
    assert "hint:" in result.err
    for words in said:
        assert words in result.err


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


# ------------------------------------------------------------------------------ models, hosts, keys


@pytest.mark.parametrize(
    ("model", "near"),
    [
        ("gpt-6-lunaa", "-m openai/gpt-6-luna"),
        ("opnai/gpt-6-luna", "-m openai/gpt-6-luna"),
        ("olama/qwen3", "-m ollama/qwen3"),
        ("zzzzzz", "llmctl models list"),
        ("openai/", "llmctl models list openai"),
    ],
)
def test_unknown_models_have_neighbours(
    llmctl: Llmctl, sim: Simulator, model: str, near: str
) -> None:
    check(llmctl.run("-m", model, "hello there"), 2, near)
    assert sim.requests == []


def test_a_model_that_the_provider_does_not_have(llmctl: Llmctl) -> None:
    check(llmctl.run("-m", "openai/gpt-6-lunaa", "hi you"), 7, "-m openai/gpt-6-luna", "openai")
    check(llmctl.run("-m", "ollama/qwen3", "hi you"), 7, "llmctl models pull ollama/")


def test_a_provider_that_is_down(llmctl: Llmctl) -> None:
    down = {"LLMCTL_PROVIDERS__OLLAMA__BASE_URL": "http://127.0.0.1:9"}  # nobody's: discard
    result = llmctl.run("-m", "ollama/qwen3", "hello there", env=down)

    check(result, 9, "127.0.0.1:9", "refused", "llmctl doctor ollama")
    assert result.seconds < 5  # a port that refuses is not asked again and again


def test_a_wrong_key(llmctl: Llmctl, sim: Simulator) -> None:
    sim.key = "another"
    result = llmctl.run("hello there")

    check(result, 6, "Incorrect API key", "llmctl keys set openai")
    assert len(sim.calls) == 1
    assert KEY not in result.err


def test_no_key(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("hello there", env={"OPENAI_API_KEY": None, BASE_URL: None})

    check(result, 6, "openai", "llmctl keys set openai", "OPENAI_API_KEY")
    assert sim.requests == []


def test_a_damaged_key(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("hello there", env={"OPENAI_API_KEY": "ключ\nhalf"})

    check(result, 6, "OPENAI_API_KEY", "llmctl keys set openai")
    assert ("half" in result.err, sim.requests) == (False, [])


# ------------------------------------------------------------------------------------------ prompts


def test_a_prompt_of_50_mb(llmctl: Llmctl, sim: Simulator) -> None:
    prompt = b"0123456789abcdef" * (50_000_000 // 16)
    result = llmctl.run("--no-log", stdin=prompt)

    assert (result.code, result.out) == (0, TEXT + "\n")
    assert sim.calls[-1].json["messages"][-1]["content"].encode() == prompt


@pytest.mark.parametrize("encoding", ["cp1251", "cp866"])
def test_text_that_is_not_utf8_names_the_likely_encoding(
    llmctl: Llmctl, sim: Simulator, encoding: str
) -> None:
    check(llmctl.run(stdin=RUSSIAN.encode(encoding)), 2, "UTF-8", f"--encoding {encoding}")
    assert sim.requests == []


def test_another_encoding_goes_both_ways(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("--encoding", "cp1251", stdin=f"Repeat: {RUSSIAN}".encode("cp1251"))

    assert (result.code, result.stdout.decode("cp1251")) == (0, RUSSIAN + "\n")
    assert sim.calls[-1].json["messages"][-1]["content"] == f"Repeat: {RUSSIAN}"


def test_bytes_that_are_no_text(llmctl: Llmctl, sim: Simulator) -> None:
    check(llmctl.run(stdin=b"\x7fELF\0\0\1"), 2, "NUL", "binary")
    check(llmctl.run(stdin="hello there".encode("utf-16-le")), 2, "NUL", "--encoding utf-16-le")
    check(llmctl.run(stdin=b"good text \xff\xfe bad"), 2, "byte 11", "--encoding")
    assert sim.requests == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_the_prompt(
    llmctl: Llmctl, sim: Simulator, encoding: str
) -> None:
    assert llmctl.run(stdin="Привет".encode(encoding)).code == 0
    assert sim.calls[-1].json["messages"][-1]["content"] == "Привет"


def test_prompts_that_begin_with_a_dash(llmctl: Llmctl, sim: Simulator) -> None:
    refused = llmctl.run("-5+3")
    check(refused, 2, "llmctl -- -5+3")
    assert sim.requests == []

    advised = refused.err.split("after --: ")[1].strip()
    assert llmctl.run(*shlex.split(advised)[1:]).code == 0
    assert sim.calls[-1].json["messages"][-1]["content"] == "-5+3"
    assert llmctl.run(stdin=b"--help").code == 0
    assert sim.calls[-1].json["messages"][-1]["content"] == "--help"


def test_an_argument_that_is_not_utf8_is_not_sent(llmctl: Llmctl, sim: Simulator) -> None:
    check(llmctl.run(os.fsdecode("Привет".encode("cp1251"))), 2, "--encoding")
    assert sim.requests == []


# ------------------------------------------------------------------------------- schemas, templates


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        ("{ not json", "not JSON"),
        ("[1, 2]", "JSON object"),
        ('{"type": "objec"}', "$.type"),
        ('{"$ref": "https://example.com/s.json"}', "not fetched"),
    ],
)
def test_a_schema_file_that_is_no_schema(
    llmctl: Llmctl, sim: Simulator, content: str | None, said: str
) -> None:
    if content is not None:
        write(llmctl.home / "schema.json", content)

    check(llmctl.run("--schema", "schema.json", "hello there"), 2, said)
    assert sim.requests == []


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ("prompt = \n", 3, ("mine.toml", "line 1", "llmctl templates edit mine")),
        ('promt = "x"\n', 3, ("mine.toml", "promt", "did you mean: prompt")),
        ('prompt = "{{ who"\n', 3, ("line 1", "llmctl templates edit mine")),
        ('extends = "mine"\nprompt = "x"\n', 3, ("mine → mine", "llmctl templates edit mine")),
        ('extends = "other"\nprompt = "x"\n', 3, ("mine → other → mine", "llmctl templates edit")),
        ('extends = "gone"\nprompt = "x"\n', 7, ("gone", "llmctl templates list")),
        ('prompt = "{{ who }}"\n', 2, ("who", "-p who=VALUE")),
        ('prompt = "{{ x.__class__ }}"\n[variables]\nx = "1"\n', 3, ("mine",)),
    ],
)
def test_templates_that_are_wrong(
    llmctl: Llmctl, sim: Simulator, content: str, code: int, said: tuple[str, ...]
) -> None:
    write(llmctl.config / "templates" / "mine.toml", content)
    write(llmctl.config / "templates" / "other.toml", 'extends = "mine"\n')

    check(llmctl.run("-t", "mine", "hello there"), code, *said)
    assert sim.requests == []


def test_a_damaged_template_does_not_hide_the_others(llmctl: Llmctl) -> None:
    write(llmctl.config / "templates" / "mine.toml", "prompt = \n")

    result = llmctl.run("templates", "list")

    assert result.code == 3
    assert "summarise" in result.out
    assert "llmctl templates edit mine" in result.err


def test_wrong_parameters_of_a_template(llmctl: Llmctl, sim: Simulator) -> None:
    check(llmctl.run("-t", "sumarise", "text here"), 7, "summarise")
    check(llmctl.run("-t", "summarise", "-p", "pionts=3", "text here"), 2, "points")
    check(llmctl.run("-t", "Über/../x", "text here"), 7)
    assert sim.requests == []


# ----------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[defaults\n", ("line 1", "llmctl config edit")),
        ('[defaults]\nmodle = "x"\n', (":2", "defaults.modle", "model")),
        ('[network]\n\ntimeout = "soon"\n', (":3", "network.timeout")),
        ('[polcy]\nmax_level = "device"\n', ("polcy", "policy")),
        ('[policy]\nmax_level = "secret"\n', (":2", "policy.max_level")),
        ('[providers.openai]\nfolder = "b1g"\n', ("folder", "llmctl providers show openai")),
    ],
)
def test_a_corrupt_settings_file(
    llmctl: Llmctl, sim: Simulator, content: str, said: tuple[str, ...]
) -> None:
    file = write(llmctl.config / "config.toml", content)

    result = llmctl.run("hello there")

    check(result, 3, *said)
    assert str(file) in result.err or "providers.openai" in result.err
    assert sim.requests == []
    assert llmctl.run("config", "path").code == 0  # the way to mend it stays open


def test_a_variable_that_names_no_setting(llmctl: Llmctl, sim: Simulator) -> None:
    wrong = {"LLMCTL_NETWROK__TIMEOUT": "3"}
    check(llmctl.run("hello there", env=wrong), 3, "LLMCTL_NETWROK__TIMEOUT", "network")
    assert sim.requests == []


def test_a_project_file_from_a_stranger_sets_no_host(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.env[BASE_URL] = "http://127.0.0.1:9/v1"
    host = f'[defaults]\nmodel = "openai/mock"\n\n[providers.openai]\nbase_url = "{sim.openai_url}"'
    del llmctl.env[BASE_URL]
    file = write(llmctl.home / ".llmctl.toml", host)

    refused = llmctl.run("hello there")
    said = (f"{file}:5", "providers.openai.base_url", f"llmctl config trust {file}")
    check(refused, 3, *said)
    assert sim.requests == []

    trusted = llmctl.run("config", "trust")
    assert (trusted.code, trusted.out) == (0, "")
    assert llmctl.run("hello there").out == TEXT + "\n"

    write(file, host.replace("mock", "mock-other"))  # any change needs trust again
    check(llmctl.run("hello there"), 3, "llmctl config trust")
    assert not list(llmctl.home.rglob("trusted*"))  # the register is not in the repository


@pytest.mark.parametrize(
    "content",
    [
        '[network]\nproxy = "http://127.0.0.1:9"\n',
        '[network]\nca_file = "ca.pem"\n',
        '[providers.openai]\nkey_command = ["sh", "-c", "touch pwned"]\n',
        '[providers.openai.attest]\ntraining = "no"\n',
        '[providers.x]\nextends = "openai"\n',
        '[aliases]\nfast = "openai/mock"\n',
        '[log]\nmode = "off"\n',
        '[profiles.x.network]\nproxy = "http://127.0.0.1:9"\n',
    ],
)
def test_nor_anything_else_that_matters(llmctl: Llmctl, sim: Simulator, content: str) -> None:
    write(llmctl.home / ".llmctl.toml", content)

    check(llmctl.run("hello there"), 3, ".llmctl.toml", "llmctl config trust")
    assert (sim.requests, (llmctl.home / "pwned").exists()) == ([], False)


def test_a_project_file_may_choose_and_tighten(llmctl: Llmctl, sim: Simulator) -> None:
    del llmctl.env["LLMCTL_DEFAULTS__MODEL"]
    choice = '[defaults]\nmodel = "openai/mock"\noptions = { top_p = 0.5 }\n'
    file = write(llmctl.home / ".llmctl.toml", choice)
    assert llmctl.run("hello there").code == 0
    assert sim.calls[-1].json["top_p"] == 0.5

    write(file, f'{choice}[policy]\ndeny = ["openai"]\n')
    check(llmctl.run("hello there"), 4, f"{file}:5", "denied")


def test_a_policy_that_forbids_is_named_with_file_and_line(llmctl: Llmctl, sim: Simulator) -> None:
    file = write(llmctl.config / "config.toml", '[policy]\nregions = ["RU"]\nno_training = true\n')

    check(llmctl.run("hello there"), 4, "openai", f"{file}:2", f"{file}:3")

    # A flag may only tighten what the file says.
    check(llmctl.run("--require", "region=US", "hello there"), 4)
    check(llmctl.run("--privacy", "may-train", "hello there"), 4, f"{file}:2")
    assert sim.requests == []
    assert llmctl.run("-m", "ollama/mock", "hello there").code == 0
