"""Layers as plain data: what the environment says, what cards add, and where each value stands."""

import os
from pathlib import Path
from typing import Any

import pytest

from llmctl import settings
from llmctl.errors import ConfigError, UsageError
from llmctl.settings.layers import Origin, environment, line_of, nested, provider_tables, read_toml
from tests.unit.settings.shared import project, user

VARIABLES = {
    "network.timeout": ("2.5", 2.5),
    "network.retries": ("0", 0),
    "output.receipt": ("no", False),
    "output.markdown": ("true", True),
    "policy.no_training": ("1", True),
    "policy.max_retention_days": ("30", 30),
    "policy.regions": ('["RU"]', ("RU",)),
    "log.mode": ("meta", "meta"),
    "defaults.model": ("a/b", "a/b"),
    "defaults.system": ("42", "42"),
}


def value(key: str) -> Any:
    """The setting of this key as it holds now."""
    found: Any = settings.load().settings
    for name in key.split("."):
        found = getattr(found, name)
    return found


@pytest.mark.parametrize("key", VARIABLES)
def test_a_variable_gets_the_type_of_its_setting(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, wanted = VARIABLES[key]
    name = "LLMCTL_" + key.upper().replace(".", "__")
    monkeypatch.setenv(name, text)

    found = value(key)

    assert found == wanted
    assert type(found) is type(wanted)
    assert str(settings.load().origin(key)) == f"environment {name}"


def test_a_request_field_from_the_environment_is_json_where_it_reads_as_json(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in (("TOP_P", "0.5"), ("STORE", "false"), ("MODE", "[fast"), ("USER", "me")):
        monkeypatch.setenv(f"LLMCTL_DEFAULTS__OPTIONS__{name}", text)

    options = settings.load().settings.defaults.options

    assert dict(options) == {"top_p": 0.5, "store": False, "mode": "[fast", "user": "me"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LLMCTL_NETWORK__TIMEOUT", "soon"),
        ("LLMCTL_NETWORK__TIMEOUT", "-1"),
        ("LLMCTL_NETWORK__TIMEOUT", "inf"),
        ("LLMCTL_NETWORK__RETRIES", "1.5"),
        ("LLMCTL_OUTPUT__RECEIPT", "perhaps"),
        ("LLMCTL_NETWORK__TIMEOUT__SECONDS", "5"),
        ("LLMCTL_POLICY__MAX_LEVEL", "secret"),
        ("LLMCTL_POLICY__TIMEOUT", "5"),
        ("LLMCTL_PROVIDERS__OPENAI__KEY_COMMAND", "pass openai"),
        ("LLMCTL_PROVIDERS__OPENAI__KEY_COMMAND", '["pass"'),
        ("LLMCTL_PROVIDERS__OPENAI__CONCURRENCY", "0"),
    ],
)
def test_a_variable_that_does_not_fit_is_named(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, text)

    with pytest.raises(ConfigError, match=name):
        settings.load()


def test_other_variables_of_ours_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMCTL_SOMETHING", "x")

    assert list(environment(frozenset({"network"}))) == []


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[network]\ntimeout = 0\n", "network.timeout"),
        ("[network]\nidle_timeout = -5\n", "network.idle_timeout"),
        ("[network]\ntimeout = nan\n", "network.timeout"),
        ("[network.timeout]\n", "network.timeout"),
        ("[log]\nkeep_days = -1\n", "log.keep_days"),
        ("[local]\nthreads = 0\n", "local.threads"),
        ("[providers.openai]\nfolder = 5\n", "providers.openai.folder"),
        ("[providers.openai]\nauth_url = 5\n", "providers.openai.auth_url"),
        ("[providers.openai]\nextra = { a = 1 }\n", "providers.openai.extra"),
        ("[providers.openai.attest]\nbuy = 1\n", "providers.openai.attest.buy"),
        ('[providers.openai.attest]\nuntil = "soon"\n', "providers.openai.attest.until"),
        ("[providers.openai.attest]\nretention = -1\n", "providers.openai.attest.retention"),
        ("[providers]\nopenai = 5\n", "providers.openai"),
        ("providers = 5\n", "providers"),
        ("policy = 5\n", "policy"),
        ("policy = false\n", "policy"),
        ("[policy]\nmax_retention_days = -1\n", "policy.max_retention_days"),
    ],
)
def test_what_does_not_fit_is_named_as_it_was_written(text: str, key: str) -> None:
    file = user(text)

    with pytest.raises(ConfigError) as caught:
        settings.load()
    assert caught.value.message.startswith(f"{file}")
    assert f": {key}" in caught.value.message


def test_a_flag_that_does_not_fit_is_an_error_of_usage() -> None:
    with pytest.raises(UsageError, match="--timeout"):
        settings.load({"network.timeout": -1}, spelt={"network.timeout": "--timeout"})


