"""What budgets admit and refuse, by arithmetic done by hand. Estimates are given as they are: what
tokens cost is tested elsewhere."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as properties
from hypothesis import strategies as st

from llmctl import settings
from llmctl.cost.admission import longest
from llmctl.cost.asked import copies, stated_limit
from llmctl.cost.billing import may_be_billed
from llmctl.cost.budgets import Admitted, Reservation, admit, new_run, open_store
from llmctl.cost.caps import is_limited
from llmctl.cost.estimate import ESTIMATE, Estimate
from llmctl.cost.money import Money
from llmctl.errors import (
    AuthFailed,
    BudgetRefused,
    ConfigError,
    Interrupted,
    LlmctlError,
    NetworkFailed,
    ProviderFailed,
    RateLimited,
    UsageError,
)
from llmctl.settings import Budget, Loaded, Settings
from llmctl.store.reservations import Reservations
from llmctl.types import Chat, Complete, Cost, CostKind, Role, message

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HELLO = Chat("m", (message(Role.USER, "hello"),))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def _closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Reservations that a test leaves open hold their file; they are closed with the test."""
    opened: list[Reservations] = []
    before = Reservations.__init__

    def remembered(self: Reservations, path: Path) -> None:
        before(self, path)
        opened.append(self)

    monkeypatch.setattr(Reservations, "__init__", remembered)
    yield
    for one in opened:
        one.close()


def loaded(text: str = "", **flags: Any) -> Loaded:
    """Settings with this user file, and the flags of a command line (`max_cost`)."""
    file = settings.user_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    names = {"max_cost": "budget.per_call", "allow": "budget.allow_unknown_cost"}
    spelt = {"budget.per_call": "--max-cost"}
    return settings.load({names[name]: value for name, value in flags.items()}, spelt=spelt)


def estimate(
    base: str | None = "0.001", token: str | None = "0.00001", currency: str = "USD", **more: Any
) -> Estimate:
    """One whose input costs `base` at most, and each token of the answer `token`."""
    known: dict[str, Any] = {"input_tokens": 100, "input_most": 125, "method": ESTIMATE, **more}
    if base is not None:
        known["high_input"] = Money(Decimal(base), currency)
    if token is not None:
        known["token_price"] = Decimal(token)
    return Estimate(**known)


def admitted(call: Chat | Complete, found: Estimate, own: Loaded, **more: Any) -> Admitted:
    return admit(call, found, own, **{"provider": "openai", "at": NOW, **more})


def limited(tokens: int, **more: Any) -> Chat:
    return Chat("m", HELLO.messages, max_tokens=tokens, **more)


def limit_of(given: Admitted) -> int | None:
    assert isinstance(given.call, Chat | Complete)
    return given.call.max_tokens


def reservation(given: Admitted) -> Reservation:
    assert given.reservation is not None
    return given.reservation


def stood(scope: str = "day 2026-11-25", currency: str = "USD") -> tuple[Decimal, Decimal]:
    with open_store() as store:
        total = store.standing([scope])[scope][currency]
        return total.spent, total.reserved


def both(spent: Decimal | int, reserved: Decimal | int) -> tuple[Decimal, Decimal]:
    return Decimal(spent), Decimal(reserved)


def paid(amount: str, currency: str = "USD") -> Cost:
    return Cost(amount, currency, CostKind.COMPUTED)


def refused(call: Chat | Complete, found: Estimate, own: Loaded, **more: Any) -> BudgetRefused:
    with pytest.raises(BudgetRefused) as caught:
        admitted(call, found, own, **more)
    return caught.value


# ---- when a file is opened ---------------------------------------------------------------------


def test_without_a_budget_no_file_is_opened(home: Path) -> None:
    assert admitted(HELLO, estimate(), loaded()) == Admitted(call=HELLO)
    assert not (home / "data").exists()


def test_what_is_free_needs_no_budget(home: Path) -> None:
    given = admitted(HELLO, estimate("0", "0"), loaded('[budget]\nper_day = "0 USD"'))

    assert given == Admitted(call=HELLO)
    assert not (home / "data").exists()


