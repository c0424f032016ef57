"""Look-ups in what strangers send."""

import pytest

from llmctl.dialects.look import at, count_at, float_at, int_at, text_at, texts_at


@pytest.mark.parametrize(
    ("value", "expected"),
    [(5, 5), ("5", 5), ("5.0", None), (True, None), (None, None), ("9" * 5000, None), ("", None),
     (-1, -1), (10**400, None), (-(10**400), None)],
)  # fmt: skip
def test_whole_numbers(value: object, expected: int | None) -> None:
    assert int_at({"n": value}, "n") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0), (5, 5), ("5", 5), (10**12, 10**12), (10**12 + 1, None), (10**400, None), (-1, None),
     ("-1", None), (True, None), (5.5, None)],
)  # fmt: skip
def test_counts_of_tokens(value: object, expected: int | None) -> None:
    assert count_at({"n": value}, "n") == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(5, 5.0), (0.5, 0.5), ("5", None), (False, None), (10**400, None)]
)
def test_numbers(value: object, expected: float | None) -> None:
    assert float_at({"n": value}, "n") == expected


@pytest.mark.parametrize("value", [None, 5, "x", [], {}, [[]]])
def test_a_step_that_is_not_there_ends_in_nothing(value: object) -> None:
    assert at(value, "a", 0, "b") is None
    assert text_at(value, "a") is None
    assert texts_at(value, "data", "id") == []
