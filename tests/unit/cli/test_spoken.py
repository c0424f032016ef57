"""Help texts and complaints about arguments in the user's language."""

import gettext
from collections.abc import Iterator
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from llmctl import messages
from llmctl.cli.parsing import Unparsed, parsed
from llmctl.cli.spoken import spoken


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[typer.Typer]:
    """A command with a docstring that the Russian catalogue knows."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    messages.lookup.cache_clear()
    before = gettext.textdomain()
    made = typer.Typer(rich_markup_mode=None, add_completion=False)

    @made.command()
    def ask() -> None:
        """Help on a topic."""

    yield made
    gettext.textdomain(before)
    messages.lookup.cache_clear()


@pytest.fixture
def counting() -> typer.Typer:
    """A group with one command that takes an argument and a bounded option."""
    made = typer.Typer(rich_markup_mode=None, add_completion=False)

    @made.command("count")
    def count(what: str, limit: Annotated[int, typer.Option("-n", "--limit", min=0)] = 20) -> None:
        """Help on a topic."""

    made.command("other", options_metavar="[OTHERS]")(lambda: None)
    return made


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


def test_the_words_of_typer_are_looked_up(
    app: typer.Typer, counting: typer.Typer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "ru_RU.UTF-8")
    app.add_typer(counting, name="inner")

    group = CliRunner().invoke(spoken(app), ["inner", "--help"], prog_name="x").output
    assert "Использование: x inner [ПАРАМЕТРЫ] КОМАНДА [АРГУМЕНТЫ]...\n" in group
    assert "\nКоманды:\n" in group

    command = CliRunner().invoke(app, ["inner", "count", "--help"], prog_name="x").output
    assert "Использование: x inner count [ПАРАМЕТРЫ] " in command
    assert "\nАргументы:\n" in command
    assert "\nПараметры:\n" in command
    assert "[обязательно]" in command
    assert "[по умолчанию: 20; x>=0]" in command
    assert "показать эту справку и выйти\n" in command


def test_a_metavar_of_our_own_stays(
    app: typer.Typer, counting: typer.Typer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "ru_RU.UTF-8")

    assert "[OTHERS]" in CliRunner().invoke(spoken(counting), ["other", "--help"]).output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["count"], "missing argument 'what'"),
        (
            ["count", "x", "-n", "-1"],
            "invalid value for '-n' / '--limit': -1 is not in the range x>=0",
        ),
        (["count", "x", "-n", "y"], "invalid value for '-n' / '--limit': 'y' is not a valid int"),
        (["nosuch"], "no such command 'nosuch'"),
        (["count", "x", "-n"], "option '-n' requires an argument"),
    ],
)
def test_complaints_in_english(
    app: typer.Typer, counting: typer.Typer, arguments: list[str], complaint: str
) -> None:
    with pytest.raises(Unparsed) as raised:
        parsed(counting, arguments, "llmctl x")

    assert raised.value.message.startswith(complaint)


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["count", "x", "-n"], "llmctl x count"),
        (["count", "x", "--nosuch"], "llmctl x count"),
        (["count"], "llmctl x count"),
        (["nosuch", "count"], "llmctl x"),
    ],
)
def test_the_help_named_is_that_of_the_command(
    counting: typer.Typer, arguments: list[str], command: str
) -> None:
    with pytest.raises(Unparsed) as raised:
        parsed(counting, arguments, "llmctl x")

    assert raised.value.hint == f"see what it takes: {command} --help"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["count"], "не указан аргумент 'what'"),
        (["count", "x", "-n", "-1"], "недопустимое значение для '-n' / '--limit': -1 "),
        (["nosuch"], "нет команды 'nosuch'"),
    ],
)
def test_complaints_in_russian(
    app: typer.Typer,
    counting: typer.Typer,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    complaint: str,
) -> None:
    monkeypatch.setenv("LANG", "ru_RU.UTF-8")

    with pytest.raises(Unparsed) as raised:
        parsed(spoken(counting), arguments, "llmctl x")

    assert raised.value.message.startswith(complaint)
