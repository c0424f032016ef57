from collections.abc import Iterator
from itertools import cycle
from types import SimpleNamespace
from typing import Any

context = SimpleNamespace()
DataContext = SimpleNamespace(get_current=lambda: context)


def ActorPoolStrategy(*, size: int, max_tasks_in_flight_per_actor: int) -> int:  # noqa: N802
    assert max_tasks_in_flight_per_actor == 1
    return size


class Rows:
    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._rows = rows

    def map_batches(
        self, kind: Any, *, fn_constructor_args: Any, batch_size: int, compute: int, num_cpus: float
    ) -> "Worked":
        assert batch_size == 1
        return Worked(self._rows, [kind(*fn_constructor_args) for _number in range(compute)])


class Worked:
    def __init__(self, rows: list[dict[str, Any]], workers: list[Any]) -> None:
        self._rows, self._workers = rows, workers

    def iter_rows(self) -> Iterator[dict[str, Any]]:
        for row, worker in zip(self._rows, cycle(self._workers)):
            found = worker({name: [value] for name, value in row.items()})
            yield {name: values[0] for name, values in found.items()}


def from_items(rows: list[dict[str, Any]], *, override_num_blocks: int) -> Rows:
    assert override_num_blocks == len(rows)
    return Rows(rows)
