"""What `llmctl image` takes, who draws, and what several requests amount to."""

from pathlib import Path
from typing import Any

import pytest

from llmctl import settings
from llmctl.cli.drawing import calls_for, unheeded
from llmctl.cli.drawn import Drawn, amounting, in_all, recorded
from llmctl.cli.drawn_asked import DrawnAsked, no_model, refuse_blind
from llmctl.engine.clearance import Cleared
from llmctl.engine.placed import placed
from llmctl.engine.resolve import resolve
from llmctl.engine.route import Route
from llmctl.errors import (
    Filtered,
    Interrupted,
    IoFailed,
    LlmctlError,
    NetworkFailed,
    Partial,
    ProviderFailed,
    UsageError,
)
from llmctl.output.picture_files import Album, Saved
from llmctl.privacy.screening import Screened
from llmctl.types import Cost, CostKind, Image, Latency, Media, Receipt, Usage
from llmctl.values import replace

SAVED = Saved(path="fox.png", media_type="image/png", size=9, sha256="ab")
RECEIPT = Receipt(id="1", started_at="2026-11-25T00:00:00Z", requested="openai/m")


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> settings.Loaded:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    for name in ("OPENAI", "GEMINI"):
        monkeypatch.setenv(f"{name}_API_KEY", "sk-" + "0" * 20)
    monkeypatch.setenv("YC_API_KEY", "AQVN" + "0" * 20)
    monkeypatch.setenv("YC_FOLDER_ID", "f")
    return settings.load()


