"""The flags of `llmctl compare`: what cannot be meant, formats, and what is asked again."""

import json
from typing import Any

import pytest

from llmctl.cli.compare_asked import ENDINGS, FORMATS, CompareAsked, repeated
from llmctl.errors import UsageError


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"list_": True, "show": "1"}, "exclude one another"),
        ({"show": "1", "rerun": "2"}, "exclude one another"),
        ({"list_": True, "rerun": "2"}, "exclude one another"),
        ({"json": True, "format": "csv"}, "--json and --format csv"),
        ({"format": "pdf"}, "--format does not know pdf"),
        ({"template": "a", "variant": ["b"]}, "-t is one way"),
        ({"column": "a"}, "--column is about rows"),
        ({"input_format": "csv"}, "--input-format is about rows"),
        ({"limit": 3}, "--limit is about rows"),
        ({"expected": "a"}, "--expected is about rows"),
        ({"min_pass": "95%"}, "--min-pass needs something to pass"),
        ({"min_pass": "95%", "judge": "m"}, "--min-pass needs something to pass"),
        ({"fetch": True}, "--fetch is about attached files"),
        ({"privacy": " "}, "--privacy is empty"),
        ({"option": ["x"]}, "KEY=VALUE"),
    ],
)
def test_flags_that_cannot_be_meant(flags: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        CompareAsked(**flags).check()


@pytest.mark.parametrize(
    "flags",
    [
        {},
        {"json": True, "format": "json"},
        {"prompts": "a.csv", "column": "a", "limit": 1, "expected": "b", "input_format": "csv"},
        {"min_pass": "95%", "checks": ["contains=a"]},
        {"min_pass": "95%", "schema": "{}"},
        {"min_pass": "95%", "prompts": "a.csv", "expected": "b"},
        {"rerun": "1", "limit": 3, "min_pass": "95%"},
        {"list_": True, "limit": 3},
        {"variant": ["a", "b"]},
    ],
)
def test_flags_that_can(flags: dict[str, Any]) -> None:
    CompareAsked(**flags).check()


@pytest.mark.parametrize(
    ("flags", "format"),
    [
        ({}, "table"),
        ({"json": True}, "json"),
        ({"output": "-"}, "table"),
        ({"output": "a/report.html"}, "html"),
        ({"output": "A.HTM"}, "html"),
        ({"output": "a.md"}, "md"),
        ({"output": "a.csv"}, "csv"),
        ({"output": "a.json"}, "json"),
        ({"output": "a.jsonl"}, "jsonl"),
        ({"output": "results.xml"}, "junit"),
        ({"output": "a.txt"}, "table"),
        ({"output": "a.pdf"}, "table"),
        ({"output": "html"}, "table"),
        ({"output": "a.html", "format": "md"}, "md"),
        ({"output": "a.html", "json": True}, "json"),
    ],
)
def test_the_format_is_that_of_the_file_unless_one_is_named(
    flags: dict[str, Any], format: str
) -> None:
    assert CompareAsked(**flags).shown_as == format


def test_every_ending_means_a_format_there_is() -> None:
    assert set(ENDINGS.values()) == set(FORMATS)


# ---- once more


def test_what_is_kept_is_what_was_given_but_for_where_it_goes() -> None:
    asked = CompareAsked(
        prompt="Why?", models=["a", "b"], repeat=5, checks=["contains=x"], output="a.html",
        format="md", quiet=True, json=True, dry_run=True, temperature=0.0, verbose=True,
    )  # fmt: skip

    kept = asked.again()

    assert kept == {
        "prompt": "Why?", "models": ["a", "b"], "repeat": 5, "checks": ["contains=x"],
        "temperature": 0.0,
    }  # fmt: skip
    assert json.loads(json.dumps(kept)) == kept


def test_a_rerun_has_the_old_flags_and_the_new_ones_over_them() -> None:
    saved = CompareAsked(prompt="Why?", models=["a", "b"], repeat=5, prefer="cheapest").again()

    again = repeated(saved, CompareAsked(rerun="1", repeat=9, output="b.html", quiet=True))

    assert again == CompareAsked(
        prompt="Why?", models=["a", "b"], repeat=9, prefer="cheapest", output="b.html", quiet=True
    )
    assert again.rerun is None
    assert repeated(saved, CompareAsked(rerun="1", models=["c"])).models == ["c"]


def test_a_rerun_takes_a_flag_at_its_default_for_one_that_was_given() -> None:
    asked = repeated({"repeat": 3, "order_seed": 5, "concurrency": 4},
                     CompareAsked(rerun="last", repeat=1, order_seed=0, concurrency=1))  # fmt: skip

    assert (asked.times, asked.order_seed, asked.lanes) == (1, 0, 1)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"show": "last", "checks": ["contains=x"]}, "--check changes nothing"),
        ({"show": "last", "models": ["a/b"]}, "-m changes nothing"),
        ({"list_": True, "prompt": "hi"}, "PROMPT changes nothing"),
        ({"show": "last", "repeat": 9}, "--repeat changes nothing"),
        ({"models": ["a/b"], "output": "x.foo"}, "x.foo does not tell the format"),
        ({"models": ["a/b"], "max_cost": "1 USD"}, "--max-tokens"),
    ],
)
def test_what_would_be_ignored_is_refused(flags: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        CompareAsked(**flags).check()


def test_what_changes_how_a_kept_one_is_shown_is_not_refused() -> None:
    CompareAsked(show="last", prefer="cheapest", where="cost<1", currency="RUB").check()
    CompareAsked(list_=True, limit=3).check()
    CompareAsked(models=["a/b"], output="/tmp/some.folder/x").check()
    CompareAsked(models=["a/b"], output="x.foo", format="md").check()


def test_flags_of_another_version_are_passed_over() -> None:
    assert repeated({"prompt": "Why?", "telepathy": True}, CompareAsked()).prompt == "Why?"
