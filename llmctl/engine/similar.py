"""Which texts are most like a question: by the cosine of the angle between their vectors."""

import heapq
from collections.abc import Sequence
from operator import mul

from llmctl.dialects.vectors import length
from llmctl.engine.embedding import Item
from llmctl.values import dataclass


@dataclass(frozen=True, slots=True)
class Likeness:
    """`score` is the cosine, from -1 to 1; 0 where one of the vectors has no direction."""

    score: float
    item: Item


class Ranking:
    """Keeps the `top` texts that are most like the `question`; of two that are alike the earlier
    comes first."""

    def __init__(self, question: Sequence[float], top: int) -> None:
        self._question = question
        self._length = length(question)
        self._top = top
        self._best: list[tuple[float, int, Item]] = []

    def add(self, item: Item, values: Sequence[float]) -> None:
        entry = (self._cosine(values), -item.index, item)
        if len(self._best) < self._top:
            heapq.heappush(self._best, entry)
        else:
            heapq.heappushpop(self._best, entry)

    def best(self) -> list[Likeness]:
        """The most alike first."""
        return [Likeness(score, item) for score, _at, item in sorted(self._best, reverse=True)]

    def _cosine(self, values: Sequence[float]) -> float:
        lengths = self._length * length(values)
        if not lengths:
            return 0.0
        product: float = sum(map(mul, self._question, values))
        return max(-1.0, min(1.0, product / lengths))
