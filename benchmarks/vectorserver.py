"""A loopback server for many vectors: OpenAI's embeddings after a fixed wait.

`POST /lN-D/v1/embeddings` answers N milliseconds later with a vector of D numbers for each text, as
floats or in base64, whichever is asked for. `GET /seen` is that of laneserver.py, where `rows` are
texts, and `requests` the answers.
"""

import asyncio
import json
import math
import re
import struct
import sys
import time
from base64 import b64encode
from functools import lru_cache

from benchmarks.laneserver import LENGTH, Conversation, Seen, answer

PLACE = re.compile(rb"POST /l(\d+)-(\d+)/v1/embeddings ")


@lru_cache
def vector(size: int, packed: bool) -> bytes:
    """One vector 1 long, whose numbers have as many digits as those of real ones."""
    rough = [math.sin(12.9898 * place + 4.1) for place in range(size)]
    norm = math.hypot(*rough)
    raw = struct.pack(f"<{size}f", *(one / norm for one in rough))
    if packed:
        return b'"' + b64encode(raw) + b'"'
    return json.dumps([float(f"{one:.8g}") for one in struct.unpack(f"<{size}f", raw)]).encode()


def document(count: int, size: int, packed: bool) -> bytes:
    values = vector(size, packed)
    items = b",".join(
        b'{"object":"embedding","index":%d,"embedding":%b}' % (index, values)
        for index in range(count)
    )
    usage = b'{"prompt_tokens":%d,"total_tokens":%d}' % (count * 20, count * 20)
    return b'{"object":"list","data":[%b],"model":"mock","usage":%b}' % (items, usage)


class Vectors(Conversation):
    """One connection."""

    def __init__(self, seen: Seen) -> None:
        super().__init__(seen)
        self.received = bytearray()
        self.needed = 0

    def data_received(self, data: bytes) -> None:
        """Requests come in many pieces, which are put together only once."""
        if not self.seen.first and not data.startswith(b"GET"):
            self.seen.first, self.seen.cpu = time.monotonic(), time.process_time()
        self.received += data
        if len(self.received) < self.needed:
            return
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = LENGTH.search(self.received, 0, end)
        self.needed = end + 4 + (int(length[1]) if length else 0)
        if len(self.received) < self.needed:
            return
        head, body = bytes(self.received[:end]), bytes(self.received[end + 4 :])
        self.received.clear()
        self.needed = 0
        self.asked(head, body)

    def asked(self, head: bytes, body: bytes) -> None:
        place = PLACE.match(head)
        if place is None:
            super().asked(head, body)
            return
        request = json.loads(body)
        texts, packed = request["input"], request.get("encoding_format") == "base64"
        self.seen.connections += self.fresh
        self.fresh = False
        self.seen.in_flight += 1
        self.seen.most = max(self.seen.most, self.seen.in_flight)
        self.seen.rows += len(texts) - 1  # `send` counts one
        asyncio.get_running_loop().call_later(
            int(place[1]) / 1000, self.send, answer(document(len(texts), int(place[2]), packed))
        )


async def main() -> None:
    seen = Seen()
    server = await asyncio.get_running_loop().create_server(
        lambda: Vectors(seen), "127.0.0.1", 0, backlog=1024
    )
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(130)
