"""The commented template of cards: it can be used as it stands, and every entry there is stands in
it with a value that fits."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from llmctl import catalogue
from llmctl.cards import Card
from llmctl.structure import build, check

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "docs" / "card-template.toml"
# A comment has a space behind its sign; an entry that is left out has none.
LEFT_OUT = re.compile(r"^#(?=[a-z\[])", re.MULTILINE)


@pytest.fixture
def text() -> str:
    return TEMPLATE.read_text(encoding="utf-8")


def card(text: str) -> Card:
    return build(Card, check(Card, tomllib.loads(text)))


def schemas(kind: Any) -> Iterator[type]:
    """The classes of a card, each once, from the types of their fields."""
    found = [kind]
    for one in found:
        for hint in get_type_hints(one).values():
            pending = [hint]
            while pending:
                part = pending.pop()
                pending += get_args(part)
                if isinstance(part, type) and is_dataclass(part) and part not in found:
                    found.append(part)
    return iter(found)


def keys(table: Any) -> Iterator[str]:
    if isinstance(table, dict):
        for key, value in table.items():
            yield key
            yield from keys(value)
    elif isinstance(table, list):
        for one in table:
            yield from keys(one)


def test_as_it_stands_it_is_a_card_without_a_fault(text: str) -> None:
    made = card(text)

    assert (made.id, made.kind, list(catalogue.faults(made))) == ("acme", "api", [])


def test_with_everything_in_it_is_a_card_without_a_fault(text: str) -> None:
    made = card(LEFT_OUT.sub("", text))

    assert list(catalogue.faults(made)) == []
    assert made.default_model in {one.id for one in made.models}
    assert made.models[0].prices[0].tiers[0].above_input_tokens == 200_000


def test_every_entry_that_a_card_may_have_is_shown(text: str) -> None:
    shown = set(keys(tomllib.loads(LEFT_OUT.sub("", text))))

    missing = {
        f"{one.__name__}.{entry.name}"
        for one in schemas(Card)
        for entry in fields(one)
        if entry.name not in shown
    }

    assert missing == set()


def test_contributors_are_led_to_it() -> None:
    assert "docs/card-template.toml" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
