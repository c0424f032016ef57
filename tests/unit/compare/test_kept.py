"""A comparison goes into the ledger and comes back as it was."""

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmctl.compare.kept import unpacked, without_texts, without_typed
from llmctl.compare.shape import (
    Candidate,
    Case,
    Comparison,
    Mark,
    Ruling,
    Skipped,
    Trial,
)
from llmctl.errors import UsageError
from llmctl.structure import packed
from llmctl.types import (
    COUNTED,
    Cost,
    CostKind,
    Failure,
    FinishReason,
    Latency,
    Level,
    Media,
    Receipt,
    ToolCall,
    Usage,
    UsageSource,
    Verdict,
)
from llmctl.values import replace
from tests.comparisons import hostile, many, sample


def through_json(comparison: Comparison) -> Comparison:
    return unpacked(json.loads(json.dumps(packed(comparison))))


def rich() -> Comparison:
    """With everything a run can have beside text."""
    made = sample()
    receipt = replace(
        made.trials[0].receipt,
        reasoning="why not",
        media=(Media("image/png", b"\x89PNG\x00\xff"),),
        tool_calls=(ToolCall("1", "look", "{}"),),
        details={"seen": {"by": ["nobody", 1, None]}},
    )
    ruling = Ruling(case=0, repeat=1, first=0, second=1, winner=1, why="shorter",
                    error=Failure("network", 9, "no way"), receipts=(receipt,))  # fmt: skip
    first = replace(made.trials[0], receipt=receipt)
    return replace(made, trials=(first, *made.trials[1:]), rulings=(ruling,))


@pytest.mark.parametrize("made", [sample(), rich(), hostile(), many(8)])
def test_it_comes_back_as_it_was(made: Comparison) -> None:
    assert through_json(made) == made


def test_what_a_later_version_has_added_is_passed_over() -> None:
    document: dict[str, Any] = packed(rich())
    run = document["trials"][0]
    for place in (document, document["candidates"][0], run, run["receipt"],
                  document["rulings"][0]["receipts"][0]):  # fmt: skip
        place["shoe_size"] = {"left": 46}

    assert unpacked(document) == rich()


def test_what_an_earlier_version_did_not_know_is_as_if_not_given() -> None:
    document: dict[str, Any] = packed(sample())
    for name in ("redacted", "texts", "min_pass", "skipped"):
        del document[name]

    assert unpacked(document) == replace(sample(), skipped=(), min_pass=None)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: ["nothing"],
        lambda document: {**document, "trials": [{"candidate": 0}]},
        lambda document: {**document, "candidates": 3},
        lambda document: {
            **document, "candidates": [{"name": "a", "model": "a", "verdict": {"level": "blue"}}],
        },
        lambda document: {name: one for name, one in document.items() if name != "seed"},
    ],
)  # fmt: skip
def test_what_another_version_has_written_otherwise_is_said(spoil: Callable[[Any], Any]) -> None:
    with pytest.raises(UsageError, match="another version"):
        unpacked(spoil(packed(sample())))


def test_bytes_that_are_none_are_another_version_s() -> None:
    document: dict[str, Any] = packed(rich())
    document["trials"][0]["receipt"]["media"][0]["data"] = "+"

    with pytest.raises(UsageError, match="another version"):
        unpacked(document)


# ---- anything there can be

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SOME = st.none() | WORDS
TIMES = st.none() | st.floats(0, 1e6)
COUNTS = st.none() | st.integers(0, 2**60)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
TABLES = st.dictionaries(WORDS, PLAIN, max_size=3)
FAILURES = st.none() | st.builds(Failure, WORDS, st.integers(0, 255), WORDS, SOME, st.booleans(),
                                 SOME, COUNTS, TIMES, SOME)  # fmt: skip
