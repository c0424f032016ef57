"""The split of a call's time against a server with known delays, and what measuring costs.

Every figure of a receipt is compared with what the server did, by the moments that it has noted
itself: both read the monotonic clock, which all of a machine share, so that a sleep that takes
longer than asked for is no error of ours. Beside it stands the error against the delays as they
were set, which holds that noise too. In the second table the same stream of tokens goes through a
run with the meter and with one that does nothing, in turn.
"""

import asyncio
import gc
import ssl
import statistics
import sys
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.harness import Bar, arguments, cell, report
from llmctl import catalogue
from llmctl.dialects import DIALECTS, Frame
from llmctl.engine.meter import Meter
from llmctl.engine.retry import Retries
from llmctl.engine.route import Route
from llmctl.engine.run import Run
from llmctl.settings import Settings
from llmctl.transport.auth import AUTHS, Grant
from llmctl.transport.exchange import Lane, Target
from llmctl.types import Chat, Event, Finished, Latency, Level, Quirks, Role, Verdict, message
from tests.slow import Delays, Slow, slow

LIMIT_MS = 10.0
LIMIT_US = 5.0
TOKENS = 5000
NAME = "slow.example.test"  # reached through the proxy alone, which looks no name up

Figures = dict[str, float]
CALL = Chat("slow", (message(Role.USER, "hello"),), stream=True)
WHOLE = Chat("slow", (message(Role.USER, "hello"),), stream=False)


def main() -> int:
    count: int = arguments(__doc__, 10).parse_args().rounds
    with certificates() as (context, ca_file):
        split = asyncio.run(splits(count, context, ca_file))
    rows, bars = [], []
    for name, errors in split.items():
        for part, (noted, set_) in errors.items():
            rows.append([name, part, cell(noted, 1e3, 2), cell(set_, 1e3, 2)])
            worst = [abs(one) * 1e3 for one in noted]
            bars.append(Bar(f"{name}: {part}", worst, LIMIT_MS, unit="ms"))
    head = ["case", "part", "error against the server's moments, ms", "against the delays set, ms"]
    code = report("The split of a call's time", count, head, rows, bars)
    return max(code, overhead(count))


@contextmanager
def certificates() -> Iterator[tuple[ssl.SSLContext, str]]:
    """A server's side of TLS for this machine, and the file of its authority."""
    import trustme

    authority = trustme.CA()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "ca.pem"
        authority.cert_pem.write_to_path(str(file))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", NAME).configure_cert(context)
        yield context, str(file)


# ---- the split

Errors = dict[str, tuple[list[float], list[float]]]


async def splits(count: int, context: ssl.SSLContext, ca_file: str) -> dict[str, Errors]:
    """Errors by case and part, in seconds: against the server's moments, and as it was set."""
    found: dict[str, Errors] = {}
    cases = (fresh_stream, kept_stream, whole, proxied, refused_once, fetching, loading)
    for number in range(count + 1):
        for case in cases:
            for part, (measured, noted, delay) in (await case(context, ca_file)).items():
                if number:  # the first round warms what is imported and cached
                    errors = found.setdefault(case.__doc__ or "", {}).setdefault(part, ([], []))
                    errors[0].append(measured - noted)
                    errors[1].append(measured - delay)
    return found


Parts = dict[str, tuple[float, float, float]]


def moments(server: Slow, what: str) -> list[float]:
    return [at for name, at in server.moments if name == what]


async def run(call: Chat, lane: Lane, route: Route) -> Latency:
    made = Run(call, route, lane, retries=Retries(base=0.0))
    async for _event in made.events():
        pass
    return made.meter.latency(streamed=call.stream)