def test_a_budget_of_another_provider_is_none(home: Path) -> None:
    own = loaded('[providers.gemini.budget]\nper_day = "0 USD"')

    assert admitted(HELLO, estimate(), own) == Admitted(call=HELLO)
    assert not (home / "data").exists()


def test_a_file_that_cannot_be_written_refuses(home: Path) -> None:
    (home / "data").write_text("a file where the folder should be")

    error = refused(HELLO, estimate(), loaded(max_cost="1 USD"))

    assert (error.exit_code, error.reason) == (5, "state")
    assert "the budget cannot be kept" in error.message


# ---- the worst case ----------------------------------------------------------------------------


def test_the_worst_case_is_reserved_and_what_it_cost_is_spent() -> None:
    given = admitted(limited(500), estimate(), loaded('[budget]\nper_day = "1 USD"'))
    # 0.001 + 500 × 0.00001
    assert stood() == both(0, Decimal("0.006"))

    reservation(given).settle(paid("0.0021"))

    assert stood() == stood("month 2026-11") == stood("day 2026-11-25 openai")
    assert stood() == both(Decimal("0.0021"), 0)


@pytest.mark.parametrize(
    ("how", "spent"),
    [
        ({"cost": Cost()}, "0.006"),
        ({"cost": Cost(), "sent": False}, "0"),
        ({"cost": paid("0.001"), "error": Interrupted("stopped")}, "0.001"),
        ({"cost": Cost(), "error": Interrupted("stopped")}, "0.006"),
        ({"cost": Cost(), "error": AuthFailed("no key", status=401)}, "0"),
        ({"cost": Cost(), "error": ProviderFailed("inside", status=200), "shown": True}, "0.006"),
        ({"cost": Cost(), "error": AuthFailed("late", status=401), "shown": True}, "0.006"),
        ({"cost": paid("NaN")}, "0.006"),
        ({"cost": paid("-1")}, "0.006"),
        ({"cost": paid("1E+99999")}, "0.006"),
        ({"cost": paid("much")}, "0.006"),
        ({"cost": paid("0.5")}, "0.5"),
    ],
    ids=str,
)
def test_what_is_settled(how: dict[str, Any], spent: str) -> None:
    held = reservation(admitted(limited(500), estimate(), loaded('[budget]\nper_day = "0.01 USD"')))

    held.settle(**how)
    held.settle(paid("9"))  # once is enough

    assert stood() == both(Decimal(spent), 0)


def test_a_limit_that_does_not_fit_is_refused_with_the_one_that_does() -> None:
    """0.01 - 0.001 are 900 tokens at 0.00001."""
    own = loaded(max_cost="0.01 USD")

    error = refused(limited(901), estimate(), own)

    assert (error.exit_code, error.reason) == (5, "over-budget")
    assert "0.01 USD (flag --max-cost)" in error.message
    assert "up to 0.01001 USD" in error.message
    assert error.hint == "an answer of 900 tokens fits: --max-tokens 900"
    assert limit_of(admitted(limited(900), estimate(), own)) == 900


def test_no_longer_answer_is_advised_than_the_model_gives() -> None:
    """0.01 - 0.001 would be 900 tokens at 0.00001."""
    error = refused(limited(100_000), estimate(output_limit=700), loaded(max_cost="0.01 USD"))

    assert error.hint == "an answer of 700 tokens fits: --max-tokens 700"


