"""Keys: the order of places, what damages one, and that none ever shows itself."""

import json
import os
import pickle
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from llmctl import catalogue, keys, settings
from llmctl.cards import Card
from llmctl.errors import AuthFailed, ConfigError, IoFailed
from llmctl.settings import ProviderSettings

KEY = "sk-" + "k" * 24
NONE = ProviderSettings()


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for kind in ("config", "data", "cache"):
        monkeypatch.setenv(f"LLMCTL_{kind.upper()}_DIR", str(tmp_path / kind))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return tmp_path


@pytest.fixture
def card() -> Card:
    return catalogue.card("openai", settings.Settings())


class Ring:
    """A keyring in memory."""

    priority = 5.0

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, name: str) -> str | None:
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, value: str) -> None:
        self.kept[service, name] = value

    def delete_password(self, service: str, name: str) -> None:
        del self.kept[service, name]


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    import keyring

    made = Ring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: made)
    return made


def found(card: Card, own: ProviderSettings = NONE) -> tuple[str, str] | None:
    secret = keys.find(card, own)
    return None if secret is None else (secret.reveal(), secret.source)


def test_environment_then_command_then_keyring_then_file(
    card: Card, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = ProviderSettings(key_command=(sys.executable, "-c", "print('from-command')"))
    assert found(card) is None
    keys.store("openai", "from-file", "file")
    assert ("from-file", str(keys.key_file())) == found(card)
    keys.store("openai", "from-keyring")
    assert found(card) == ("from-keyring", "keyring")
    assert found(card, own) == ("from-command", "key_command")
    monkeypatch.setenv("OPENAI_API_KEY", f"  {KEY}\n")
    assert found(card, own) == (KEY, "OPENAI_API_KEY")


@pytest.mark.parametrize("damaged", ["sk-abc\ndef", "sk-abcд", "sk-\x00abc"])
def test_a_damaged_key_is_refused_without_being_shown(
    damaged: str, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {**os.environ, "OPENAI_API_KEY": damaged})

    with pytest.raises(AuthFailed) as caught:
        keys.find(card, NONE)
    assert damaged not in f"{caught.value.message}{caught.value.hint}"
    assert "abc" not in f"{caught.value.message}{caught.value.hint}"


def test_an_empty_variable_is_no_key(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", " ")

    assert found(card) is None


@pytest.mark.parametrize(
    "command", [("no-such-program-here",), (sys.executable, "-c", "raise SystemExit(3)")]
)
def test_a_command_that_fails_says_so(command: tuple[str, ...], card: Card) -> None:
    with pytest.raises(AuthFailed, match="key_command"):
        keys.find(card, ProviderSettings(key_command=command))


def test_a_secret_never_shows_itself() -> None:
    secret = keys.Secret(KEY, "somewhere")

    assert KEY not in f"{secret} {secret!r} {secret:>10}"
    assert f"key is ***, {'*' * 3}" == secret.mask(f"key is {KEY}, {KEY}")
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_the_keyring_is_not_asked_unless_a_key_was_put_there(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "_usable_keyring", lambda: pytest.fail("asked"))

    assert found(card) is None


def test_a_keyring_that_hangs_is_left(
    card: Card, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.store("openai", KEY)
    released = threading.Event()

    def hang(*_: Any) -> str:
        released.wait(10)
        return KEY

    monkeypatch.setattr(ring, "get_password", hang)
    monkeypatch.setattr(keys, "KEYRING_SECONDS", 0.05)
    try:
        assert found(card) is None
    finally:
        released.set()


@pytest.mark.parametrize("priority", [0.0, 0.5])
def test_weak_keyrings_are_refused_and_nothing_is_stored(
    priority: float, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ring, "priority", priority)

    with pytest.raises(IoFailed) as caught:
        keys.store("openai", KEY)
    assert "--storage file" in (caught.value.hint or "")
    assert not keys.key_file().exists()
    assert ring.kept == {}


def test_the_null_keyring_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring
    from keyring.backends.null import Keyring

    monkeypatch.setattr(keyring, "get_keyring", Keyring)

    with pytest.raises(IoFailed):
        keys.store("openai", KEY)


def test_the_file_is_private_and_repaired(card: Card, folders: Path) -> None:
    keys.store("openai", KEY, "file")
    file = keys.key_file()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)

    file.chmod(0o644)
    found(card)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_link_in_place_of_the_file_is_refused(card: Card, folders: Path) -> None:
    keys.store("other", KEY, "file")
    file = keys.key_file()
    file.rename(folders / "elsewhere.json")
    file.symlink_to(folders / "elsewhere.json")

    with pytest.raises(ConfigError, match="link"):
        keys.find(card, NONE)


def test_a_damaged_file_is_named(card: Card) -> None:
    keys.store("openai", KEY, "file")
    keys.key_file().write_text("{")

    with pytest.raises(ConfigError, match="keys"):
        keys.find(card, NONE)


def test_removing_forgets_everywhere(card: Card, ring: Ring) -> None:
    keys.store("openai", KEY)
    keys.store("openai", KEY, "file")

    assert keys.remove("openai")
    assert found(card) is None
    assert ring.kept == {}
    assert json.loads(keys.key_file().read_text()) == {}
    assert not keys.remove("openai")


def test_places_are_listed_without_values(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    keys.store("openai", KEY, "file")

    listed = keys.where(card, NONE)

    assert [("OPENAI_API_KEY", True), (str(keys.key_file()), True)] == listed
    assert KEY not in repr(listed)
