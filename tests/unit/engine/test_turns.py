"""Who waits for whom: one turn for one key at one address, where the provider takes one at a
time."""

import asyncio
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from llmctl import catalogue
from llmctl.cards import Card, Limits
from llmctl.engine.turns import await_turn, concurrency, turn_file
from llmctl.files import lock
from llmctl.keys import Secret
from llmctl.settings import ProviderSettings, Settings
from llmctl.types import Notice
from llmctl.values import replace

URL = "https://api.example/v1"
PERSON, FIRM = {"scope": "GIGACHAT_API_PERS"}, {"scope": "GIGACHAT_API_CORP"}


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Card:
    monkeypatch.setenv("LLMCTL_DATA_DIR", str(tmp_path))
    return catalogue.card("gigachat", Settings())


def secret(letter: str = "k") -> Secret:
    return Secret(letter * 20, "a test")


def test_the_card_says_how_many_at_a_time(card: Card) -> None:
    own = ProviderSettings()

    assert concurrency(card, own, PERSON) == 1
    assert concurrency(card, own, FIRM) == 10
    assert concurrency(card, ProviderSettings(concurrency=3), PERSON) == 3
    assert concurrency(replace(card, limits=Limits()), own, PERSON) is None


def test_only_one_at_a_time_makes_a_turn(card: Card) -> None:
    own = ProviderSettings()

    assert turn_file(card, own, URL, secret(), FIRM) is None
    assert turn_file(card, ProviderSettings(concurrency=2), URL, secret(), PERSON) is None
    file = turn_file(card, ProviderSettings(concurrency=1), URL, secret(), FIRM)
    assert file is not None


def test_another_key_or_address_is_another_turn(card: Card, tmp_path: Path) -> None:
    own = ProviderSettings()
    keys = [secret("a"), secret("b"), None]
    files = [turn_file(card, own, URL, key, PERSON) for key in keys]
    files.append(turn_file(card, own, "https://other.example/v1", keys[0], PERSON))

    assert len(set(files)) == 4
    assert files[0] == turn_file(card, own, URL, secret("a"), PERSON)
    for file in files:
        assert file is not None
        assert file.parent == tmp_path / "turns"
        assert "aaaa" not in file.name


def waited(file: Path, *, free_after: float | None, over_after: float = 60.0) -> list[Notice]:
    """What is said while others hold the turn."""
    said: list[Notice] = []

    async def wait() -> None:
        begun = time.monotonic()
        with ExitStack() as others, ExitStack() as held:
            if free_after is not None:
                others.enter_context(lock(file, 0))
                asyncio.get_running_loop().call_later(free_after, others.close)
            is_over = lambda: time.monotonic() - begun > over_after  # noqa: E731
            said.extend([one async for one in await_turn(file, held, "acme", is_over)])

    asyncio.run(wait())
    return said


def test_a_free_turn_is_taken_without_a_word(tmp_path: Path) -> None:
    assert waited(tmp_path / "turn", free_after=None) == []
    assert waited(tmp_path / "turn", free_after=0.1) == []


def test_after_a_second_it_is_said_once(tmp_path: Path) -> None:
    said = waited(tmp_path / "turn", free_after=1.4)

    assert [one.code for one in said] == ["queued"]
    assert "acme takes one request at a time" in said[0].text


def test_waiting_has_an_end(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        waited(tmp_path / "turn", free_after=1.0, over_after=0.1)


def test_where_no_file_can_be_locked_everybody_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert waited(tmp_path / "file" / "turn", free_after=None) == []
