"""The order of the places a key may come from, and that it is stored in one of them only."""

import os
import sys
import threading

import pytest

from llmctl import keys
from llmctl.cards import Card
from llmctl.errors import AuthFailed, IoFailed, UsageError
from llmctl.keys import file, ring
from llmctl.settings import ProviderSettings
from tests.unit.keys.shared import KEY, Ring

NONE = ProviderSettings()


def found(card: Card, own: ProviderSettings = NONE) -> tuple[str, str] | None:
    secret = keys.find(card, own)
    return None if secret is None else (secret.reveal(), secret.source)


def test_environment_then_command_then_keyring_then_file(
    card: Card, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = ProviderSettings(key_command=(sys.executable, "-c", "print('from-command')"))
    assert found(card) is None
    keys.store("openai", "from-keyring")
    file.write({"openai": "from-file"})
    monkeypatch.setenv("OPENAI_API_KEY", f"  {KEY}\n")

    assert found(card, own) == (KEY, "OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_API_KEY")
    assert found(card, own) == ("from-command", "key_command")
    assert found(card) == ("from-keyring", "keyring")
    ring.kept.clear()
    assert ("from-file", str(keys.key_file())) == found(card)


def test_what_comes_first_spares_the_rest(
    card: Card, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.store("openai", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(Ring, "get_password", lambda *_: pytest.fail("the keyring was asked"))

    assert found(card, ProviderSettings(key_command=("no-such-program-here",)))


def test_the_keyring_is_not_asked_unless_a_key_was_put_there(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring, "_backend", lambda: pytest.fail("asked"))

    assert found(card) is None


def test_a_keyring_that_does_not_answer_is_passed_over_for_the_file(
    card: Card, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.store("openai", KEY)
    released = threading.Event()

    def hang(*_: object) -> str:
        released.wait(10)
        return KEY

    monkeypatch.setattr(ring, "get_password", hang)
    monkeypatch.setattr("llmctl.keys.ring.SECONDS", 0.05)
    try:
        with pytest.raises(AuthFailed, match="keyring has the key") as caught:
            found(card)
        assert caught.value.reason == "keyring"
        assert "--storage file" in (caught.value.hint or "")
        file.write({"openai": "from-file"})
        assert ("from-file", str(keys.key_file())) == found(card)
    finally:
        released.set()


@pytest.mark.parametrize("damaged", ["sk-abc\ndef", "sk-abcд", "sk-\x00abc", "export KEY=sk-abc"])
def test_a_damaged_key_is_refused_without_being_shown(
    damaged: str, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {**os.environ, "OPENAI_API_KEY": damaged})

    with pytest.raises(AuthFailed) as caught:
        found(card)
    assert caught.value.reason == "damaged-key"
    assert "OPENAI_API_KEY" in caught.value.message
    assert "abc" not in f"{caught.value.message}{caught.value.hint}{caught.value!r}"


@pytest.mark.parametrize("nothing", ["", " ", "\n"])
def test_an_empty_variable_is_no_key(
    nothing: str, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", nothing)

    assert found(card) is None


def test_places_are_listed_without_asking_any(
    card: Card, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.store("openai", KEY)
    file.write({"openai": KEY})
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(Ring, "get_password", lambda *_: pytest.fail("the keyring was asked"))

    listed = keys.where(card, ProviderSettings(key_command=("no-such-program-here",)))

    assert ["OPENAI_API_KEY", "key_command", "keyring", str(keys.key_file())] == listed
    assert keys.where(card, NONE)[1:] == ["keyring", str(keys.key_file())]


# ------------------------------------------------------------------------------------------ storing


def test_a_key_put_elsewhere_leaves_its_old_place(card: Card, ring: Ring) -> None:
    keys.store("openai", "first")
    keys.store("other", "others")
    keys.store("openai", "second", "file")
    assert ("second", str(keys.key_file())) == found(card)
    assert ring.kept == {("llmctl", "other"): "others"}

    assert keys.store("openai", "third") == "keyring"
    assert found(card) == ("third", "keyring")
    assert file.read() == {}


def test_without_a_keyring_nothing_is_stored_in_plain_text(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ring, "priority", 0.0)

    with pytest.raises(IoFailed) as caught:
        keys.store("openai", KEY)
    assert "--storage file" in (caught.value.hint or "")
    assert KEY not in f"{caught.value.message}{caught.value.hint}"
    assert not keys.key_file().exists()
    assert ring.kept == {}


@pytest.mark.parametrize("storage", ["keyring", "file"])
def test_no_key_is_an_error_of_usage(storage: keys.Storage, ring: Ring) -> None:
    with pytest.raises(UsageError):
        keys.store("openai", " \r\n", storage)


def test_a_damaged_key_is_not_stored(ring: Ring) -> None:
    with pytest.raises(AuthFailed):
        keys.store("openai", "sk-abc\nsk-def")
    assert ring.kept == {}


def test_removing_forgets_everywhere(card: Card, ring: Ring) -> None:
    keys.store("openai", KEY)
    file.write({"openai": KEY, "other": KEY})

    assert keys.remove("openai")
    assert found(card) is None
    assert ring.kept == {}
    assert file.read() == {"other": KEY}
    assert not keys.remove("openai")


def test_what_the_keyring_does_not_give_up_is_still_listed(
    card: Card, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.store("openai", KEY)

    def locked(*_: object) -> None:
        raise RuntimeError(KEY)  # what a back end says may hold anything

    monkeypatch.setattr(ring, "delete_password", locked)

    with pytest.raises(IoFailed) as caught:
        keys.remove("openai")
    assert KEY not in caught.value.message
    assert keys.where(card, NONE) == ["keyring"]


def test_keys_stored_at_once_are_all_kept() -> None:
    names = [f"p{number}" for number in range(8)]
    threads = [threading.Thread(target=keys.store, args=(one, KEY, "file")) for one in names]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert sorted(file.read()) == names
