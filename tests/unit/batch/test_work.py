"""What a row's tries add up to, by hand."""

import pytest

from llmctl.batch.shape import Hop
from llmctl.batch.work import Made, Repairing, Work, is_unpriced, length, unsent
from llmctl.errors import CutOff, LlmctlError, PrivacyRefused, RateLimited, UsageError
from llmctl.privacy.screening import Screened
from llmctl.rows import BadRow, Row
from llmctl.types import Chat, Cost, CostKind, Latency, Receipt, Role, Usage, message
from llmctl.values import replace
from tests.unit.batch.lanes import MAIN, receipt, route

CALL = Chat(model="m", messages=(message(Role.USER, "Hello"),))
CUT = CutOff("no end")
BUSY = RateLimited("slow down", status=429)


def tried(
    tokens: tuple[int | None, int | None],
    cost: str | None,
    *,
    currency: str | None = "USD",
    error: LlmctlError | None = None,
    seconds: float = 1.0,
) -> Receipt:
    return replace(
        receipt(MAIN, error=error),
        usage=Usage(*tokens),
        cost=Cost(cost, currency if cost else None, CostKind.COMPUTED),
        latency=Latency(total_s=seconds),
    )


def of(*tries: Receipt, last: Receipt | None = None, now: float = 10.0) -> Receipt:
    work = Work(Row(1, {"prompt": "Hello"}))
    work.begun = 0.0
    work.receipts += tries
    return work.ended(last or tries[-1], now).receipt


def test_one_try_is_what_it_is() -> None:
    found = of(tried((10, 5), "0.01"), now=4.0)

    assert (found.usage.input_tokens, found.usage.output_tokens) == (10, 5)
    assert (found.cost.amount, found.attempts) == ("0.01", 1)
    assert found.latency.waited_s == pytest.approx(3.0)


def test_tokens_and_money_of_all_tries_are_added_up() -> None:
    found = of(
        tried((10, 5), "0.1", error=CUT), tried((10, 7), "0.2", error=CUT), tried((12, 9), "0.03")
    )

    assert (found.usage.input_tokens, found.usage.output_tokens) == (32, 21)
    assert found.cost.amount == "0.33"  # and not 0.33000000000000002
    assert (found.cost.currency, found.cost.kind) == ("USD", CostKind.COMPUTED)
    assert found.attempts == 3


def test_all_kinds_of_tokens_are_added_up_where_they_are_known() -> None:
    one = replace(tried((10, 5), None, error=CUT), usage=Usage(10, 5, 4, 3))
    two = replace(tried((10, 5), None), usage=Usage(20, 6, None, 1))
    usage = of(one, two).usage

    assert usage == Usage(30, 11, 4, 4, None)


def test_money_of_many_tries_is_exact() -> None:
    tries = [tried((1, 1), "0.0000000000000000000000000000001", error=CUT) for _try in range(9)]
    found = of(*tries, tried((1, 1), "100000000000000"))

    assert found.cost.amount == "100000000000000.0000000000000000000000000000009"


def test_a_try_that_was_refused_was_not_billed() -> None:
    found = of(tried((None, None), None, error=BUSY), tried((10, 5), "0.02"))

    assert (found.usage.input_tokens, found.usage.output_tokens) == (10, 5)
    assert found.cost.amount == "0.02"
    assert found.attempts == 2


def test_a_try_that_was_cut_off_and_told_nothing_makes_the_cost_of_the_row_unknown() -> None:
    found = of(tried((None, None), None, error=CUT), tried((10, 5), "0.02"))

    assert found.cost == Cost(why="several")
    assert (found.usage.input_tokens, found.attempts) == (10, 2)


def test_a_row_that_is_refused_in_the_end_may_be_billed_for_the_try_before() -> None:
    found = of(tried((None, None), None, error=CUT), tried((None, None), None, error=BUSY))

    assert found.cost == Cost(why="several")
    assert is_unpriced(found)
    assert not is_unpriced(of(tried((None, None), None, error=BUSY)))


