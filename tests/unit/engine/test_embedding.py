"""Many texts over scripted lanes: order, how many at a time, failures, and what adds up."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from llmctl.dialects import Frame, Framing, HttpCall
from llmctl.engine.embedded import Totals
from llmctl.engine.embedding import AHEAD, OUTSTANDING, Embedding, Item
from llmctl.errors import LlmctlError, NetworkFailed, PrivacyRefused, ProviderFailed, Rejected
from llmctl.settings import Budget, Loaded, Network, Settings
from llmctl.types import CostKind, Embed, Json, UsageSource
from tests.unit.engine.test_clearance import route

Behaviour = Callable[[int, list[str]], "float | LlmctlError | Json"]
CALL = Embed("m", ())
SECRET = "sk-" + "proj-" + "A1b2C3d4" * 6


class Timing:
    connect_s = first_byte_s = load_s = auth_s = None
    reused = False


class Reply:
    status = 200
    timing = Timing()

    def __init__(self, answer: Json) -> None:
        self.headers: dict[str, str] = {}
        self._answer = answer

    def spare(self) -> None:
        pass

    async def frames(self, framing: Framing) -> AsyncIterator[Frame]:
        yield Frame(json.dumps(self._answer))


class Server:
    """All lanes lead here. `behave` says what becomes of the n-th request for some texts: seconds
    to wait, an error, or an answer of its own. A text's vector is (its length, 1)."""

    def __init__(self, behave: Behaviour | None = None, usage: int | None = 3) -> None:
        self.asked: list[list[str]] = []
        self.now = self.most = self.closed = 0
        self._behave = behave or (lambda _number, _texts: 0.0)
        self._usage = usage

    def lane(self, _route: object) -> Any:
        return Lane(self)

    @asynccontextmanager
    async def exchange(self, http: HttpCall) -> AsyncIterator[Reply]:
        assert http.body is not None
        texts: Any = http.body["input"]
        self.asked.append(texts)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            done = self._behave(len(self.asked), texts)
            if isinstance(done, LlmctlError):
                raise done
            answer: Json = done
            if isinstance(done, float):
                await asyncio.sleep(done)
                answer = self.answer(texts)
            yield Reply(answer)
        finally:
            self.now -= 1

    def answer(self, texts: Sequence[str]) -> Json:
        data: list[Json] = [{"embedding": [len(text), 1]} for text in texts]
        usage = {} if self._usage is None else {"usage": {"prompt_tokens": self._usage}}
        return {"data": data, **usage}


class Lane:
    def __init__(self, server: Server) -> None:
        self.tokens: set[str] = set()
        self.exchange = server.exchange
        self._server = server

    async def __aenter__(self) -> "Lane":
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._server.closed += 1


async def requests(
    count: int, size: int = 1, seen: list[int] | None = None
) -> AsyncIterator[list[Item]]:
    for number in range(count):
        if seen is not None:
            seen.append(number)
        first = number * size
        yield [Item(at, f"t{at}", at + 1) for at in range(first, first + size)]


def embedding(server: Server, own: Loaded | None = None, lanes: int = 2, **more: Any) -> Embedding:
    quiet = Loaded(Settings(network=Network(retries=0)), {})
    return Embedding(
        route(), more.pop("call", CALL), own or quiet, lanes=lanes, make_lane=server.lane, **more
    )


def through(made: Embedding, given: AsyncIterator[Sequence[Item]]) -> list[tuple[int, list[float]]]:
    """(index, vector) in the order in which they were given back."""
    found: list[tuple[int, list[float]]] = []

    async def run() -> None:
        async for one in made.vectors(given):
            pairs: Iterable[tuple[Item, Sequence[float]]] = zip(one.items, one.vectors, strict=True)
            found.extend((item.index, list(values)) for item, values in pairs)

    try:
        asyncio.run(run())
    finally:
        made.found = found  # type: ignore[attr-defined]
    return found


def test_vectors_come_in_the_order_of_the_texts() -> None:
    server = Server(lambda number, _texts: 0.03 if number == 1 else 0.0)

    found = through(embedding(server, lanes=3), requests(8, 2))

    assert found == [(at, [len(f"t{at}"), 1]) for at in range(16)]
    assert len(server.asked) == 8


def test_as_many_at_a_time_as_there_are_lanes() -> None:
    server = Server(lambda _number, _texts: 0.01)

    through(embedding(server, lanes=3), requests(12))

    assert (server.most, server.now, server.closed) == (3, 0, 3)


