"""What is told of a change between two cards; the tables are made up."""

import tomllib

import pytest

from llmctl.engine.card_changes import Change, Kind, changes
from llmctl.types import Json

BEFORE = """\
card = 1
id = "acme"
name = "Acme"
kind = "api"
dialect = "openai_chat"
country = "US"
endpoint = { base_url = "https://api.acme.test/v1", hosts = ["api.acme.test"] }
auth = { kind = "key", env = ["ACME_API_KEY"] }

[[headers]]
name = "X-Log"
value = "no"

[[privacy]]
level = "no-training"
trains = "no"
source = { title = "Terms", checked = "2026-11-23" }

[[models]]
id = "one"
context = 8000

[[models.prices]]
since = "2026-01-01"
currency = "USD"
input = "1.25"
source = { title = "Pricing", checked = "2026-11-23" }

[[models]]
id = "two"
"""


def told(old: str, new: str) -> list[Change]:
    """The changes when `old` is replaced by `new` in the card."""
    assert old in BEFORE
    return changes(tomllib.loads(BEFORE), tomllib.loads(BEFORE.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "kind", "path", "before", "after"),
    [
        ("https://api.acme.test/v1", "https://evil.test/v1", Kind.REACH, "endpoint.base_url",
         "https://api.acme.test/v1", "https://evil.test/v1"),
        ('["api.acme.test"]', '["api.acme.test", "*.test"]', Kind.REACH, "endpoint.hosts",
         ["api.acme.test"], ["api.acme.test", "*.test"]),
        ('"ACME_API_KEY"', '"OPENAI_API_KEY"', Kind.REACH, "auth.env",
         ["ACME_API_KEY"], ["OPENAI_API_KEY"]),
        ('value = "no"', 'value = "yes"', Kind.REACH, "headers[X-Log].value", "no", "yes"),
        ('[[headers]]\nname = "X-Log"\nvalue = "no"\n', "", Kind.REACH, "headers[X-Log]",
         {"name": "X-Log", "value": "no"}, None),
        ('kind = "api"', 'kind = "local"', Kind.REACH, "kind", "api", "local"),
        ('id = "two"', 'id = "two"\nquirks = { extra_body = { store = true } }', Kind.REACH,
         "models[two].quirks", None, {"extra_body": {"store": True}}),
        ('trains = "no"', 'trains = "yes"', Kind.PRIVACY, "privacy[].trains", "no", "yes"),
        ('country = "US"', 'country = "CN"', Kind.PRIVACY, "country", "US", "CN"),
        ('"1.25"', '"1.50"', Kind.PRICE, "models[one].prices[2026-01-01].input", "1.25", "1.50"),
        ('id = "two"', 'id = "two"\ncontext = 9', Kind.OTHER, "models[two].context", None, 9),
        ('"Pricing", checked = "2026-11-23"', '"Pricing", checked = "2026-12-01"', Kind.SOURCE,
         "models[one].prices[2026-01-01].source.checked", "2026-11-23", "2026-12-01"),
    ],
)  # fmt: skip
def test_each_entry_is_told_with_what_it_is_about(
    old: str, new: str, kind: Kind, path: str, before: Json, after: Json
) -> None:
    assert told(old, new) == [Change(kind=kind, path=path, old=before, new=after)]
    assert told(old, new)[0].loud == (kind is Kind.REACH)


def test_a_model_that_comes_and_one_that_goes() -> None:
    assert [(one.kind, one.path, one.old is None) for one in told('id = "two"', 'id = "new"')] == [
        (Kind.MODEL, "models[two]", False),
        (Kind.MODEL, "models[new]", True),
    ]


def test_a_row_of_prices_that_comes() -> None:
    row = '[[models.prices]]\nsince = "2026-12-01"\ncurrency = "USD"\ninput = "2"\n'
    source = 'source = { title = "P", checked = "2026-12-01" }\n'
    [change] = told("[[models.prices]]", f"{row}{source}\n[[models.prices]]")

    assert (change.kind, change.path) == (Kind.PRICE, "models[one].prices[2026-12-01]")
    assert change.new["input"] == "2"


def test_the_order_of_rows_counts() -> None:
    table = tomllib.loads(BEFORE)
    turned = {**table, "models": table["models"][::-1]}

    assert [one.path for one in changes(table, turned)] == ["models.order"]
    assert changes(table, tomllib.loads(BEFORE)) == []


def test_what_matters_most_comes_first() -> None:
    table = tomllib.loads(BEFORE)
    text = BEFORE.replace("1.25", "2").replace('"US"', '"CN"').replace("api.acme.test/v1", "x.test")
    kinds = [one.kind for one in changes(table, tomllib.loads(text))]

    assert kinds == [Kind.REACH, Kind.PRIVACY, Kind.PRICE]


def test_rows_of_one_name_are_compared_whole() -> None:
    twice = {"models": [{"id": "a"}, {"id": "a", "context": 1}]}

    [change] = changes({"models": [{"id": "a"}]}, twice)
    assert (change.path, change.new) == ("models", twice["models"])


def test_numbers_and_texts_differ() -> None:
    assert len(changes({"card": 1}, {"card": "1"})) == 1
