"""What processes tell each other about an account: holds, rates, and clocks that jump."""

import json
import subprocess
import sys
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from llmctl.errors import ConfigError, IoFailed
from llmctl.store import database
from llmctl.store.paces import KEEP_S, MAX_HOLD_S, Shared
from llmctl.store.state import RESERVATIONS, STATE, open_state
from llmctl.values import replace

EVERY = 0.5  # seconds a request: 120 a minute


class Wall:
    """Unix time that can be set."""

    now = 1_795_608_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def test_a_hold_is_seen_by_others_of_the_same_account(path: Path, wall: Wall) -> None:
    with Shared(path, "a", wall) as mine, Shared(path, "a", wall) as theirs:
        with Shared(path, "b", wall) as other:
            mine.hold(30)
            assert theirs.held() == 30
            assert other.held() == 0
        theirs.hold(10)
        assert mine.held() == 30
        wall.now += 29
        assert mine.held() == pytest.approx(1)
        wall.now += 2
        assert mine.held() == 0


def test_units_of_all_processes_stand_in_one_line(path: Path, wall: Wall) -> None:
    with Shared(path, "a", wall) as mine, Shared(path, "a", wall) as theirs:
        assert mine.reserve("requests", 3, EVERY, 0.0) == 0
        assert theirs.reserve("requests", 2, EVERY, 0.0) == pytest.approx(1.5)
        assert mine.reserve("requests", 1, EVERY, 0.0) == pytest.approx(2.5)
        assert mine.reserve("tokens", 1, EVERY, 0.0) == 0
        wall.now += 10
        assert mine.reserve("requests", 1, EVERY, 0.25) == pytest.approx(-0.25)


@pytest.mark.parametrize("jump", [-86_400.0, -4000.0, 86_400.0])
def test_a_clock_that_jumps_holds_nobody(path: Path, wall: Wall, jump: float) -> None:
    with Shared(path, "a", wall) as shared:
        shared.hold(1e9)
        assert shared.held() == MAX_HOLD_S
        shared.reserve("requests", 10, EVERY, 0.0)
        wall.now += jump
        assert shared.held() == 0
        assert shared.reserve("requests", 1, EVERY, 0.0) == 0
        shared.hold(5)
        assert shared.held() == 5


def test_where_nothing_limits_the_rate_nothing_is_written(path: Path, wall: Wall) -> None:
    with Shared(path, "a", wall) as shared, closing(open_state(path)) as connection:
        shared.held()
        assert database.number(connection, "SELECT count(*) FROM paces") == 0


def test_what_nobody_uses_is_forgotten(path: Path, wall: Wall) -> None:
    with Shared(path, "a", wall) as shared:
        shared.hold(1)
    wall.now += KEEP_S + 1
    with Shared(path, "b", wall) as shared, closing(open_state(path)) as connection:
        shared.hold(1)
        rows = connection.execute("SELECT account FROM paces").fetchall()
        assert rows == [("b",)]


def test_no_commit_waits_for_the_disk_but_those_of_money_do(path: Path) -> None:
    with Shared(path, "a") as shared, closing(open_state(path)) as money:
        assert shared._connection.execute("PRAGMA synchronous").fetchone() == (1,)
        assert money.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_state_file_from_before_gets_its_table_and_keeps_its_money(path: Path) -> None:
    earlier = replace(STATE, migrations=(RESERVATIONS,))
    with closing(database.connect(path, earlier)) as connection:
        connection.execute("INSERT INTO totals VALUES ('day', 'USD', '1', '0', 'now')")
    with Shared(path, "a") as shared:
        shared.hold(1)
    with closing(open_state(path)) as connection:
        assert connection.execute("SELECT spent FROM totals").fetchall() == [("1",)]


def test_a_file_that_is_not_ours_is_refused(path: Path) -> None:
    with closing(open_state(path)) as connection:
        connection.execute(f"PRAGMA user_version={STATE.version + 1}")
    with pytest.raises(ConfigError):
        Shared(path, "a")


def test_what_somebody_wrote_into_it_is_damage(path: Path) -> None:
    with Shared(path, "a") as shared:
        shared.hold(1)
        with closing(open_state(path)) as connection:
            connection.execute("UPDATE paces SET hold_until = 'soon'")
        with pytest.raises(IoFailed) as caught:
            shared.held()
    assert caught.value.reason == "damaged"


TAKES = """
import json, sys, time
from pathlib import Path
from llmctl.store.paces import Shared
now = time.time()
with Shared(Path(sys.argv[1]), "a", lambda: now) as shared:
    print(json.dumps([now + shared.reserve("requests", 1, 0.5, 0.0) for _ in range(100)]))
"""


def test_processes_at_the_same_moment_never_get_the_same_place(path: Path) -> None:
    open_state(path).close()
    programs = [
        subprocess.Popen([sys.executable, "-c", TAKES, path], stdout=subprocess.PIPE)
        for _number in range(3)
    ]
    due = []
    for program in programs:
        said, _nothing = program.communicate(timeout=30)
        due += json.loads(said)
    due.sort()

    assert len(due) == 300
    assert min(after - before for before, after in pairwise(due)) > EVERY - 1e-3