def test_no_more_is_read_than_is_on_its_way() -> None:
    """The first request is not answered; behind it everything stops, the source too."""
    seen: list[int] = []
    server = Server(lambda number, _texts: 0.2 if number == 1 else 0.0)
    most = OUTSTANDING * 2
    read_at_first: list[int] = []

    async def run() -> None:
        found = embedding(server, lanes=2).vectors(requests(50, 1, seen))
        assert (await anext(found)).items[0].index == 0
        read_at_first.append(len(seen))
        assert len([one async for one in found]) == 49

    asyncio.run(run())

    assert len(seen) == 50
    assert most <= read_at_first[0] <= most + 2


def test_little_is_made_ready_ahead() -> None:
    """Money is set aside for what is about to go, not for all that is open."""
    server = Server(lambda _number, _texts: 0.05)
    made = embedding(server, lanes=1)
    ready: list[int] = []
    clear = made._ready

    def noted(items: Sequence[Item]) -> Any:
        ready.append(len(server.asked))
        return clear(items)

    made._ready = noted  # type: ignore[method-assign]
    through(made, requests(6))

    assert all(number <= asked + 1 + AHEAD for number, asked in enumerate(ready, 1))


# ---- failures


def rejected(number: int, texts: list[str]) -> "float | LlmctlError":
    return Rejected("too long", status=400) if "t4" in texts else 0.0


def test_what_came_before_a_failure_is_given_back() -> None:
    server = Server(rejected)
    made = embedding(server, lanes=2)

    with pytest.raises(Rejected) as caught:
        through(made, requests(50, 2))

    assert [index for index, _values in made.found] == [0, 1, 2, 3]  # type: ignore[attr-defined]
    assert "lines 5 to 6" in caught.value.message
    assert caught.value.hint is not None
    assert "--batch-size 1" in caught.value.hint
    assert len(server.asked) < 10
    assert (server.now, server.closed) == (0, 2)


def test_a_failure_of_one_text_names_its_line() -> None:
    with pytest.raises(Rejected, match=r"^line 5: too long"):
        through(embedding(Server(rejected)), requests(9))


def test_requests_before_the_one_that_failed_first_are_still_sent() -> None:
    """The third fails at once while the first is still on its way."""
    server = Server(
        lambda number, texts: (
            ProviderFailed("broken", retryable=False)
            if "t2" in texts
            else 0.05
            if number == 1
            else 0.0
        )
    )
    made = embedding(server, lanes=2)

    with pytest.raises(ProviderFailed, match="broken"):
        through(made, requests(20))

    assert [index for index, _values in made.found] == [0, 1]  # type: ignore[attr-defined]


def test_a_request_that_may_be_repeated_is() -> None:
    server = Server(
        lambda number, _texts: (
            ProviderFailed("busy", status=503, retryable=True) if number == 1 else 0.0
        )
    )
    own = Loaded(Settings(network=Network(retries=1, backoff=0.0)), {})
    made = embedding(server, own, lanes=1)

    assert [index for index, _values in through(made, requests(2))] == [0, 1]
    assert made.totals.attempts == 3


def test_an_error_of_the_source_comes_after_what_it_gave() -> None:
    async def source() -> AsyncIterator[list[Item]]:
        yield [Item(0, "a", 1)]
        raise Rejected("line 2 is no JSON")

    made = embedding(Server())

    with pytest.raises(Rejected, match="line 2 is no JSON"):
        through(made, source())

    assert [index for index, _values in made.found] == [0]  # type: ignore[attr-defined]


def test_the_time_is_that_of_all_requests() -> None:
    server = Server(lambda _number, _texts: 0.04)
    made = embedding(server, lanes=1, timeout=0.1)

    with pytest.raises(NetworkFailed) as caught:
        through(made, requests(20))

    assert (caught.value.reason, caught.value.retryable) == ("timeout", False)
    assert len(server.asked) <= 3
    assert (server.now, server.closed) == (0, 1)


def test_the_time_may_have_begun_before_and_the_error_names_all_of_it() -> None:
    async def endless() -> AsyncIterator[list[Item]]:
        await asyncio.sleep(30)
        yield [Item(0, "a")]

    server = Server()
    begun = time.monotonic()
    made = embedding(server, lanes=1, timeout=5.0, begun=begun - 4.9)

    with pytest.raises(NetworkFailed, match="not all vectors within 5 s"):
        through(made, endless())
    assert time.monotonic() - begun < 3


