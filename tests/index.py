"""A package index and a file server on this machine: the simple pages of an index with one wheel of
llmctl's cards, and files under `/files/`, by https where a context is given."""

import hashlib
import io
import ssl
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NAME = "llmctl_cli"


@dataclass
class Index:
    """What is served by path, redirects by path, and which paths were asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def release(self, version: str, cards: Mapping[str, str]) -> None:
        """One more release of the package, with these cards."""
        name = f"{NAME}-{version}-py3-none-any.whl"
        self.files[f"/files/{name}"] = wheel(version, cards)
        links = "".join(
            f'<a href="{path}#sha256={hashlib.sha256(data).hexdigest()}">{path[7:]}</a>\n'
            for path, data in self.files.items()
            if path.endswith(".whl")
        )
        page = f"<!DOCTYPE html><html><body>{links}</body></html>"
        self.files["/simple/llmctl-cli/"] = page.encode()


def wheel(version: str, cards: Mapping[str, str]) -> bytes:
    """A wheel that an installer takes, and that does nothing."""
    info = f"{NAME}-{version}.dist-info"
    entries = {f"llmctl/_providers/{name}.toml": text for name, text in cards.items()}
    entries[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: llmctl-cli\nVersion: {version}\n"
    entries[f"{info}/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    listed = [*entries, f"{info}/RECORD"]
    entries[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in listed)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name, text in entries.items():
            packed.writestr(name, text)
    return made.getvalue()


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Index]:
    """The server, until the end of the block."""
    index = Index()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_given: Any) -> None:
            pass

        def do_GET(self) -> None:
            index.asked.append(self.path)
            if self.path in index.redirects:
                self.send_response(302)
                self.send_header("location", index.redirects[self.path])
                self.end_headers()
                return
            data = index.files.get(self.path)
            self.send_response(404 if data is None else 200)
            kind = "text/html" if self.path.endswith("/") else "application/octet-stream"
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    index.url = f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
