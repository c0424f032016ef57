"""What there is to talk to: keys by their place, servers that listen on this machine, weights."""

import socket
from pathlib import Path

import pytest

from llmctl import catalogue, keys, settings
from llmctl.engine.survey import Found, is_up, survey
from llmctl.settings import ProviderSettings, Settings

KEY = "sk-" + "u" * 24


@pytest.fixture(autouse=True)
def nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, and every server at a port that nobody has."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OLLAMA_HOST"):
        monkeypatch.delenv(name, raising=False)


def elsewhere(**own: ProviderSettings) -> Settings:
    servers = ("llamacpp", "lmstudio", "ollama", "vllm")
    silent = {name: ProviderSettings(base_url="http://127.0.0.1:1") for name in servers}
    return Settings(providers={**silent, **own})


def found(own: Settings) -> list[Found]:
    return [one for one in survey(own) if one.kind != "weights"]


def test_nothing_is_found_where_there_is_nothing() -> None:
    assert found(elsewhere()) == []


def test_a_key_is_found_by_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    (one,) = found(elsewhere())

    assert (one.provider, one.kind, one.detail) == ("openai", "key", "OPENAI_API_KEY")
    assert one.model == "openai/gpt-6-luna"
    assert KEY not in repr(one)


def test_no_command_is_run_to_look(tmp_path: Path) -> None:
    touch = ProviderSettings(key_command=("touch", str(tmp_path / "ran")))

    (one,) = found(elsewhere(openai=touch))

    assert one.detail == "key_command"
    assert not (tmp_path / "ran").exists()


def test_a_key_in_the_file_is_found() -> None:
    keys.store("openai", KEY, "file")

    assert [str(keys.key_file())] == [one.detail for one in found(elsewhere())]


def test_a_server_that_listens_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/v1"

        (one,) = found(elsewhere(vllm=ProviderSettings(base_url=address)))

    assert (one.provider, one.kind, one.detail, one.model) == ("vllm", "server", address, None)


def test_only_this_machine_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("connected"))
    far = ProviderSettings(base_url="http://192.0.2.1:11434")

    assert found(Settings(providers=dict.fromkeys(
        ("llamacpp", "lmstudio", "ollama", "vllm"), far))) == []  # fmt: skip


def test_weights_are_found_by_their_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "a.gguf"
    monkeypatch.setattr(
        "llmctl.engine.weights.present",
        lambda model: file if model.id == "smollm2-135m" else None,
    )

    (one,) = [one for one in survey(elsewhere()) if one.kind == "weights"]

    assert (one.model, one.detail) == ("local/smollm2-135m", str(file))
    assert settings.paths().data == tmp_path / "data"


def test_only_servers_of_ones_own_on_this_machine_are_looked_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        here = ProviderSettings(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}/v1")
        own = elsewhere(llamacpp=here, openai=here, vllm=ProviderSettings(base_url="http://a.test"))
        seen = {
            name: is_up(catalogue.card(name, own), own.providers[name])
            for name in ("llamacpp", "lmstudio", "openai", "vllm")
        }

    assert seen == {"llamacpp": True, "lmstudio": False, "openai": None, "vllm": None}
