"""The system's keyring: which back ends are good enough, and that none holds anything up."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import keyring
import pytest
from keyring.backends.chainer import ChainerBackend
from keyring.backends.fail import Keyring as Fail
from keyring.backends.null import Keyring as Null

from llmctl.keys import ring as ours
from tests.unit.keys.shared import KEY, Ring


def use(backend: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)


class Plain(Ring):
    """As keyrings.alt has it: a file in plain text."""


class Crypted(Ring):
    """As keyrings.cryptfile has it: of high priority, and asks a passphrase unseen."""

    def set_password(self, service: str, name: str, value: str) -> None:
        pytest.fail("would ask for a passphrase")


Plain.__module__, Plain.priority = "keyrings.alt.file", 0.5
Crypted.__module__, Crypted.priority = "keyrings.cryptfile.cryptfile", 2.5


@pytest.mark.parametrize("backend", [Null, Fail, Plain, Crypted])
def test_weak_keyrings_are_refused(
    backend: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(backend(), monkeypatch)

    with pytest.raises(ours.Unusable):
        ours.write("openai", KEY)
    assert ours.listed() == []


@pytest.mark.parametrize("low", [0.0, 0.5, 0.9])
def test_a_keyring_that_nobody_recommends_is_refused(
    low: float, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ring, "priority", low)

    with pytest.raises(ours.Unusable):
        ours.write("openai", KEY)
    assert ring.kept == {}


def chained(*members: object) -> object:
    """keyring's chain of back ends, with members of our own."""
    kind = type("Chain", (ChainerBackend,), {"backends": list(members)})
    return kind()


def test_of_a_chain_only_a_good_member_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    good = Ring()
    use(chained(Crypted(), Plain(), good), monkeypatch)

    ours.write("openai", KEY)

    assert good.kept == {("llmctl", "openai"): KEY}
    assert ours.read("openai") == KEY


def test_a_chain_without_a_good_member_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    use(chained(Crypted(), Plain()), monkeypatch)

    with pytest.raises(ours.Unusable):
        ours.write("openai", KEY)


def test_a_keyring_that_drops_what_it_is_given_is_found_out(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring, "set_password", lambda *_: None)

    with pytest.raises(ours.Unusable):
        ours.write("openai", KEY)
    assert ours.listed() == []


def test_a_keyring_that_hangs_is_left_in_time(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    ours.write("openai", KEY)
    released = threading.Event()

    def hang(*_: object) -> None:
        released.wait(10)

    for name in ("get_password", "set_password", "delete_password"):
        monkeypatch.setattr(ring, name, hang)
    monkeypatch.setattr(ours, "SECONDS", 0.05)
    begun = time.monotonic()
    try:
        with pytest.raises(ours.Unusable, match=r"0\.05 s"):
            ours.read("openai")
        with pytest.raises(ours.Unusable, match=r"0\.05 s"):
            ours.write("openai", KEY)
        with pytest.raises(ours.Unusable, match=r"0\.05 s"):
            ours.delete("openai")
    finally:
        released.set()
    assert time.monotonic() - begun < 5


def test_what_a_back_end_raises_is_named_by_its_kind_only(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(f"cannot store {KEY}")

    monkeypatch.setattr(ring, "set_password", fail)

    with pytest.raises(ours.Unusable) as caught:
        ours.write("openai", KEY)
    assert str(caught.value) == "OSError"


def test_forgetting_works_without_the_keyring(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    ours.write("openai", KEY)
    ours.write("other", KEY)
    use(Fail(), monkeypatch)  # type: ignore[no-untyped-call]

    ours.forget("openai")

    assert ours.listed() == ["other"]


@pytest.mark.parametrize("text", ["{", "5", "[1, [], null]"])
def test_a_damaged_list_is_an_empty_one(text: str, folders: Path) -> None:
    (folders / "config").mkdir()
    (folders / "config" / "keyring.json").write_text(text)

    assert ours.listed() == []


def test_the_list_is_private_and_without_keys(ring: Ring, folders: Path) -> None:
    ours.write("openai", KEY)

    file = folders / "config" / "keyring.json"
    assert KEY not in file.read_text()
    assert (os.stat(file).st_mode & 0o777, os.stat(file.parent).st_mode & 0o777) == (0o600, 0o700)
