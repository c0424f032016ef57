"""The pace of a route: from its card, the settings, and what is passed."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from llmctl.cards import Limits
from llmctl.engine.pace import Pace
from llmctl.engine.pacing import account_of, pace_for
from llmctl.engine.route import Route
from llmctl.keys import Secret
from llmctl.settings import ProviderSettings
from llmctl.types import Notice
from llmctl.values import replace
from tests.unit.engine.pace_shared import ANSWER
from tests.unit.engine.test_clearance import loaded, route

URL = "https://other.example/v1"


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("LLMCTL_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def limited(kind: str = "api", **limits: Any) -> Route:
    found = route(kind)
    return replace(found, card=replace(found.card, limits=Limits(**limits)))


def made(to: Route, most: int = 64, own: ProviderSettings | None = None, **rates: Any) -> Pace:
    settings = {} if own is None else {"providers": {"a": own}}
    pace = pace_for(to, loaded(**settings), most, **rates)
    pace.close()
    return pace


def seconds_each(pace: Pace) -> float | None:
    """Between two requests, by the rate that is kept; 60.25 s are a minute and what may be late."""
    return None if pace._requests is None else pace._requests.every


def test_the_user_wants_less_than_the_card_allows() -> None:
    assert made(limited(concurrency=10), 4).most == 4
    assert made(limited(concurrency=10), 64).most == 10
    assert made(limited(), 64).most == 64
    assert made(limited(concurrency=10), 64, ProviderSettings(concurrency=20)).most == 20


def test_settings_go_before_the_card_and_what_is_passed_only_lowers_what_stands() -> None:
    card = limited(requests_per_minute=10)
    own = ProviderSettings(requests_per_minute=20)

    assert seconds_each(made(limited())) is None
    assert seconds_each(made(card)) == pytest.approx(60.25 / 10)
    assert seconds_each(made(card, own=own)) == pytest.approx(60.25 / 20)
    assert seconds_each(made(card, own=own, requests_per_minute=40)) == pytest.approx(60.25 / 20)
    assert seconds_each(made(card, requests_per_minute=15)) == pytest.approx(60.25 / 10)
    passed = made(card, own=own, requests_per_minute=5, tokens_per_minute=1000)
    assert seconds_each(passed) == pytest.approx(60.25 / 5)
    assert passed._tokens is not None


def test_slots_are_for_accounts_of_several_at_a_time(data: Path) -> None:
    made(limited(concurrency=1))
    made(limited())
    assert not (data / "turns").exists()

    made(limited(concurrency=3))
    (folder,) = (data / "turns").iterdir()
    assert sorted(one.name for one in folder.iterdir()) == [
        "0.lock", "1.lock", "2.lock", "wanted.lock",
    ]  # fmt: skip


def test_servers_of_ones_own_write_nothing_unless_a_rate_is_set(data: Path) -> None:
    made(limited("local"))
    assert not data.exists()

    made(limited("local"), own=ProviderSettings(requests_per_minute=5))
    assert (data / "state.db").exists()


def test_an_account_is_provider_address_and_key_and_tells_none_of_them() -> None:
    keys = [Secret(letter * 20, "a test") for letter in "xy"]
    routes = [route(), route(base_url=URL), *(route(secret=key) for key in keys)]
    names = [account_of(one) for one in routes]

    assert len(set(names)) == 4
    assert names[2] == account_of(route(secret=Secret("x" * 20, "elsewhere")))
    assert all(len(name) == 16 and "xx" not in name for name in names)


def test_where_nothing_can_be_shared_the_pace_is_kept_alone_and_said_once(data: Path) -> None:
    data.write_text("a file where the folder should be")
    said: list[Notice] = []

    async def main() -> None:
        pace = pace_for(
            limited(concurrency=4, requests_per_minute=6000), loaded(), 64, told=said.append
        )
        async with pace.turn() as turn:
            turn.heard(None, ANSWER)
        assert pace.most == 4

    asyncio.run(main())
    assert [one.code for one in said] == ["pace-alone"]


def test_two_jobs_of_one_account_share_its_slots() -> None:
    async def main() -> None:
        first, second = (pace_for(limited(concurrency=2), loaded(), 64) for _job in range(2))
        async with first.turn(), second.turn():
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await second.turn().__aenter__()
        async with second.turn(), second.turn():
            assert second.under_way == 2
        first.close()
        second.close()

    asyncio.run(main())
