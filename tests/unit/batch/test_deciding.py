"""What follows from each way in which a try can end: the table of the promises, line by line."""

import pytest

from llmctl.batch.deciding import Next
from llmctl.batch.trying import Tried
from llmctl.batch.work import Repairing
from llmctl.errors import (
    AuthFailed,
    BudgetRefused,
    ConfigError,
    CutOff,
    Filtered,
    Incomplete,
    LlmctlError,
    NetworkFailed,
    NotFound,
    PrivacyRefused,
    ProviderFailed,
    Rejected,
    SchemaMismatch,
)
from llmctl.privacy.screening import Screened
from llmctl.types import Chat, Complete, Role, message
from llmctl.values import replace
from tests.unit.batch.decided import CALL, OTHER, Job, busy, limited
from tests.unit.batch.lanes import MAIN, receipt, route

# ---- one try


def test_an_answer_ends_the_row() -> None:
    job = Job()

    assert job.on(job.work(), None) is Next.END


@pytest.mark.parametrize(
    "error",
    [
        Rejected("context too long", status=400),
        Incomplete("cut by a limit"),
        SchemaMismatch("no JSON"),
        Filtered("no"),
        PrivacyRefused("a card number"),
        NetworkFailed("too long", reason="timeout", retryable=False),
    ],
)
def test_what_is_the_rows_own_fault_ends_it_alone(error: LlmctlError) -> None:
    job = Job()

    assert job.on(job.work(), error) is Next.END
    assert job.deciding.given_up == {}


HOPELESS = [
    AuthFailed("refused", status=401),
    AuthFailed("not permitted", status=403),
    NotFound("no such model", status=404),
    ConfigError("no such dialect"),
    limited(reason="quota", retryable=False),
    limited(retry_after_s=3601.0),
    NetworkFailed("no such host", reason="dns", retryable=False),
    NetworkFailed("another certificate", reason="tls", retryable=False),
]


@pytest.mark.parametrize("error", HOPELESS)
def test_what_no_row_would_get_by_stops_the_job_at_once(error: LlmctlError) -> None:
    job = Job()

    assert job.on(job.work(), error) is Next.STOP
    assert job.deciding.given_up == {"a/m": error}


@pytest.mark.parametrize("error", HOPELESS)
@pytest.mark.parametrize("default", ["a/m", None])
def test_a_model_that_a_row_names_itself_ends_that_row_alone(
    error: LlmctlError, default: str | None
) -> None:
    job = Job(default)

    assert job.on(job.work(to=OTHER, named=True), error) is Next.END


def test_a_row_that_names_the_model_of_all_rows_stops_the_job_too() -> None:
    job = Job()

    assert job.on(job.work(named=True), AuthFailed("refused")) is Next.STOP


@pytest.mark.parametrize(
    ("tried", "least", "most"), [(1, 0.375, 0.5), (2, 0.75, 1.0), (3, 1.5, 2.0), (4, 3.0, 4.0)]
)
@pytest.mark.parametrize(
    "error", [busy(), NetworkFailed("reset", reason="reset"), CutOff("no end")]
)
def test_what_may_pass_is_tried_again_after_longer_and_longer_waits(
    error: LlmctlError, tried: int, least: float, most: float
) -> None:
    job = Job()
    wait = job.times(job.work(), tried, error)

    assert isinstance(wait, float)
    assert least <= wait <= most


@pytest.mark.parametrize("error", [busy(), NetworkFailed("x", reason="reset"), CutOff("no end")])
def test_after_five_tries_a_row_has_failed(error: LlmctlError) -> None:
    job = Job()
    work = job.work()

    assert isinstance(job.times(work, 4, error), float)
    assert job.on(work, error) is Next.END


def test_the_server_says_how_long_to_wait() -> None:
    assert Job().on(Job().work(), busy(retry_after_s=30.0)) == 30.0


def test_one_that_asks_for_a_day_is_not_asked_again_at_once() -> None:
    wait = Job().on(Job().work(), busy(retry_after_s=86_400.0))

    assert wait == 8.0


