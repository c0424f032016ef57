"""Help texts in the user's language."""

from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

from llmctl import messages
from llmctl.cli.spoken import spoken


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[typer.Typer]:
    """A command with a docstring that the Russian catalogue knows."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    messages.lookup.cache_clear()
    made = typer.Typer(rich_markup_mode=None, add_completion=False)

    @made.command()
    def ask() -> None:
        """Help on a topic."""

    yield made
    messages.lookup.cache_clear()


def test_docstrings_are_looked_up(app: typer.Typer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "ru_RU.UTF-8")

    assert "Справка по теме." in CliRunner().invoke(spoken(app), ["--help"]).output


def test_docstrings_of_sub_commands_are_looked_up(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "ru_RU.UTF-8")
    root = typer.Typer(rich_markup_mode=None, add_completion=False)
    root.add_typer(app, name="inner")
    root.command("other")(lambda: None)

    assert "Справка по теме." in CliRunner().invoke(spoken(root), ["inner", "--help"]).output


def test_english_stays_as_it_is(app: typer.Typer) -> None:
    assert "Help on a topic." in CliRunner().invoke(spoken(app), ["--help"]).output
