"""A server that takes its time where it is told to, and notes when it did what: the split of a
call's time is measured against it.

It serves OpenAI's chat completions under `/v1`, Ollama's under `/api`, tokens for keys under
`/oauth`, and a proxy's CONNECT. One thread a connection and blocking sockets: nothing but the
sleeps stands between a request and its answer.
"""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

SSE = "text/event-stream"
NDJSON = "application/x-ndjson"


@dataclass
class Delays:
    """Seconds, each before what its name says: `connect` before TLS or a proxy's consent, `token`
    before the answer of `/oauth`, `head` before the head of an answer, `load` before that and told
    as Ollama does, `first` between the head and the first token, `between` two tokens. `busy` is
    how many requests are refused first, with `retry_after`."""

    connect: float = 0.0
    token: float = 0.0
    head: float = 0.0
    load: float = 0.0
    first: float = 0.0
    between: float = 0.0
    tokens: int = 5
    busy: int = 0
    retry_after: float = 0.0


@dataclass
class Slow:
    """`moments` are (what, monotonic seconds) in their order: accepted, connected, asked, head,
    token (each), end."""

    delays: Delays
    port: int = 0
    context: ssl.SSLContext | None = None
    moments: list[tuple[str, float]] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)

    def note(self, what: str) -> None:
        self.moments.append((what, time.monotonic()))

    def url(self, path: str = "/v1") -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}{path}"

    # ---- one connection

    def connection(self, plain: socket.socket) -> None:
        with suppress(OSError, EOFError), plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.note("accepted")
            if self.context is None:
                self._requests(plain)
                return
            time.sleep(self.delays.connect)
            with self.context.wrap_socket(plain, server_side=True) as secured:
                self.note("connected")
                self._requests(secured)

    def _requests(self, wire: socket.socket) -> None:
        reader = wire.makefile("rb")
        while True:
            line = reader.readline().decode("latin-1").split()
            if len(line) < 3:
                return
            headers = {}
            while text := reader.readline().decode("latin-1").strip():
                name, _mark, value = text.partition(":")
                headers[name.lower()] = value.strip()
            body = reader.read(int(headers.get("content-length", "0")))
            self.targets.append(line[1])
            if line[0] == "CONNECT":
                self._tunnel(wire, line[1])
                return
            self._answer(wire, line[1], body)

    def _tunnel(self, wire: socket.socket, goal: str) -> None:
        time.sleep(self.delays.connect)
        port = int(goal.rpartition(":")[2])  # whatever the name, it is a server of this machine
        with socket.create_connection(("127.0.0.1", port)) as onward:
            wire.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pumped, args=(onward, wire), daemon=True)
            back.start()
            pumped(wire, onward)
            back.join(1)

    # ---- one answer

    def _answer(self, wire: socket.socket, path: str, body: bytes) -> None:
        delays = self.delays
        if path.startswith("/oauth"):
            time.sleep(delays.token)
            life = {"access_token": "t" * 20, "expires_at": int((time.time() + 1800) * 1000)}
            whole(wire, json.dumps(life).encode())
            return
        self.note("asked")
        if delays.busy:
            delays.busy -= 1
            said = json.dumps({"error": {"message": "slow down", "code": "rate_limit_exceeded"}})
            wait = f"retry-after-ms: {round(delays.retry_after * 1000)}\r\n"
            whole(wire, said.encode(), "429 Too Many Requests", wait)
            return
        request = json.loads(body or b"{}")
        pieces = ollama(delays) if path.startswith("/api") else openai(delays, request)
        time.sleep(delays.load + delays.head)
        if not request.get("stream"):
            time.sleep(delays.first + delays.between * (delays.tokens - 1))
            self.note("head")
            whole(wire, pieces[-1])
            self.note("end")
            return
        kind = NDJSON if path.startswith("/api") else SSE
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"
        wire.sendall(head.encode())
        self.note("head")
        for number in range(delays.tokens):
            time.sleep(delays.between if number else delays.first)
            wire.sendall(chunk(pieces[number]))
            self.note("token")
        wire.sendall(b"".join(map(chunk, pieces[delays.tokens : -1])) + b"0\r\n\r\n")
        self.note("end")


def openai(delays: Delays, request: Any) -> list[bytes]:
    """A frame a token, the frames of the end, and the whole answer as the last."""
    usage = {"prompt_tokens": 3, "completion_tokens": delays.tokens}
    head = {"id": "slow-1", "model": request.get("model")}

    def frame(document: dict[str, Any]) -> bytes:
        return b"data: " + json.dumps({**head, **document}).encode() + b"\n\n"

    tokens = [
        frame({"choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}]})
    ] * delays.tokens
    end = frame({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": usage})
    message = {"role": "assistant", "content": "word " * delays.tokens}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    answer = json.dumps({**head, "choices": [choice], "usage": usage}).encode()
    return [*tokens, end, b"data: [DONE]\n\n", answer]


def ollama(delays: Delays) -> list[bytes]:
    """The same in Ollama's lines, with its own clock: times in nanoseconds."""
    line = {"model": "slow", "message": {"role": "assistant", "content": "word "}, "done": False}
    last = {
        "model": "slow",
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": "stop",
        "load_duration": round(delays.load * 1e9),
        "prompt_eval_count": 3,
        "prompt_eval_duration": round(delays.head * 1e9),
        "eval_count": delays.tokens,
        "eval_duration": round(delays.between * (delays.tokens - 1) * 1e9),
    }
    whole_line = {**last, "message": {"role": "assistant", "content": "word " * delays.tokens}}
    lines = [line] * delays.tokens + [last]
    return [*(json.dumps(one).encode() + b"\n" for one in lines), json.dumps(whole_line).encode()]


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def whole(wire: socket.socket, body: bytes, status: str = "200 OK", more: str = "") -> None:
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{more}"
    wire.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)


def pumped(source: socket.socket, goal: socket.socket) -> None:
    """Pass on what comes until one side is done."""
    with suppress(OSError):
        while data := source.recv(65536):
            goal.sendall(data)
        goal.shutdown(socket.SHUT_WR)


@contextmanager
def slow(delays: Delays, context: ssl.SSLContext | None = None) -> Iterator[Slow]:
    """The server, until the end of the block."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = Slow(delays, listening.getsockname()[1], context)

    def accept() -> None:
        with suppress(OSError):
            while True:
                plain, _place = listening.accept()
                threading.Thread(target=server.connection, args=(plain,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
