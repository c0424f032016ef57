"""When another model is asked instead: one that answers, one that may have what is private, the
same once more with what was wrong."""

import pytest

from llmctl.batch.deciding import Next
from llmctl.batch.trying import Tried
from llmctl.batch.work import Repairing
from llmctl.errors import (
    AuthFailed,
    ConfigError,
    CutOff,
    Filtered,
    Incomplete,
    LlmctlError,
    NetworkFailed,
    NotFound,
    PrivacyRefused,
    Rejected,
    SchemaMismatch,
)
from llmctl.privacy.screening import Screened
from tests.unit.batch.decided import CALL, HERE, OTHER, THIRD, Job, asked, busy, limited
from tests.unit.batch.lanes import MAIN, receipt

# ---- another model


@pytest.mark.parametrize(
    ("error", "tries"),
    [(busy(), 5), (limited(), 1), (limited(retry_after_s=1.0), 5),
     (CutOff("no end"), 5), (NetworkFailed("x", reason="reset"), 5),
     (Filtered("no"), 1), (limited(retryable=False), 1), (limited(retry_after_s=3601.0), 1),
     (NetworkFailed("x", reason="dns", retryable=False), 1)],
)  # fmt: skip
def test_another_model_is_asked_instead(error: LlmctlError, tries: int) -> None:
    job = Job(fallbacks=(OTHER, THIRD))
    work = job.work()

    assert job.times(work, tries - 1, error) is not Next.STOP
    assert asked(work) == "a/m"
    assert job.on(work, error) == 0.0
    assert asked(work) == "b/n"
    assert [(hop.model, hop.cause) for hop in work.hops] == [("a/m", error.code)]
    assert work.failed == 0


@pytest.mark.parametrize("error", [AuthFailed("x"), NotFound("x"), ConfigError("x")])
def test_but_not_for_what_the_user_has_to_put_right(error: LlmctlError) -> None:
    job = Job(fallbacks=(OTHER,))
    work = job.work()

    assert job.on(work, error) is Next.STOP
    assert work.hops == []


@pytest.mark.parametrize("error", [Rejected("x"), Incomplete("x"), SchemaMismatch("x")])
def test_nor_for_what_is_the_rows_own_fault(error: LlmctlError) -> None:
    job = Job(fallbacks=(OTHER,))
    work = job.work()

    assert job.on(work, error) is Next.END
    assert work.hops == []


def test_each_other_model_is_asked_once_and_then_the_row_has_failed() -> None:
    job = Job(fallbacks=(MAIN, OTHER, THIRD))
    work = job.work()

    assert [job.on(work, Filtered("no")) for _model in range(3)] == [0.0, 0.0, Next.END]
    assert [hop.model for hop in work.hops] == ["a/m", "b/n"]
    assert asked(work) == "c/o"


def test_rows_after_it_do_not_ask_what_was_given_up() -> None:
    job = Job(fallbacks=(OTHER, THIRD))
    job.on(job.work(), limited(retryable=False))
    work = job.work(2)

    assert job.deciding.placed(work).route is OTHER
    assert [(hop.model, hop.cause) for hop in work.hops] == [("a/m", "rate-limited")]
    job.on(work, limited(retryable=False))
    third = job.work(3)
    assert job.deciding.placed(third).route is THIRD


def test_the_last_model_given_up_ends_the_job() -> None:
    job = Job(fallbacks=(OTHER,))
    work = job.work()

    assert job.on(work, limited(retryable=False)) == 0.0
    assert job.on(work, limited(retryable=False)) is Next.STOP
    assert set(job.deciding.given_up) == {"a/m", "b/n"}


def test_what_is_given_up_while_rows_are_under_way_ends_those_that_name_it() -> None:
    """The account has come to life meanwhile for another model: no more is asked all the same."""
    job = Job()
    first, second = (job.work(line, OTHER, named=True) for line in (1, 2))
    job.on(first, limited(retryable=False))
    job.on(job.work(3), None)

    assert job.on(second, busy()) is Next.END


# ---- private


def test_what_policy_forbids_goes_to_the_model_here_where_that_is_wanted() -> None:
    job = Job(private=HERE)
    work = job.work()

    assert job.on(work, PrivacyRefused("a card number")) == 0.0
    assert asked(work) == "local/tiny"
    assert [(hop.model, hop.cause) for hop in work.hops] == [("a/m", "privacy-refused")]
    # Forbidden there, too.
    assert job.on(work, PrivacyRefused("a card number")) is Next.END


def test_it_never_goes_to_a_fallback() -> None:
    job = Job(fallbacks=(OTHER,))
    work = job.work()

    assert job.on(work, PrivacyRefused("a card number")) is Next.END
    assert work.hops == []


def test_a_refused_row_says_nothing_of_the_others() -> None:
    job = Job()
    for line in range(1, 100):
        assert job.on(job.work(line), PrivacyRefused("no")) is Next.END


# ---- a schema


def test_an_answer_that_misses_its_schema_is_asked_for_once_more() -> None:
    repairing = Repairing(CALL, Screened(call=CALL))
    missed = SchemaMismatch("no JSON")
    tried = Tried(receipt(MAIN, error=missed), missed, repairing)
    for repairs, wanted in ((True, [0.0, Next.END]), (False, [Next.END, Next.END])):
        job = Job(repairs=repairs)
        work = job.work()
        assert [job.deciding.on(work, tried) for _try in range(2)] == wanted
        assert (work.repairing is repairing) is repairs


# ---- an account that is to wait


def test_rows_do_not_wait_for_an_account_where_another_may_be_asked() -> None:
    job = Job(fallbacks=(OTHER, THIRD))
    work = job.work()

    assert job.deciding.held(work, 2.0) is None
    assert asked(work) == "a/m"
    assert job.deciding.patience(work) == 2.0
    assert job.deciding.held(work, 299.0) == 0.0
    assert asked(work) == "b/n"
    assert [(hop.model, hop.cause) for hop in work.hops] == [("a/m", "rate-limited")]
    # The others are to wait as well: each is turned to once, and then it waits.
    assert job.deciding.held(work, 299.0) == 0.0
    assert job.deciding.held(work, 299.0) is None
    assert asked(work) == "c/o"


def test_they_wait_where_there_is_none() -> None:
    job = Job()
    work = job.work()

    assert job.deciding.held(work, 299.0) is None
    assert work.hops == []


def test_nothing_is_given_up_for_it() -> None:
    job = Job(fallbacks=(OTHER,))
    job.deciding.held(job.work(), 3600.0)

    assert job.deciding.given_up == {}
    assert asked(job.work(2)) == "a/m"
