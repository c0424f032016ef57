"""One real model inside the process that serves several lanes at once."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from llmctl.dialects import Framing, HttpCall
from llmctl.engine.parallel import server_slots
from llmctl.transport.exchange import Lane
from llmctl.transport.target import Target
from llmctl.values import replace
from tests.llama_server import LlamaServer
from tests.unit.engine.test_parallel import route
from tests.unit.test_packaging import ROOT

# What is asked, and a word that only the answer to it has.
QUESTIONS = {
    "What is the capital of Japan?": "Tokyo",
    "What is 2+2?": "4",
    "Name the largest planet.": "planet",
    "Who wrote Hamlet?": "Shakespeare",
    "What colour is the sky?": "sky",
    "Repeat the word banana.": "banana",
    "Repeat the word hammer.": "hammer",
    "Repeat the word window.": "window",
}
CONTEXT = 256  # which llama.cpp rounds up to a multiple of 256


def target(weights: Path, parallel: int | None) -> Target:
    options: dict[str, Any] = {"threads": 1, "context": CONTEXT, "name": "smol"}
    if parallel is not None:
        options["parallel"] = parallel
    return Target(provider="local", base_url=f"llama://{weights}", options=options)


@asynccontextmanager
async def lanes(weights: Path, count: int) -> AsyncIterator[list[Lane]]:
    async with AsyncExitStack() as stack:
        where = target(weights, count)
        yield [await stack.enter_async_context(Lane(where)) for _one in range(count)]


def call(question: str, *, stream: bool = False, tokens: int = 24, **more: Any) -> HttpCall:
    """Without what was read for an earlier question: where a prompt is continued instead of read,
    rounding is another."""
    body = {
        "messages": [{"role": "user", "content": question}],
        "max_tokens": tokens, "temperature": 0, "cache_prompt": False, "stream": stream, **more,
    }  # fmt: skip
    return HttpCall("POST", "chat/completions", body,
                    framing=Framing.SSE if stream else Framing.WHOLE)  # fmt: skip


async def said(lane: Lane, asked: HttpCall) -> str:
    """The text of an answer, streamed or whole; that of an error where it is one."""
    async with lane.exchange(asked) as reply:
        if reply.status != 200:
            return str(json.loads(await reply.text())["error"]["message"])
        if asked.framing is Framing.WHOLE:
            (choice,) = json.loads(await reply.text())["choices"]
            return str(choice["message"]["content"] if "message" in choice else choice["text"])
        text = ""
        async for frame in reply.frames(Framing.SSE):
            if frame.data != "[DONE]":
                for choice in json.loads(frame.data)["choices"]:
                    text += choice["delta"].get("content") or ""
        return text


def test_eight_at_once_answer_as_one_after_the_other(weights: Path) -> None:
    """Half of them streamed. That no prompt got another's answer is what the words show; that the
    answers are the same letter by letter, that it does not matter who else is served."""

    async def run() -> tuple[list[str], list[str]]:
        asked = [call(one, stream=bool(n % 2)) for n, one in enumerate(QUESTIONS)]
        async with lanes(weights, len(asked)) as all_:
            alone = [await said(all_[0], one) for one in asked]
            return alone, await asyncio.gather(*map(said, all_, asked))

    alone, at_once = asyncio.run(run())

    for text, word in zip(at_once, QUESTIONS.values(), strict=True):
        assert word.lower() in text.lower()
    assert at_once == alone


def test_a_prompt_too_long_harms_no_other(weights: Path) -> None:
    async def run() -> list[str]:
        async with lanes(weights, 4) as all_:
            asked = [call("Repeat the word banana."), call("word " * 2 * CONTEXT),
                     call("word " * 2 * CONTEXT, stream=True), call("What is 2+2?")]  # fmt: skip
            return await asyncio.gather(*map(said, all_, asked))

    found = asyncio.run(run())

    assert "banana" in found[0].lower()
    assert all(f"longer than the context of {CONTEXT} tokens" in one for one in found[1:3])
    assert "4" in found[3]


def test_each_may_fill_the_whole_context(weights: Path) -> None:
    """Four answers that go on until there is no room: every request has all of the tokens that it
    would have alone, and none of them takes another's."""

    async def used(lane: Lane, number: int) -> int:
        asked = call(f"{number} " + "word " * 150, tokens=1000, ignore_eos=True)
        async with lane.exchange(asked) as reply:
            told = json.loads(await reply.text())
            assert told["choices"][0]["finish_reason"] == "length"
            return int(told["usage"]["total_tokens"])

    async def run() -> list[int]:
        async with lanes(weights, 4) as all_:
            return await asyncio.gather(*(used(one, n) for n, one in enumerate(all_)))

    assert asyncio.run(run()) == [CONTEXT] * 4


