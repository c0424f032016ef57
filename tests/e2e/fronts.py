"""What can stand between the command and a server: TLS, an HTTP proxy, a SOCKS proxy; each in a
thread of its own, on loopback."""

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(slots=True)
class Front:
    """`seen` is what each connection asked for: a request line and its header fields, or the goal
    that SOCKS named; `met` and `left` are set when a client
    of the mute one has said something, and when it has gone."""

    port: int = 0
    seen: list[str] = field(default_factory=list)
    connections: int = 0
    met: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)


class _Serving:
    """Accepts connections, and hands each to `serve` in a thread."""

    def __init__(self, backend: int, front: Front) -> None:
        self.backend = backend
        self.front = front
        self._listening = socket.create_server(("127.0.0.1", 0))
        front.port = self._listening.getsockname()[1]
        self._open: list[socket.socket] = [self._listening]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                plug, _address = self._listening.accept()
                self.front.connections += 1
                self._open.append(plug)
                threading.Thread(target=self._served, args=(plug,), daemon=True).start()

    def _served(self, plug: socket.socket) -> None:
        with suppress(OSError):
            self.serve(plug)
        plug.close()

    def serve(self, plug: socket.socket) -> None:
        raise NotImplementedError

    def join(self, plug: socket.socket, first: bytes = b"") -> None:
        """Pass everything on between the client and the server behind us, until one leaves."""
        with socket.create_connection(("127.0.0.1", self.backend)) as behind:
            behind.sendall(first)
            back = threading.Thread(target=_pump, args=(behind, plug), daemon=True)
            back.start()
            _pump(plug, behind)
            back.join(5)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


class _Tls(_Serving):
    def __init__(self, backend: int, front: Front, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(backend, front)

    def serve(self, plug: socket.socket) -> None:
        plug.settimeout(10)
        with self._context.wrap_socket(plug, server_side=True) as secured:
            # One request, one answer: TLS sockets of this module do not read and write at once.
            request = secured.recv(65536)
            with socket.create_connection(("127.0.0.1", self.backend)) as behind:
                behind.sendall(request)
                while data := behind.recv(65536):
                    secured.sendall(data)
                    if data.endswith(b"0\r\n\r\n"):
                        break


class _HttpProxy(_Serving):
    """Every name leads to the one server behind it. `password` is asked for when set."""

    def __init__(self, backend: int, front: Front, credentials: str | None) -> None:
        self._credentials = credentials
        super().__init__(backend, front)

    def serve(self, plug: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = plug.recv(65536)
            if not piece:
                return
            data += piece
        head, rest = data.split(b"\r\n\r\n", 1)
        text = head.decode("latin-1")
        self.front.seen.append(text)
        if self._credentials is not None and f"Basic {self._credentials}" not in text:
            plug.sendall(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
        elif text.startswith("CONNECT "):
            plug.sendall(b"HTTP/1.1 200 Go ahead\r\n\r\n")
            self.join(plug, rest)
        else:
            method, url, version = text.split("\r\n")[0].split(" ")
            path = "/" + url.split("://", 1)[1].split("/", 1)[1]
            lines = [f"{method} {path} {version}", *text.split("\r\n")[1:]]
            self.join(plug, "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + rest)


class _SocksProxy(_Serving):
    """SOCKS5 without a password (RFC 1928)."""

    def serve(self, plug: socket.socket) -> None:
        _version, count = plug.recv(2)
        plug.recv(count)
        plug.sendall(b"\x05\x00")
        asked = plug.recv(4)
        if not asked:  # it left after the greeting
            return
        kind = asked[3]
        if kind == 3:
            host = plug.recv(plug.recv(1)[0]).decode()
        else:
            host = socket.inet_ntop(socket.AF_INET, plug.recv(4))
        (port,) = struct.unpack(">H", plug.recv(2))
        self.front.seen.append(f"{host}:{port}")
        plug.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        self.join(plug)


class _Mute(_Serving):
    """Takes connections, and answers whatever comes with `answer` or not at all."""

    def __init__(self, front: Front, answer: bytes) -> None:
        self._answer = answer
        super().__init__(0, front)

    def serve(self, plug: socket.socket) -> None:
        plug.recv(65536)
        self.front.met.set()
        plug.sendall(self._answer)
        while plug.recv(65536):
            pass
        self.front.left.set()


@contextmanager
def _running(serving: _Serving) -> Iterator[Front]:
    try:
        yield serving.front
    finally:
        serving.stop()


def tls(backend: int, context: ssl.SSLContext) -> AbstractContextManager[Front]:
    return _running(_Tls(backend, Front(), context))


def http_proxy(backend: int, credentials: str | None = None) -> AbstractContextManager[Front]:
    """`credentials` is what must stand behind `Basic`."""
    return _running(_HttpProxy(backend, Front(), credentials))


def socks_proxy(backend: int) -> AbstractContextManager[Front]:
    return _running(_SocksProxy(backend, Front()))


def mute(answer: bytes = b"") -> AbstractContextManager[Front]:
    return _running(_Mute(Front(), answer))
