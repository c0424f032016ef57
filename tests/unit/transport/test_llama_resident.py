"""One model for several lanes: when it is loaded, who waits, when it is freed."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from llmctl.dialects import HttpCall
from llmctl.errors import ConfigError
from llmctl.transport import llama_resident
from llmctl.transport.exchange import Lane
from llmctl.transport.target import Target

ASK = HttpCall("POST", "chat/completions", {"messages": [{"role": "user", "content": "hi"}]})
SECONDS = 5.0


class Model:
    """A model whose answers wait for `go`."""

    context = 64

    def __init__(self, path: Path, options: Mapping[str, Any]) -> None:
        made.append(self)
        self.options = options
        self.vectors = bool(options.get("vectors"))
        self.at_once = self.most_at_once = 0
        self.closed = False
        self._lock = threading.Lock()
        assert loadable.wait(SECONDS)
        if path.name == "bad":
            raise ConfigError("it cannot be loaded")

    def chat(self, body: Mapping[str, Any], on_chunk: Callable[[Any], bool]) -> Any:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        while not go.wait(0.002) and not on_chunk({}):
            pass
        with self._lock:
            self.at_once -= 1
        return {"choices": [], "said": body["messages"][0]["content"]}

    def embed(self, _body: object, _on_chunk: object) -> Any:
        return {"data": []}

    complete = count = chat

    def close(self) -> None:
        assert not self.at_once
        self.closed = True


made: list[Model] = []
go = threading.Event()
loadable = threading.Event()


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(llama_resident, "LlamaModel", Model)
    made.clear()
    go.clear()
    loadable.set()
    yield
    go.set()
    assert not llama_resident.SHARED


def target(name: str = "m.gguf", **options: Any) -> Target:
    return Target(provider="local", base_url=f"llama:///{name}", options=options)


async def ask(lane: Lane, http: HttpCall = ASK) -> tuple[Any, bool]:
    """What came, and whether the model had to be waited for."""
    async with lane.exchange(http) as reply:
        return json.loads(await reply.text()), reply.timing.load_s is not None


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not true():  # noqa: ASYNC110  threads know no event of asyncio
            await asyncio.sleep(0.002)


def said(text: str) -> HttpCall:
    return HttpCall("POST", "chat/completions", {"messages": [{"role": "user", "content": text}]})


async def lanes(stack: AsyncExitStack, count: int, where: Target) -> list[Lane]:
    return [await stack.enter_async_context(Lane(where)) for _one in range(count)]


@pytest.mark.parametrize(("slots", "count"), [(4, 4), (3, 6), (1, 3)])
def test_lanes_share_one_model_with_so_many_at_a_time(slots: int, count: int) -> None:
    async def run() -> list[tuple[Any, bool]]:
        loadable.clear()
        async with AsyncExitStack() as stack:
            all_ = await lanes(stack, count, target(parallel=slots))
            asked = [asyncio.ensure_future(ask(one, said(str(n)))) for n, one in enumerate(all_)]
            await asyncio.sleep(0.01)  # all of them wait for it
            loadable.set()
            await until(lambda: bool(made) and made[0].at_once == slots)
            go.set()
            found = await asyncio.gather(*asked)
            assert not made[0].closed
            return found

    found = asyncio.run(run())

    assert [answer["said"] for answer, _waited in found] == [str(n) for n in range(count)]
    assert all(waited for _answer, waited in found)  # all of them came before it was there
    assert len(made) == 1
    assert made[0].most_at_once == slots
    assert made[0].closed


def test_who_does_not_say_how_many_has_a_model_alone() -> None:
    """A comparison of two candidates is one of two models, the prompts they have read included."""

    async def run() -> None:
        go.set()
        async with AsyncExitStack() as stack:
            for one in await lanes(stack, 2, target()):
                await ask(one)

    asyncio.run(run())

    assert len(made) == 2
    assert all(one.closed for one in made)


@pytest.mark.parametrize(
    "other",
    [target("n.gguf", parallel=2), target(parallel=3), target(parallel=2, lora=[["a.gguf", 1.0]])],
)
def test_another_file_or_another_way_to_load_it_is_another_model(other: Target) -> None:
    async def run() -> None:
        go.set()
        async with Lane(target(parallel=2)) as one, Lane(other) as two:
            await ask(one)
            await ask(two)

    asyncio.run(run())

    assert len(made) == 2
    assert all(one.closed for one in made)


def test_it_stays_until_the_last_lane_is_closed() -> None:
    async def run() -> None:
        go.set()
        async with Lane(target(parallel=2)) as one:
            assert (await ask(one))[1]
            async with Lane(target(parallel=2)) as two:
                assert not (await ask(two))[1]
            assert not made[0].closed
            assert not (await ask(one))[1]

    asyncio.run(run())

    assert len(made) == 1
    assert made[0].closed


@pytest.mark.parametrize("streams", [False, True])
def test_who_is_cancelled_frees_its_place_and_harms_nobody(streams: bool) -> None:
    asked = HttpCall("POST", "chat/completions", {**(ASK.body or {}), "stream": streams})

    async def run() -> Any:
        async with AsyncExitStack() as stack:
            one, two, three = await lanes(stack, 3, target(parallel=2))
            first = asyncio.ensure_future(ask(one, said("first")))
            second = asyncio.ensure_future(ask(two, asked))
            await until(lambda: bool(made) and made[0].at_once == 2)
            third = asyncio.ensure_future(ask(three, said("third")))
            await asyncio.sleep(0.01)
            assert made[0].at_once == 2
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            await until(lambda: made[0].at_once == 2)
            go.set()
            return await asyncio.gather(first, third, ask(two, said("again")))

    found = asyncio.run(run())

    assert [answer["said"] for answer, _waited in found] == ["first", "third", "again"]
    assert made[0].most_at_once == 2


def test_who_waits_for_a_place_can_be_cancelled() -> None:
    async def run() -> Any:
        async with AsyncExitStack() as stack:
            one, two, three = await lanes(stack, 3, target(parallel=1))
            first = asyncio.ensure_future(ask(one, said("first")))
            await until(lambda: bool(made) and made[0].at_once == 1)
            second = asyncio.ensure_future(ask(two))
            third = asyncio.ensure_future(ask(three, said("third")))
            await asyncio.sleep(0.01)
            second.cancel()
            go.set()
            return await asyncio.gather(first, third)

    found = asyncio.run(run())

    assert [answer["said"] for answer, _waited in found] == ["first", "third"]


def test_a_model_that_cannot_be_loaded_fails_all_who_wait_and_is_tried_again() -> None:
    async def run() -> list[BaseException | tuple[Any, bool]]:
        async with AsyncExitStack() as stack:
            all_ = await lanes(stack, 3, target("bad", parallel=3))
            asked = await asyncio.gather(*map(ask, all_), return_exceptions=True)
            assert len(made) == 1
            asked += await asyncio.gather(ask(all_[0]), return_exceptions=True)
            return asked

    found = asyncio.run(run())

    assert [type(one) for one in found] == [ConfigError] * 4
    assert len(made) == 2


def test_vectors_load_it_anew_while_an_answer_is_made_to_its_end() -> None:
    async def run() -> Any:
        async with Lane(target(parallel=2)) as one, Lane(target(parallel=2)) as two:
            first = asyncio.ensure_future(ask(one, said("first")))
            await until(lambda: bool(made) and made[0].at_once == 1)
            await ask(two, HttpCall("POST", "embeddings", {"input": ["a"]}))
            go.set()
            return await first, await ask(one, said("second"))

    first, second = asyncio.run(run())

    assert (first[0]["said"], second) == ("first", ({"choices": [], "said": "second"}, False))
    assert [one.vectors for one in made] == [False, True]
    assert made[1].closed