# ---- flags


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"size": "huge"}, "--size"),
        ({"format": "psd"}, "--format does not know psd"),
        ({"option": ["n=3"]}, "--count"),
        ({"option": ["candidateCount=3"]}, "--count"),
        ({"option": ['generationConfig={"candidateCount": 8}']}, "--count"),
        ({"size": ""}, "--size is empty"),
        ({"size": "1024x1024,512x512"}, "--size takes one size, not 1024x1024,512x512"),
        ({"size": "16:9,4:3"}, "--size takes one size"),
        ({"size": "2K,4K"}, "--size takes one size"),
        ({"size": "1024x1024,16:9"}, "--size takes one size"),
        ({"option": ["prompt=x"]}, "what the call itself says"),
        ({"option": ["quality"]}, "KEY=VALUE"),
        ({"output": "-"}, "go into files"),
        ({"model": " "}, "names no model"),
    ],
)
def test_what_is_wrong_whatever_the_settings_say(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        DrawnAsked(**given).check()


@pytest.mark.parametrize(("format", "kind"), [("JPG", "image/jpeg"), ("jpeg", "image/jpeg"),
                                              ("png", "image/png"), (None, None)])  # fmt: skip
def test_formats_are_types(format: str | None, kind: str | None) -> None:
    DrawnAsked(format=format).check()
    assert DrawnAsked(format=format).media_type == kind


# ---- who draws


@pytest.mark.parametrize(
    "name",
    [
        "openai/gpt-image-2.5-flare",
        "openai/not-in-any-list",
        "gemini/gemini-3-pro-image",
        "gigachat/GigaChat-2-Max",  # which chats draw nobody says
        "yandexgpt/yandex-art",
        "huggingface/stabilityai/stable-diffusion-2-1:together",
        "vllm/anything",
    ],
)
def test_who_may_draw_is_asked(name: str, loaded: settings.Loaded) -> None:
    refuse_blind(placed(name, loaded), loaded)


@pytest.mark.parametrize(
    "name",
    [
        "openai/gpt-6-luna",
        "gemini/gemini-3.8-flash",
        "gigachat/Embeddings",
        "yandexgpt/text-search-doc",
        "anthropic/anything",
        "ollama/qwen3",
        "local/anything",
    ],
)
def test_who_does_not_draw_is_refused(name: str, loaded: settings.Loaded) -> None:
    with pytest.raises(UsageError, match="draws no pictures") as refused:
        refuse_blind(placed(name, loaded), loaded)
    hint = str(refused.value.hint)
    own = name.partition("/")[0]
    assert hint.startswith(f"what does: -m {own}/") == (own in ("openai", "gemini", "gigachat",
                                                                "yandexgpt"))  # fmt: skip
    assert "retired" not in hint
    assert "gpt-image-1," not in hint


def test_without_a_model_some_that_draw_are_named(loaded: settings.Loaded) -> None:
    assert "-m openai/gpt-image" in str(no_model(loaded).hint)


# ---- calls


def route(name: str, loaded: settings.Loaded) -> Route:
    return resolve(name, loaded)


def made(asked: DrawnAsked, name: str, loaded: settings.Loaded) -> list[Image]:
    there = route(name, loaded)
    way = there.dialect.drawing()
    assert way is not None
    return calls_for(asked, "fox", there, way, Album(asked.output, count=asked.count))


def test_as_many_in_a_request_as_the_format_brings(loaded: settings.Loaded) -> None:
    calls = made(DrawnAsked(count=23), "openai/gpt-image-2.5-flare", loaded)

    assert [one.count for one in calls] == [10, 10, 3]


def test_each_of_several_requests_has_a_seed_of_its_own(loaded: settings.Loaded) -> None:
    calls = made(DrawnAsked(count=3, seed=7), "yandexgpt/yandex-art", loaded)

    assert [(one.count, one.seed) for one in calls] == [(1, 7), (1, 8), (1, 9)]


@pytest.mark.parametrize(
    ("name", "output", "kind"),
    [
        ("openai/gpt-image-2.5-flare", "fox.webp", "image/webp"),
        ("openai/gpt-image-2.5-flare", "fox", None),
        ("yandexgpt/yandex-art", "fox.png", None),  # it makes no other than JPEG
        ("yandexgpt/yandex-art", "fox.jpg", "image/jpeg"),
    ],
)
def test_the_name_of_the_file_says_the_type_where_that_can_be_asked_for(
    name: str, output: str, kind: str | None, loaded: settings.Loaded
) -> None:
    (call,) = made(DrawnAsked(output=output), name, loaded)

    assert call.media_type == kind


@pytest.mark.parametrize(
    ("name", "told"), [("openai/gpt-image-2.5-flare", True), ("yandexgpt/yandex-art", False),
                       ("gemini/gemini-3-pro-image", False)]
)  # fmt: skip
def test_a_seed_that_nobody_heeds_is_told(name: str, told: bool, loaded: settings.Loaded) -> None:
    there = route(name, loaded)
    way = there.dialect.drawing()
    assert way is not None

    assert bool(unheeded(DrawnAsked(seed=1), there, way)) is told
    assert not unheeded(DrawnAsked(), there, way)


# ---- what it amounts to


def drawn(
    saved: int, error: LlmctlError | None = None, loaded: Any = None, **receipt: Any
) -> Drawn:
    call = Image("m", "a fox", count=2)
    ready = Cleared(route=loaded, call=call, screened=Screened(call=call))
    failure = error.failure() if error else None
    return Drawn(ready, replace(RECEIPT, error=failure, **receipt), error, (SAVED,) * saved)


def test_all_that_were_asked_for_are_a_success() -> None:
    assert amounting([drawn(2), drawn(1)], 3) is None


@pytest.mark.parametrize(
    ("done", "kind"),
    [
        ([drawn(1)], Partial),
        ([drawn(1), drawn(0, ProviderFailed("x"))], Partial),
        ([drawn(0, Filtered("x")), drawn(0, ProviderFailed("y"))], Filtered),
        ([drawn(0, NetworkFailed("x", reason="timeout"))], NetworkFailed),
        ([drawn(1), drawn(0, Interrupted("x"))], Interrupted),
        ([drawn(1), drawn(0, IoFailed("x"))], IoFailed),
    ],
)
def test_less_than_asked_for(done: list[Drawn], kind: type[LlmctlError]) -> None:
    assert type(amounting(done, 4)) is kind


def test_a_timeout_may_have_cost_something() -> None:
    error = amounting([drawn(0, NetworkFailed("x", reason="timeout"))], 1)

    assert error is not None
    assert "charged" in str(error.hint)


def test_it_may_have_cost_something_also_where_others_came() -> None:
    error = amounting([drawn(1), drawn(0, NetworkFailed("x", reason="timeout"))], 2)

    assert isinstance(error, Partial)
    assert "charged" in str(error.hint)
    without = amounting([drawn(1), drawn(0, ProviderFailed("x"))], 2)
    assert "charged" not in str(without and without.hint)


def test_of_an_error_beside_all_pictures_no_rest_is_to_be_asked_for() -> None:
    error = amounting([drawn(1, Filtered("IMAGE_SAFETY"))], 1)

    assert isinstance(error, Partial)
    assert error.message == "the pictures came, and with them an error: IMAGE_SAFETY"
    assert "rest" not in str(error.hint)


def priced(amount: str | None, currency: str | None = "USD") -> Cost:
    return Cost(amount, currency if amount else None, CostKind.COMPUTED)


def one(cost: Cost, **given: Any) -> Receipt:
    usage = Usage(input_tokens=10, output_tokens=100)
    return replace(
        RECEIPT, cost=cost, usage=usage, attempts=1, latency=Latency(total_s=1.5), **given
    )


def test_sums_of_several_receipts() -> None:
    whole = in_all([one(priced("0.1"), text="a"), one(priced("0.02"), text="")])

    assert whole.cost.amount == "0.12"
    assert whole.usage == Usage(input_tokens=20, output_tokens=200)
    assert (whole.attempts, whole.latency.total_s, whole.text) == (2, 3.0, "a")


@pytest.mark.parametrize("other", [priced(None), priced("5", "RUB")])
def test_a_sum_of_which_a_part_is_not_known_is_not_known(other: Cost) -> None:
    assert in_all([one(priced("0.1")), one(other)]).cost.amount is None


def test_the_ledger_gets_files_and_no_bytes() -> None:
    partial = Partial("1 of 2")
    kept = recorded(drawn(1, media=(Media("image/png", b"\x89PNG"),)), partial)

    assert kept.media == (Media("image/png", path="fox.png", size=9, name="fox.png"),)
    assert kept.details["files"] == [
        {"path": "fox.png", "media_type": "image/png", "bytes": 9, "sha256": "ab"}
    ]
    assert kept.error is not None
    assert kept.error.code == "partial"
    assert recorded(drawn(2), partial).error is None  # it was another that was short