LISTS = st.lists(WORDS, max_size=2).map(tuple)
VERDICTS = st.none() | st.builds(
    Verdict, st.booleans(), st.sampled_from(Level), SOME, COUNTS, LISTS, LISTS, SOME, LISTS, LISTS,
    LISTS, WORDS, WORDS, LISTS, LISTS, SOME,
)  # fmt: skip
RECEIPTS = st.builds(
    Receipt,
    WORDS, WORDS, WORDS, SOME, SOME, WORDS, SOME,
    st.lists(st.builds(Media, WORDS, st.none() | st.binary(max_size=9), SOME, SOME, SOME, COUNTS,
                       SOME, COUNTS, SOME), max_size=2).map(tuple),
    st.lists(st.builds(ToolCall, WORDS, WORDS, WORDS), max_size=2).map(tuple),
    st.none() | st.sampled_from(FinishReason),
    st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, st.sampled_from(UsageSource)),
    st.builds(Cost, SOME, SOME, st.sampled_from(CostKind), SOME, SOME, SOME),
    st.builds(Latency, TIMES, st.booleans(), TIMES, TIMES, TIMES, st.floats(0, 1e6), TIMES, TIMES,
              st.none() | st.dictionaries(WORDS, st.floats(0, 1e6), max_size=2), TIMES),
    VERDICTS,
    st.dictionaries(WORDS, st.integers(0, 9), max_size=2),
    SOME,
    st.integers(0, 9),
    TABLES,
    FAILURES,
)  # fmt: skip
PLACES = st.integers(0, 9)
COMPARISONS = st.builds(
    Comparison,
    id=WORDS,
    started_at=WORDS,
    seed=st.integers(),
    candidates=st.lists(st.builds(
        Candidate, name=WORDS, model=WORDS, provider=SOME, variant=SOME, verdict=VERDICTS,
        weights=st.sampled_from(["open", "closed", "unknown"]), licence=SOME, memory=COUNTS,
        refused=FAILURES,
    ), max_size=2).map(tuple),
    cases=st.lists(st.builds(Case, id=WORDS, text=WORDS, line=COUNTS, expected=SOME,
                             columns=TABLES), max_size=2).map(tuple),
    trials=st.lists(st.builds(
        Trial, candidate=PLACES, case=PLACES, repeat=PLACES, receipt=RECEIPTS,
        marks=st.lists(st.builds(Mark, check=WORDS, passed=st.booleans(), why=SOME),
                       max_size=2).map(tuple),
        began_s=st.floats(0, 1e6),
    ), max_size=2).map(tuple),
    rulings=st.lists(st.builds(
        Ruling, case=PLACES, repeat=PLACES, first=PLACES, second=PLACES, winner=st.none() | PLACES,
        why=SOME, error=FAILURES, receipts=st.lists(RECEIPTS, max_size=1).map(tuple),
    ), max_size=1).map(tuple),
    repeat=PLACES,
    planned=PLACES,
    seconds=st.floats(0, 1e6),
    complete=st.booleans(),
    checks=LISTS,
    min_pass=st.none() | st.floats(0, 1),
    judge=SOME,
    skipped=st.lists(st.builds(Skipped, line=PLACES, why=WORDS), max_size=2).map(tuple),
    asked=TABLES,
    texts=st.booleans(),
    redacted=st.booleans(),
)  # fmt: skip


