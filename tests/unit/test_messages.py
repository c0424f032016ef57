"""Texts: what `_()` does, and that the catalogues are up to date and fit to be shown.

A stale catalogue is refreshed with `python -m tests.catalogue`.
"""

import gettext
import re
from collections.abc import Iterator
from importlib import import_module
from inspect import cleandoc
from pathlib import Path

import pytest
import typer
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from llmctl import messages
from llmctl.cli.commands import COMMANDS
from tests import catalogue

REFRESH = "run: python -m tests.catalogue"
LANGUAGES = [pytest.param(path, id=path.parent.parent.name) for path in catalogue.catalogues()]
# What a person types or reads back from a screen: options, variables, and commands of ours.
COMMAND = rf"\bllmctl (?:{'|'.join(COMMANDS)})(?: [a-z]+\b)?"
VERBATIM = re.compile(rf"--[a-z][a-z-]+|\b[A-Z]+(?:_[A-Z]+)+\b|{COMMAND}")


@pytest.fixture(autouse=True)
def _fresh_lookup(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    messages.lookup.cache_clear()
    yield
    messages.lookup.cache_clear()


def summary(found: Catalog) -> dict[str, list[str]]:
    """Text and the files it stands in."""
    return {
        str(message.id): sorted(file for file, _line in message.locations)
        for message in catalogue.texts(found)
    }


def test_places_are_filled_in_english() -> None:
    assert messages._("no such model {name}", name="x") == "no such model x"


def test_a_text_without_values_keeps_its_braces() -> None:
    assert messages._('{"a": 1}') == '{"a": 1}'


@pytest.mark.parametrize("language", ["C", "C.UTF-8", "POSIX", "en_GB.UTF-8", "tlh"])
def test_other_languages_than_ours_read_english(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", language)

    assert messages._("there is no prompt") == "there is no prompt"


@pytest.mark.parametrize("language", ["ru_RU.UTF-8", "ru", "ru:en"])
def test_russian_is_read_from_the_shipped_catalogue(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", language)

    assert messages._("there is no prompt") == "промпт пуст"


def test_a_text_missing_in_a_catalogue_falls_back_to_english(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LANG", "ru_RU.UTF-8")

    assert messages._("never translated {n}", n=3) == "never translated 3"


def helps(app: typer.Typer) -> Iterator[str]:
    """The docstrings that --help of its commands prints."""
    for command in app.registered_commands:
        if command.help is None and command.callback and command.callback.__doc__:
            yield cleandoc(command.callback.__doc__)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield from helps(group.typer_instance)


def test_the_help_of_every_command_is_collected() -> None:
    collected = {text for _path, text in catalogue.command_helps()}
    for command in COMMANDS.values():
        assert set(helps(import_module(command.module).app)) <= collected, command.module


def test_the_template_has_every_text_of_the_sources() -> None:
    with catalogue.TEMPLATE.open("rb") as file:
        kept = read_po(file)

    assert summary(catalogue.extracted()) == summary(kept), REFRESH


@pytest.mark.parametrize("path", LANGUAGES)
def test_each_language_has_the_texts_of_the_template(path: Path) -> None:
    assert summary(catalogue.extracted()) == summary(catalogue.read(path)), REFRESH


@pytest.mark.parametrize("path", LANGUAGES)
def test_what_the_program_reads_is_what_was_translated(path: Path) -> None:
    with path.with_suffix(".mo").open("rb") as file:
        translate = gettext.GNUTranslations(file).gettext

    for message in catalogue.texts(catalogue.read(path)):
        text = str(message.id)
        assert (message.string or text) == translate(text), REFRESH


@pytest.mark.parametrize("path", LANGUAGES)
def test_nothing_in_a_catalogue_awaits_a_second_look(path: Path) -> None:
    assert [message.id for message in catalogue.texts(catalogue.read(path)) if message.fuzzy] == []


@pytest.mark.parametrize("path", LANGUAGES)
def test_nearly_everything_is_translated(path: Path) -> None:
    language = catalogue.read(path)
    missing = catalogue.untranslated(language)

    assert len(missing) <= len(language) // 10, f"to translate: {missing}"


@pytest.mark.parametrize("path", LANGUAGES)
def test_a_translation_keeps_places_options_and_line_ends(path: Path) -> None:
    for message in catalogue.texts(catalogue.read(path)):
        text, translated = str(message.id), str(message.string)
        if not translated:
            continue
        assert catalogue.places(text) == catalogue.places(translated), text
        assert text.endswith("\n") == translated.endswith("\n"), text
        for word in VERBATIM.findall(text):
            assert word in translated, f"{word!r} of {text!r}"


def test_every_text_can_be_filled_in() -> None:
    """A brace that is not a place would break the text the first time it is shown."""
    for message in catalogue.texts(catalogue.extracted()):
        catalogue.places(str(message.id))
