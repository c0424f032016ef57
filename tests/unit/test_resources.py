"""The data that ships: found beside a checkout, inside a package, and inside a zipped one."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmctl import resources

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def _fresh() -> Iterator[None]:
    resources._root.cache_clear()
    yield
    resources._root.cache_clear()


def test_a_checkout_has_them_beside_the_package() -> None:
    assert (resources.providers() / "openai.toml").is_file()
    assert (resources.config() / "exit-codes.json").is_file()


@pytest.mark.usefixtures("_fresh")
def test_those_inside_the_package_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (tmp_path / "llmctl" / "_providers", tmp_path / "providers"):
        folder.mkdir(parents=True)
    monkeypatch.setattr(resources, "_HERE", tmp_path / "llmctl")

    assert resources.providers() == tmp_path / "llmctl" / "_providers"
    resources._root.cache_clear()
    (tmp_path / "llmctl" / "_providers").rmdir()
    assert resources.providers() == tmp_path / "providers"


def test_a_zipped_package_is_read_without_unpacking(tmp_path: Path) -> None:
    archive = tmp_path / "llmctl.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("__init__.py", "resources.py"):
            file.write(ROOT / "llmctl" / name, f"llmctl/{name}")
        file.write(ROOT / "providers" / "openai.toml", "llmctl/_providers/openai.toml")
    code = (
        "from llmctl import resources; folder = resources.providers();"
        "print([one.name for one in folder.iterdir()]);"
        "print((folder / 'openai.toml').read_text('utf-8')[:8])"
    )

    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(archive)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )

    assert done.stdout.splitlines() == ["['openai.toml']", "card = 1"]
