"""What `find` promises whatever is in the text, and the floors on the evaluation set."""

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from llmctl.privacy.detect import STRUCTURED, TYPES, find
from llmctl.types import Json
from tests.unit.privacy.detect.marked import check

ROOT = Path(__file__).parents[4]
FOLDER = os.environ.get("LLMCTL_CONFORMANCE_DIR")
SET = Path(FOLDER or ".").parent / "data" / "pii_eval.jsonl.gz"
needs_set = pytest.mark.skipif(not FOLDER or not SET.exists(), reason=f"{SET.name} is not there")
OURS = {"PASSPORT": "passport_ru"}
FLOOR = 0.95


def rows() -> Iterator[tuple[Json, list[tuple[int, int, str]]]]:
    with gzip.open(SET, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield (
                row,
                [
                    (one["start"], one["end"], OURS.get(one["type"], one["type"].lower()))
                    for one in row["spans"]
                    if one["type"] != "PERSON"
                ],
            )


def same(one: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    """Of one type, and sharing half of the place that was marked."""
    common = min(one[1], other[1]) - max(one[0], other[0])
    return one[2] == other[2] and 2 * common >= one[1] - one[0]


@needs_set
def test_the_set_in_english_and_russian() -> None:
    marked: Counter[tuple[str, str]] = Counter()
    missed: Counter[tuple[str, str]] = Counter()
    false = []
    for row, wanted in rows():
        got = [(one.start, one.end, one.type) for one in find(row["text"])]
        for span in wanted:
            marked[row["lang"], span[2]] += 1
            missed[row["lang"], span[2]] += not any(same(span, one) for one in got)
        false += [(row["id"], one) for one in got if not any(same(span, one) for span in wanted)]

    assert false == []
    for language in ("ru", "en"):
        for kind in (*STRUCTURED, "secret"):
            count = marked[language, kind]
            assert count == 0 or 1 - missed[language, kind] / count >= FLOOR, (language, kind)
    assert sum(marked.values()) > 50


def test_findings_are_in_order_and_apart() -> None:
    text = "a@b.ru, +79261234567, ИНН 7707083893; password: Qw3rty98! b@c.ru " * 50

    got = find(text)

    assert [one.type for one in got[:5]] == ["email", "phone", "inn", "secret", "email"]
    assert len(got) == 250
    assert all(one.end <= other.start for one, other in pairwise(got))
    assert got == find(text)


ALPHABET = some.sampled_from("aбZ09 .,-+@:/=()\"'\n\\_№инн\u00ad\u00a0１eyJskpassword")


@given(some.text(ALPHABET, max_size=200))
def test_whatever_the_text_is_the_findings_lie_in_it(text: str) -> None:
    got = find(text)

    places = [place for one in got for place in (one.start, one.end)]
    assert places == sorted(places)
    assert all(0 <= one.start < one.end <= len(text) for one in got)
    assert {one.type for one in got} <= set(TYPES)


def test_only_what_is_asked_for_is_searched() -> None:
    text = "a@b.ru, +79261234567, password: Qw3rty98!"

    assert [one.type for one in find(text, types={"secret"})] == ["secret"]
    assert [one.type for one in find(text, types=["email", "phone"])] == ["email", "phone"]
    assert find(text, types=[]) == []


def test_the_more_specific_wins() -> None:
    key = "sk-" + "proj-" + "wk59pfKL0jFi2YYvLBpEGbpRuHrzDSVdqUC8DwRDe03wkPM1"

    assert [one.name for one in find(f"OPENAI_API_KEY={key}")] == ["openai-key"]
    assert [one.type for one in find("password: ivan1@example.com")] == ["email"]


def test_places_are_those_of_the_text_as_it_was_given() -> None:
    text = "по\u00adч\u200bта: iv\u00adan@exa\u200bmple.com, тел.\u00a0"
    text += "+7\u00a0916\u2011123\u201145\u201167"

    got = [text[one.start : one.end] for one in find(text)]

    assert got == ["iv\u00adan@exa\u200bmple.com", "+7\u00a0916\u2011123\u201145\u201167"]


LOADED = """
import sys, time
import llmctl.values, collections.abc
begun = time.perf_counter()
import llmctl.privacy.detect
seconds = time.perf_counter() - begun
print(sorted(one for one in sys.modules if one.startswith("llmctl.privacy.detect")))
"""


def test_importing_it_compiles_and_loads_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT,
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip

    assert "['llmctl.privacy.detect', 'llmctl.privacy.detect.finding']" in done.stdout


@pytest.mark.parametrize(
    "text",
    [
        "Паспорт\nСерия: ⟦4509⟧\nНомер: ⟦654321⟧", "Паспорт\tсерия\t⟦4509⟧\tномер\t⟦654321⟧",
        '"passport": {\n    "series": "⟦4509⟧",\n    "number": "⟦654321⟧"\n}',
    ],
)  # fmt: skip
def test_a_passport_in_fields_on_lines_of_their_own(text: str) -> None:
    check(text, "passport_ru")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("IBAN⟦DE89370400440532013000⟧", "iban"), ("Iban ⟦De89 3704 0044 0532 0130 00⟧", "iban"),
        ("paid with ⟦4111.1111.1111.1111⟧", "card"), ('"tax_number": ⟦500100732259⟧', "inn"),
        ("звоните: ⟦8 (38-52) 12-34-56⟧", "phone"), ("тел. ⟦8.495.123.45.67⟧", "phone"),
        ("⟦8.916.123.4567⟧", "phone"),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(text: str, kind: str) -> None:
    check(text, kind)
