"""The stages of the matrix, started once for all its tests."""

from collections.abc import Iterator

import pytest

from tests.matrix.play import Stages


@pytest.fixture(scope="session")
def stages() -> Iterator[Stages]:
    with Stages() as all_of_them:
        yield all_of_them
