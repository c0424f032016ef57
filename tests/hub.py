"""A loopback Hugging Face Hub with a store behind it, as two servers on two ports.

The Hub answers with a redirect that states size, checksum and revision; the store serves the bytes,
knows ranges, and breaks off where it is told to.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What it has and what it saw. `cuts` are sizes after which the next answers break off; `gate`
    is the token it wants; `states` says whether it tells the checksum; `revisions`, where set, are
    those there are."""

    data: bytes
    sha256: str = ""
    gate: str | None = None
    states: bool = True
    ranges: bool = True
    revisions: set[str] = field(default_factory=set)
    cuts: list[int] = field(default_factory=list)
    asked: list[tuple[str, str, str, dict[str, str]]] = field(default_factory=list)
    url: str = ""
    store: str = ""

    def __post_init__(self) -> None:
        self.sha256 = self.sha256 or hashlib.sha256(self.data).hexdigest()

    @property
    def fetched(self) -> list[str]:
        """The ranges asked of the store, "" for a whole file."""
        return [
            headers.get("range", "")
            for place, method, _path, headers in self.asked
            if (place, method) == ("store", "GET")
        ]


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Both servers, until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        place = ""

        def log_message(self, *_given: Any) -> None:
            pass

        def note(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            hub.asked.append((self.place, self.command, self.path, headers))

        def reply(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    class Front(Handler):
        place = "hub"

        def do_GET(self) -> None:
            self.note()
            if hub.gate and self.headers.get("authorization") != f"Bearer {hub.gate}":
                self.reply(401, {"x-error-message": "Access to model org/tiny is restricted"})
            elif not self.path.startswith("/org/tiny/resolve/") or (
                hub.revisions and self.path.split("/")[4] not in hub.revisions
            ):
                self.reply(404, {"x-error-message": "Repository not found"})
            else:
                stated = {"x-repo-commit": REVISION, "x-linked-size": str(len(hub.data))}
                if hub.states:
                    stated["x-linked-etag"] = f'"{hub.sha256}"'
                self.reply(302, {**stated, "location": f"{hub.store}/blob"})

        do_HEAD = do_GET  # noqa: N815  the name is http.server's

    class Back(Handler):
        place = "store"

        def do_GET(self) -> None:
            self.note()
            start = 0
            if hub.ranges and (asked := self.headers.get("range")):
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= len(hub.data):
                    self.reply(416, {})
                    return
            body = hub.data[start:]
            self.send_response(206 if start else 200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command == "HEAD":
                return
            if hub.cuts:
                self.wfile.write(body[: hub.cuts.pop(0)])
                self.close_connection = True
            else:
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815  the name is http.server's

    servers = [ThreadingHTTPServer(("127.0.0.1", 0), kind) for kind in (Front, Back)]
    hub.url, hub.store = (f"http://127.0.0.1:{one.server_port}" for one in servers)
    threads = [threading.Thread(target=one.serve_forever, daemon=True) for one in servers]
    for thread in threads:
        thread.start()
    try:
        yield hub
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
