"""Many prompts at once: `python many_prompts.py KIND URL COUNT FLIGHT`; KIND is a client below.

One worker a slot takes the next prompt when its last is answered, so memory has no reason to grow
with the number of prompts. One JSON line on stdout tells how many answers fitted their prompt
(`right`) and the CPU seconds from the start of the first worker to the end of the last (`cpu`).
"""

import asyncio
import json
import ssl
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Any

KIND, URL, COUNT, FLIGHT = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
PLACE = URL + "/chat/completions"
HEADERS = {"Authorization": "Bearer sk-mock"}
BYTES = 200

Ask = Callable[[str], Awaitable[str]]


def prompts() -> Iterator[tuple[str, str]]:
    """(mark, prompt of 200 bytes); made one by one, as they come from a file."""
    for number in range(COUNT):
        mark = f"[{number:08d}]"
        yield mark, mark.ljust(BYTES, "x")


async def drive(asks: list[Ask]) -> None:
    """A worker for each way to ask, all over one iterator."""
    rows = prompts()
    right = 0

    async def work(ask: Ask) -> None:
        nonlocal right
        for mark, prompt in rows:
            text = await ask(prompt)
            right += text.startswith(mark)

    cpu = time.process_time()
    await asyncio.gather(*[work(ask) for ask in asks])
    print(json.dumps({"right": right, "cpu": time.process_time() - cpu}), flush=True)


def body(prompt: str) -> dict[str, Any]:
    return {"model": "mock", "messages": [{"role": "user", "content": prompt}]}


def text_of(answer: Any) -> str:
    return str(answer["choices"][0]["message"]["content"])


async def llmctl(stand_in: Any = None) -> None:
    """A lane for each slot and a run with its receipt for each prompt, as one command makes them;
    `stand_in` takes the place of all their connections."""
    from llmctl import settings
    from llmctl.engine.resolve import resolve
    from llmctl.engine.run import Run
    from llmctl.transport.exchange import Lane
    from llmctl.types import Chat, Role, message

    route = resolve("openai/mock", settings.load())

    def asker(lane: Lane) -> Ask:
        async def ask(prompt: str) -> str:
            call = Chat(route.model, (message(Role.USER, prompt),), stream=False)
            run = Run(call, route, lane)
            async for _event in run.events():
                pass
            verdict, cost = route.verdict_and_cost(run.meter.finished, call)
            receipt = run.meter.receipt(
                provider=route.provider, verdict=verdict, cost=cost, streamed=False
            )
            return receipt.text

        return ask

    async with AsyncExitStack() as stack:
        lanes = [
            await stack.enter_async_context(Lane(route.target, stand_in)) for _ in range(FLIGHT)
        ]
        await drive([asker(lane) for lane in lanes])


async def llmctl_aiohttp() -> None:
    """The same on one pool of aiohttp's connections."""
    await llmctl(import_module("httpx_aiohttp").AiohttpTransport())


def asker(client: Any) -> Ask:
    async def ask(prompt: str) -> str:
        response = await client.post(PLACE, json=body(prompt), headers=HEADERS)
        response.raise_for_status()
        return text_of(response.json())

    return ask


async def one_client(make: Any = None) -> None:
    """One httpx client whose pool holds a connection for each slot."""
    import httpx

    limits = httpx.Limits(max_connections=FLIGHT, max_keepalive_connections=FLIGHT)
    async with (make or httpx.AsyncClient)(limits=limits, timeout=60) as client:
        await drive([asker(client)] * FLIGHT)


async def httpx_aiohttp() -> None:
    """One httpx client on aiohttp's connections."""
    await one_client(import_module("httpx_aiohttp").HttpxAiohttpClient)


async def client_per_slot() -> None:
    """An httpx client of one connection for each slot; they share the certificates."""
    import httpx

    context = ssl.create_default_context()
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(
                httpx.AsyncClient(limits=limits, timeout=60, verify=context, trust_env=False)
            )
            for _ in range(FLIGHT)
        ]
        await drive([asker(client) for client in clients])


async def aiohttp() -> None:
    """One aiohttp session, without httpx."""
    library: Any = import_module("aiohttp")
    connector = library.TCPConnector(limit=FLIGHT)
    async with library.ClientSession(connector=connector) as session:

        async def ask(prompt: str) -> str:
            async with session.post(PLACE, json=body(prompt), headers=HEADERS) as response:
                response.raise_for_status()
                return text_of(await response.json())

        await drive([ask] * FLIGHT)


async def by_hand() -> None:
    """Sockets and HTTP by hand: what Python can do at most."""
    host, _, port = URL.split("/")[2].partition(":")
    path = "/" + PLACE.split("/", 3)[3]
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {HEADERS['Authorization']}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    )

    async def connected() -> Ask:
        reader, writer = await asyncio.open_connection(host, int(port))

        async def ask(prompt: str) -> str:
            data = json.dumps(body(prompt)).encode()
            writer.write(f"{head}{len(data)}\r\n\r\n".encode() + data)
            answered = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(answered.partition(b"content-length:")[2].partition(b"\r\n")[0])
            return text_of(json.loads(await reader.readexactly(length)))

        return ask

    await drive([await connected() for _ in range(FLIGHT)])


CLIENTS: dict[str, Callable[[], Awaitable[None]]] = {
    "llmctl": llmctl,
    "llmctl-aiohttp": llmctl_aiohttp,
    "one-client": one_client,
    "client-per-slot": client_per_slot,
    "httpx-aiohttp": httpx_aiohttp,
    "aiohttp": aiohttp,
    "by-hand": by_hand,
}


async def main() -> None:
    await CLIENTS[KIND]()


asyncio.run(main())
