"""What checks of a comparison may know, and what counts as something to pass."""

import asyncio
import sys
from pathlib import Path

import pytest

from llmctl import settings
from llmctl.cli.compare_asked import CompareAsked
from llmctl.cli.compare_checks import refuse_endless, to_pass, wanted_checks
from llmctl.compare.shape import Case
from llmctl.errors import UsageError
from llmctl.types import Chat, Complete, Embed

CARD = """
card = 1
id = "acme"
name = "Acme"
kind = "api"
dialect = "openai_chat"
[endpoint]
base_url = "https://acme.example/v1"
hosts = ["acme.example"]
[auth]
kind = "key"
env = ["ACME_LETTERS"]
[[models]]
id = "wise-1"
"""
# Ends with as many of the variables as it has been given.
COUNTING = """import os, sys
sys.exit(sum(name in os.environ for name in sys.argv[1:]))
"""


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder for cards of one's own; the machine has no policy."""
    monkeypatch.setattr(settings, "SYSTEM_POLICY", tmp_path / "none.toml")
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    monkeypatch.chdir(tmp_path)
    folder = settings.paths().config / "providers"
    folder.mkdir(parents=True)
    return folder


def given(tmp_path: Path, *names: str) -> bool:
    """Whether a command gets any of these variables."""
    program = tmp_path / "counting.py"
    program.write_text(COUNTING, encoding="utf-8")
    words = " ".join([sys.executable, f"'{program}'", *names])
    (check,) = wanted_checks(CompareAsked(checks=[f"command={words}"]), settings.load())
    return not asyncio.run(check.mark("x", Case(id="1", text="?"))).passed


def test_a_command_gets_no_key_of_any_card_whatever_its_name(
    cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_LETTERS", "x" * 20)
    monkeypatch.setenv("YC_API_KEY", "x" * 20)
    monkeypatch.setenv("YC_FOLDER_ID", "b1g")

    assert given(tmp_path, "ACME_LETTERS")
    (cards / "acme.toml").write_text(CARD, encoding="utf-8")
    assert not given(tmp_path, "ACME_LETTERS", "YC_API_KEY")
    assert given(tmp_path, "YC_FOLDER_ID")  # which is no secret


def test_a_card_that_cannot_be_read_keeps_no_check_from_running(
    cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_LETTERS", "x" * 20)
    (cards / "aaa.toml").write_text("card = [", encoding="utf-8")
    (cards / "acme.toml").write_text(CARD, encoding="utf-8")

    assert not given(tmp_path, "ACME_LETTERS")


def test_a_schema_is_something_to_pass() -> None:
    checks = wanted_checks(CompareAsked(checks=["contains=a", "length<9"]))
    plain = Chat(model="m", messages=())
    strict = Chat(model="m", messages=(), schema={"type": "object"})

    assert to_pass(checks, [plain, strict]) == ("contains=a", "length<9", "schema")
    assert to_pass((), [strict]) == ("schema",)
    assert to_pass(checks, [plain]) == ("contains=a", "length<9")
    assert to_pass((), [Complete(model="m", prompt="x"), Embed(model="m", texts=())]) == ()
    assert to_pass((), []) == ()


def test_more_runs_than_anybody_reads_are_refused_before_they_are_planned() -> None:
    refuse_endless(100_000, 2)
    with pytest.raises(UsageError, match="too many"):
        refuse_endless(1_000_000_000, 2)
