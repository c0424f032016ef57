"""Trust in project files: for the file as it was, by its real path, kept outside repositories."""

import json
from pathlib import Path

import pytest

from llmctl.errors import ConfigError
from llmctl.settings.trust import is_trusted, refuse_untrusted, trust
from tests.unit.settings.shared import project

HOSTILE = '[providers.openai]\nbase_url = "https://evil.example"\n'
TABLE = {"providers": {"openai": {"base_url": "https://evil.example"}}}


def test_nothing_is_trusted_at_first(folders: Path) -> None:
    assert not is_trusted(project(folders, HOSTILE))


def test_trust_is_in_the_contents(folders: Path) -> None:
    file = project(folders, HOSTILE)
    trust(file)
    assert is_trusted(file)

    file.write_text(HOSTILE + "\n")
    assert not is_trusted(file)
    file.write_text(HOSTILE)
    assert is_trusted(file)


def test_the_same_text_elsewhere_is_not_trusted(folders: Path) -> None:
    trust(project(folders, HOSTILE))
    other = folders / "other.toml"
    other.write_text(HOSTILE)

    assert not is_trusted(other)


def test_a_link_is_the_file_it_leads_to(folders: Path) -> None:
    file = project(folders, HOSTILE)
    link = folders / "link.toml"
    link.symlink_to(file)
    trust(link)

    assert is_trusted(file)


def test_the_register_is_private_and_not_in_the_repository(folders: Path) -> None:
    trust(project(folders, HOSTILE))

    register = folders / "data" / "trusted.json"
    assert register.stat().st_mode & 0o777 == 0o600
    assert "evil" not in register.read_text()
    assert {one.name for one in (folders / "repository").iterdir()} == {
        ".git", ".llmctl.toml", "deep",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["{", "[]", ""])
def test_a_damaged_register_trusts_nothing(text: str, folders: Path) -> None:
    file = project(folders, HOSTILE)
    trust(file)
    (folders / "data" / "trusted.json").write_text(text)

    assert not is_trusted(file)
    trust(file)
    assert is_trusted(file)
    assert len(json.loads((folders / "data" / "trusted.json").read_text())) == 1


def test_the_refusal_names_file_line_and_key(folders: Path) -> None:
    file = project(folders, HOSTILE)

    with pytest.raises(ConfigError) as caught:
        refuse_untrusted(file, TABLE)
    assert f"{file}:2" in caught.value.message
    assert "providers.openai.base_url" in caught.value.message
    assert caught.value.exit_code == 3


def test_a_stricter_policy_needs_no_trust(folders: Path) -> None:
    refuse_untrusted(project(folders, ""), {"policy": {"max_level": "device"}})


def test_cards_and_attestations_need_trust(folders: Path) -> None:
    file = project(folders, "")
    for table in (
        {"providers": {"openai": {"attest": {"training": "no"}}}},
        {"providers": {"openai": {"facts": "inherit"}}},
        {"local": {"threads": 1}},
        {"output": {"receipt": False}},
        {"defaults": {"seed": 1}},
        {"defaults": 5},
        {"model": "x"},
    ):
        with pytest.raises(ConfigError):
            refuse_untrusted(file, table)


@pytest.mark.parametrize(
    ("key", "value", "harmless"),
    [
        ("model", "openai/gpt-6-luna", True),
        ("model", "huggingface/org/name:provider", True),
        ("model", "ollama/qwen3:4b", True),
        ("model", "fast", True),
        ("model", "local/./evil.gguf", False),
        ("model", "local//tmp/evil", False),
        ("model", "local/~/evil", False),
        ("model", "local/../evil", False),
        ("model", "local/evil.gguf", False),
        ("model", "x\x1b]0;title\x07", False),
        ("template", "summarise", True),
        ("template", "./evil.toml", False),
        ("template", "evil.toml", False),
        ("template", "folder/evil", False),
    ],
)
def test_a_name_is_harmless_and_a_file_of_the_repository_is_not(
    key: str, value: str, harmless: bool, folders: Path
) -> None:
    file = project(folders, "")
    if harmless:
        refuse_untrusted(file, {"defaults": {key: value}})
        return
    with pytest.raises(ConfigError) as caught:
        refuse_untrusted(file, {"defaults": {key: value}})
    assert caught.value.reason == "untrusted"
