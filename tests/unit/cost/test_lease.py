"""Money taken in blocks against what calls one by one would have been allowed: the same answers,
no cap passed, and nothing lost when a process is killed."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any

import pytest

from llmctl.cost import lease as lease_module
from llmctl.cost.budgets import Admitted, Reservation, admit
from llmctl.cost.estimate import ESTIMATE, Estimate
from llmctl.cost.lease import Lease
from llmctl.cost.money import Money
from llmctl.cost.purse import IDLE_S, ROWS
from llmctl.errors import BudgetRefused, ProviderFailed
from llmctl.settings import Budget, Loaded, ProviderSettings, Rate, Settings
from llmctl.store import leased
from llmctl.store.reservations import Reservations
from llmctl.types import Chat, Cost, CostKind, Role, message

ROOT = Path(__file__).parent.parent.parent.parent
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = "day 2026-11-25"
RUN = "batch-x"
CALL = Chat("m", (message(Role.USER, "hello"),), max_tokens=100)
OPEN = Chat("m", CALL.messages)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def leases(path: Path) -> Iterator[Callable[[Loaded], Lease]]:
    opened: list[Lease] = []

    def made(loaded: Loaded) -> Lease:
        opened.append(Lease(loaded, path=path))
        return opened[-1]

    yield made
    for one in opened:
        one.close()


def loaded(
    *, rates: dict[str, Rate] | None = None, own: dict[str, Budget] | None = None, **budget: Any
) -> Loaded:
    providers = {name: ProviderSettings(budget=one) for name, one in (own or {}).items()}
    settings = Settings(budget=Budget(**budget), providers=providers, rates=rates or {})
    return Loaded(settings, {})


def estimate(base: str = "0.001", token: str = "0.00001", currency: str = "USD") -> Estimate:
    """With CALL's hundred tokens, 0.002 at most."""
    return Estimate(
        input_tokens=100,
        input_most=125,
        method=ESTIMATE,
        high_input=Money(Decimal(base), currency),
        token_price=Decimal(token),
        output_usual=400,
    )


def admitted(store: Any, own: Loaded, call: Chat = CALL, **more: Any) -> Admitted:
    given: dict[str, Any] = {"provider": "openai", "run": RUN, "at": NOON, **more}
    found = given.pop("estimate", estimate())
    return admit(call, found, own, store=store, **given)


def taken(store: Any, own: Loaded, **more: Any) -> Reservation:
    found = admitted(store, own, **more).reservation
    assert found is not None
    return found


def all_taken(store: Any, own: Loaded, **more: Any) -> list[Reservation]:
    """As many as are let through."""
    found: list[Reservation] = []
    while len(found) < 10_000:
        try:
            found.append(taken(store, own, **more))
        except BudgetRefused:
            break
    return found


def paid(amount: str, currency: str = "USD") -> Cost:
    return Cost(amount, currency, CostKind.COMPUTED)


def stood(path: Path, scope: str = DAY, currency: str = "USD") -> tuple[Decimal, Decimal]:
    """Spent and reserved, as any other process sees it."""
    with Reservations(path) as store:
        total = store.standing([scope])[scope][currency]
        return total.spent, total.reserved


def both(spent: Decimal | str | int, reserved: Decimal | str | int) -> tuple[Decimal, Decimal]:
    return Decimal(spent), Decimal(reserved)


def killed(lease: Lease) -> None:
    """What a kill leaves: nothing is written, the lock is free."""
    assert lease._witness is not None
    assert lease._file is not None
    lease._witness.close(keep=True)
    lease._file.close()
    lease._file = lease._witness = None


# ---- one process -------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 2, 10, 77])
def test_a_budget_for_so_many_rows_admits_so_many(leases: Any, path: Path, rows: int) -> None:
    own = loaded(per_day=f"{Decimal('0.002') * rows} USD")
    lease = leases(own)

    assert len(all_taken(lease, own)) == rows
    assert lease.under_way == rows
    assert stood(path) == both(0, Decimal("0.002") * rows)


