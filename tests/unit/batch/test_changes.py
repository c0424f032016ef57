"""What is said of a job that asks something else."""

from llmctl.batch.changes import LONGEST, MOST, differences


def test_the_same_says_nothing() -> None:
    what = {"model": "a/m", "options": {"top_p": 0.5}}

    assert differences(what, {"options": {"top_p": 0.5}, "model": "a/m"}) == []


def test_each_that_differs_is_named_with_both() -> None:
    found = differences({"model": "a/m", "seed": 1}, {"model": "b/n", "seed": 1, "column": "q"})

    assert found == ["model: a/m → b/n", "column: (none) → q"]


def test_what_is_not_there_any_more_is_named_too() -> None:
    assert differences({"system": "Be brief."}, {}) == ["system: Be brief. → (none)"]


def test_zero_and_false_are_not_nothing() -> None:
    assert differences({"temperature": 0}, {}) == ["temperature: 0 → (none)"]


def test_a_long_text_is_shown_by_its_lines_that_differ() -> None:
    before = "\n".join(f"line {number}" for number in range(50))
    found = differences({"template": before}, {"template": before.replace("line 7\n", "seven\n")})

    assert found == ["template:", "  -line 7", "  +seven"]


def test_of_very_much_the_beginning_is_shown() -> None:
    before, now = ("\n".join(f"{word} {n}" for n in range(100)) for word in ("old", "new"))
    found = differences({"template": before}, {"template": now})

    assert len(found) == 1 + MOST + 1
    assert found[-1] == f"  and {200 - MOST} lines more"


def test_one_endless_line_is_cut() -> None:
    found = differences({"system": "a" * 100_000}, {"system": "b" * (LONGEST + 1)})

    assert max(map(len, found)) <= 202


def test_objects_are_shown_by_what_differs_in_them() -> None:
    found = differences({"options": {"top_p": 0.5, "a": 1}}, {"options": {"a": 1, "top_p": 0.7}})

    assert found[0] == "options:"
    assert [one.strip() for one in found[1:]] == ['- "top_p": 0.5', '+ "top_p": 0.7']
