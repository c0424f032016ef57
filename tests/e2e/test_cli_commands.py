"""The commands around a prompt: help, logs, templates, config, keys, providers, completion."""

import json
import os
import re
import secrets
import shutil
import stat
import subprocess

import pytest

from llmctl import __version__
from tests.e2e.harness import KEY, Llmctl
from tests.simulator import Simulator
from tests.simulator.answers import TEXT

# The documented table, number by number.
EXIT_CODES = {
    0: "ok",
    1: "internal",
    2: "usage",
    3: "config",
    4: "privacy-refused",
    5: "budget-refused",
    6: "auth",
    7: "not-found",
    8: "rate-limited",
    9: "network",
    10: "provider-error",
    11: "cut-off",
    12: "incomplete",
    13: "filtered",
    14: "schema-mismatch",
    15: "partial",
    16: "rejected",
    17: "check-failed",
    18: "io",
    130: "interrupted",
    141: "pipe-closed",
    143: "terminated",
}
COMMANDS = ("ask", "providers", "keys", "config", "templates", "logs", "doctor", "completion")


@pytest.fixture(autouse=True)
def default_model(llmctl: Llmctl) -> None:
    llmctl.env["LLMCTL_DEFAULTS__MODEL"] = "openai/mock"


def test_version_and_help(llmctl: Llmctl) -> None:
    assert llmctl.run("--version").out == f"llmctl {__version__}\n"
    shown = llmctl.run("--help")
    assert shown.code == 0
    assert shown.out == llmctl.run("help").out == llmctl.run("-h").out
    assert llmctl.run("keys", "--help").out == llmctl.run("keys", "-h").out != ""
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", shown.out, re.MULTILINE), command


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(llmctl: Llmctl, command: str) -> None:
    shown = llmctl.run(command, "--help")

    assert (shown.code, shown.err) == (0, "")
    assert f"llmctl {command}" in shown.out
    assert "install-completion" not in shown.out


def test_the_table_of_exit_codes(llmctl: Llmctl) -> None:
    listed = llmctl.run("help", "exit-codes", "--json").json
    assert listed["version"] == 1
    assert {one["exit_code"]: one["code"] for one in listed["exit_codes"]} == EXIT_CODES

    text = llmctl.run("help", "exit-codes").out
    rows = [line.split()[:2] for line in text.splitlines()]
    assert {int(number): name for number, name in rows} == EXIT_CODES

    assert llmctl.run("help", "nonsense").code == 2


# --------------------------------------------------------------------------------------------- logs


def test_logs_show_list_and_find_what_was_said(llmctl: Llmctl) -> None:
    llmctl.run("Repeat: wombats are marsupials")
    llmctl.run("-m", "openai/mock-fault-no-model", "tell me")

    runs = llmctl.run("logs", "list", "--json").json
    assert runs["version"] == 1
    failed, good = runs["runs"]
    assert failed["error"]["code"] == "not-found"
    assert (good["error"], good["text_start"]) == (None, "wombats are marsupials")
    assert [line.split()[0] for line in llmctl.run("logs", "list").out.splitlines()] == [
        "id", failed["id"], good["id"]
    ]  # fmt: skip

    [hit] = llmctl.run("logs", "search", "marsup", "--json").json["runs"]
    assert hit["id"] == good["id"]
    assert "wombats are marsupials" in llmctl.run("logs", "show", good["id"]).out
    whole = llmctl.run("logs", "show", good["id"], "--json").json
    assert whole["log"]["messages"][0]["text"] == "Repeat: wombats are marsupials"
    assert llmctl.run("logs", "show", "zzz").code == 7


def test_logs_are_deleted_for_good_and_say_what_they_are(llmctl: Llmctl) -> None:
    llmctl.run("Repeat: wombats")
    known = llmctl.run("logs", "explain", "--json").json
    assert (known["version"], known["runs"], known["retention_days"]) == (1, 1, 90)
    assert known["path"] == str(llmctl.data / "ledger.db")
    assert "llmctl logs purge" in llmctl.run("logs", "explain").out

    asks = llmctl.run("logs", "purge", "--all")
    assert (asks.code, llmctl.run("logs", "explain", "--json").json["runs"]) == (2, 1)
    assert "--yes" in asks.err
    assert llmctl.run("logs", "purge").code == 2

    assert llmctl.run("logs", "purge", "--all", "--yes").code == 0
    assert llmctl.run("logs", "list", "--json").json["runs"] == []
    assert b"wombats" not in b"".join(one.read_bytes() for one in llmctl.data.glob("ledger*"))


# ---------------------------------------------------------------------------------------- templates