def test_a_refusal_names_the_line_and_what_stands() -> None:
    own = loaded('[budget]\n# of the lab\nper_day = "0.02 USD"')
    reservation(admitted(limited(500), estimate(), own)).settle(paid("0.004"))
    admitted(limited(500), estimate(), own)

    error = refused(limited(1000), estimate(), own)

    place = f"{settings.user_file()}:3"
    assert f"the budget of 0.02 USD a day (budget.per_day, {place})" in error.message
    assert "0.004 USD are spent, 0.006 USD reserved" in error.message
    assert "up to 0.011 USD" in error.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_tokens", "many"), ("max_tokens", None), ("n", None), ("n", True), ("num_predict", -1),
        ("max_completion_tokens", 0), ("maxTokens", [5]), ("n", float("inf")), ("n", "1e999999999"),
    ],
)  # fmt: skip
def test_a_limit_of_which_nobody_knows_what_it_means_is_refused(name: str, value: Any) -> None:
    call = limited(9, options={"config": {name: value}})

    error = refused(call, estimate(), loaded(max_cost="1 USD"))

    assert error.reason == "unclear-limit"
    assert f"{name}={json.dumps(value)} " in error.message
    assert admitted(call, estimate(), loaded()).call == call  # without a budget it goes as it is


@pytest.mark.parametrize(
    ("options", "limit", "answers"),
    [
        ({}, 9, 1),
        ({"max_completion_tokens": 500}, 500, 1),
        ({"max_tokens": 5, "num_predict": 700}, 700, 1),
        ({"generationConfig": {"maxOutputTokens": 800, "candidateCount": 4}}, 800, 4),
        ({"n": "2", "best_of": 5}, 9, 5),
        ({"max_completion_tokens": 1e6, "n": 5.0}, 1_000_000, 5),
        ({"max_tokens": "1e3", "n": "1.5"}, 1_000, 2),  # rounded up
        ({"max_new_tokens": 20.2}, 21, 1),
    ],
)
def test_what_the_options_say_of_limits_and_copies(
    options: dict[str, Any], limit: int, answers: int
) -> None:
    call = limited(9, options=options)

    assert (stated_limit(call), copies(call)) == (limit, answers)


# ---- the limit that llmctl sets ----------------------------------------------------------------


def test_without_a_limit_the_answer_gets_what_fits_and_that_is_said() -> None:
    own = loaded(max_cost="0.01 USD")

    given = admitted(HELLO, estimate(output_limit=64_000, output_usual=8_000), own)

    assert limit_of(given) == 900
    assert reservation(given).lowered == 900
    [note] = given.notes
    assert note.code == "budget-limit"
    assert "0.01 USD (flag --max-cost)" in note.text
    assert "at most 900 tokens" in note.text


@pytest.mark.parametrize(
    ("usual", "most", "limit", "lowered"),
    [(8_000, 64_000, 8_000, 8_000), (None, None, 4_000, 4_000), (8_000, 2_000, 2_000, None)],
)
def test_a_large_budget_leaves_a_usual_answer(
    usual: int | None, most: int | None, limit: int, lowered: int | None
) -> None:
    own = loaded('[budget]\nper_month = "100 USD"')

    given = admitted(HELLO, estimate(output_usual=usual, output_limit=most), own)

    assert (limit_of(given), reservation(given).lowered) == (limit, lowered)
    assert [note.code for note in given.notes] == (["budget-limit"] if lowered else [])
    assert stood() == both(0, Decimal("0.001") + limit * Decimal("0.00001"))


def test_no_answer_is_shorter_than_sixteen_tokens() -> None:
    """0.001 + 16 × 0.00001 are 0.00116."""
    given = admitted(HELLO, estimate(), loaded(max_cost="0.00116 USD"))
    assert limit_of(given) == 16

    error = refused(HELLO, estimate(), loaded(max_cost="0.00115 USD"))
    assert "up to 0.00116 USD" in error.message
    assert error.hint is not None
    assert "not even an answer of 16 tokens fits" in error.hint


def test_free_answers_are_bounded_by_the_prompt_alone() -> None:
    given = admitted(HELLO, estimate("0.009", "0"), loaded(max_cost="0.01 USD"))

    assert limit_of(given) == 4_000
    refused(HELLO, estimate("0.011", "0"), loaded(max_cost="0.01 USD"))


def test_a_text_to_be_continued_is_bounded_too() -> None:
    given = admitted(Complete("m", "once"), estimate(), loaded(max_cost="0.01 USD"))

    assert limit_of(given) == 900


