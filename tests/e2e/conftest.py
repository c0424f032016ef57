"""What whole runs share."""

from pathlib import Path

import pytest

from tests.e2e.harness import Llmctl


@pytest.fixture(scope="session")
def warm_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def warm(llmctl: Llmctl, warm_cache: Path) -> None:
    """One cache for all runs: settings that were checked once are not checked in each of them,
    which nearly halves the time of a run."""
    llmctl.cache = warm_cache
    llmctl.env["LLMCTL_CACHE_DIR"] = str(warm_cache)
