"""Rows of a file answered into another: `python many_rows.py KIND IN OUT URL FLIGHT`.

What a user would write over an SDK, at its best: one worker a slot, all over one iterator, so that
neither requests nor answers pile up, and a line written as soon as its answer is there.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from typing import Any

KIND, IN, OUT, URL, FLIGHT = *sys.argv[1:5], int(sys.argv[5])
KEY = "sk-" + "mock"

Ask = Callable[[str], Awaitable[str]]


def rows() -> Iterator[tuple[str, str]]:
    with open(IN, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield row["id"], row["prompt"]


async def drive(ask: Ask) -> None:
    left = rows()
    out = open(OUT, "w", encoding="utf-8")  # noqa: ASYNC230, SIM115

    async def work() -> None:
        for name, prompt in left:
            answer = {"row": {"id": name}, "text": await ask(prompt)}
            out.write(json.dumps(answer) + "\n")

    with out:
        await asyncio.gather(*[work() for _ in range(FLIGHT)])


def said(prompt: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}]


async def openai(client: Any = None) -> None:
    library: Any = import_module("openai")
    chosen = {"http_client": client} if client is not None else {}
    async with library.AsyncOpenAI(base_url=URL, api_key=KEY, **chosen) as asked:

        async def ask(prompt: str) -> str:
            answer = await asked.chat.completions.create(model="mock", messages=said(prompt))
            return str(answer.choices[0].message.content)

        await drive(ask)


async def openai_aiohttp() -> None:
    await openai(import_module("openai").DefaultAioHttpClient())


async def litellm() -> None:
    library: Any = import_module("litellm")
    library.suppress_debug_info = True

    async def ask(prompt: str) -> str:
        answer = await library.acompletion(
            model="openai/mock", messages=said(prompt), api_base=URL, api_key=KEY
        )
        return str(answer.choices[0].message.content)

    await drive(ask)


CLIENTS: dict[str, Callable[[], Awaitable[None]]] = {
    "openai": openai,
    "openai-aiohttp": openai_aiohttp,
    "litellm": litellm,
}


async def main() -> None:
    await CLIENTS[KIND]()


asyncio.run(main())
