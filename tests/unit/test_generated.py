"""What is generated into config/ is up to date, and says what the code does.

Stale files are refreshed with `python -m tests.generated`.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from llmctl import resources
from llmctl.errors import ConfigError
from llmctl.settings import set_value, user_file
from tests import generated

REFRESH = "run: python -m tests.generated"
SCHEMAS = [name for name in generated.FILES if name.startswith("schemas/")]


def kept(name: str) -> Any:
    return json.loads((generated.CONFIG / name).read_text(encoding="utf-8"))


def faults(name: str, document: Any) -> list[str]:
    validator = jsonschema.Draft202012Validator(kept(f"schemas/{name}.schema.json"))
    return [error.message for error in validator.iter_errors(document)]


@pytest.mark.parametrize("name", generated.FILES)
def test_the_file_is_what_the_code_says(name: str) -> None:
    assert json.loads(generated.written(name)) == kept(name), REFRESH


def test_nothing_else_is_there() -> None:
    """A file whose generator is gone would stay as it was for ever."""
    made = [*generated.CONFIG.glob("*.json"), *generated.CONFIG.glob("schemas/*")]

    assert sorted(generated.FILES) == sorted(
        one.relative_to(generated.CONFIG).as_posix() for one in made
    )


def test_the_language_of_the_machine_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "ru")

    assert json.loads(generated.written("exit-codes.json")) == kept("exit-codes.json")


def test_the_table_has_the_documented_codes() -> None:
    rows = {row["exit_code"]: row["code"] for row in kept("exit-codes.json")["exit_codes"]}

    assert [*range(19), 130, 141, 143] == list(rows)
    assert (rows[4], rows[11], rows[16], rows[143]) == (
        "privacy-refused", "cut-off", "rejected", "terminated",
    )  # fmt: skip


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_schemas(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(kept(name))


@pytest.mark.parametrize(
    "card", sorted(resources.providers().iterdir(), key=str), ids=lambda card: card.name
)
def test_shipped_cards_fit_the_schema(card: Any) -> None:
    assert faults("card", tomllib.loads(card.read_text("utf-8"))) == []


CARD = tomllib.loads("""
card = 1
id = "mine"
name = "Mine"
kind = "api"
dialect = "openai_chat"
[endpoint]
base_url = "https://llm.example.com/v1"
[[privacy]]
level = "no-training"
source = { title = "terms", checked = "2026-11-23" }
""")


@pytest.mark.parametrize(
    "change",
    [
        {"card": 2},
        {"qirks": {}},
        {"kind": "cloud"},
        {"name": None},
        {"endpoint": {}},
        {"privacy": [{"level": "no-training"}]},
        {"privacy": [{"level": "secret", "source": {"title": "t", "checked": "2026-11-23"}}]},
        {"models": [{"name": "without an id"}]},
    ],
)
def test_the_schema_of_cards_refuses(change: dict[str, Any]) -> None:
    assert faults("card", CARD) == []
    assert faults("card", {**CARD, **change}) != []


SETTINGS = [
    ('[network]\ntimeout = 5\nproxy = "none"\n', True),
    ("[network]\ntimeout = 0\n", False),
    ("[network]\nretries = -1\n", False),
    ("[network]\ntiemout = 5\n", False),
    ("[netwrok]\ntimeout = 5\n", False),
    ('[providers.openai]\nauth_url = "https://auth.example"\nfolder = "b1g"\n', True),
    ("[providers.openai]\nfolder = 5\n", False),
    ("[providers.openai]\nconcurrency = 0\n", False),
    ('[providers.openai]\nkey_command = ["pass", "openai"]\n', True),
    ('[policy]\nmax_level = "device"\nregions = ["RU"]\nsecrets = "block"\n', True),
    ('[policy]\nmax_level = "secret"\n', False),
    ("[policy]\nmax_retention_days = -1\n", False),
    ("[profiles.work.network]\ntimeout = 5\n", True),
    ("[profiles.work.network]\ntiemout = 5\n", False),
    ("[profiles.work.profiles.play]\n", False),
    ('[defaults]\nmodel = "a/b"\noptions = { top_p = 0.5 }\n', True),
    ('[log]\nmode = "loud"\n', False),
]


@pytest.mark.parametrize(("text", "fits"), SETTINGS)
def test_the_schema_of_settings_agrees_with_the_program(
    text: str, fits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))

    assert (faults("settings", tomllib.loads(text)) == []) is fits

    user_file().parent.mkdir()
    user_file().write_text(text)
    if fits:
        set_value("output.markdown", False)
    else:
        with pytest.raises(ConfigError):
            set_value("output.markdown", False)
