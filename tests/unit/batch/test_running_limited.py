"""Models that are limited for ever: they hold nobody for long, and end within the patience."""

import asyncio

import pytest

from llmctl.engine.route import Route
from llmctl.errors import ProviderFailed, RateLimited
from llmctl.rows import Row
from tests.unit.batch.lanes import Answer, Job, Server, rows
from tests.unit.batch.lanes import route as to

MANY = [f"r{number}" for number in range(1, 121)]


def slow(seconds: float | None) -> RateLimited:
    return RateLimited("slow down", status=429, provider="a", retry_after_s=seconds)


def refusing(model: str, seconds: float | None) -> Server:
    async def serve(text: str, of: Route) -> Answer:
        await asyncio.sleep(0.1)
        return slow(seconds) if of.requested == model else text

    return Server(serve)


def test_a_model_of_the_account_that_is_always_refused_holds_the_others_once() -> None:
    server = refusing("a/x", 4.0)
    found = [
        Row(line, {"prompt": text, **({"model": "a/x"} if line == 3 else {})})
        for line, text in enumerate(MANY, 1)
    ]
    job = Job(server, lanes=4, give_up=20).run(found)

    others = [moment - server.sent[0][0] for moment, text in server.sent if text != "r3"]
    # One hold of 4 s, and 119 rows of 0.1 s each that begin slowly after it.
    assert others[-1] < 4 + 119 * 0.1
    assert job.stopped is None or job.store.codes[3] == "rate-limited"
    assert {line: code for line, code in job.store.codes.items() if line != 3} == {
        line: None for line in range(1, 121) if line != 3
    }


def test_a_row_of_the_same_model_that_is_always_refused_fails_alone() -> None:
    async def serve(text: str, _of: Route) -> Answer:
        await asyncio.sleep(0.5)
        return slow(4.0) if text == "r3" else text

    job = Job(Server(serve), lanes=4, give_up=300).run(rows(*MANY))

    assert job.stopped is None
    assert job.store.codes == {
        line: "rate-limited" if line == 3 else None for line in range(1, 121)
    }
    assert job.store.rows[3].receipt.attempts == 9 + 1
    assert job.seconds < 75


@pytest.mark.parametrize("told", [None, 30.0])
def test_rows_in_line_go_to_another_model_when_a_hold_begins(told: float | None) -> None:
    job = Job(refusing("a/m", told), lanes=4, fallbacks=(to("b/n"),)).run(rows(*MANY[:10]))

    assert job.stopped is None
    assert set(job.store.codes.values()) == {None}
    hops = [hop.model for one in job.store.rows.values() for hop in one.hops]
    assert hops == ["a/m"] * 10
    assert job.seconds < 40 if told else job.seconds < 5


def test_patience_bounds_the_waits_between_tries() -> None:
    async def broken(_text: str, _of: Route) -> Answer:
        await asyncio.sleep(0.01)
        return ProviderFailed("broken", status=500, provider="a")

    job = Job(Server(broken), lanes=4, give_up=3).run(rows(*MANY[:4]))

    assert job.stopped == "provider-error"
    assert job.seconds == pytest.approx(3, abs=0.1)


def test_a_hold_that_another_process_was_told_of_ends_the_job_before_anything_is_sent() -> None:
    class Told:
        def held(self) -> float:
            return 3000.0

    job = Job(lanes=4, give_up=20)
    job.pace._shared = Told()  # type: ignore[assignment]
    job.run(rows(*MANY))

    assert job.stopped == "rate-limited"
    assert job.running.stopped is not None
    assert "an earlier one, was told so" in job.running.stopped.message
    assert job.server.sent == []
    assert job.store.rows == {}
    assert job.seconds == 0
