"""A loopback server for answers at a known pace: `POST /wW-N-G/v1/chat/completions` waits W
milliseconds and streams N words, one every G milliseconds, over kept connections.

Moments are reckoned from the arrival of the request, so that no delay adds to the next.
"""

import asyncio
import json
import re
import sys

PLACE = re.compile(rb"POST /w(\d+)-(\d+)-(\d+)/v1/chat/completions ")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def frame(delta: dict[str, str], finish: str | None = None, **more: object) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    document = {
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "mock",
        "choices": [choice], **more,
    }  # fmt: skip
    return chunk(b"data: " + json.dumps(document).encode() + b"\n\n")


async def answer(writer: asyncio.StreamWriter, wait: int, count: int, gap: int) -> None:
    clock = asyncio.get_running_loop().time
    begun = clock()
    for number in range(count):
        await asyncio.sleep(begun + (wait + number * gap) / 1000 - clock())
        writer.write((b"" if number else HEAD) + frame({"content": f"word{number} "}))
    usage = {"prompt_tokens": 8, "completion_tokens": count, "total_tokens": 8 + count}
    writer.write(frame({}, "stop", usage=usage) + chunk(b"data: [DONE]\n\n") + chunk(b""))
    await writer.drain()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = LENGTH.search(head)
            await reader.readexactly(int(length[1]) if length else 0)
            place = PLACE.match(head)
            if place is None:
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                continue
            await answer(writer, int(place[1]), int(place[2]), int(place[3]))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(130)
