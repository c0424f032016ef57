"""Files of models: found, checked once for each state, and forgotten."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmctl.cards import Card, Endpoint, Model
from llmctl.engine import weights
from llmctl.errors import ConfigError, NotFound
from tests.unit.engine.weights_shared import DATA, DIGEST, tiny

ROOT = Path(__file__).parents[3]


def put(model: Model, data: bytes = DATA) -> Path:
    path = weights.place(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def silent(text: str) -> None:
    raise AssertionError(text)


def test_a_file_that_is_not_there_or_not_whole_is_not_present() -> None:
    model = tiny()
    assert weights.present(model) is None
    assert weights.ready(model, silent) is None
    put(model, DATA[:-1])
    assert weights.present(model) is None


def test_the_checksum_is_computed_once_for_each_state_of_the_file() -> None:
    model = tiny()
    path = put(model)
    told: list[str] = []
    assert weights.ready(model, told.append) == path
    assert len(told) == 1
    assert weights.ready(model, silent) == path  # known by now

    os.utime(path, ns=(1, 1))
    assert weights.ready(model, told.append) == path
    assert len(told) == 2


def test_a_damaged_file_of_the_right_size_is_refused_with_the_commands_that_mend_it() -> None:
    model = tiny()
    path = put(model)
    weights.ready(model, lambda _text: None)
    path.write_bytes(DATA[:100] + b"\0" + DATA[101:])
    os.utime(path, ns=(2, 2))
    with pytest.raises(ConfigError) as caught:
        weights.ready(model, lambda _text: None)
    assert caught.value.reason == "checksum"
    assert "models rm local/tiny" in (caught.value.hint or "")
    assert "models pull local/tiny" in (caught.value.hint or "")


def test_without_a_stated_checksum_the_one_of_the_first_pull_holds() -> None:
    model = tiny(sha256=None, size=None)
    path = put(model)
    weights.remember(model, path, {"sha256": DIGEST, "source": "somewhere"})
    assert weights.expected(model) == DIGEST
    path.write_bytes(DATA + b"more")
    with pytest.raises(ConfigError):
        weights.ready(model, lambda _text: None)


def test_what_is_pulled_is_ours_alone() -> None:
    model = tiny()
    path = put(model)
    path.chmod(0o644)
    weights.ready(model, lambda _text: None)
    assert path.stat().st_mode & 0o777 == 0o600
    assert weights.folder().stat().st_mode & 0o777 == 0o700


def test_removing_frees_everything_and_forgets_the_checksum() -> None:
    model = tiny(sha256=None)
    path = put(model)
    weights.remember(model, path, {"sha256": DIGEST})
    (path.parent / "tiny.gguf.part").write_bytes(b"12345")
    assert weights.remove(model) == len(DATA) + 5
    assert not path.parent.exists()
    assert weights.record_of(model) == {}
    assert weights.remove(model) == 0


def test_a_damaged_index_is_as_none() -> None:
    model = tiny()
    path = put(model)
    (weights.folder() / "index.json").write_text("{not json")
    assert weights.ready(model, lambda _text: None) == path
    assert weights.record_of(model)["sha256"] == DIGEST


CARD = Card(
    card=1,
    id="local",
    name="Local",
    kind="embedded",
    dialect="openai_chat",
    endpoint=Endpoint(base_url="llama://"),
    models=(Model(id="smollm2-135m"),),
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("./model.gguf", "{here}/model.gguf"),
        ("../model.gguf", "{here}/../model.gguf"),
        ("model.GGUF", "{here}/model.GGUF"),
        ("/models/model.bin", "/models/model.bin"),
        ("~/model.gguf", "{home}/model.gguf"),
    ],
)
def test_a_name_that_is_a_path(
    name: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = expected.format(here=tmp_path, home=tmp_path)
    assert str(weights.by_path(name, CARD)) == wanted


def test_any_other_name_gets_the_nearest_ones() -> None:
    with pytest.raises(NotFound) as caught:
        weights.by_path("smolm2", CARD)
    assert "local/smollm2-135m" in (caught.value.hint or "")
    with pytest.raises(NotFound) as caught:
        weights.by_path("qqqq", CARD)
    assert "llmctl models list local" in (caught.value.hint or "")


def test_a_size_by_hearsay_hides_no_file() -> None:
    model = tiny(size=5, verified=False)
    path = put(model)
    assert weights.present(model) == path
    assert weights.present(tiny(size=5)) is None


RECORDER = """
import sys
from llmctl.cards import Model, Weights
from llmctl.engine import weights
for number in range(20):
    model = Model(id=f"{sys.argv[1]}{number}", weights=Weights(file="f.gguf"))
    path = weights.place(model)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"GGUF")
    weights.remember(model, path, {"sha256": "0"})
"""


def test_processes_that_pull_at_once_forget_nothing(tmp_path: Path) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", RECORDER, name], cwd=ROOT) for name in ("a", "b")
    ]
    assert [one.wait(30) for one in running] == [0, 0]
    kept = json.loads((weights.folder() / "index.json").read_text())
    assert len(kept) == 40
