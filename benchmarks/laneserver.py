"""A loopback server for many requests at once: whole answers after a fixed wait.

`POST /lN/v1/chat/completions` answers N milliseconds later, over kept connections. The answer
repeats the mark `[number]` of the prompt, so that no client can mix answers up unseen. `GET /seen`
gives what was seen since the last time it was asked, as JSON:

    rows         answers sent
    window_s     from the first byte of the first request to the last answer
    first        when that byte came, on the monotonic clock
    connections  those that carried a request
    in_flight    most requests at once
    busy         share of the window in which this process used its core
"""

import asyncio
import json
import re
import sys
import time

MARK = re.compile(rb"\[\d+\]")
PLACE = re.compile(rb"POST /l(\d+)/v1/chat/completions ")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

BODY = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "mock",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "MARK is answered in a few words"},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 50, "completion_tokens": 8, "total_tokens": 58},
    }
).encode()
BEFORE, _, AFTER = BODY.partition(b"MARK")


def answer(body: bytes) -> bytes:
    """The whole response, bytes put together from parts made beforehand."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


class Seen:
    """What came since the last report. Seconds on the monotonic clock, CPU in seconds."""

    def __init__(self) -> None:
        self.rows = self.connections = self.in_flight = self.most = 0
        self.first = self.last = 0.0
        self.cpu = 0.0

    def report(self) -> bytes:
        window = self.last - self.first
        told = {
            "rows": self.rows,
            "window_s": window,
            "first": self.first,
            "connections": self.connections,
            "in_flight": self.most,
            "busy": (time.process_time() - self.cpu) / window if window else 0.0,
        }
        self.__init__()  # type: ignore[misc]  # begins anew
        return json.dumps(told).encode()


class Conversation(asyncio.Protocol):
    """One connection; requests come one after the other, never before the last is answered."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.buffer = b""
        self.fresh = True
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if not self.seen.first and not data.startswith(b"GET"):
            self.seen.first, self.seen.cpu = time.monotonic(), time.process_time()
        self.buffer += data
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not end or len(body) < (int(length[1]) if length else 0):
            return
        self.buffer = b""
        self.asked(head, body)

    def asked(self, head: bytes, body: bytes) -> None:
        assert self.transport is not None
        if place := PLACE.match(head):
            self.seen.connections += self.fresh
            self.fresh = False
            self.seen.in_flight += 1
            self.seen.most = max(self.seen.most, self.seen.in_flight)
            found = MARK.search(body)
            whole = answer(BEFORE + (found[0] if found else b"?") + AFTER)
            if wait := int(place[1]):
                asyncio.get_running_loop().call_later(wait / 1000, self.send, whole)
            else:
                self.send(whole)
        else:
            self.transport.write(answer(self.seen.report()))

    def send(self, whole: bytes) -> None:
        assert self.transport is not None
        self.transport.write(whole)
        seen = self.seen
        seen.rows += 1
        seen.in_flight -= 1
        seen.last = time.monotonic()


async def main() -> None:
    seen = Seen()
    server = await asyncio.get_running_loop().create_server(
        lambda: Conversation(seen), "127.0.0.1", 0, backlog=1024
    )
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(130)