def test_five_templates_are_shipped_in_two_languages(llmctl: Llmctl) -> None:
    listed = llmctl.run("templates", "list", "--json").json
    names = {one["name"] for one in listed["templates"] if not one["own"]}

    assert listed["version"] == 1
    base = {"summarise", "translate", "commit-message", "extract", "classify"}
    assert names == base | {f"{one}-ru" for one in base}


def test_a_template_is_edited_shown_used_and_removed(llmctl: Llmctl, sim: Simulator) -> None:
    editor = llmctl.home / "editor"
    editor.write_text('#!/bin/sh\necho \'prompt = "Hello {{ who }}"\' > "$1"\n', encoding="utf-8")
    editor.chmod(0o700)
    edited = llmctl.run("templates", "edit", "mine", env={"EDITOR": str(editor)})
    assert (edited.code, edited.out) == (0, "")
    assert "llmctl -t mine" in edited.err

    assert llmctl.run("templates", "show", "mine").out == 'prompt = "Hello {{ who }}"\n'
    assert llmctl.run("-t", "mine", "-p", "who=Ann").code == 0
    assert sim.calls[-1].json["messages"][-1]["content"] == "Hello Ann"

    assert llmctl.run("templates", "rm", "mine").code == 0
    assert llmctl.run("templates", "show", "mine").code == 7
    assert llmctl.run("templates", "rm", "summarise").code == 7  # a shipped one stays
    assert llmctl.run("templates", "edit", "x", env={"EDITOR": "no-such-editor"}).code == 3


# ------------------------------------------------------------------------------------------- config


def test_settings_are_set_got_and_shown_with_their_origin(llmctl: Llmctl) -> None:
    file = llmctl.config / "config.toml"
    assert llmctl.run("config", "path").out == f"{file}\n"
    assert llmctl.run("config", "set", "network.timeout", "30").code == 0
    assert llmctl.run("config", "get", "network.timeout").out == "30.0\n"

    shown = llmctl.run("config", "show", "--origin").out.splitlines()
    assert f"network.timeout = 30.0  # {file}:2" in shown
    assert 'defaults.model = "openai/mock"  # environment LLMCTL_DEFAULTS__MODEL' in shown
    assert "network.retries = 4  # shipped" in shown
    settings = llmctl.run("config", "show", "--json").json["settings"]
    assert settings["network.timeout"] == {"value": 30.0, "origin": f"{file}:2"}

    wrong = llmctl.run("config", "set", "network.tiemout", "30")
    assert wrong.code == 3
    assert "timeout" in wrong.err.split("hint:")[1]
    assert llmctl.run("config", "get", "network.tiemout").code == 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_order_of_settings(llmctl: Llmctl, sim: Simulator) -> None:
    """Flag > environment > project > profile > user > shipped, as documented."""

    def model(*flags: str) -> str:
        assert llmctl.run(*flags, "hello there").code == 0
        return str(sim.calls[-1].json["model"])

    llmctl.config.mkdir(exist_ok=True)
    profile = '[profiles.work.defaults]\nmodel = "openai/mock-profile"\n'
    user = f'[defaults]\nmodel = "openai/mock-user"\n{profile}'
    (llmctl.config / "config.toml").write_text(user, encoding="utf-8")
    assert model() == "mock"  # the environment
    assert model("-m", "openai/mock-flag") == "mock-flag"
    del llmctl.env["LLMCTL_DEFAULTS__MODEL"]
    assert model() == "mock-user"
    assert model("--profile", "work") == "mock-profile"
    project = '[defaults]\nmodel = "openai/mock-project"\n'
    (llmctl.home / ".llmctl.toml").write_text(project, encoding="utf-8")
    assert model() == "mock-project"

    unknown = llmctl.run("--profile", "play", "hello there")
    assert unknown.code == 3
    assert "work" in unknown.err


def test_settings_are_edited_and_checked(llmctl: Llmctl) -> None:
    editor = llmctl.home / "editor"
    editor.write_text('#!/bin/sh\necho "[nonsense]\nx = 1" > "$1"\n', encoding="utf-8")
    editor.chmod(0o700)

    assert llmctl.run("config", "edit", env={"EDITOR": "true"}).code == 0
    assert llmctl.run("config", "edit", env={"EDITOR": str(editor)}).code == 3


# --------------------------------------------------------------------------------- keys, providers


