"""How much memory there is, read from files laid out as Linux has them; and how much a model
takes."""

from pathlib import Path

import pytest

from llmctl import catalogue
from llmctl.engine.memory import amount, available, needed
from llmctl.settings import Settings

GB = 10**9


def laid(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    return root


MEMINFO = {"proc/meminfo": "MemTotal:       16000000 kB\nMemAvailable:    8000000 kB\n"}


def test_what_the_system_says_is_available(tmp_path: Path) -> None:
    assert available(laid(tmp_path, MEMINFO)) == 8_000_000 * 1024


def test_a_system_that_does_not_say(tmp_path: Path) -> None:
    assert available(tmp_path) is None
    assert available(laid(tmp_path, {"proc/meminfo": "MemAvailable: some kB\n"})) is None


def test_the_limit_of_a_container_counts_with_what_it_would_give_up(tmp_path: Path) -> None:
    """2 GB allowed, 1.5 GB taken, of which 0.4 GB are files: 0.9 GB are left."""
    files = {
        "proc/self/cgroup": "0::/box\n",
        "sys/fs/cgroup/box/memory.max": "2000000000\n",
        "sys/fs/cgroup/box/memory.current": "1500000000\n",
        "sys/fs/cgroup/box/memory.stat": "anon 1\ninactive_file 400000000\n",
    }
    assert available(laid(tmp_path, {**MEMINFO, **files})) == 900_000_000


def test_the_limit_of_a_group_above_counts_too(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/a/b\n",
        "sys/fs/cgroup/a/b/memory.max": "max\n",
        "sys/fs/cgroup/a/memory.max": "3000000000\n",
        "sys/fs/cgroup/a/memory.current": "1000000000\n",
    }
    assert available(laid(tmp_path, {**MEMINFO, **files})) == 2_000_000_000


def test_groups_of_the_older_kind(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "5:cpu,cpuacct:/\n4:memory:/box\n",
        "sys/fs/cgroup/memory/box/memory.limit_in_bytes": "1000000000\n",
        "sys/fs/cgroup/memory/box/memory.usage_in_bytes": "250000000\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",  # none
    }
    assert available(laid(tmp_path, {**MEMINFO, **files})) == 750_000_000


def test_what_a_model_takes() -> None:
    """A file of 4 GB: itself, a tenth, and 0.8 GB; one of 0.1 GB: itself, a tenth, three times."""
    assert needed(4 * GB) == 5_200_000_000
    assert needed(100_000_000) == 410_000_000


def test_it_is_never_less_than_what_the_models_of_the_card_take() -> None:
    card = catalogue.card("local", Settings())
    known = [one.weights for one in card.models if one.weights]
    pairs = [(one.size, one.memory) for one in known if one.size and one.memory]

    assert len(pairs) > 8
    for size, memory in pairs:
        assert memory <= needed(size) <= 1.2 * memory + 500_000_000


@pytest.mark.parametrize(("size", "text"), [(5_200_000_000, "5.2 GB"), (410_000_000, "410 MB")])
def test_amounts(size: int, text: str) -> None:
    assert amount(size) == text