async def fresh_stream(context: ssl.SSLContext, ca_file: str) -> Parts:
    """stream, new TLS connection"""
    delays = Delays(connect=0.05, head=0.1, first=0.08, between=0.02, tokens=10)
    with slow(delays, context) as server:
        route = routed("openai_chat", server.url(), ca_file)
        async with Lane(route.target) as lane:
            got = await run(CALL, lane, route)
    accepted, connected, asked, head = (
        moments(server, one)[0] for one in ("accepted", "connected", "asked", "head")
    )
    tokens = moments(server, "token")
    return {
        "connect": (given(got.connect_s), connected - accepted, 0.05),
        "first byte, connecting apart": (
            given(got.first_byte_s) - given(got.connect_s), head - asked, 0.1),
        "first token after the first byte": (
            given(got.ttft_s) - given(got.first_byte_s), tokens[0] - head, 0.08),
        "between two tokens": (
            1 / given(got.output_tokens_per_s), (tokens[-1] - tokens[0]) / 9, 0.02),
        "total": (given(got.total_s), tokens[-1] - accepted, 0.05 + 0.1 + 0.08 + 9 * 0.02),
    }  # fmt: skip


async def kept_stream(context: ssl.SSLContext, ca_file: str) -> Parts:
    """stream, kept connection"""
    with slow(Delays(connect=0.05, head=0.08, between=0.02), context) as server:
        route = routed("openai_chat", server.url(), ca_file)
        async with Lane(route.target) as lane:
            await run(CALL, lane, route)
            got = await run(CALL, lane, route)
    if not got.reused or got.connect_s is not None:
        raise SystemExit("the connection was not kept")
    asked, head = moments(server, "asked")[1], moments(server, "head")[1]
    last = moments(server, "token")[-1]
    return {
        "first byte": (given(got.first_byte_s), head - asked, 0.08),
        "total": (given(got.total_s), last - asked, 0.08 + 4 * 0.02),
    }


async def whole(context: ssl.SSLContext, ca_file: str) -> Parts:
    """one piece, new TLS connection"""
    with slow(Delays(connect=0.05, head=0.1), context) as server:
        route = routed("openai_chat", server.url(), ca_file)
        async with Lane(route.target) as lane:
            got = await run(WHOLE, lane, route)
    asked, head = moments(server, "asked")[0], moments(server, "head")[0]
    accepted, connected = moments(server, "accepted")[0], moments(server, "connected")[0]
    return {
        "connect": (given(got.connect_s), connected - accepted, 0.05),
        "first byte, connecting apart": (
            given(got.first_byte_s) - given(got.connect_s), head - asked, 0.1),
        "total": (given(got.total_s), head - accepted, 0.05 + 0.1),
    }  # fmt: skip


async def proxied(context: ssl.SSLContext, ca_file: str) -> Parts:
    """through a proxy that takes its time"""
    with slow(Delays(head=0.05), context) as server, slow(Delays(connect=0.1)) as proxy:
        url = server.url().replace("127.0.0.1", NAME)
        route = routed("openai_chat", url, ca_file, proxy=f"http://127.0.0.1:{proxy.port}")
        async with Lane(route.target) as lane:
            got = await run(CALL, lane, route)
    accepted, connected = moments(proxy, "accepted")[0], moments(server, "connected")[0]
    asked, head = moments(server, "asked")[0], moments(server, "head")[0]
    return {
        "connect, the proxy's consent and TLS": (
            given(got.connect_s), connected - accepted, 0.1),
        "first byte, connecting apart": (
            given(got.first_byte_s) - given(got.connect_s), head - asked, 0.05),
    }  # fmt: skip


async def fetching(_context: ssl.SSLContext, _ca_file: str) -> Parts:
    """a token is fetched first"""
    with slow(Delays(token=0.12, head=0.05)) as server, TemporaryDirectory() as folder:
        key = b64encode(b"slow:slow").decode()
        grant = Grant(
            provider="slow",
            secret=key,
            base_url=server.url(),
            cache=Path(folder),
            urls={"auth_url": server.url("/oauth")},
        )
        route = routed("openai_chat", server.url(), auth=AUTHS["gigachat"](grant))
        async with Lane(route.target) as lane:
            got = await run(CALL, lane, route)
    begun, asked, head = (moments(server, one)[0] for one in ("accepted", "asked", "head"))
    return {
        "token": (given(got.auth_s), asked - begun, 0.12),
        "first byte, the token apart": (given(got.first_byte_s), head - asked, 0.05),
    }