def test_what_a_card_adds_is_sorted_into_addresses_and_the_rest() -> None:
    values = {"providers": {"a": {"proxy": "none", "auth_url": "https://x", "folder": "f"}, "b": 5}}

    provider_tables(values)

    assert values == {
        "providers": {
            "a": {"proxy": "none", "urls": {"auth_url": "https://x"}, "extra": {"folder": "f"}},
            "b": 5,
        }
    }


def test_a_key_is_nested() -> None:
    assert nested("a.b.c", 1) == {"a": {"b": {"c": 1}}}


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("a = 1\n[b]\nc = 2\n", "b.c", 3),
        ("b.c = 2\n", "b.c", 1),
        ("\n[ b . 'c' ]\n d=2\n", "b.c.d", 3),
        ("b = { c = 2 }\n", "b.c", 1),
        ("[b]\nc = 1\n[d]\nc = 2\n", "d.c", 4),
        ("[b]\nc = 1\n", "b.x", None),
        ("# c = 1\n", "c", None),
    ],
)
def test_the_line_of_a_key(text: str, key: str, line: int | None, tmp_path: Path) -> None:
    (tmp_path / "f.toml").write_text(text)

    assert line == line_of(str(tmp_path / "f.toml"), key)


def test_origins_say_what_kind_they_are() -> None:
    assert str(Origin("shipped")) == "shipped"
    assert str(Origin("flag", "--timeout", "network.timeout")) == "flag --timeout"
    assert str(Origin("user", "/no/such/file", "a.b")) == "/no/such/file"


def test_the_hint_for_a_damaged_file_fits_it(folders: Path) -> None:
    for file, hint in (
        (user("[network\n"), "llmctl config edit"),
        (project(folders, "[network\n"), "mend that file"),
    ):
        with pytest.raises(ConfigError, match="line 1") as caught:
            read_toml(file)
        assert hint in (caught.value.hint or "")
        file.unlink()


# ------------------------------------------------------------------------------------ system policy


def test_a_system_policy_names_its_file_and_line(folders: Path) -> None:
    file = folders / "policy.toml"
    file.write_text('# ours\nmax_level = "zero-retention"\nno_training = true\n')
    user('[policy]\nmax_level = "unknown"\nno_training = false\n')

    loaded = settings.load()

    assert f"{file}:2" == str(loaded.origin("policy.max_level"))
    assert f"{file}:3" == str(loaded.origin("policy.no_training"))


@pytest.mark.parametrize("text", ['max_level = "secret"\n', "[policy]\nno_training = true\n", "a"])
def test_a_system_policy_that_does_not_fit_is_never_passed_over(text: str, folders: Path) -> None:
    (folders / "policy.toml").write_text(text)

    with pytest.raises(ConfigError, match=r"policy\.toml"):
        settings.load()


def test_a_system_policy_that_cannot_be_read_is_never_passed_over(folders: Path) -> None:
    (folders / "policy.toml").mkdir()

    with pytest.raises(ConfigError, match=r"policy\.toml"):
        settings.load()


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_system_policy_in_a_closed_folder_is_never_passed_over(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = folders / "closed"
    closed.mkdir(mode=0)
    monkeypatch.setattr(settings, "SYSTEM_POLICY", closed / "policy.toml")

    with pytest.raises(ConfigError):
        settings.load()


def test_every_layer_tightens(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """System, user, project, profile, environment and flags: each sets one rule that no other may
    undo."""
    loose = "no_training = false\nopen_weights = false\nlog_bodies = true\n"
    (folders / "policy.toml").write_text("no_training = true\nopen_weights = false\n")
    user(
        f"[policy]\n{loose}max_retention_days = 30\n[profiles.p.policy]\n{loose}regions = ['RU']\n"
    )
    project(folders, "[policy]\nlog_bodies = false\nno_training = false\nmax_retention_days = 99\n")
    monkeypatch.setenv("LLMCTL_POLICY__OPEN_WEIGHTS", "true")
    monkeypatch.setenv("LLMCTL_POLICY__NO_TRAINING", "false")

    loaded = settings.load({"policy.max_level": "network", "policy.regions": ["RU", "US"]}, "p")

    policy = loaded.settings.policy
    assert (policy.no_training, policy.max_retention_days, policy.log_bodies) == (True, 30, False)
    assert (policy.regions, policy.open_weights, policy.max_level) == (("RU",), True, "network")
    kinds = {rule: loaded.origin(f"policy.{rule}").kind for rule in (
        "no_training", "max_retention_days", "log_bodies", "regions", "open_weights", "max_level",
    )}  # fmt: skip
    assert list(kinds.values()) == ["system", "user", "project", "profile", "environment", "flag"]
