"""The model inside llmctl, asked by one to eight lanes at once: rows and tokens a second.

Rows of some 45 tokens, answers of 32, not streamed, temperature 0, through the lanes that a batch
sends through. `apart` is the same work with one place in the model, whatever the lanes: what is
gained is the distance from it. The bar is on tokens per second of CPU, which a busy machine changes
least. It runs in this interpreter, which needs the extra `local`:
`python -m benchmarks local_batch [-n ROUNDS] [--gguf FILE] [--threads N]`. Bars are set for the
model of the tests on two cores.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.harness import Bar, Figures, arguments, cell, ratios, report
from llmctl.dialects import HttpCall
from llmctl.transport.exchange import Lane
from llmctl.transport.target import Target
from llmctl.types import Json

LANES = (1, 2, 4, 8)
APART = "8, apart"
TOKENS = 32
ROWS = 8  # of each figure; with eight lanes one each
LEAST = 1.2  # times the rows of one lane that eight must make


def call(number: int) -> HttpCall:
    """A row that shares no more with the others than its beginning."""
    text = f"Number {number}: tell me in a few words what is worth knowing about this number."
    return HttpCall("POST", "chat/completions", {
        "messages": [{"role": "user", "content": text}],
        "max_tokens": TOKENS, "temperature": 0, "ignore_eos": True,
    })  # fmt: skip


async def worked(lane: Lane, numbers: Iterator[int], seconds: list[float]) -> int:
    """Send rows until there are none; the tokens of their answers."""
    tokens = 0
    for number in numbers:
        begun = time.perf_counter()
        async with lane.exchange(call(number)) as reply:
            told = json.loads(await reply.text())
        assert told["usage"]["completion_tokens"] == TOKENS, told
        tokens += told["usage"]["completion_tokens"]
        seconds.append(time.perf_counter() - begun)
    return tokens


async def measured(lanes: list[Lane], first: int) -> Figures:
    """`first` is the number of the first row: no prompt comes twice."""
    seconds: list[float] = []
    numbers = iter(range(first, first + ROWS))
    cpu, begun = time.process_time(), time.perf_counter()
    tokens = sum(await asyncio.gather(*(worked(one, numbers, seconds) for one in lanes)))
    spent = time.perf_counter() - begun
    used = time.process_time() - cpu
    return {
        "rows": ROWS / spent,
        "tokens": tokens / spent,
        "latency": sum(seconds) / len(seconds),
        "cores": used / spent,
        "work": tokens / used,
    }


async def rounds(
    path: Path, options: Mapping[str, Json], count: int
) -> tuple[dict[str, list[Figures]], dict[str, float]]:
    """All numbers of lanes in turn, round by round, each with a model loaded for it, whose memory
    in MB comes beside."""
    ways = {str(lanes): (lanes, lanes) for lanes in LANES} | {APART: (8, 1)}
    found: dict[str, list[Figures]] = {name: [] for name in ways}
    memory = {}
    async with AsyncExitStack() as stack:
        ready = {}
        for name, (lanes, slots) in ways.items():
            target = Target(provider="local", base_url=f"llama://{path}",
                            options={**options, "parallel": slots, "name": name})  # fmt: skip
            before = kept()
            ready[name] = [await stack.enter_async_context(Lane(target)) for _ in range(lanes)]
            await measured(ready[name], 0)  # loads it, and does not count
            memory[name] = kept() - before
        row = ROWS
        for _round in range(count):
            for name, lanes_ in ready.items():
                found[name].append(await measured(lanes_, row))
                row += ROWS
    return found, memory


def kept() -> float:
    """MB that this process holds beside files, where the system says it."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(one.split()[1]) for one in lines if one.startswith("RssAnon")), 0) / 1024


def main() -> int:
    parser = arguments(__doc__, 5)
    parser.add_argument("--gguf", type=Path, help="default: the model of the tests")
    parser.add_argument("--threads", type=int, help="default: half of the cores")
    asked = parser.parse_args()
    path = asked.gguf
    if path is None:
        from tests.weights import smollm2

        path = smollm2()
    options = {"context": 1024} | ({"threads": asked.threads} if asked.threads else {})
    found, memory = asyncio.run(rounds(path, options, asked.rounds))
    rows = []
    for name, figures in found.items():
        gain = ratios(found, name, "1", "rows")
        rows.append([
            name,
            cell([one["rows"] for one in figures], digits=2),
            cell([one["tokens"] for one in figures]),
            cell(gain, digits=2),
            cell([one["latency"] for one in figures], digits=1),
            cell([one["cores"] for one in figures], digits=1),
            cell([one["work"] for one in figures]),
            f"{memory[name]:.0f}",
        ])  # fmt: skip
    head = ["lanes", "rows/s", "tokens/s", "× one lane", "s a row", "cores", "tokens/CPU s", "MB"]
    bars = [
        Bar("8 lanes, tokens/CPU s, × one", ratios(found, "8", "1", "work"), LEAST, at_least=True)
    ]
    return report(f"{path.stem}, answers of {TOKENS} tokens", asked.rounds, head, rows, bars)


if __name__ == "__main__":
    sys.exit(main())