@given(COMPARISONS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_anything_comes_back_as_it_was(made: Comparison) -> None:
    assert through_json(made) == made


@pytest.mark.parametrize("kind", [Comparison, Candidate, Case, Trial, Mark, Ruling, Skipped])
def test_nothing_there_is_was_forgotten_above(kind: type) -> None:
    """A field that is added to the shape belongs into these strategies."""
    given_here = {
        Comparison: "id started_at seed candidates cases trials rulings repeat planned seconds"
        " complete checks min_pass judge skipped asked texts redacted",
        Candidate: "name model provider variant verdict weights licence memory refused",
        Case: "id text line expected columns",
        Trial: "candidate case repeat receipt marks began_s",
        Mark: "check passed why",
        Ruling: "case repeat first second winner why error receipts",
        Skipped: "line why",
    }

    assert {one.name for one in fields(kind)} == set(given_here[kind].split())


def test_a_variant_has_one_number_whichever_model_it_goes_to() -> None:
    """So that figures still say which wording did better."""
    made = replace(
        sample(),
        candidates=tuple(
            Candidate(name=f"{model} · {variant}", model=model, variant=variant)
            for model in ("x/a", "x/b")
            for variant in ("Say {{prompt}}", "short")
        ),
        asked={"variant": ["Say {{prompt}}", "short"]},
    )

    assert [one.name for one in without_texts(made).candidates] == [
        "x/a · #1", "x/a · #2", "x/b · #1", "x/b · #2",
    ]  # fmt: skip
    assert [one.name for one in without_typed(made).candidates] == [
        "x/a · #1", "x/a · short", "x/b · #1", "x/b · short",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("contains=a=b", "contains"),
        ("not-contains=a<b", "not-contains"),
        ("number=4111", "number"),
        ("command='grep me'", "command"),
        ("expected", "expected"),
        ("schema", "schema"),
        ("length<=200", "length<=200"),
        ("not-words>5", "not-words>5"),
        ("language=ru", "language=ru"),
    ],
)
def test_of_a_check_its_kind_is_kept_and_bounds_that_quote_nobody(typed: str, kept: str) -> None:
    assert without_typed(replace(sample(), checks=(typed,))).checks == (kept,)


def test_numbers_alone_hold_no_word_of_anybody() -> None:
    made = rich()
    secret = "Я никому не скажу"
    verdict = made.candidates[0].verdict
    assert verdict is not None
    wordy = replace(verdict, why=(secret,), notes=(secret,))
    refused = Failure("rejected", 16, f"cannot take {secret}", hint=f"leave out {secret}")
    candidates = (
        replace(made.candidates[0], variant=secret, name=f"m · {secret}", verdict=wordy,
                refused=refused),
    )  # fmt: skip
    made = replace(
        made,
        candidates=(*candidates, *made.candidates[1:]),
        cases=(Case(id=secret, line=3, text=secret, expected=secret, columns={"a": secret}),),
        skipped=(Skipped(line=4, why=secret),),
        checks=(f"contains={secret}",),
        asked={
            "prompt": secret,
            "system": secret,
            "repeat": 5,
            "variant": [secret],
            "attachment": [f"{secret}.pdf"],
            "prompts": f"{secret}.csv",
            "a_later_flag": secret,
            "models": ["a/b"],
            "local_only": True,
            "temperature": 0.5,
        },
        trials=tuple(
            replace(
                one,
                receipt=replace(
                    one.receipt,
                    text=secret,
                    verdict=wordy,
                    details={"x": secret, COUNTED: 12},
                    error=one.receipt.error and replace(one.receipt.error, message=secret),
                ),
                marks=tuple(
                    replace(mark, check=f"contains={secret}", why=secret) for mark in one.marks
                ),
            )
            for one in made.trials
        ),
    )
    bare = without_texts(made)
    written = json.dumps(packed(bare), ensure_ascii=False)

    assert secret not in written
    assert "why not" not in written
    assert "shorter" not in written
    assert "no way" not in written
    assert not bare.texts
    assert bare.asked == {
        "repeat": 5, "models": ["a/b"], "local_only": True, "temperature": 0.5,
    }  # fmt: skip
    assert bare.cases == (Case(id="3", line=3, text=""),)
    assert {one.receipt.details[COUNTED] for one in bare.trials} == {12}
    assert bare.candidates[0].refused == replace(refused, message="", hint=None)
    assert [one.receipt.usage for one in bare.trials] == [one.receipt.usage for one in made.trials]
    assert [one.passed for one in bare.trials] == [one.passed for one in made.trials]
