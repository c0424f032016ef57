"""A loopback server for very many rows, some of which meet a fault: laneserver.py with the shares
of tests/simulator/shares.py, which the model's name tells.

`POST /v1/chat/completions` answers with the mark `[number]` of the prompt. `GET /seen` is that of
laneserver.py; `GET /tally` gives what the requests of each mark met, in their order.
"""

import asyncio
import json
import re
import sys
from functools import partial

from benchmarks.laneserver import AFTER, BEFORE, MARK, Conversation, Seen, answer
from tests.simulator.shares import Shares, Tally, shares_of

MODEL = re.compile(rb'"model": ?"([^"]*)"')
REFUSED = b'{"error":{"message":"%b","type":"%b","param":null,"code":%b}}'
LIMITED = REFUSED % (b"Rate limit reached", b"requests", b'"rate_limit_exceeded"')
BROKEN = REFUSED % (b"The server had an error", b"server_error", b"null")
HEAD = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n%b"


class Row(Conversation):
    """One connection."""

    def __init__(self, seen: Seen, tally: Tally) -> None:
        super().__init__(seen)
        self.tally = tally
        self.gone = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True

    def asked(self, head: bytes, body: bytes) -> None:
        assert self.transport is not None
        if not head.startswith(b"POST"):
            known = self.seen.report() if b"/seen" in head else json.dumps(self.tally.met).encode()
            self.transport.write(answer(known))
            return
        self.seen.connections += self.fresh
        self.fresh = False
        self.seen.in_flight += 1
        self.seen.most = max(self.seen.most, self.seen.in_flight)
        found, model = MARK.search(body), MODEL.search(body)
        mark = found[0] if found else b"?"
        shares = shares_of(model[1].decode() if model else "")
        met = self.tally.note(mark.decode(), shares)
        whole = made(met, mark, shares)
        if shares.wait:
            later = asyncio.get_running_loop().call_later
            later(shares.wait, partial(self.answered, whole, met))
        else:
            self.answered(whole, met)

    def answered(self, whole: bytes, met: str) -> None:
        if self.gone:
            self.seen.in_flight -= 1
            return
        self.send(whole)
        if met == "cut":
            assert self.transport is not None
            self.transport.close()


def made(met: str, mark: bytes, shares: Shares) -> bytes:
    """What is written: all of it, of a cut answer the first half."""
    match met:
        case "429":
            after = b"Retry-After: %d\r\n" % shares.after
            return HEAD % (b"429 Too Many Requests", after, len(LIMITED), LIMITED)
        case "500":
            return HEAD % (b"500 Internal Server Error", b"", len(BROKEN), BROKEN)
        case _:
            whole = answer(BEFORE + mark + AFTER)
            return whole[: len(whole) - len(AFTER)] if met == "cut" else whole


async def main() -> None:
    seen, tally = Seen(), Tally()
    server = await asyncio.get_running_loop().create_server(
        lambda: Row(seen, tally), "127.0.0.1", 0, backlog=1024
    )
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(130)
