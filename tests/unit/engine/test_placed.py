"""Where a call would go: the same for asking a model and for all that tells what that would be."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from llmctl import settings
from llmctl.cli.cost_what_if import other
from llmctl.cli.estimating import Question, estimated_for
from llmctl.cli.model_facts import facts
from llmctl.cli.models import known
from llmctl.cost.tariff import tariff
from llmctl.engine.explained import explained
from llmctl.engine.placed import placed
from llmctl.engine.resolve import resolve
from llmctl.errors import ConfigError, NotFound

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
CLOUD = "ollama/gpt-oss:120b-cloud"


CLOSED = """\
card = 1
id = "acme"
name = "Acme"
kind = "api"
dialect = "openai_chat"
endpoint.base_url = "https://api.acme.example"
[[models]]
id = "only"
"""


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", f"{tmp_path}/{kind}")
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "CONFIG"


def why(name: str) -> tuple[str | None, str | None, str | None]:
    """What an estimate, a route and a comparison say of the cost of a model."""
    loaded = settings.load()
    estimate = estimated_for(Question(model=name, input_tokens=10)).estimate
    assert estimate.low is None
    route = resolve(name, loaded)
    asked = tariff(route.card, route.model_card, route.terms(), NOON)
    return estimate.why, asked.why, other(name, loaded, NOON).charged.why


def test_a_model_that_a_local_server_passes_on_has_no_known_price_anywhere() -> None:
    assert why(CLOUD) == ("passed-on",) * 3
    assert placed(CLOUD, settings.load()).passed_on
    assert not placed("ollama/gpt-oss:20b", settings.load()).passed_on
    assert explained(CLOUD, settings.load())["level"] == "unknown"


@pytest.mark.parametrize(
    ("variable", "url", "name"),
    [
        ("VLLM", "https://api.example.com/v1", "vllm/any"),
        ("OLLAMA", "https://ollama.com", "ollama/gpt-oss:20b"),
    ],
)
def test_a_local_card_at_somebody_elses_address_has_no_known_price(
    variable: str, url: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"LLMCTL_PROVIDERS__{variable}__BASE_URL", url)

    assert why(name) == ("other-host",) * 3
    assert not resolve(name, settings.load()).is_free
    assert not other(name, settings.load(), NOON).is_own


def test_in_ones_own_network_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMCTL_PROVIDERS__VLLM__BASE_URL", "http://192.168.1.7:8000/v1")
    loaded = settings.load()

    assert resolve("vllm/any", loaded).is_free
    assert other("vllm/any", loaded, NOON).is_own
    assert estimated_for(Question(model="vllm/any", input_tokens=10)).estimate.low is not None


def test_at_a_foreign_address_neither_price_nor_level_of_the_card_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "openai/gpt-6-luna"
    card, model = known(name, settings.load())
    at_home = facts(card, model, settings=settings.load().settings, at=NOON)
    assert at_home["price"] is not None
    assert at_home["privacy"] != "unknown"
    assert other(name, settings.load(), NOON).charged.row is not None

    monkeypatch.setenv("LLMCTL_PROVIDERS__OPENAI__BASE_URL", "https://gw.example/v1")
    loaded = settings.load()
    there = facts(card, model, settings=loaded.settings, at=NOON)

    assert (there["price"], there["privacy"]) == (None, "unknown")
    assert other(name, loaded, NOON).charged.why == "other-host"
    assert estimated_for(Question(model=name, input_tokens=10)).estimate.why == "other-host"


def test_all_of_them_refuse_the_same_names(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "providers").mkdir(parents=True)
    (home / "providers" / "acme.toml").write_text(CLOSED, encoding="utf-8")
    loaded = settings.load()
    for asking in (
        lambda: placed("acme/other", loaded),
        lambda: resolve("acme/other", loaded),
        lambda: explained("acme/other", loaded),
        lambda: other("acme/other", loaded, NOON),
        lambda: estimated_for(Question(model="acme/other", input_tokens=1)),
    ):
        with pytest.raises(NotFound):
            asking()
    monkeypatch.setenv("LLMCTL_PROVIDERS__OPENIA__PROXY", "http://proxy.example")
    with pytest.raises(ConfigError, match="openia"):
        other("openai/gpt-6-luna", settings.load(), NOON)
