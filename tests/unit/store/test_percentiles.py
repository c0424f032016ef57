"""Percentiles by hand: between the two nearest values, in proportion."""

from collections.abc import Sequence

import pytest

from llmctl.store.percentiles import spread


@pytest.mark.parametrize(
    ("values", "percentiles"),
    [
        ([], (None, None, None, None)),
        ([3.0], (3.0, 3.0, None, None)),
        ([4, 1, 2, 9], (3.0, 7.5, None, None)),  # 0.9 × 3 steps: 0.7 of the way from 4 to 9
        ([5, 1, 3], (3.0, 4.6, None, None)),
        # Steps of one: a share of n - 1 steps is the value itself.
        (range(19), (9.0, 16.2, None, None)),
        (range(20), (9.5, 17.1, 18.05, None)),
        (range(99), (49.0, 88.2, 93.1, None)),
        (range(100), (49.5, 89.1, 94.05, 98.01)),
    ],
)
def test_percentiles(values: Sequence[float], percentiles: tuple[float | None, ...]) -> None:
    for order in (list(values), sorted(values, reverse=True)):
        found = spread(order)

        assert found.count == len(values)
        assert (found.p50, found.p90, found.p95, found.p99) == pytest.approx(percentiles)
