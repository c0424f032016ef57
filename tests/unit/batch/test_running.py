"""Rows of a job: each through once, none in the way of another, and what ends them all."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from llmctl.batch.work import Made
from llmctl.engine.route import Route
from llmctl.errors import (
    AuthFailed,
    IoFailed,
    LlmctlError,
    NotFound,
    ProviderFailed,
    RateLimited,
    Rejected,
    UsageError,
)
from llmctl.rows import BadRow, Row
from tests.unit.batch.lanes import Answer, Deaf, Job, Server, Store, make, route, rows

TEN = [f"r{number}" for number in range(1, 11)]


def down() -> LlmctlError:
    return ProviderFailed("busy", status=503, provider="a")


class Failing(Server):
    """The texts with errors fail in them, as often as there are, and for ever with the last."""

    def __init__(self, **errors: list[Answer]) -> None:
        super().__init__()
        self.serve = self._serve
        self._errors = errors

    async def _serve(self, text: str, _route: Route) -> Answer:
        await asyncio.sleep(1)
        left = self._errors.get(text)
        if not left:
            return text.upper()
        return left.pop(0) if len(left) > 1 else left[0]


def test_every_row_is_asked_and_written_once() -> None:
    job = Job(lanes=4).run(rows(*TEN))

    assert Counter(job.server.texts) == Counter(TEN)
    assert {line: one.receipt.text for line, one in job.store.rows.items()} == {
        line: f"R{line}" for line in range(1, 11)
    }
    assert job.stopped is None
    # Ten rows of a second each, four at a time.
    assert job.seconds == pytest.approx(3)
    assert job.server.most == job.running.tally.most_at_once == 4
    assert job.running.tally.under_way == 0
    assert job.running.tally.ended == 10


def test_no_rows_are_nothing_to_wait_for() -> None:
    job = Job().run(rows())

    assert job.stopped is None
    assert job.store.rows == {}
    assert job.seconds == 0


def test_rows_that_are_through_together_are_written_together() -> None:
    job = Job(lanes=4).run(rows(*TEN[:8]))

    assert job.store.groups == [4, 4]


def test_a_bad_row_and_one_that_makes_no_call_fail_alone() -> None:
    def picky(row: Row) -> Made:
        if row.line == 3:
            raise UsageError("no such column")
        return make(row)

    good = [Row(line, {"prompt": f"r{line}"}) for line in (2, 3, 4)]
    found: list[Row | BadRow] = [BadRow(1, "no JSON"), *good]
    job = Job(make=picky).run(found)

    assert job.store.codes == {1: "usage", 2: None, 3: "usage", 4: None}
    assert job.server.texts == ["r2", "r4"]
    error = job.store.rows[3].receipt.error
    assert error is not None
    assert error.message == "no such column"
    assert job.store.rows[3].receipt.attempts == 0


def test_a_row_that_waits_for_another_try_blocks_nobody() -> None:
    """One lane: the others are through before the first is asked again."""
    job = Job(Failing(r1=[down(), "fine"]), lanes=1).run(rows("r1", "r2", "r3"))

    assert job.server.texts[0] == "r1"
    assert Counter(job.server.texts) == Counter({"r1": 2, "r2": 1, "r3": 1})
    assert job.server.texts.index("r2") == 1
    assert job.store.codes == {1: None, 2: None, 3: None}
    assert job.store.rows[1].receipt.attempts == 2
    assert job.store.rows[2].receipt.attempts == 1


def test_a_poisoned_row_is_tried_five_times_and_others_go_on() -> None:
    job = Job(Failing(r3=[down()]), lanes=2).run(rows(*TEN))

    assert job.server.texts.count("r3") == 5  # and the four repeats that settings allow
    assert job.store.codes == {n: "provider-error" if n == 3 else None for n in range(1, 11)}
    assert job.stopped is None
    assert job.store.rows[3].receipt.attempts == 5


def test_a_limit_holds_the_whole_job_and_not_one_row() -> None:
    """Retry-After of 30 s: nothing begins meanwhile, and then all goes on."""
    slow = RateLimited("slow down", retry_after_s=30.0, status=429)
    job = Job(Failing(r1=[slow, "fine"]), lanes=1).run(rows("r1", "r2", "r3"))

    moments = [moment - job.server.sent[0][0] for moment, _text in job.server.sent]
    assert moments[0] == 0
    assert all(moment >= 31 for moment in moments[1:])
    assert moments[1] < 32
    assert job.store.codes == {1: None, 2: None, 3: None}


def test_a_row_that_is_limited_for_ever_ends_the_job_after_the_others() -> None:
    limited = RateLimited("too large for this limit", status=429, provider="a")
    job = Job(Failing(r2=[limited]), lanes=2, give_up=300).run(rows(*TEN))

    assert job.stopped == "rate-limited"
    assert job.store.codes == {n: None for n in range(1, 11) if n != 2}  # it is waiting
    assert 300 < job.seconds < 700


def test_a_provider_that_is_down_is_given_up_with_a_message_and_rows_are_kept() -> None:
    errors: dict[str, list[Answer]] = {text: [down()] for text in TEN}
    job = Job(Failing(**errors), lanes=4, give_up=60).run(rows("well", *TEN))

    assert job.stopped == "provider-error"
    assert job.running.stopped is not None
    assert "is given up: nothing has worked for" in job.running.stopped.message
    assert job.store.codes == {1: None}
    assert 60 <= job.seconds < 90


@pytest.mark.parametrize("error", [AuthFailed("refused", status=401), NotFound("no such model")])
def test_what_all_rows_would_end_in_ends_the_job_at_once(error: LlmctlError) -> None:
    errors: dict[str, list[Answer]] = {f"r{n}": [error] for n in range(1, 1001)}
    job = Job(Failing(**errors), lanes=4).run(rows(*errors))

    assert job.running.stopped is error
    assert len(job.server.sent) == 4  # those under way when the first was refused
    assert job.store.rows == {}


def test_a_model_that_rows_name_is_asked_no_more_once_its_key_was_refused() -> None:
    class Refusing(Server):
        async def _serve(self, text: str, to: Route) -> Answer:
            await asyncio.sleep(1)
            return AuthFailed("refused") if to.requested == "b/x" else text.upper()

    server = Refusing()
    server.serve = server._serve
    found = [
        Row(line, {"prompt": f"r{line}", **({"model": "b/x"} if line % 2 else {})})
        for line in range(1, 41)
    ]
    job = Job(server, lanes=2).run(found)

    assert job.stopped is None
    assert job.store.codes == {n: "auth" if n % 2 else None for n in range(1, 41)}
    named = [text for text in server.texts if int(text[1:]) % 2]
    assert len(named) <= 2
    unsent = [one for one in job.store.rows.values() if one.line % 2 and one.line > 4]
    assert all(one.receipt.attempts == 0 for one in unsent)


def test_a_named_model_that_is_given_up_fails_its_rows_with_that_message() -> None:
    errors: dict[str, list[Answer]] = {f"r{n}": [down()] for n in range(1, 9)}
    found = [Row(n, {"prompt": f"r{n}", "model": "b/y"}) for n in range(1, 9)]
    job = Job(Failing(**errors), lanes=2, give_up=60).run(found)

    assert job.stopped is None
    assert set(job.store.codes.values()) == {"provider-error"}
    assert len(job.store.rows) == 8


def test_trouble_with_the_input_in_its_middle_keeps_what_came_before() -> None:
    async def broken() -> AsyncIterator[Row | BadRow]:
        for row in rows(*TEN[:6]):
            yield row
        await asyncio.sleep(0.5)
        raise IoFailed("the disk is gone")

    job = Job(lanes=4).run(broken())

    assert job.stopped == "io"
    assert set(job.store.codes) == {1, 2, 3, 4}  # under way when it happened
    assert set(job.store.codes.values()) == {None}


def test_a_fault_of_ours_in_the_input_is_raised_and_leaves_no_task() -> None:
    async def broken() -> AsyncIterator[Row | BadRow]:
        yield rows("r1")[0]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Job(lanes=4).run(broken())


# ---- what is not expected


def test_a_fault_of_ours_while_writing_ends_the_job_instead_of_leaving_it_hanging() -> None:
    with pytest.raises(ValueError, match="never registered"):
        Job(store=Store(ValueError("never registered"), after=1)).run(rows(*TEN))


def test_a_watcher_that_fails_ends_the_job_and_the_rows_are_written() -> None:
    class Gone(Deaf):
        def ended(self, ended: object) -> None:
            raise BrokenPipeError

    job = Job(watcher=Gone(), lanes=4)
    with pytest.raises(BrokenPipeError):
        job.run(rows(*TEN))

    assert job.store.codes == {1: None, 2: None, 3: None, 4: None}


def test_a_route_that_cannot_be_paced_stops_the_job_and_fails_no_row() -> None:
    job = Job(lanes=2)
    trouble = IoFailed("no place for the state")

    def pace(*_asked: object) -> object:
        raise trouble

    job.pace.turn = pace  # type: ignore[method-assign,assignment]
    job.run(rows(*TEN))

    assert job.running.stopped is trouble
    assert job.store.rows == {}


def test_rows_go_to_the_model_they_name() -> None:
    asked: list[str] = []

    async def serve(text: str, to: Route) -> Answer:
        asked.append(to.requested)
        return Rejected("no") if to.requested == "b/z" else text

    found = [Row(1, {"prompt": "r1"}), Row(2, {"prompt": "r2", "model": "b/z"})]
    job = Job(Server(serve), lanes=1).run(found)

    assert asked == [route().requested, "b/z"]
    assert job.store.codes == {1: None, 2: "rejected"}
