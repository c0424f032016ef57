"""What tests of every kind share: the simulator and the isolated command."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import Llmctl
from tests.simulator import Simulator


@pytest.fixture(scope="session")
def running_simulator() -> Iterator[Simulator]:
    with Simulator() as sim:
        yield sim


@pytest.fixture
def sim(running_simulator: Simulator) -> Simulator:
    """The simulator, with nothing remembered of earlier tests."""
    running_simulator.reset()
    return running_simulator


@pytest.fixture
def llmctl(tmp_path: Path, sim: Simulator) -> Llmctl:
    """The command in a home of its own, every provider's address leading to the simulator."""
    return Llmctl(tmp_path, sim)
