"""Likeness of vectors, against cosines computed by hand."""

import math

import pytest

from llmctl.engine.embedding import Item
from llmctl.engine.similar import Ranking


def ranked(question: list[float], rows: list[list[float]], top: int) -> list[tuple[int, float]]:
    ranking = Ranking(question, top)
    for index, row in enumerate(rows):
        ranking.add(Item(index, ""), row)
    return [(one.item.index, one.score) for one in ranking.best()]


def test_the_angle_counts_and_not_the_length() -> None:
    found = ranked([1.0, 0.0], [[0.0, 9.0], [5.0, 5.0], [0.1, 0.0], [-3.0, 0.0]], 9)

    assert [index for index, _score in found] == [2, 1, 0, 3]
    assert [score for _index, score in found] == pytest.approx([1.0, math.sqrt(0.5), 0.0, -1.0])


def test_only_the_likest_are_kept_the_earlier_of_two_first() -> None:
    rows = [[1.0, float(number % 3)] for number in range(9)]

    assert [index for index, _score in ranked([1.0, 0.0], rows, 4)] == [0, 3, 6, 1]


def test_what_has_no_direction_is_like_nothing() -> None:
    assert ranked([1.0, 0.0], [[0.0, 0.0]], 1) == [(0, 0.0)]
    assert ranked([0.0, 0.0], [[1.0, 0.0]], 1) == [(0, 0.0)]


def test_rounding_makes_nothing_liker_than_alike() -> None:
    row = [0.1] * 7

    assert ranked(row, [row], 1)[0][1] <= 1.0