def test_a_limit_alone_is_waited_for_as_long_as_it_takes() -> None:
    """The pace holds all rows meanwhile; the row only has to stand in line again."""
    job = Job()
    wait = job.times(job.work(), 50, limited(retry_after_s=20.0))

    assert isinstance(wait, float)
    assert wait <= 1.0


# ---- a provider that is down


def test_where_several_rows_fail_and_none_works_they_wait_for_the_provider() -> None:
    job = Job()
    works = [job.work(line) for line in range(1, 5)]

    assert [isinstance(job.times(work, 4, busy()), float) for work in works] == [True] * 4
    assert [job.on(work, busy()) for work in works] == [8.0] * 4


def test_until_it_is_given_up_after_a_bounded_time_with_a_message() -> None:
    job = Job()
    works = [job.work(line) for line in range(1, 5)]
    for work in works:
        job.times(work, 5, busy(provider="acme"))
    job.clock.now = 300.0

    assert job.on(works[0], busy(provider="acme")) is Next.STOP
    said = job.deciding.given_up["a/m"]
    assert isinstance(said, ProviderFailed)
    assert said.message == "acme is given up: nothing has worked for 300 s; last: busy"


def test_429_for_ever_is_given_up_too() -> None:
    job = Job()
    work = job.work()
    for second in range(0, 300, 10):
        job.clock.now = float(second)
        assert isinstance(job.on(work, limited()), float)
    job.clock.now = 300.0

    assert job.on(work, limited()) is Next.STOP


def test_several_poisoned_rows_among_good_ones_fail_alone() -> None:
    """Others are answered while they are tried: it is not the provider."""
    job = Job()
    works = [job.work(line) for line in range(1, 5)]
    for work in works:
        job.times(work, 3, busy())
    job.on(job.work(9), None)
    for work in works:
        job.on(work, busy())

    assert [job.on(work, busy()) for work in works] == [Next.END] * 4


def test_a_server_of_ones_own_that_is_not_there_is_not_waited_for() -> None:
    own = route("ollama/q", "local")
    job = Job("ollama/q")
    works = [job.work(line, own) for line in range(1, 4)]
    gone = NetworkFailed("refused", reason="connect")
    for work in works:
        job.times(work, 4, gone)

    assert job.on(works[0], gone) is Next.STOP
    # A server elsewhere is.
    there = Job()
    works = [there.work(line) for line in range(1, 4)]
    for work in works:
        there.times(work, 4, gone)
    assert there.on(works[0], gone) == 8.0


ALIVE = [
    Rejected("too long", status=400),
    Filtered("no"),
    Incomplete("cut by a limit"),
    SchemaMismatch("no JSON"),
]


@pytest.mark.parametrize("error", ALIVE)
def test_a_provider_that_answers_with_a_refusal_is_not_down(error: LlmctlError) -> None:
    """Some rows fail in what may pass, all others are refused: for longer than it is waited."""
    job = Job()
    works = [job.work(line) for line in range(1, 5)]
    for work in works:
        job.times(work, 3, busy())
    job.clock.now = 299.0
    job.on(job.work(9), error)
    job.clock.now = 301.0

    assert [isinstance(job.on(work, busy()), float) for work in works] == [True] * 4
    # Another was answered while they were tried: it is not the provider.
    assert [job.on(work, busy()) for work in works] == [Next.END] * 4
    assert job.deciding.given_up == {}


def test_so_is_one_whose_answer_is_asked_for_once_more() -> None:
    job = Job()
    missed = SchemaMismatch("no JSON")
    job.times(job.work(1), 3, busy())
    job.clock.now = 301.0
    tried = Tried(receipt(MAIN, error=missed), missed, Repairing(CALL, Screened(call=CALL)))
    assert job.deciding.on(job.work(2), tried) == 0.0

    assert isinstance(job.on(job.work(3), busy()), float)


def test_what_was_refused_before_it_was_sent_says_nothing_of_the_provider() -> None:
    job = Job()
    work = job.work(1)
    job.times(work, 3, busy())
    job.clock.now = 301.0
    refused = Rejected("no such file")
    unsent = replace(receipt(MAIN, error=refused), attempts=0)
    assert job.deciding.on(job.work(2), Tried(unsent, refused)) is Next.END

    assert job.on(work, busy()) is Next.STOP


