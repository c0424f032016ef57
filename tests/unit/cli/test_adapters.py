"""`-o lora` for the model inside this process, and what becomes of it elsewhere."""

from pathlib import Path
from typing import Any

import pytest

from llmctl import catalogue, settings
from llmctl.cli.adapters import adapters, with_adapters
from llmctl.cli.one import embedded_options
from llmctl.dialects import DIALECTS
from llmctl.engine.route import Route
from llmctl.errors import UsageError
from llmctl.settings import Settings
from llmctl.transport.target import Target
from llmctl.types import Chat, Level, Quirks, Role, Verdict, message


def route(provider: str) -> Route:
    card = catalogue.card(provider, Settings())
    return Route(
        requested=f"{provider}/m", provider=provider, model="m", card=card, model_card=None,
        dialect=DIALECTS[card.dialect](), quirks=Quirks(),
        target=Target(provider=provider, base_url=card.endpoint.base_url),
        verdict=Verdict(True, Level.DEVICE),
    )  # fmt: skip


def asked(given: Any, provider: str = "local") -> tuple[Any, Any]:
    """(how the model is loaded, what is left in the call)"""
    call = Chat("m", (message(Role.USER, "hi"),), options={"top_k": 5, "lora": given})
    placed, left = with_adapters(route(provider), call)
    return placed.target.options.get("lora"), left.options


def test_a_scale_stands_behind_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert adapters(["a.gguf", "b.gguf=0.5", "/x/c=d.gguf", "e=1.gguf=-2"]) == [
        [f"{tmp_path}/a.gguf", 1.0],
        [f"{tmp_path}/b.gguf", 0.5],
        ["/x/c=d.gguf", 1.0],
        [f"{tmp_path}/e=1.gguf", -2.0],
    ]


def test_the_files_go_to_the_load_and_not_into_the_request() -> None:
    assert asked("/a.gguf=0.5") == ([["/a.gguf", 0.5]], {"top_k": 5})
    assert asked(["/a.gguf", "/b.gguf"]) == ([["/a.gguf", 1.0], ["/b.gguf", 1.0]], {"top_k": 5})


@pytest.mark.parametrize("nothing", ["", None, []])
def test_none_for_one_call(nothing: Any) -> None:
    assert asked(nothing) == ([], {"top_k": 5})


@pytest.mark.parametrize("given", [3, [{"id": 0, "scale": 0.5}], {"id": 0}, True, [""]])
def test_what_is_no_file_is_refused(given: Any) -> None:
    with pytest.raises(UsageError, match="takes a file"):
        asked(given)


def test_a_server_gets_its_own_form_of_it() -> None:
    form = [{"id": 0, "scale": 0.5}]

    assert asked(form, "llamacpp") == (None, {"top_k": 5, "lora": form})


def test_the_setting_is_for_every_local_model() -> None:
    own = settings.Embedded(lora=("/a.gguf=0.5",))

    assert embedded_options(route("local"), own)["lora"] == [["/a.gguf", 0.5]]
    assert "lora" not in embedded_options(route("local"), settings.Embedded())
