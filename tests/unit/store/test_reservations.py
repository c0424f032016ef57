"""Reservations against the totals they must add up to: in any order, by many processes at once, and
after a process was killed."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmctl.errors import IoFailed
from llmctl.store.reservations import KEEP_DAYS, Decide, Reservations, Standing, Total

ROOT = Path(__file__).parent.parent.parent.parent
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SCOPES = ("day 2026-11-25", "month 2026-11")
PROCESSES = 8


class Full(Exception):
    pass


def under(cap: Decimal, amount: Decimal, currency: str = "USD", scope: str = SCOPES[0]) -> Decide:
    """Reserves `amount` where the cap of one scope allows it."""

    def decide(standing: Standing) -> tuple[Decimal, str]:
        total = standing.get(scope, {}).get(currency, Total())
        if total.spent + total.reserved + amount > cap:
            raise Full
        return amount, currency

    return decide


def amount(text: str) -> Decide:
    return lambda _standing: (Decimal(text), "USD")


def reserve(store: Reservations, decide: Decide, at: datetime = NOW) -> int:
    return store.reserve(SCOPES, decide, at=at, provider="openai", model="m")


def total(store: Reservations, scope: str = SCOPES[0]) -> tuple[str, str]:
    found = store.standing([scope]).get(scope, {}).get("USD", Total())
    return f"{found.spent:f}", f"{found.reserved:f}"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Reservations]:
    with Reservations(tmp_path / "state.db") as opened:
        yield opened


def test_a_reservation_is_settled_by_what_the_call_cost(store: Reservations) -> None:
    number = reserve(store, amount("0.30"))
    assert total(store) == ("0", "0.30")

    store.settle(number, (Decimal("0.0000000000000000000000000001"), "USD"), at=NOW)

    assert total(store) == ("0.0000000000000000000000000001", "0.00")
    assert total(store, SCOPES[1]) == total(store)
    assert store.seen(SCOPES)[1] == []


def test_without_a_cost_the_worst_case_is_spent(store: Reservations) -> None:
    store.settle(reserve(store, amount("0.3")), at=NOW)

    assert total(store) == ("0.3", "0.0")


def test_a_cost_in_another_currency_stands_by_itself(store: Reservations) -> None:
    store.settle(reserve(store, amount("0.3")), (Decimal(7), "RUB"), at=NOW)

    assert store.standing([SCOPES[0]])[SCOPES[0]] == {
        "USD": Total(Decimal(0), Decimal("0.0")),
        "RUB": Total(Decimal(7), Decimal(0)),
    }


def test_settling_twice_counts_once(store: Reservations) -> None:
    number = reserve(store, amount("0.3"))
    store.settle(number, (Decimal("0.1"), "USD"), at=NOW)

    store.settle(number, (Decimal("0.1"), "USD"), at=NOW)

    assert total(store) == ("0.1", "0.0")


def test_a_repetition_is_spent_and_reserved_anew(store: Reservations) -> None:
    number = reserve(store, amount("0.3"))

    store.repeat(number, amount("0.3"), at=NOW)
    assert total(store) == ("0.3", "0.3")

    with pytest.raises(Full):
        store.repeat(number, under(Decimal("0.8"), Decimal("0.3")), at=NOW)
    assert total(store) == ("0.3", "0.3")


def test_what_is_refused_changes_nothing(store: Reservations) -> None:
    with pytest.raises(Full):
        reserve(store, under(Decimal("0.2"), Decimal("0.3")))

    assert store.seen(SCOPES) == ({}, [])


def test_sums_are_never_rounded(store: Reservations) -> None:
    """31 digits before and behind the point: three more than decimals have unless told."""
    reserve(store, amount("1000000000000000.0000000000000001"))
    reserve(store, amount("0.0000000000000000000000000000009"))

    assert total(store)[1] == "1000000000000000.0000000000000001000000000000009"


@pytest.mark.parametrize("stored", ["NaN", "Infinity", "abc", "", "1e99999999999", b"0.1"])
def test_an_amount_that_is_none_is_a_damaged_file(store: Reservations, stored: object) -> None:
    number = reserve(store, amount("0.3"))
    for table, column in (("reservations", "amount"), ("totals", "reserved")):
        store._connection.execute(f"UPDATE {table} SET {column} = ?", (stored,))

    with pytest.raises(IoFailed, match="damaged"):
        store.settle(number, at=NOW)
    with pytest.raises(IoFailed, match="damaged"):
        store.seen(SCOPES)
    with pytest.raises(IoFailed, match="damaged"):
        reserve(store, amount("0.3"))


def test_windows_long_over_are_forgotten(store: Reservations) -> None:
    reserve(store, amount("0.3"))
    later = NOW + timedelta(days=KEEP_DAYS, hours=1)

    store.reserve(["day later"], amount("0.1"), at=later, provider="openai", model="m")

    standing, pending = store.seen([*SCOPES, "day later"])
    assert list(standing) == ["day later"]
    assert [one.amount for one in pending] == [Decimal("0.1")]


def test_scopes_of_single_commands_are_forgotten_the_next_day(store: Reservations) -> None:
    scopes = ["run call-1", "run batch-1"]
    for scope in scopes:
        store.reserve([*SCOPES, scope], amount("0.1"), at=NOW, provider="openai", model="m")
    assert list(store.seen(scopes)[0]) == scopes

    later = NOW + timedelta(days=1, seconds=1)
    store.reserve(["day 2026-11-26"], amount("0.1"), at=later, provider="openai", model="m")

    assert list(store.seen(scopes)[0]) == ["run batch-1"]


def test_a_file_that_is_held_is_an_error(store: Reservations, tmp_path: Path) -> None:
    with Reservations(tmp_path / "state.db") as other:
        other._connection.execute("BEGIN IMMEDIATE")
        store._connection.execute("PRAGMA busy_timeout=10").close()
        with pytest.raises(IoFailed) as caught:
            reserve(store, amount("0.1"))
        other._connection.execute("ROLLBACK")

    assert caught.value.reason == "locked"


Step = tuple[str, Decimal]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "settle", "keep", "give back", "repeat"]),
        st.decimals(min_value=0, max_value=3, places=7),
    ),
    max_size=25,
)


@settings(max_examples=40)
@given(steps=STEPS, cap=st.decimals(min_value=0, max_value=6, places=3))
def test_the_sum_passes_no_cap_in_any_order(steps: list[Step], cap: Decimal) -> None:
    """Beside a model in plain Python: a sum of what was settled and a dict of what is open."""
    spent, held = Decimal(0), dict[int, Decimal]()
    with TemporaryDirectory() as folder, Reservations(Path(folder) / "state.db") as store:
        for what, value in steps:
            committed = spent + sum(held.values())
            if what == "reserve":
                try:
                    held[reserve(store, under(cap, value))] = value
                except Full:
                    assert committed + value > cap
            elif held:
                number, worst = next(iter(held.items()))
                match what:
                    case "settle":  # no more than was reserved
                        store.settle(number, (min(value, worst), "USD"), at=NOW)
                        spent += min(value, worst)
                    case "keep":
                        store.settle(number, at=NOW)
                        spent += worst
                    case "give back":
                        store.settle(number, (Decimal(0), ""), at=NOW)
                    case "repeat":
                        try:
                            store.repeat(number, under(cap, worst), at=NOW)
                            spent += worst
                        except Full:
                            assert committed + worst > cap
                        continue
                del held[number]
            found = store.standing(SCOPES).get(SCOPES[0], {}).get("USD", Total())
            assert (found.spent, found.reserved) == (spent, sum(held.values(), Decimal(0)))
            assert found.spent + found.reserved <= cap
        assert [one.amount for one in store.seen(SCOPES)[1]] == list(held.values())


# ---- many processes ----------------------------------------------------------------------------

WORKER = """
import sys
from decimal import Decimal
from pathlib import Path
from llmctl.store.reservations import Reservations
from tests.unit.store.test_reservations import NOW, Full, reserve, under
path, cap, each, tries, cost = Path(sys.argv[1]), *map(Decimal, sys.argv[2:])
sys.stdin.read(1)  # all begin together
taken = 0
with Reservations(path) as store:
    for _try in range(int(tries)):
        try:
            number = reserve(store, under(cap, each))
        except Full:
            continue
        taken += 1
        if cost >= 0:
            store.settle(number, (cost, "USD"), at=NOW)