def test_a_secret_is_found_before_its_request_and_named_by_its_line() -> None:
    server = Server()
    texts = ["fine", f"key = {SECRET}", "fine too"]

    async def source() -> AsyncIterator[list[Item]]:
        yield [Item(at, text, at + 1) for at, text in enumerate(texts)]

    with pytest.raises(PrivacyRefused, match=r"^line 2: "):
        through(embedding(server), source())

    assert server.asked == []


def test_requests_begin_no_sooner_than_they_may() -> None:
    server = Server()

    async def run() -> float:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async for _one in embedding(server, lanes=4, every_s=0.02).vectors(requests(5)):
            pass
        return loop.time() - begun

    assert asyncio.run(run()) >= 0.08


# ---- what adds up


def test_usage_and_cost_are_those_of_all_requests() -> None:
    """A million tokens cost 1 USD there; 4 requests of 3 tokens."""
    made = embedding(Server())
    through(made, requests(4, 5))

    totals = made.totals
    assert (totals.requests, totals.dimensions) == (4, 2)
    assert totals.usage().input_tokens == 12
    assert totals.usage().source is UsageSource.REPORTED
    cost = totals.cost()
    assert (cost.amount, cost.currency, cost.kind) == ("0.000012", "USD", CostKind.COMPUTED)


def test_tokens_nobody_counts_are_estimated_and_cost_nobody_knows_how_much() -> None:
    made = embedding(Server(usage=None))
    through(made, requests(2, 5))

    usage = made.totals.usage()
    assert usage.source is UsageSource.ESTIMATED
    assert usage.input_tokens is not None
    assert 10 <= usage.input_tokens <= 40  # ten texts like "t7"
    assert (made.totals.cost().amount, made.totals.cost().why) == (None, "usage-not-reported")


def test_all_requests_share_what_a_run_may_cost() -> None:
    own = Loaded(Settings(network=Network(retries=0), budget=Budget(per_call="0.00001 USD")), {})
    made = embedding(Server(), own, lanes=1, run="embed-test")

    with pytest.raises(LlmctlError) as caught:
        through(made, requests(10))

    assert caught.value.exit_code == 5
    assert made.totals.cost().amount in ("0.000003", "0.000006", "0.000009")


def test_vectors_of_another_size_than_before_are_an_error() -> None:
    server = Server(
        lambda number, texts: {"data": [{"embedding": [1.0] * number} for _text in texts]}
    )
    made = embedding(server, lanes=1)

    with pytest.raises(ProviderFailed, match="different lengths") as caught:
        through(made, requests(3))

    assert (caught.value.provider, caught.value.reason) == ("a", "wrong-length")


def test_vectors_of_another_size_than_asked_for_are_an_error() -> None:
    made = embedding(Server(), call=Embed("m", (), dimensions=3))

    with pytest.raises(ProviderFailed, match="3 numbers were asked for, and 2 came"):
        through(made, requests(1))


def test_lengths_are_measured() -> None:
    totals = Totals(route().verdict)
    totals.given([3.0, 4.0])
    assert totals.lengths is not None
    assert not totals.lengths.normalised
    totals.given([0.6, 0.8])

    assert (totals.lengths.least, totals.lengths.most) == (1.0, 5.0)
    assert totals.texts == 2


def test_what_nobody_got_is_not_counted() -> None:
    """The first request fails, the second is answered meanwhile."""

    def behave(number: int, _texts: Sequence[str]) -> LlmctlError | float:
        return ProviderFailed("broken", retryable=False) if number == 1 else 0.0

    made = embedding(Server(behave))
    with pytest.raises(ProviderFailed, match="broken"):
        through(made, requests(2))

    assert (made.totals.texts, made.totals.lengths) == (0, None)


def test_normalised_vectors_are_1_long_and_zeros_stay() -> None:
    totals = Totals(route().verdict)

    assert list(totals.given([3.0, 4.0], normalise=True)) == pytest.approx([0.6, 0.8])
    assert totals.lengths is not None
    assert totals.lengths.normalised
    assert list(totals.given([0.0, 0.0], normalise=True)) == [0.0, 0.0]
    assert not totals.lengths.normalised
