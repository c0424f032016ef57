"""Changes to a settings file: comments and order stay, and what comes out is valid TOML."""

import tomllib
from typing import Any

import pytest

from llmctl.errors import ConfigError
from llmctl.settings.edit import without, written

TEXT = '# top\n[network]  # slow here\ntimeout = 5 # seconds\n\n[log]\nmode = "meta"\n'


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("network.timeout", 7),
        ("network.proxy", "none"),
        ("defaults.model", "a/b"),
        ("defaults.system", 'say "hi"\nто есть привет'),
        ("output.receipt", False),
        ("providers.openai.key_command", ("pass", "openai")),
        ("providers.openai.attest.by", "me"),
        ("defaults.options", {"top_p": 0.5}),
        ("aliases.fast", "a/b"),
    ],
)
def test_a_value_is_set_and_the_rest_stays(key: str, value: Any) -> None:
    text = written(TEXT, key, value)

    found: Any = tomllib.loads(text)
    for name in key.split("."):
        found = found[name]
    assert found == (list(value) if isinstance(value, tuple) else value)
    for line in ("# top", "[network]  # slow here", "# seconds", "[log]", 'mode = "meta"'):
        assert line in text
    before, after = tomllib.loads(TEXT), tomllib.loads(text)
    assert after["log"] == before["log"]


def test_a_file_is_made_from_nothing() -> None:
    assert tomllib.loads(written("", "a.b.c", 1)) == {"a": {"b": {"c": 1}}}


def test_a_value_in_place_of_a_table_is_an_error() -> None:
    with pytest.raises(ConfigError, match="network"):
        written("network = 5\n", "network.timeout", 5)


def test_taking_out_leaves_the_rest() -> None:
    text = without(TEXT, "network.timeout")

    assert text is not None
    assert tomllib.loads(text) == {"network": {}, "log": {"mode": "meta"}}
    assert "# slow here" in text


@pytest.mark.parametrize("key", ["network.retries", "nothing.here", "network.timeout.x", "a"])
def test_what_is_not_there_is_not_taken_out(key: str) -> None:
    assert without(TEXT, key) is None


def test_a_damaged_file_is_said_to_be_one() -> None:
    with pytest.raises(ConfigError) as caught:
        written("[network\n", "a.b", 1)
    assert "llmctl config edit" in (caught.value.hint or "")
    with pytest.raises(ConfigError):
        without("[network\n", "a.b")
