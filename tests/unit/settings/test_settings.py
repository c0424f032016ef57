"""Settings: layers and their origins, what a project file may do, policies that only tighten."""

import os
from pathlib import Path

import pytest

from llmctl import settings
from llmctl.errors import ConfigError
from llmctl.settings import places
from llmctl.types import Level
from tests.unit.settings.shared import project, user


def test_shipped_values_without_any_file() -> None:
    loaded = settings.load()

    assert settings.Settings() == loaded.settings
    assert str(loaded.origin("network.timeout")) == "shipped"


def test_flag_beats_environment_beats_project_beats_user(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def model() -> str | None:
        return settings.load().settings.defaults.model

    user('[defaults]\nmodel = "user"\n')
    assert model() == "user"
    project(folders, '[defaults]\nmodel = "project"\n')
    assert model() == "project"
    monkeypatch.setenv("LLMCTL_DEFAULTS__MODEL", "environment")
    assert model() == "environment"
    assert settings.load({"defaults.model": "flag"}).settings.defaults.model == "flag"


def test_origins_name_file_and_line(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = user('# mine\n[network]\ntimeout = 5\n[providers.openai]\nproxy = "none"\n')
    monkeypatch.setenv("LLMCTL_NETWORK__RETRIES", "1")

    loaded = settings.load({"output.receipt": False})

    assert f"{file}:3" == str(loaded.origin("network.timeout"))
    assert f"{file}:5" == str(loaded.origin("providers.openai.proxy"))
    assert str(loaded.origin("network.retries")) == "environment LLMCTL_NETWORK__RETRIES"
    assert str(loaded.origin("output.receipt")) == "flag output.receipt"


def test_environment_values_get_the_type_of_their_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMCTL_NETWORK__BACKOFF", "0.25")
    monkeypatch.setenv("LLMCTL_OUTPUT__RECEIPT", "false")
    monkeypatch.setenv("LLMCTL_PROVIDERS__OPENAI__KEY_COMMAND", '["pass", "openai"]')

    own = settings.load().settings

    assert own.network.backoff == 0.25
    assert own.output.receipt is False
    assert own.providers["openai"].key_command == ("pass", "openai")


def test_what_was_checked_once_is_built_the_same_from_the_cache(folders: Path) -> None:
    user('[network]\ntimeout = 5\n[aliases]\nfast = "openai/x"\n[policy]\nregions = ["RU"]\n')

    first = settings.load().settings
    again = settings.load().settings

    assert first == again
    assert list((folders / "cache" / "checked").iterdir())
    assert again.policy.regions == ("RU",)


def test_a_cache_that_cannot_be_written_only_costs_time(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folders / "file").write_text("")
    monkeypatch.setenv("LLMCTL_CACHE_DIR", str(folders / "file" / "below"))
    user("[network]\ntimeout = 5\n")

    assert settings.load().settings.network.timeout == 5.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[network]\ntiemout = 5\n", "network.tiemout"),
        ("[netwrok]\ntimeout = 5\n", "netwrok"),
        ('[network]\ntimeout = "soon"\n', "network.timeout"),
        ('[log]\nmode = "loud"\n', "log.mode"),
        ('[policy]\nmax_level = "secret"\n', "policy.max_level"),
        ("[network\n", "line 1"),
        ("model = \n", "line 1"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(text: str, said: str) -> None:
    file = user(text)

    with pytest.raises(ConfigError) as caught:
        settings.load()
    assert said in caught.value.message
    assert str(file) in caught.value.message


def test_an_unknown_key_gives_the_nearest() -> None:
    user("[network]\ntiemout = 5\n")

    with pytest.raises(ConfigError) as caught:
        settings.load()
    assert "timeout" in (caught.value.hint or "")


def test_a_file_that_is_not_utf8() -> None:
    user("")
    settings.user_file().write_bytes(b'[defaults]\nsystem = "\xcf\xf0"\n')

    with pytest.raises(ConfigError, match="UTF-8"):
        settings.load()


def test_a_byte_order_mark_is_nothing() -> None:
    user("\ufeff[network]\ntimeout = 5\n")

    assert settings.load().settings.network.timeout == 5.0


def test_an_unknown_section_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMCTL_NETWROK__TIMEOUT", "5")

    with pytest.raises(ConfigError, match="LLMCTL_NETWROK__TIMEOUT"):
        settings.load()


# ------------------------------------------------------------------------------------ project files


def test_a_project_file_may_choose_model_template_and_options(folders: Path) -> None:
    project(folders, '[defaults]\nmodel = "m"\ntemplate = "t"\noptions = { top_p = 0.5 }\n')

    own = settings.load().settings.defaults

    assert (own.model, own.template, dict(own.options)) == ("m", "t", {"top_p": 0.5})


@pytest.mark.parametrize(
    "text",
    [
        '[providers.openai]\nbase_url = "https://evil.example"\n',
        '[providers.openai]\nkey_command = ["sh", "-c", "evil"]\n',
        '[network]\nproxy = "http://evil.example"\n',
        '[network]\nca_file = "evil.pem"\n',
        '[aliases]\nfast = "evil/model"\n',
        '[log]\nmode = "off"\n',
        '[defaults]\nsystem = "obey"\n',
        '[profiles.x.network]\nproxy = "http://evil.example"\n',
    ],
)
def test_a_project_file_may_do_nothing_else_until_trusted(text: str, folders: Path) -> None:
    file = project(folders, text)

    with pytest.raises(ConfigError) as caught:
        settings.load()
    assert caught.value.reason == "untrusted"
    assert f"llmctl config trust {file}" in (caught.value.hint or "")


def test_trust_holds_for_the_file_as_it_was(folders: Path) -> None:
    file = project(folders, '[network]\nproxy = "http://proxy.example"\n')
    settings.trust(file)

    assert settings.load().settings.network.proxy == "http://proxy.example"

    file.write_text('[network]\nproxy = "http://other.example"\n')
    with pytest.raises(ConfigError):
        settings.load()


def test_a_file_above_the_repository_is_not_the_projects(folders: Path) -> None:
    (folders / ".llmctl.toml").write_text('[defaults]\nmodel = "above"\n')

    assert settings.load().settings.defaults.model is None


def test_no_working_directory_is_no_error(folders: Path) -> None:
    gone = folders / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()

    assert places.project_file() is None


# ------------------------------------------------------------------------------------------- policy


def test_policies_of_all_layers_are_intersected(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = folders / "policy.toml"
    system.write_text('max_level = "no-training"\ndeny = ["deepseek"]\nlog_bodies = false\n')
    user('[policy]\nregions = ["RU", "EU"]\nmax_retention_days = 30\nallow = ["a", "b"]\n')
    project(
        folders,
        '[policy]\nmax_level = "zero-retention"\nregions = ["EU", "US"]\nallow = ["b", "c"]\n',
    )

    loaded = settings.load({"policy.max_retention_days": 90, "policy.deny": ["x"]})
    policy = loaded.settings.policy

    assert Level.ZERO_RETENTION is policy.max_level
    assert policy.regions == ("EU",)
    assert policy.max_retention_days == 30
    assert policy.allow == ("b",)
    assert policy.deny == ("deepseek", "x")
    assert not policy.log_bodies
    assert f"{folders / 'repository' / '.llmctl.toml'}:2" == str(loaded.origin("policy.max_level"))
    assert f"{system}:3" == str(loaded.origin("policy.log_bodies"))


def test_no_layer_loosens(folders: Path) -> None:
    user('[policy]\nmax_level = "device"\nno_training = true\nsecrets = "block"\nregions = []\n')
    project(
        folders,
        '[policy]\nmax_level = "unknown"\nno_training = false\nsecrets = "allow"\n'
        'log_bodies = true\nregions = ["US"]\n',
    )

    policy = settings.load({"policy.max_level": "may-train"}).settings.policy

    assert Level.DEVICE is policy.max_level
    assert policy.no_training
    assert policy.local_only
    assert policy.secrets == "block"
    assert policy.regions == ()


# ------------------------------------------------------------------------------------------ writing


def test_writing_keeps_comments_and_order() -> None:
    file = user('# mine\n[network]\n# slow here\ntimeout = 5  # seconds\n\n[log]\nmode = "meta"\n')

    settings.set_value("network.retries", 2)
    settings.set_value("defaults.model", "ollama/qwen3")

    text = file.read_text()
    assert text.startswith("# mine\n[network]\n# slow here\ntimeout = 5  # seconds\n")
    assert file.stat().st_mode & 0o777 == 0o600
    own = settings.load().settings
    assert (
        own.network.timeout, own.network.retries, own.defaults.model
    ) == (5.0, 2, "ollama/qwen3")  # fmt: skip


def test_what_does_not_fit_is_not_written() -> None:
    file = user("[network]\ntimeout = 5\n")

    for key, value in (
        ("network.timeout", "soon"),
        ("network.tiemout", 5),
        ("policy.secrets", "x"),
    ):
        with pytest.raises(ConfigError):
            settings.set_value(key, value)
    assert file.read_text() == "[network]\ntimeout = 5\n"


def test_taking_a_value_out() -> None:
    file = user("[network]\ntimeout = 5\nretries = 1\n")

    assert settings.unset_value("network.timeout")
    assert not settings.unset_value("network.timeout")
    assert not settings.unset_value("aliases.fast")
    assert "timeout" not in file.read_text()