def test_a_key_is_stored_used_listed_and_removed(llmctl: Llmctl, sim: Simulator) -> None:
    other = KEY[::-1]
    llmctl.env.pop("OPENAI_API_KEY")
    no_keyring = llmctl.run("keys", "set", "openai", stdin=other.encode())
    assert no_keyring.code == 18
    assert "--storage file" in no_keyring.err

    kept = llmctl.run("keys", "set", "openai", "--storage", "file", stdin=f"{other}\n".encode())
    assert (kept.code, kept.out) == (0, "")
    assert stat.S_IMODE((llmctl.config / "keys.json").stat().st_mode) == 0o600
    llmctl.run("hello there")
    assert sim.calls[-1].headers["authorization"] == f"Bearer {other}"

    listed = {one["provider"]: one for one in llmctl.run("keys", "list", "--json").json["keys"]}
    assert listed["openai"]["source"] == str(llmctl.config / "keys.json")
    assert other not in llmctl.run("keys", "list").out

    assert llmctl.run("keys", "rm", "openai").code == 0
    assert llmctl.run("keys", "rm", "openai").code == 7


def test_a_key_is_no_argument(llmctl: Llmctl) -> None:
    refused = llmctl.run("keys", "set", "openai", KEY)

    assert (refused.code, KEY in refused.err) == (2, False)
    assert "llmctl keys set openai" in refused.err
    assert not (llmctl.config / "keys.json").exists()


def test_providers_are_listed_and_shown(llmctl: Llmctl, sim: Simulator) -> None:
    listed = llmctl.run("providers", "list", "--json").json
    rows = {one["id"]: one for one in listed["providers"]}
    assert listed["version"] == 1
    assert rows["openai"]["base_url"] == sim.openai_url
    assert rows["ollama"]["privacy"] == "device"

    assert "OPENAI_API_KEY" in llmctl.run("providers", "show", "openai").out
    assert llmctl.run("providers", "show", "openai", "--json").json["card"]["id"] == "openai"
    unknown = llmctl.run("providers", "show", "opnai")
    assert unknown.code == 7
    assert "openai" in unknown.err


# --------------------------------------------------------------------------------------- completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_that_it_accepts(llmctl: Llmctl, shell: str) -> None:
    script = llmctl.run("completion", shell)

    assert (script.code, script.err) == (0, "")
    assert "llmctl" in script.out
    if program := shutil.which(shell):
        file = llmctl.home / "script"
        file.write_text(script.out, encoding="utf-8")
        subprocess.run([program, "-n", str(file)], check=True)


def test_bash_completes_commands_and_options(llmctl: Llmctl) -> None:
    def completed(line: str) -> set[str]:
        words = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
        return set(llmctl.run(env={"_LLMCTL_COMPLETE": "complete_bash", **words}).out.split())

    assert {"templates"} == completed("llmctl te")
    assert {"list", "show", "edit", "rm"} <= completed("llmctl templates ")
    assert "--local-only" in completed("llmctl ask --lo")


def test_an_unknown_shell_is_usage(llmctl: Llmctl) -> None:
    refused = llmctl.run("completion", "tcsh")

    assert refused.code == 2
    assert all(shell in refused.err for shell in ("bash", "zsh", "fish"))


def test_documents_are_one_line_of_json(llmctl: Llmctl) -> None:
    for command in ("providers list", "keys list", "templates list", "logs list", "config show"):
        result = llmctl.run(*command.split(), "--json")
        assert json.loads(result.out)["version"] == 1, command
        assert (result.code, result.err) == (0, ""), command


def test_the_answer_survives_a_closed_standard_input(llmctl: Llmctl) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" "$@" <&-', str(shutil.which("llmctl", path=_bin())), "hello there"],
        env=llmctl.env, cwd=llmctl.home, capture_output=True, check=False, timeout=20,
    )  # fmt: skip

    assert (done.returncode, done.stdout.decode()) == (0, TEXT + "\n")


def _bin() -> str:
    from tests.e2e.harness import COMMAND

    return os.path.dirname(str(COMMAND))


def test_a_password_in_an_address_is_not_shown(llmctl: Llmctl) -> None:
    password = secrets.token_hex(8)
    env = {"LLMCTL_NETWORK__PROXY": f"http://me:{password}@proxy.test:1"}
    for arguments in (("config", "show"), ("config", "show", "--json")):
        shown = llmctl.run(*arguments, env=env)
        assert shown.code == 0
        assert b"://***@proxy.test:1" in shown.stdout
        assert password.encode() not in shown.stdout


def test_the_version_cannot_always_be_written(llmctl: Llmctl) -> None:
    with open("/dev/full", "wb") as full:
        done = llmctl.run("--version", stdout=full)
    assert done.code == 18
    assert b"Traceback" not in done.stderr
    assert llmctl.run("--version").stdout.startswith(b"llmctl 0.")