async def refused_once(_context: ssl.SSLContext, _ca_file: str) -> Parts:
    """429 and retry-after-ms, then a stream"""
    with slow(Delays(head=0.08, busy=1, retry_after=0.12, between=0.02)) as server:
        route = routed("openai_chat", server.url())
        async with Lane(route.target) as lane:
            got = await run(CALL, lane, route)
    asked, last = moments(server, "asked"), moments(server, "token")[-1]
    return {
        "waited": (got.waited_s, asked[1] - asked[0], 0.12),
        "total": (given(got.total_s), last - asked[1], 0.08 + 4 * 0.02),
    }


async def loading(_context: ssl.SSLContext, _ca_file: str) -> Parts:
    """local server that loads its model"""
    with slow(Delays(load=0.1, head=0.05, between=0.02)) as server:
        route = routed("ollama", server.url(""))
        async with Lane(route.target) as lane:
            got = await run(CALL, lane, route)
    asked, head = moments(server, "asked")[0], moments(server, "head")[0]
    return {
        "load, by the server's word": (given(got.load_s), 0.1, 0.1),
        "first byte, loading included": (given(got.first_byte_s), head - asked, 0.15),
    }


def given(value: float | None) -> float:
    if value is None:
        raise SystemExit("a figure is missing in the receipt")
    return value


def routed(dialect: str, url: str, ca_file: str | None = None, **how: Any) -> Route:
    """A route to the server; the card is any of a local server, which costs nothing to price."""
    target = Target(provider="slow", base_url=url, ca_file=ca_file, **how)
    return Route(
        requested="slow/slow",
        provider="slow",
        model="slow",
        card=catalogue.card("llamacpp", Settings()),
        model_card=None,
        dialect=DIALECTS[dialect](),
        quirks=Quirks(),
        target=target,
        verdict=Verdict(True, Level.DEVICE),
    )


# ---- what measuring costs


class Scripted:
    """A lane that has its answer already; only what a run asks of one."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        self.tokens: set[str] = set()
        self._frames = frames

    @asynccontextmanager
    async def exchange(self, _http: object) -> AsyncIterator[Any]:
        yield Answer(self._frames)


class Answer:
    status = 200
    headers: dict[str, str] = {}  # noqa: RUF012  never changed

    class timing:  # noqa: N801  stands in for an attribute
        connect_s = auth_s = load_s = None
        first_byte_s = 0.1
        reused = True

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._frames = frames

    async def frames(self, _framing: object) -> AsyncIterator[Frame]:
        for frame in self._frames:
            yield frame

    def spare(self) -> None:
        pass


class Blind(Meter):
    """Notes that there was an event, which a run must know, and nothing of when or what."""

    def event(self, event: Event) -> None:
        self._first_token = 0.0
        if isinstance(event, Finished):
            self.finished = event


def overhead(count: int) -> int:
    token = Frame('{"choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}')
    last = Frame('{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}')
    frames = [*[token] * TOKENS, last, Frame("[DONE]")]
    route = routed("openai_chat", "http://127.0.0.1:9/v1")

    def once(kind: Callable[[str], Meter]) -> float:
        made = Run(CALL, route, Scripted(frames))  # type: ignore[arg-type]
        made.meter = kind("slow/slow")

        async def through() -> float:
            begun = time.process_time()
            async for _event in made.events():
                pass
            return time.process_time() - begun

        gc.collect()
        return asyncio.run(through()) / TOKENS * 1e6

    kinds = {"with": Meter, "without": Blind}
    found: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(3 * count + 1):
        for name, kind in kinds.items():
            value = once(kind)
            if number:
                found[name].append(value)
    added = [one - other for one, other in zip(found["with"], found["without"], strict=True)]
    rows = [[name, cell(values, 1, 3)] for name, values in (*found.items(), ("added", added))]
    bars = [Bar("added to a token by measuring", added, LIMIT_US, unit="µs")]
    code = report("What measuring costs", 3 * count, ["meter", "CPU of a token, µs"], rows, bars)
    print(f"\nShare of a token's way through a run: "
          f"{statistics.median(added) / statistics.median(found['with']):.1%}")  # fmt: skip
    return code


if __name__ == "__main__":
    sys.exit(main())