def test_what_rows_did_not_cost_is_there_for_others(leases: Any) -> None:
    """Ten rows of 0.002 fit; each costs 0.0005 in the end, so that 37 are paid when the next would
    pass: 37 × 0.0005 + 0.002 = 0.0205 > 0.02, 36 × 0.0005 + 0.002 = 0.02."""
    own = loaded(per_day="0.02 USD")
    lease = leases(own)
    for _ in range(37):
        taken(lease, own).settle(paid("0.0005"))

    with pytest.raises(BudgetRefused):
        taken(lease, own)


def test_spent_is_what_rows_cost_once_it_is_flushed(leases: Any, path: Path) -> None:
    own = loaded(per_call="10 USD")
    lease = leases(own)
    for _ in range(5):
        taken(lease, own).settle(paid("0.0003"))
    unknown, open_ = taken(lease, own), taken(lease, own)
    unknown.settle(Cost())  # keeps its worst case
    refused = taken(lease, own)
    refused.give_back()

    assert lease.flush()
    assert stood(path, f"run {RUN}")[0] == Decimal("0.0035")
    assert not lease.flush()

    open_.settle(paid("0.001"))
    lease.close()
    assert stood(path, f"run {RUN}") == both(Decimal("0.0045"), 0)
    with Reservations(path) as store:
        assert store.seen([])[1] == []
    assert list((path.parent / leased.FOLDER).iterdir()) == []


def test_many_rows_take_few_transactions(leases: Any) -> None:
    own = loaded(per_day="1000 USD")
    lease = leases(own)
    for _ in range(3_000):
        taken(lease, own).settle(paid("0.002"))

    # Blocks of 8, 16, ..., 256, then 3,000 / 256 more where nothing comes back; a slow machine
    # gets there later.
    assert lease.transactions < 60