def test_one_that_is_cancelled_stops_soon_and_the_others_go_on(weights: Path) -> None:
    """A whole answer, of which nothing can be seen before its end, as well as a streamed one."""

    async def run() -> tuple[list[str], float]:
        async with lanes(weights, 4) as all_:
            await said(all_[0], call("hi", tokens=1))
            endless = [
                asyncio.ensure_future(said(one, call("Tell a long story.", tokens=5000,
                                                     ignore_eos=True, stream=stream)))
                for one, stream in ((all_[0], False), (all_[1], True))
            ]  # fmt: skip
            others = [
                asyncio.ensure_future(said(one, call(question)))
                for one, question in zip(all_[2:], list(QUESTIONS)[:2], strict=True)
            ]
            await asyncio.sleep(0.2)
            begun = time.monotonic()
            for one in endless:
                one.cancel()
            ended = await asyncio.gather(*endless, return_exceptions=True)
            assert [type(one) for one in ended] == [asyncio.CancelledError] * 2
            # Their places are free again: a new request on the same lanes is answered.
            again = await asyncio.gather(*(said(one, call("What is 2+2?")) for one in all_[:2]))
            return [*await asyncio.gather(*others), *again], time.monotonic() - begun

    found, seconds = asyncio.run(run())

    assert "Tokyo" in found[0]
    assert all("4" in one for one in found[1:])
    assert seconds < 10


def test_what_was_read_is_not_read_again(weights: Path) -> None:
    """Prompts of one beginning find it read, in whichever place they are served; unless the request
    says that it is not to be."""
    long = "The committee met on Thursday to discuss the budget and the new rules for work. " * 4

    async def cached(lane: Lane, number: int, *, cache: bool) -> int:
        asked = call(f"{long} {number}", tokens=1, cache_prompt=cache)
        async with lane.exchange(asked) as reply:
            usage = json.loads(await reply.text())["usage"]
            return int(usage["prompt_tokens_details"]["cached_tokens"])

    async def run() -> list[int]:
        async with lanes(weights, 2) as all_:
            return [await cached(all_[n % 2], n, cache=n < 3) for n in range(4)]

    first, second, third, without = asyncio.run(run())

    assert first == without == 0
    assert second > 50
    assert third > 50


MANY = """
import asyncio, gc, sys
from pathlib import Path
from llmctl.dialects import HttpCall
from tests.e2e.test_local_parallel import lanes, said

def kept():
    return next(int(line.split()[1]) for line in open("/proc/self/status")
                if line.startswith("RssAnon"))

async def run():
    async with lanes(Path(sys.argv[1]), 4) as all_:
        numbers = iter(range(10_000))
        async def some(lane, count):
            for _one in range(count):
                body = {"prompt": f"Number {next(numbers)} is", "max_tokens": 2}
                assert await said(lane, HttpCall("POST", "completions", body))
        await asyncio.gather(*(some(one, 10) for one in all_))
        gc.collect()
        before = kept()
        await asyncio.gather(*(some(one, 25) for one in all_))
        gc.collect()
        print(kept() - before, next(numbers))

asyncio.run(run())
"""


def test_a_hundred_requests_take_no_more_memory_than_forty(weights: Path) -> None:
    """Keys and values of a context of 256 tokens are 6 MB: kept for each of the hundred, they would
    be 600."""
    done = subprocess.run(
        [sys.executable, "-c", MANY, str(weights)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    grown, asked = map(int, done.stdout.split())

    assert done.stderr == ""
    assert asked == 140
    assert grown < 30_000  # kB


def test_a_real_server_says_how_many_it_serves(llama: LlamaServer) -> None:
    """That of the tests has one place."""
    there = route("local", llama.openai_url)
    headers = {"Authorization": f"Bearer {llama.key}"}
    there = replace(there, target=replace(there.target, headers=headers))

    async def run() -> int | None:
        async with Lane(there.target) as lane:
            return await server_slots(there, lane)

    assert asyncio.run(run()) == 1
