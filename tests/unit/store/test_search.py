import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from llmctl.store import search
from llmctl.store.ledger import Ledger
from llmctl.types import ToolCall
from tests.unit.store.shared import chat, receipt, system, user


@pytest.fixture(params=["indexed", "without-fts5"])
def ledger(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ledger]:
    """Every test runs twice: what is found must not depend on how SQLite was built."""
    if request.param == "without-fts5":
        monkeypatch.setattr(search, "INDEX", "CREATE VIRTUAL TABLE search USING fts_none(text)")
    with Ledger(tmp_path / "ledger.db", retention_days=None) as opened:
        yield opened


def found(ledger: Ledger, text: str) -> list[str]:
    return [hit.entry.receipt.id for hit in ledger.search(text)]


def keep(ledger: Ledger, **prompts: str) -> None:
    for id_, prompt in prompts.items():
        assert ledger.record(receipt(id_, text=""), chat(user(prompt))) is None


def test_words_are_found_from_their_beginning_in_any_case(ledger: Ledger) -> None:
    keep(ledger, a="Почему НЕБО голубое?", b="Why is the SKY blue?", c="кошка и собака")

    assert found(ledger, "небо") == ["a"]
    assert found(ledger, "Голуб") == ["a"]
    assert found(ledger, "кошк") == ["c"]
    assert found(ledger, "sky BL") == ["b"]
    assert found(ledger, "небо собака") == []


def test_yo_and_ye_are_the_same_letter(ledger: Ledger) -> None:
    keep(ledger, a="Ёлка и мёд", b="елка и мед")

    assert found(ledger, "елка") == found(ledger, "мёд") == ["b", "a"]


def test_the_middle_of_a_word_is_found_where_no_word_begins_so(ledger: Ledger) -> None:
    keep(ledger, a="天は青い", b="antidisestablishment")

    assert found(ledger, "青") == ["a"]
    assert found(ledger, "establish") == ["b"]


def test_everything_that_was_said_is_searched(ledger: Ledger) -> None:
    run = receipt(
        "a",
        text="answered",
        reasoning="thought",
        tool_calls=(ToolCall("c", "call_me", '{"x":"argued"}'),),
    )
    ledger.record(run, chat(system("instructed"), user("asked")))

    for word in ("instructed", "asked", "answered", "thought", "argued", "call_me"):
        assert found(ledger, word) == ["a"], word


@pytest.mark.parametrize(
    "text", ['"', "'", "*", "AND", "a OR b", "NEAR(", "x:y", "-", "%", "", " "]
)
def test_what_means_something_to_databases_means_nothing_here(ledger: Ledger, text: str) -> None:
    keep(ledger, a="nothing of the kind")

    assert found(ledger, text) == []


def test_signs_alone_are_found_as_they_stand(ledger: Ledger) -> None:
    keep(ledger, a="what does != mean", b="100 %")

    assert found(ledger, "!=") == ["a"]
    assert found(ledger, "%") == ["b"]


def test_what_came_after_a_search_is_found_by_the_next(ledger: Ledger) -> None:
    keep(ledger, a="first light")
    assert found(ledger, "light") == ["a"]
    keep(ledger, b="second light")

    assert found(ledger, "light") == ["b", "a"]


def test_a_limit_takes_the_newest(ledger: Ledger) -> None:
    keep(ledger, a="light", b="light", c="light")

    assert [hit.entry.receipt.id for hit in ledger.search("light", 2)] == ["c", "b"]
    assert len(ledger.search("light", -1)) == 3


def test_runs_without_text_are_not_found(ledger: Ledger) -> None:
    ledger.record(receipt("a", text="light"), chat(), mode="meta")

    assert found(ledger, "light") == []


def test_purged_runs_are_not_found_and_the_others_are(ledger: Ledger) -> None:
    keep(ledger, a="light", b="light")
    assert found(ledger, "light") == ["b", "a"]
    ledger.purge(id="b")
    keep(ledger, c="light")

    assert found(ledger, "light") == ["c", "a"]


def test_a_ledger_that_is_held_is_searched_all_the_same(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db", retention_days=None, timeout=0.05) as ledger:
        keep(ledger, a="light")
        with closing(sqlite3.connect(ledger.path, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")

            assert found(ledger, "light") == ["a"]


def test_an_excerpt_is_one_line_around_the_first_word() -> None:
    text = "x " * 100 + "the\nSKY is\tblue" + " y" * 100

    excerpt = search.excerpt(text, ["sky"])

    assert "the SKY is blue" in excerpt
    assert excerpt.startswith("…x")
    assert excerpt.endswith("y…")
    assert len(excerpt) <= 2 * search.AROUND + 2


def test_an_excerpt_of_a_short_text_is_all_of_it() -> None:
    assert search.excerpt("Небо голубое", ["голуб"]) == "Небо голубое"
