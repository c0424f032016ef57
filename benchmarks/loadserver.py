"""A loopback server that streams chat completions as fast as it can.

`POST /tN/v1/chat/completions` answers with N tokens, each its own event and its own write. After
each answer one JSON line on stdout tells when, on the monotonic clock, the first byte of the
request came (`request`), the first token was handed to the system (`first`) and the last (`last`).
The answer has no length and ends with the connection's, unless the request was not a stream.
"""

import asyncio
import json
import re
import sys
import time
from functools import cache

MODEL = "mock"


def event(delta: dict[str, str], finish: str | None = None) -> bytes:
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": MODEL,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return b"data: " + json.dumps(body).encode() + b"\n\n"


@cache
def events(tokens: int) -> tuple[bytes, ...]:
    """Made once a count, so that nothing but the first answer waits for them."""
    return tuple(event({"content": f" w{number}"}) for number in range(tokens))


def usage(tokens: int) -> dict[str, int]:
    return {"prompt_tokens": 2, "completion_tokens": tokens, "total_tokens": tokens + 2}


def usage_event(tokens: int) -> bytes:
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": MODEL,
        "choices": [],
        "usage": usage(tokens),
    }
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def whole(tokens: int) -> bytes:
    text = "".join(f" w{number}" for number in range(tokens))
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "stop",
            }
        ],
        "usage": usage(tokens),
    }
    return json.dumps(body).encode()


async def read_request(
    reader: asyncio.StreamReader,
) -> tuple[float, bytes, bytes] | None:
    """When its first byte came, its head and its body; None when the connection ended."""
    first = await reader.read(1)
    arrived = time.monotonic()
    if not first:
        return None
    head = first + await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    if length:
        return arrived, head, await reader.readexactly(int(length[1]))
    body = b""
    if re.search(rb"(?i)transfer-encoding: *chunked", head):
        while size := int((await reader.readline()).split(b";")[0], 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    return arrived, head, body


async def stream(
    writer: asyncio.StreamWriter, tokens: int, with_usage: bool
) -> tuple[float, float]:
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        + event({"role": "assistant", "content": ""})
    )
    ready = events(tokens)
    await writer.drain()
    first = time.monotonic()
    for one in ready:
        writer.write(one)
        await writer.drain()
        await asyncio.sleep(0)
    last = time.monotonic()
    writer.write(event({}, "stop"))
    if with_usage:
        writer.write(usage_event(tokens))
    writer.write(b"data: [DONE]\n\n")
    await writer.drain()
    return first, last


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        request = await read_request(reader)
        if request is None:
            return
        arrived, head, body = request
        path = re.match(rb"POST /t(\d+)/v1/chat/completions ", head)
        if not path:
            writer.write(
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            await writer.drain()
            return
        tokens, asked = int(path[1]), json.loads(body)
        if asked.get("stream"):
            with_usage = bool((asked.get("stream_options") or {}).get("include_usage"))
            first, last = await stream(writer, tokens, with_usage)
        else:
            answer = whole(tokens)
            first = last = time.monotonic()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                + f"Content-Length: {len(answer)}\r\n\r\n".encode()
                + answer
            )
            await writer.drain()
        print(json.dumps({"request": arrived, "first": first, "last": last}), flush=True)
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
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
