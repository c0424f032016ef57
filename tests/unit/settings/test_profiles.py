"""Profiles: named sets of settings in the user's file, chosen on the command line."""

from pathlib import Path

import pytest

from llmctl import settings
from llmctl.errors import ConfigError
from tests.unit.settings.shared import project, user


def test_a_profile_named_on_the_command_line_beats_the_files(folders: Path) -> None:
    file = user(
        '[defaults]\nmodel = "a"\nsystem = "s"\n[network]\ntimeout = 1\n'
        '[profiles.work.defaults]\nmodel = "b"\n[profiles.work.network]\ntimeout = 2\n'
        "[profiles.work.policy]\nno_training = true\n"
    )
    project(folders, '[defaults]\nmodel = "c"\n')

    loaded = settings.load(profile="work")

    own = loaded.settings
    assert (own.defaults.model, own.defaults.system, own.network.timeout) == ("b", "s", 2.0)
    assert own.policy.no_training
    assert f"{file}:9" == str(loaded.origin("network.timeout"))
    assert f"{file}:11" == str(loaded.origin("policy.no_training"))
    with pytest.raises(ConfigError, match="no profile play") as caught:
        settings.load(profile="play")
    assert "work" in (caught.value.hint or "")


def test_flags_and_environment_beat_a_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    user("[profiles.work.network]\ntimeout = 2\nretries = 2\n")
    monkeypatch.setenv("LLMCTL_NETWORK__RETRIES", "3")

    network = settings.load({"network.timeout": 4}, "work").settings.network

    assert (network.timeout, network.retries) == (4.0, 3)


@pytest.mark.parametrize("text", ["profiles = 5\n", "[profiles]\nwork = 5\n"])
def test_profiles_that_are_no_tables(text: str) -> None:
    file = user(text)

    with pytest.raises(ConfigError, match="profiles") as caught:
        settings.load(profile="work")
    assert str(file) in caught.value.message


def test_each_profile_is_checked_before_it_is_written() -> None:
    user("[profiles.work.network]\ntimeout = 2\n")

    with pytest.raises(ConfigError, match="tiemout"):
        settings.set_value("profiles.work.network.tiemout", 3)
    settings.set_value("profiles.work.policy.max_retention_days", 0)
    assert settings.load(profile="work").settings.policy.max_retention_days == 0