# ---- money


@pytest.mark.parametrize(
    ("reason", "own", "other"),
    [
        ("over-budget", Next.ASIDE, Next.ASIDE),
        ("unknown-cost", Next.END, Next.ASIDE),
        ("unclear-limit", Next.END, Next.ASIDE),
        ("state", Next.STOP, Next.STOP),
    ],
)
def test_what_may_not_be_paid_for(reason: str, own: Next, other: Next) -> None:
    job, error = Job(), BudgetRefused("no", reason=reason)

    assert job.deciding.unpaid(job.work(to=OTHER, named=True), error) is own
    assert job.deciding.unpaid(job.work(), error) is other
    assert job.deciding.unpaid(job.work(named=True), error) is other


# ---- tokens


def test_tokens_are_guessed_from_the_length_and_the_limit() -> None:
    job = Job().deciding
    long = (message(Role.SYSTEM, "x" * 30), message(Role.USER, "y" * 60))

    assert job.tokens(Chat(model="m", messages=long, max_tokens=7)) == 30 + 7
    assert job.tokens(Chat(model="m", messages=long)) == 30 + 300
    assert job.tokens(Complete("m", "z" * 30, 5, None, None, (), False, {})) == 10 + 5


# ---- a row, or a model, that is limited for ever


def test_a_row_that_is_refused_while_others_are_answered_has_failed_in_the_end() -> None:
    job = Job()
    work = job.work()
    found: list[Next | float] = []
    own: list[bool] = []
    for line in range(2, 11):
        found.append(job.on(work, limited(retry_after_s=20.0)))
        own.append(job.deciding.is_its_own(work, limited()))
        job.on(job.work(line), None)

    # The first says nothing yet. From the fourth on it waits by itself, and nobody with it.
    assert found == [1.0, 1.0, 1.0, *[20.0] * 6]
    assert own == [False] * 3 + [True] * 6
    assert job.on(work, limited()) is Next.END
    assert job.deciding.given_up == {}


def test_it_fails_also_where_the_others_are_through_by_then() -> None:
    job = Job()
    work = job.work()
    for line in range(2, 6):
        job.on(work, limited())
        job.on(job.work(line), None)

    assert isinstance(job.times(work, 5, limited()), float)
    assert job.on(work, limited()) is Next.END


def test_a_hold_is_stood_in_line_for_as_long_as_there_is_patience() -> None:
    job = Job()
    work = job.work()

    assert job.deciding.patience(work) == 300
    assert job.deciding.held(work, 0.0) is None
    assert job.deciding.held(work, 300.0) is None
    job.times(work, 3, busy())
    job.clock.now = 200.0
    assert job.deciding.patience(work) == 100
    assert job.deciding.held(work, 150.0) == pytest.approx(100, abs=0.1)
    assert job.deciding.given_up == {}


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_hold_beyond_it_ends_the_job_at_once(elsewhere: bool) -> None:
    job = Job()
    work = job.work()

    assert job.deciding.held(work, 301.0, elsewhere=elsewhere) == 0.0
    error = job.deciding.given_up["a/m"]
    assert ("an earlier one" in error.message) is elsewhere
    assert job.deciding.held(work, 301.0) is None
    assert job.on(work, error) is Next.STOP


def test_a_model_that_is_held_alone_is_not_stood_in_line_for() -> None:
    job = Job()
    work = job.work()

    assert job.deciding.held(work, 0.0, apart_s=4.0) == pytest.approx(4, abs=0.1)


def test_no_wait_is_longer_than_the_patience() -> None:
    job = Job()
    works = [job.work(line) for line in range(1, 5)]
    for work in works:
        job.times(work, 4, busy())
    job.clock.now = 297.0

    assert job.on(works[0], busy()) == pytest.approx(3, abs=0.1)
    job.clock.now = 300.0
    assert job.deciding.placed(works[0]).route.requested == "a/m"
    assert "is given up" in job.deciding.given_up["a/m"].message