def test_a_block_is_at_most_a_quarter_of_what_is_left(leases: Any, path: Path) -> None:
    """Of 20 rows: the first, and a quarter of the 19 others."""
    own = loaded(per_day="0.04 USD")
    lease = leases(own)
    taken(lease, own)

    assert stood(path) == both(0, Decimal("0.002") * (1 + 19 // 4))


def test_what_nobody_takes_is_given_back(
    leases: Any, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = loaded(per_day="1 USD")
    lease = leases(own)
    held = taken(lease, own)
    assert stood(path)[1] > Decimal("0.002")

    now = monotonic() + IDLE_S + 1
    monkeypatch.setattr(lease_module, "monotonic", lambda: now)
    lease.flush()
    assert stood(path) == both(0, Decimal("0.002"))

    held.settle(paid("0.0001"))
    lease.flush()
    assert stood(path) == both(Decimal("0.0001"), 0)
    taken(lease, own).settle(paid("0.0001"))  # and it begins anew


def test_of_what_comes_back_at_once_no_more_is_kept_than_a_block(leases: Any, path: Path) -> None:
    own = loaded(per_day="1000 USD")
    lease = leases(own)
    for row in [taken(lease, own) for _ in range(1_000)]:
        row.settle(paid("0"))
    lease.flush()

    assert stood(path) == both(0, ROWS * Decimal("0.002"))


def test_a_try_that_may_be_billed_counts_and_is_reserved_anew(leases: Any, path: Path) -> None:
    own = loaded(per_day="0.005 USD")
    lease = leases(own)
    row = taken(lease, own)

    lost = ProviderFailed("gone", status=504)
    assert row.may_repeat(lost)
    assert not row.may_repeat(lost)  # a third would make 0.006
    row.settle(Cost(), error=lost)
    lease.close()

    assert stood(path) == both(Decimal("0.004"), 0)


def test_a_bill_above_its_worst_case_counts_at_once(leases: Any, path: Path) -> None:
    own = loaded(per_day="0.1 USD")
    lease = leases(own)
    taken(lease, own).settle(paid("0.09"))

    assert stood(path)[0] == Decimal("0.09")
    assert len(all_taken(lease, own)) == 5


def test_a_bill_in_another_currency_counts_at_once_too(leases: Any, path: Path) -> None:
    rate = Rate(rate="80", date="2026-11-25", source="by hand")
    own = loaded(per_day="1 USD", rates={"USD/RUB": rate})
    lease = leases(own)
    taken(lease, own).settle(paid("40", "RUB"))

    assert stood(path, currency="RUB") == both(40, 0)
    assert stood(path) == both(0, "0.016")  # eight rows of the nine
    # 1/80 dollar a rouble and 5 % more: 0.525 of the dollar are gone.
    assert len(all_taken(lease, own)) == 237


def test_a_cap_in_another_currency(leases: Any) -> None:
    """0.002 dollars at 80 roubles and 5 % more are 0.168 roubles; 25 of them are 4.2."""
    rate = Rate(rate="80", date="2026-11-25", source="by hand")
    own = loaded(per_day="4.2 RUB", rates={"USD/RUB": rate})

    assert len(all_taken(leases(own), own)) == 25


def test_prices_in_two_currencies_under_one_cap(leases: Any) -> None:
    """Rows of 0.168 and of 0.2 roubles in turn: ten of each make 3.68 of 3.8, where none fits."""
    rate = Rate(rate="80", date="2026-11-25", source="by hand")
    own = loaded(per_day="3.8 RUB", rates={"USD/RUB": rate})
    lease, dear = leases(own), estimate("0.1", "0.001", "RUB")

    for _ in range(10):
        taken(lease, own)
        taken(lease, own, provider="gigachat", estimate=dear)
    for more in ({}, {"provider": "gigachat", "estimate": dear}):
        with pytest.raises(BudgetRefused):
            taken(lease, own, **more)


def test_the_tightest_of_several_caps_holds(leases: Any) -> None:
    own = loaded(per_day="0.02 USD", own={"openai": Budget(per_month="0.008 USD")})
    lease = leases(own)

    assert len(all_taken(lease, own)) == 4
    assert len(all_taken(lease, own, provider="anthropic")) == 6


def test_a_block_of_one_provider_does_not_keep_a_row_of_another_out(leases: Any) -> None:
    own = loaded(per_day="0.2 USD")  # 100 rows
    lease = leases(own)
    taken(lease, own)  # and 8 more in its block

    assert len(all_taken(lease, own, provider="anthropic")) == 99


def test_a_new_day_has_new_money(leases: Any, path: Path) -> None:
    own = loaded(per_day="0.004 USD")
    lease = leases(own)
    assert len(all_taken(lease, own)) == 2

    assert len(all_taken(lease, own, at=NOON + timedelta(days=1))) == 2
    assert stood(path, "day 2026-11-26") == both(0, Decimal("0.004"))


@pytest.mark.parametrize("seed", range(4))
def test_rows_are_let_through_as_without_a_lease(tmp_path: Path, seed: int) -> None:
    """The same calls in the same order, one file each: the same refusals, the same lengths of
    answers, the same spent, however rows end."""
    chance = random.Random(seed)
    own = loaded(per_day="0.4 USD", per_call="0.5 USD", own={"b": Budget(per_day="0.15 USD")})
    plain, lease = Reservations(tmp_path / "a.db"), Lease(own, path=tmp_path / "b.db")
    rows: list[list[Reservation]] = []
    refusals = 0
    with plain, lease:
        for _ in range(400):
            if rows and chance.random() < 0.5:
                cost = chance.choice([Cost(), paid("0.0002"), paid("0.002"), paid("0.003")])
                for one in rows.pop(chance.randrange(len(rows))):
                    one.settle(cost)
                continue
            if chance.random() < 0.05:
                lease.flush()
            base = chance.choice(["0.001", "0.0015", "0.009"])
            more = {"estimate": estimate(base), "provider": chance.choice("ab")}
            call = chance.choice([CALL, OPEN])
            limits: list[object] = []
            pair: list[Reservation] = []
            for store in (plain, lease):
                try:
                    found = admitted(store, own, call=call, **more)
                except BudgetRefused as refused:
                    limits.append(refused.message)
                else:
                    assert isinstance(found.call, Chat)
                    assert found.reservation is not None
                    limits.append((found.call.max_tokens, found.notes))
                    pair.append(found.reservation)
            assert limits[0] == limits[1]
            refusals += not pair
            rows += [pair] if pair else []
        for row in rows:
            for one in row:
                one.settle(paid("0.0001"))
    assert refusals > 10
    assert stood(tmp_path / "a.db") == stood(tmp_path / "b.db")


def test_what_another_has_given_back_is_seen_before_a_row_is_refused(leases: Any) -> None:
    own = loaded(per_day="1 USD")
    lease, other = leases(own), leases(own)
    large = taken(other, own, estimate=estimate("0.799"))
    taken(lease, own)
    large.settle(paid("0"))
    other.close()

    taken(lease, own, estimate=estimate("0.499"))


# ---- several processes -------------------------------------------------------------------------

WORST = Decimal("0.002")


class Model:
    """What leases must add up to: true costs, and the worst cases of what is under way."""

    def __init__(self, path: Path, own: Loaded, cap: Decimal, seed: int) -> None:
        self.path, self.own, self.cap = path, own, cap
        self.chance = random.Random(seed)
        self.leases = [Lease(own, path=path) for _ in range(2)]
        self.rows: list[list[Reservation]] = [[], []]
        self.spent = Decimal(0)
        self.refused = self.kills = 0

    def step(self) -> None:
        which = self.chance.randrange(2)
        match self.chance.choices(range(4), [60, 40, 4, 2])[0]:
            case 0:
                self.reserve(which)
            case 1 if self.rows[which]:
                rows = self.rows[which]
                cost = self.chance.choice(["0", "0.0001", "0.0004", "0.002"])
                rows.pop(self.chance.randrange(len(rows))).settle(paid(cost))
                self.spent += Decimal(cost)
            case 2:
                self.leases[which].flush()
            case 3:
                self.kill(which)

    def reserve(self, which: int) -> None:
        try:
            self.rows[which].append(taken(self.leases[which], self.own))
        except BudgetRefused:
            self.refused += 1
            # What the other holds beside its rows is not there for this one.
            left = self.cap - self.spent - self.under_way * WORST
            assert left - self.free(1 - which) < WORST

    @property
    def under_way(self) -> int:
        return sum(map(len, self.rows))

    def free(self, which: int) -> Decimal:
        return sum((one.free for one in self.leases[which]._purses.values()), Decimal(0))

    def kill(self, which: int) -> None:
        """What was under way counts at its worst case."""
        if self.leases[which]._file is None:
            return
        killed(self.leases[which])
        self.kills += 1
        self.spent += len(self.rows[which]) * WORST
        self.rows[which] = []
        self.leases[which] = Lease(self.own, path=self.path)
        self.leases[which].standing([DAY])  # opens the file, and settles what the dead has left


@pytest.mark.parametrize("seed", range(5))
def test_two_leases_pass_no_cap_and_refuse_only_what_does_not_fit(path: Path, seed: int) -> None:
    cap = Decimal("0.3")
    own = loaded(per_day=f"{cap} USD")
    model = Model(path, own, cap, seed)
    for number in range(700):
        model.step()
        assert model.spent + model.under_way * WORST <= cap
        if number % 10 == 0 and path.exists():
            with Reservations(path) as store:
                totals = store.standing([DAY]).get(DAY, {})
            assert sum(one.spent + one.reserved for one in totals.values()) <= cap
    for rows in model.rows:
        for row in rows:
            row.settle(paid("0"))
    for lease in model.leases:
        lease.close()

    assert model.refused > 0
    assert model.kills > 0
    assert stood(path) == both(model.spent, 0)


HUNGRY = """
import sys
from pathlib import Path
from tests.unit.cost.test_lease import all_taken, loaded
from llmctl.cost.lease import Lease

own = loaded(per_day="0.6 USD")
with Lease(own, path=Path(sys.argv[1])) as lease:
    print("ready", flush=True)
    sys.stdin.readline()
    print(len(all_taken(lease, own)), flush=True)
"""


def test_processes_share_a_budget_to_its_last_row(path: Path) -> None:
    """Three hundred rows of 0.002, taken by four processes at once, none twice and none left."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", HUNGRY, str(path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for one in processes:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in processes:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    taken = [int(one.communicate(timeout=60)[0]) for one in processes]

    assert sum(taken) == 300
    assert stood(path) == both("0.6", 0)


KILLED = """
import os, sys, time
from tests.unit.cost.test_lease import CALL, RUN, loaded, paid, taken
from llmctl.cost.lease import Lease
from pathlib import Path

own = loaded(per_day="10 USD")
lease = Lease(own, path=Path(sys.argv[1]))
rows = [taken(lease, own) for _ in range(50)]
for row in rows[:20]:
    row.settle(paid("0.0001"))
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def corpse(path: Path) -> None:
    """A process that was killed: 20 rows cost 0.0001 each, 30 are under way."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGKILL)


@pytest.mark.skipif(os.name != "posix", reason="there is no SIGKILL")
@pytest.mark.usefixtures("corpse")
def test_what_a_killed_process_has_left(leases: Any, path: Path) -> None:
    """Its block is counted; the next lease counts 20 × 0.0001 + 30 × 0.002 as spent."""
    spent, reserved = stood(path)
    assert spent + reserved >= Decimal("0.062")
    assert reserved <= (50 + ROWS) * WORST

    own = loaded(per_day="10 USD")
    taken(leases(own), own).settle(paid("0"))
    leases(own).standing([DAY])

    assert stood(path)[0] == Decimal("0.062")
    with Reservations(path) as store:
        assert {one.process for one in store.seen([])[1]} == {os.getpid()}


@pytest.mark.skipif(os.name != "posix", reason="there is no SIGKILL")
@pytest.mark.usefixtures("corpse")
@pytest.mark.parametrize("boot", ["another", ""])
def test_after_a_restart_of_the_machine_the_whole_block_counts(
    leases: Any, path: Path, monkeypatch: pytest.MonkeyPatch, boot: str
) -> None:
    before = sum(stood(path))
    monkeypatch.setattr(leased, "boot_id", lambda: boot)

    leases(loaded(per_day="10 USD")).standing([DAY])

    assert stood(path) == both(before, 0)


def test_what_a_transaction_has_settled_before_a_kill_counts_once(
    leases: Any, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the transaction, before its witness heard of it."""
    own = loaded(per_day="10 USD")
    lease = leases(own)
    rows = [taken(lease, own) for _ in range(5)]
    for row in rows[:4]:
        row.settle(paid("0.0005"))
    monkeypatch.setattr(leased.Witness, "say", lambda _self, _used: None)
    assert lease.flush()
    killed(lease)
    monkeypatch.undo()

    leases(own).standing([DAY])
    assert stood(path) == both("0.004", 0)  # 4 × 0.0005, and 0.002 of the one under way


def test_a_live_process_keeps_its_block(leases: Any, path: Path) -> None:
    own = loaded(per_day="10 USD")
    first = leases(own)
    taken(first, own)
    before = stood(path)

    leases(own).standing([DAY])

    assert stood(path) == before


@pytest.mark.parametrize("text", ["", "[", "[1, 2]", '["", {"1": "x"}]', "null", '{"a": []}'])
def test_a_witness_that_says_nothing_changes_nothing(leases: Any, path: Path, text: str) -> None:
    own = loaded(per_day="10 USD")
    folder = path.parent / leased.FOLDER
    folder.mkdir()
    (folder / "1-a").write_text(text, encoding="utf-8")
    (folder / f"1-a{leased.LOCK}").touch()
    lease = leases(own)
    taken(lease, own)

    assert sorted(one.name for one in folder.iterdir()) == sorted(
        (lease._witness._file.name, lease._witness._lock.name)
    )


# ---- speed -------------------------------------------------------------------------------------


def test_a_row_takes_microseconds(leases: Any) -> None:
    """Two durable transactions took a millisecond at best. The bar is 30 µs beside what admission
    takes, on a quiet machine; here ten times as much for one that is not."""
    own = loaded(per_day="100000 USD")
    lease = leases(own)
    scopes = lease.rules("openai", RUN, NOON).scopes
    spent = Decimal("0.0005"), "USD"
    begun = perf_counter()
    for _ in range(5_000):
        number = lease.reserve(
            scopes, lambda _standing: (WORST, "USD"), at=NOON, provider="openai", model="m"
        )
        lease.settle(number, spent, at=NOON)

    assert (perf_counter() - begun) / 5_000 < 300e-6