def test_what_was_billed_before_is_not_forgotten_when_the_last_try_is_refused() -> None:
    found = of(tried((10, 5), "0.02", error=CUT), tried((None, None), None, error=BUSY))

    assert (found.usage.input_tokens, found.usage.output_tokens) == (10, 5)
    assert (found.cost.amount, found.cost.currency) == ("0.02", "USD")


def test_an_answer_whose_price_nobody_knows_makes_the_sum_unknown() -> None:
    found = of(tried((10, 5), "0.02", error=CUT), tried((10, 5), None))

    assert found.cost.amount is None
    assert found.usage.output_tokens == 10


def test_money_of_two_currencies_is_not_added_up() -> None:
    found = of(tried((1, 1), "5", currency="RUB", error=CUT), tried((1, 1), "0.02"))

    assert found.cost == Cost(why="several")


def test_a_row_that_is_refused_after_a_try_has_what_that_took() -> None:
    """The first model filtered it and billed for it, policy forbids the second."""
    refused = unsent(route("b/n"), PrivacyRefused("a card number"))
    found = of(tried((10, 5), "0.02", error=CUT), last=refused)

    assert found.attempts == 1
    assert (found.usage.input_tokens, found.usage.output_tokens) == (10, 5)
    assert found.cost.amount == "0.02"
    assert found.error is not None
    assert found.error.code == "privacy-refused"


def test_what_was_never_sent_has_nothing() -> None:
    found = of(last=unsent(None, UsageError("no text")), now=0.5)

    assert (found.attempts, found.provider, found.requested) == (0, None, "")
    assert found.cost.amount is None
    assert found.usage.input_tokens is None
    assert unsent(MAIN, UsageError("x")).requested == "a/m"


def test_the_time_between_tries_is_waited() -> None:
    tries = [tried((1, 1), None, error=CUT, seconds=2.0), tried((1, 1), None, seconds=3.0)]

    assert of(*tries, now=60.0).latency.waited_s == pytest.approx(57.0)
    assert of(*tries, now=60.0).latency.total_s == 3.0
    # Clocks of two kinds never make it negative.
    assert of(*tries, now=2.999).latency.waited_s == 0.0


def test_the_time_of_a_token_is_no_waiting() -> None:
    one = replace(tried((1, 1), None), latency=Latency(total_s=2.0, auth_s=1.5))

    assert of(one, now=5.0).latency.waited_s == pytest.approx(1.5)


def test_another_model_begins_anew_and_is_told_of() -> None:
    work = Work(Row(4, {"prompt": "Hello"}, "x"))
    work.made = Made(route=MAIN, call=CALL)
    work.failed = 5
    work.repairing = Repairing(CALL, Screened(call=CALL))
    work.columns = {"label": "blue"}
    work.hop(Made(route=route("b/n"), call=CALL), "network")

    assert work.failed == 0
    repairing: object = work.repairing
    assert repairing is None
    ended = work.ended(receipt(MAIN), 1.0)
    assert ended.hops == (Hop("a/m", "network"),)
    assert (ended.id, ended.line, ended.columns) == ("x", 4, {"label": "blue"})


def test_a_rows_size_is_that_of_all_its_texts_and_what_only_follows_is_small() -> None:
    said = [{"role": "user", "content": "x" * 1000}, {"role": "user", "content": ["y" * 500]}]
    row = Row(4, {"messages": said, "label": "blue", "n": 7}, "x")
    work = Work(row)
    work.columns = {"label": "blue"}

    assert 1500 + 8 + 4 <= work.size == length(row) <= 1500 + 8 + 4 + 50
    work.slim()
    assert (work.size, work.id, work.line) == (4, "x", 4)
    assert (work.row.id, work.made) == ("x", None)
    assert isinstance(work.row, BadRow)


def test_a_row_without_an_id_has_its_line() -> None:
    assert Work(Row(4, {"prompt": "Hello"})).id == "4"
    assert Work(BadRow(5, "no JSON")).id == "5"
    assert Work(BadRow(5, "no text", "x")).id == "x"