@pytest.mark.parametrize(
    ("left", "token", "fits"),
    [("-0.1", "0.1", 0), ("0.3", "0.1", 3), ("0.2999999", "0.1", 2), ("1", "0", None)],
)
def test_the_longest_answer_that_fits(left: str, token: str, fits: int | None) -> None:
    assert longest(Decimal(left), Decimal(token)) == fits


# ---- unknown prices ----------------------------------------------------------------------------

UNKNOWN = (
    estimate(None, None, why="no-price"),
    estimate("0.001", None),
    estimate(left_out=("image/png",)),
)


@pytest.mark.parametrize("found", UNKNOWN, ids=["nothing", "no output", "left out"])
def test_an_unknown_price_is_refused(found: Estimate, home: Path) -> None:
    error = refused(HELLO, found, loaded(max_cost="1 USD"))

    assert (error.exit_code, error.reason) == (5, "unknown-cost")
    assert error.hint is not None
    assert "--allow-unknown-cost" in error.hint
    assert not (home / "data").exists()


@pytest.mark.parametrize("found", UNKNOWN[:2], ids=["nothing", "no output"])
def test_allowed_it_counts_afterwards(found: Estimate) -> None:
    own = loaded('[budget]\nper_day = "0.01 USD"', allow=True)

    given = admitted(HELLO, found, own)
    assert [note.code for note in given.notes] == ["unknown-cost"]
    assert given.call is HELLO
    reservation(given).settle(paid("0.01"))

    assert stood() == both(Decimal("0.01"), 0)
    assert refused(HELLO, found, own).reason == "over-budget"  # nothing is left


def test_a_provider_of_its_own_may_be_allowed() -> None:
    own = loaded(
        '[budget]\nper_day = "1 USD"\n[providers.openai.budget]\nallow_unknown_cost = true'
    )

    assert admitted(HELLO, UNKNOWN[0], own).call is HELLO
    refused(HELLO, UNKNOWN[0], own, provider="gemini")


# ---- windows and scopes ------------------------------------------------------------------------


def test_a_day_ends_at_midnight_of_utc_and_a_month_with_its_last() -> None:
    own = loaded('[budget]\nper_day = "0.01 USD"\nper_month = "0.015 USD"')
    last = datetime(2026, 11, 29, 23, 59, 59, tzinfo=UTC)
    admitted(limited(900), estimate(), own, at=last)

    assert "0.01 USD a day" in refused(limited(16), estimate(), own, at=last).message
    next_day = last + timedelta(seconds=1)
    error = refused(limited(500), estimate(), own, at=next_day)  # 0.01 + 0.006
    assert "0.015 USD a month" in error.message
    admitted(limited(400), estimate(), own, at=next_day)
    admitted(limited(900), estimate(), own, at=next_day + timedelta(days=1))


def test_a_moment_counts_by_the_day_of_utc() -> None:
    moscow = datetime.fromisoformat("2026-11-26T02:00:00+03:00")

    admitted(limited(500), estimate(), loaded('[budget]\nper_day = "1 USD"'), at=moscow)

    assert stood("day 2026-11-25") == both(0, Decimal("0.006"))


def test_the_cap_of_a_provider_is_its_own() -> None:
    own = loaded('[budget]\nper_day = "1 USD"\n[providers.openai.budget]\nper_day = "0.01 USD"')
    admitted(limited(900), estimate(), own)

    assert "providers.openai.budget.per_day" in refused(limited(16), estimate(), own).message
    admitted(limited(900), estimate(), own, provider="gemini")
    assert stood() == both(0, Decimal("0.02"))


def test_a_run_is_only_counted_where_it_has_a_cap() -> None:
    admitted(limited(9), estimate(), loaded('[budget]\nper_day = "1 USD"'), run="r1")
    with open_store() as store:
        assert store.seen(["run r1"])[0] == {}


