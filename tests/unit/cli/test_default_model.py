"""Which model answers when none is named: never one that merely happens to be there."""

import builtins
from pathlib import Path

import pytest

from llmctl import settings
from llmctl.cli import default_model
from llmctl.cli.default_model import about, choose, embedded
from llmctl.engine.survey import Found
from llmctl.output.terminal import Screen, Terminal
from llmctl.settings import Loaded
from tests.simulator import Simulator

EMBEDDED = "local/smollm2-135m"
KEY = Found("openai", "OpenAI", "key", "OPENAI_API_KEY", "openai/gpt-6-luna")
SERVER = Found("vllm", "vLLM", "server", "http://127.0.0.1:8000/v1", None)
WEIGHTS = Found("local", "A", "weights", "/models/a.gguf", "local/a")
ON_TERMINAL = Terminal(True, Screen(is_tty=True), Screen(is_tty=True))


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    monkeypatch.setattr(settings, "SYSTEM_POLICY", tmp_path / "none.toml")
    monkeypatch.chdir(tmp_path)
    return settings.load()


class Typed:
    """What the user types, line by line, and how often they were asked."""

    def __init__(self, *lines: str) -> None:
        self.lines = iter(lines)
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        return next(self.lines)


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key, a server and a file of weights."""
    monkeypatch.setattr("llmctl.engine.survey.survey", lambda _own: iter([KEY, SERVER, WEIGHTS]))


def types(monkeypatch: pytest.MonkeyPatch, *lines: str) -> Typed:
    typed = Typed(*lines)
    monkeypatch.setattr(builtins, "input", typed)
    return typed


def test_the_embedded_model_is_the_one_of_its_card(loaded: Loaded) -> None:
    assert embedded(loaded) == EMBEDDED


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize(
    ("terminal", "may_ask"),
    [
        (Terminal(), True),
        (ON_TERMINAL, False),
        (ON_TERMINAL._replace(stdin_is_tty=False), True),
        (ON_TERMINAL._replace(stderr=Screen()), True),
    ],
)
def test_where_nobody_can_be_asked_the_embedded_model_answers(
    terminal: Terminal, may_ask: bool, loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = types(monkeypatch)

    assert choose(loaded, terminal, may_ask=may_ask) == EMBEDDED
    assert typed.asked == 0
    assert settings.load().settings.defaults.model is None


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize(
    ("lines", "model", "asked"),
    [
        (("1",), "openai/gpt-6-luna", 1),
        (("2",), "local/a", 1),
        (("",), EMBEDDED, 1),
        (("0", "4", "x", "²", "-1", "3"), EMBEDDED, 6),
    ],
)
def test_on_a_terminal_the_choice_is_asked_once_and_kept(
    lines: tuple[str, ...],
    model: str,
    asked: int,
    loaded: Loaded,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    typed = types(monkeypatch, *lines)

    assert choose(loaded, ON_TERMINAL, may_ask=True) == model
    assert typed.asked == asked
    assert settings.load().settings.defaults.model == model
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "openai/gpt-6-luna  (OpenAI, paid, no-training)" in shown.err
    assert "llmctl models default" in shown.err


def test_price_and_level_are_said_in_a_few_words(loaded: Loaded) -> None:
    assert about("openai", loaded) == "OpenAI, paid, no-training"
    assert about("ollama", loaded) == "Ollama, free, device"


def test_a_list_names_no_model_twice(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Found("local", "Small", "weights", "/models/s.gguf", EMBEDDED)
    monkeypatch.setattr("llmctl.engine.survey.survey", lambda _own: iter([own, WEIGHTS]))

    assert [one.model for one in default_model._found(loaded)] == ["local/a"]


def test_the_models_of_a_server_can_be_chosen(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch, sim: Simulator
) -> None:
    monkeypatch.setenv("LLMCTL_PROVIDERS__OLLAMA__BASE_URL", sim.url)
    sim.models = ("qwen3", "gpt-oss:120b-cloud", "gpt-oss:20b-cloud")
    server = Found("ollama", "Ollama", "server", sim.url, None)
    monkeypatch.setattr("llmctl.engine.survey.survey", lambda _own: iter([server]))
    types(monkeypatch, "1")

    assert choose(settings.load(), ON_TERMINAL, may_ask=True) == "ollama/qwen3"
    # What the server would only pass on to a cloud is no choice between local models.
    found = [one.model for one in default_model._found(settings.load())]
    assert found == ["ollama/qwen3"]


def test_with_nothing_to_choose_from_nothing_is_asked_or_stored(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmctl.engine.survey.survey", lambda _own: iter(()))
    typed = types(monkeypatch)

    assert choose(loaded, ON_TERMINAL, may_ask=True) == EMBEDDED
    assert typed.asked == 0
    assert settings.load().settings.defaults.model is None