print(taken)
"""


def together(path: Path, cap: str, each: str, tries: int, cost: str) -> list[int]:
    """How many reservations each process got."""
    command = [sys.executable, "-c", WORKER, str(path), cap, each, str(tries), cost]
    running = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        for _number in range(PROCESSES)
    ]
    taken = [int(one.communicate("x", timeout=120)[0]) for one in running]
    assert [one.returncode for one in running] == [0] * PROCESSES
    return taken


def test_eight_processes_reserve_up_to_a_cap_and_not_beyond(tmp_path: Path) -> None:
    """1 USD is 100 times a cent: of the 320 that are asked for, exactly 100 are given."""
    path = tmp_path / "data" / "state.db"

    taken = together(path, cap="1", each="0.01", tries=40, cost="-1")

    assert sum(taken) == 100
    with Reservations(path) as store:
        assert total(store) == ("0", "1.00")
        assert len(store.seen(SCOPES)[1]) == 100


def test_eight_processes_that_settle_leave_the_sum_of_their_costs(tmp_path: Path) -> None:
    """0.02 are reserved, and 0.003 spent: while less than 0.5 - 0.02 is spent there is room for one
    at least, and each that is given costs 0.003, so none may be given beyond (0.48 / 0.003) + 1."""
    path = tmp_path / "state.db"

    taken = together(path, cap="0.5", each="0.02", tries=30, cost="0.003")

    assert 0 < sum(taken) <= 161
    with Reservations(path) as store:
        spent, reserved = map(Decimal, total(store))
        assert (spent, reserved) == (sum(taken) * Decimal("0.003"), Decimal(0))
        assert spent <= Decimal("0.5")


KILLED = """
import sys, time
from pathlib import Path
from llmctl.store.reservations import Reservations
from tests.unit.store.test_reservations import amount, reserve
store = Reservations(Path(sys.argv[1]))
reserve(store, amount("0.25"))
print("reserved", flush=True)
time.sleep(60)
"""


def test_what_a_killed_process_had_reserved_stays_counted_and_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "reserved\n"
        process.send_signal(signal.SIGKILL)

    with Reservations(path) as store:
        assert total(store) == ("0", "0.25")
        [pending] = store.seen(SCOPES)[1]
        assert (pending.amount, pending.currency, pending.process, pending.made_at) == (
            Decimal("0.25"),
            "USD",
            process.pid,
            "2026-11-25T12:00:00Z",
        )
        with pytest.raises(Full):
            reserve(store, under(Decimal(1), Decimal("0.76")))
        reserve(store, under(Decimal(1), Decimal("0.75")))