def test_calls_of_one_run_share_what_a_call_may_cost() -> None:
    own, run = loaded(max_cost="0.01 USD"), new_run()
    reservation(admitted(limited(400), estimate(), own, run=run)).settle(paid("0.003"))

    given = admitted(HELLO, estimate(), own, run=run)  # 0.01 - 0.003 - 0.001
    assert limit_of(given) == 600
    assert limit_of(admitted(HELLO, estimate(), own)) == 900  # a run of its own


def test_many_rows_at_once_keep_to_the_cap_of_their_run() -> None:
    """Each of 60 rows may cost 0.006 and costs 0.002; the cap is 0.1."""
    own, run, most = loaded(max_cost="0.1 USD"), new_run(), Decimal(0)

    async def all_rows() -> int:
        with open_store() as store:

            async def row() -> int:
                nonlocal most
                try:
                    given = admitted(limited(500), estimate(), own, run=run, store=store)
                except BudgetRefused:
                    return 0
                total = store.standing([f"run {run}"])[f"run {run}"]["USD"]
                most = max(most, total.spent + total.reserved)
                await asyncio.sleep(0)
                reservation(given).settle(paid("0.002"))
                return 1

            return sum(await asyncio.gather(*(row() for _number in range(60))))

    done = asyncio.run(all_rows())

    # All ask before any has ended: 16 × 0.006 are 0.096.
    assert done == 16
    assert most == Decimal("0.096")
    assert stood(f"run {run}") == both(Decimal("0.032"), 0)


# ---- other currencies --------------------------------------------------------------------------

RATE = '[rates]\n"USD/RUB" = { rate = "80", date = "2026-11-20", source = "bank" }\n'


def test_a_cap_in_another_currency_counts_five_per_cent_more() -> None:
    """0.01 USD are 0.84 RUB."""
    own = loaded(RATE, max_cost="0.84 RUB")

    given = admitted(limited(900), estimate(), own)

    [note] = given.notes
    assert note.code == "rate"
    assert "1 USD = 80 RUB (2026-11-20, bank)" in note.text
    error = refused(limited(900), estimate(), loaded(RATE, max_cost="0.8399 RUB"))
    assert "up to 0.01 USD (at 1 USD = 80 RUB (2026-11-20, bank) and 5 %)" in error.message
    assert error.hint == "an answer of 899 tokens fits: --max-tokens 899"  # 0.8399 / 84 / 0.00001


def test_without_a_rate_it_is_refused_with_the_way_to_one() -> None:
    error = refused(limited(9), estimate(), loaded(max_cost="100 RUB"))

    assert (error.exit_code, error.reason) == (5, "no-rate")
    assert error.hint is not None
    assert "llmctl cost rates update" in error.hint
    assert "llmctl cost rates set USD/RUB RATE" in error.hint


def test_what_was_paid_in_several_currencies_counts_together() -> None:
    """42 RUB of 100: 58 are left, and 0.7 USD are 58.8."""
    own = loaded(RATE + '[budget]\nper_day = "100 RUB"')
    rouble = estimate("42", "0", "RUB")
    admitted(limited(16), rouble, own, provider="yandexgpt")

    refused(limited(16), estimate("0.7", "0"), own)
    admitted(limited(16), estimate("0.69", "0"), own)
    assert stood(currency="RUB") == both(0, 42)
    assert stood() == both(0, Decimal("0.69"))


def test_an_old_rate_is_told() -> None:
    old = RATE.replace("2026-11-20", "2026-10-01")

    given = admitted(limited(9), estimate(), loaded(old, max_cost="10 RUB"))

    assert [note.code for note in given.notes] == ["rate", "stale-rate"]
    assert "55 days old" in given.notes[1].text


# ---- settings ----------------------------------------------------------------------------------


def test_an_amount_that_is_none_is_said_with_its_place() -> None:
    for amount in ("much", ""):
        with pytest.raises(ConfigError) as caught:
            loaded(f'[budget]\nper_day = "{amount}"')
        assert f"{settings.user_file()}:2: budget.per_day" in caught.value.message
        assert "is no amount of money" in caught.value.message

        with pytest.raises(UsageError, match=r"--max-cost .* is no amount of money"):
            loaded(max_cost=amount)


