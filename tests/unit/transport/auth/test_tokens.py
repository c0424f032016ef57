"""How long a token lives, by whose clock."""

from email.utils import formatdate
from pathlib import Path

import pytest

from llmctl.transport.auth.tokens import Shelf, Token, life_of

NOW = 1_795_000_000.0
USUAL = 1800.0


@pytest.mark.parametrize(
    ("expires_at", "server_time", "life"),
    [
        (NOW + 900, None, 900),
        ((NOW + 900) * 1000, None, 900),
        (NOW + 900, NOW + 300, 600),  # the server's clock is ahead of ours
        (NOW - 5, None, USUAL),
        (NOW - 5, NOW - 905, 900),  # ours is ahead
        (None, NOW, USUAL),
        (NOW * 2, None, USUAL),
    ],
)
def test_life(expires_at: float | None, server_time: float | None, life: float) -> None:
    date = None if server_time is None else formatdate(server_time, usegmt=True)

    assert life_of(expires_at, date, NOW, USUAL) == pytest.approx(life)


def test_a_date_that_is_none_is_as_if_it_were_not_there() -> None:
    assert life_of(NOW + 900, "yesterday", NOW, USUAL) == 900


@pytest.mark.parametrize(
    ("age", "fresh"), [(0, True), (839, True), (841, False), (-30, True), (-61, False)]
)
def test_freshness(age: float, fresh: bool) -> None:
    assert Token("t", NOW, 900).is_fresh(NOW + age) is fresh


def test_a_shelf_gives_back_what_was_put_there(tmp_path: Path) -> None:
    token = Token("t", NOW, 900)
    Shelf(tmp_path, "p", "key", "scope").write(token)

    assert Shelf(tmp_path, "p", "key", "scope").read() == token
    assert Shelf(tmp_path, "p", "keys", "cope").read() is None
    assert "value" not in repr(token)