def test_an_amount_that_is_none_is_not_stored_and_one_in_the_environment_is_no_missing_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for key in ("budget.per_day", "providers.openai.budget.per_month"):
        for amount in ("abc", "", "1,500 USD"):
            with pytest.raises(ConfigError):
                settings.set_value(key, amount)
        settings.set_value(key, "1 500 USD")
    monkeypatch.setenv("LLMCTL_BUDGET__PER_DAY", "")
    with pytest.raises(ConfigError, match="LLMCTL_BUDGET__PER_DAY"):
        settings.load()


def test_whatever_stands_there_is_a_budget() -> None:
    """Also one that got past the check of the settings."""
    own = Loaded(Settings(budget=Budget(per_day="")), {})

    assert is_limited(own, "a")


# ---- trying again ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "billed"),
    [
        (RateLimited("slow", status=429), False),
        (ProviderFailed("broken", status=500), False),
        (ProviderFailed("busy", status=503), False),
        (ProviderFailed("gateway", status=502), True),
        (ProviderFailed("gateway", status=504), True),
        (ProviderFailed("inside the stream"), True),
        (ProviderFailed("no answer", status=200), True),
        (NetworkFailed("no name", reason="dns"), False),
        (NetworkFailed("no connection", reason="connect"), False),
        (NetworkFailed("silence", reason="idle"), True),
        (NetworkFailed("broken off", reason="reset"), True),
        (NetworkFailed("late", reason="timeout"), True),
        (Interrupted("stopped"), True),
        (UsageError("no UTF-8"), False),
    ],
)
def test_which_failures_may_be_billed(error: LlmctlError, billed: bool) -> None:
    assert may_be_billed(error) is billed


def test_a_repetition_of_what_may_be_billed_needs_money_of_its_own() -> None:
    held = reservation(
        admitted(limited(500), estimate(), loaded('[budget]\nper_day = "0.013 USD"'))
    )

    assert held.may_repeat(ProviderFailed("busy", status=503))
    assert stood() == both(0, Decimal("0.006"))
    assert held.may_repeat(ProviderFailed("gateway", status=504))
    assert stood() == both(Decimal("0.006"), Decimal("0.006"))
    assert not held.may_repeat(ProviderFailed("gateway", status=504))
    held.settle(paid("0.001"))
    assert stood() == both(Decimal("0.007"), 0)


# ---- whatever comes ----------------------------------------------------------------------------

PRICE = st.decimals(min_value=0, max_value="0.01", places=6)
ASKED = st.tuples(
    PRICE,
    PRICE,
    st.sampled_from(["USD", "RUB"]),
    st.one_of(st.none(), st.integers(1, 5_000)),
    st.one_of(st.none(), st.fractions(0, 1)),
)


@properties(max_examples=30)
@given(asked=st.lists(ASKED, max_size=12), cap=st.decimals(min_value=0, max_value=50, places=2))
def test_nothing_that_is_asked_passes_the_cap(asked: list[Any], cap: Decimal) -> None:
    """Answers cost at most what was reserved; the cap is in roubles, at 84 a dollar."""
    own = loaded(RATE + f'[budget]\nper_day = "{cap} RUB"')
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMCTL_DATA_DIR", folder)
        for base, token, currency, limit, share in asked:
            call = HELLO if limit is None else limited(limit)
            found = estimate(str(base), str(token), currency)
            try:
                given = admitted(call, found, own)
            except BudgetRefused:
                continue
            if given.reservation is not None and share is not None:
                worst = base + token * (limit_of(given) or 0)
                part = worst * share.numerator / share.denominator
                given.reservation.settle(paid(f"{part:f}", currency))
            with open_store() as store:
                totals = store.standing(["day 2026-11-25"]).get("day 2026-11-25", {})
            counted = sum(
                (one.spent + one.reserved) * (84 if code == "USD" else 1)
                for code, one in totals.items()
            )
            assert counted <= cap
