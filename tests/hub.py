"""A loopback Hugging Face Hub with a store behind it, as two servers on two ports.

The Hub answers with a redirect that states size, checksum and revision; the store serves the bytes,
knows ranges, and breaks off where it is told to. The Hub also lists the models that it is given.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.hub_models import Repo, expanded, listed, page

REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What it has and what it saw. `cuts` are sizes after which the next answers break off; `gate`
    is the token it wants; `states` says whether it tells the checksum; `revisions`, where set, are
    those there are. `repos` are models with files of their own, `page` the most of a list at once,
    `links`, where set, where every list goes on, and `moved` names that lead to others."""

    data: bytes = b""
    sha256: str = ""
    gate: str | None = None
    states: bool = True
    ranges: bool = True
    revisions: set[str] = field(default_factory=set)
    cuts: list[int] = field(default_factory=list)
    asked: list[tuple[str, str, str, dict[str, str]]] = field(default_factory=list)
    repos: list[Repo] = field(default_factory=list)
    page: int | None = None
    links: str | None = None
    moved: dict[str, str] = field(default_factory=dict)
    url: str = ""
    store: str = ""

    def __post_init__(self) -> None:
        self.sha256 = self.sha256 or hashlib.sha256(self.data).hexdigest()

    def repo(self, path: str) -> tuple[Repo | None, str]:
        """The repository whose name a path begins with, and the rest of the path."""
        for one in self.repos:
            if path == one.id or path.startswith(f"{one.id}/"):
                return one, path[len(one.id) + 1 :]
        return None, path

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
            path = unquote(urlsplit(self.path).path)
            if path.startswith("/api/models"):
                self.answer(path.removeprefix("/api/models").lstrip("/"))
            elif hub.repo(path[1:])[0] is not None:
                self.file(path[1:])
            elif hub.gate and self.headers.get("authorization") != f"Bearer {hub.gate}":
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

        def answer(self, path: str) -> None:
            """The API: a list, a model, its files."""
            query = parse_qs(urlsplit(self.path).query)
            if not path:
                found = listed(hub.repos, query)
                facts = [one.facts(expanded(query), alone=False) for one in found]
                self.document(facts, many=True)
                return
            if (new := hub.moved.get(path)) is not None:
                self.reply(307, {"location": f"/api/models/{new}?{urlsplit(self.path).query}"})
                return
            repo, rest = hub.repo(path)
            if hub.gate and self.headers.get("authorization") not in (None, f"Bearer {hub.gate}"):
                self.refused(401, None, "Invalid credentials in Authorization header")
            elif repo is None or rest.partition("/")[0] not in ("", "tree"):
                self.refused(401, "RepoNotFound", "Invalid username or password.")
            elif not rest:
                self.document(repo.facts(expanded(query), alone=True))
            elif rest.partition("/")[2] not in ("main", repo.sha):
                self.refused(404, "RevisionNotFound", "Invalid rev id")
            else:
                self.document(repo.tree(), many=True)

        def document(self, value: Any, *, many: bool = False) -> None:
            headers = {"content-type": "application/json"}
            if many:
                value, link = page(hub.url, self.path, value, size=hub.page)
                headers |= {"link": hub.links.format(url=hub.url)} if hub.links else link
            self.reply(200, headers, json.dumps(value).encode())

        def refused(self, status: int, code: str | None, said: str) -> None:
            headers = {"x-error-code": code} if code else {}
            self.reply(status, {**headers, "x-error-message": said})

        def file(self, path: str) -> None:
            """A file of one of the repositories, which a gated one gives only to its token."""
            repo, rest = hub.repo(path)
            assert repo is not None
            _resolve, revision, file = rest.split("/", 2)
            if repo.gated and self.headers.get("authorization") != f"Bearer {hub.gate}":
                said = f"Access to model {repo.id} is restricted. You must have access to it"
                self.refused(401, "GatedRepo", said)
            elif revision not in ("main", repo.sha) or file not in repo.files:
                self.refused(404, "EntryNotFound", "Entry not found")
            else:
                stated = {"x-repo-commit": repo.sha, "x-linked-size": str(len(repo.files[file]))}
                stated["x-linked-etag"] = f'"{repo.sum_of(file)}"'
                self.reply(302, {**stated, "location": f"{hub.store}/{repo.id}/{file}"})

        do_HEAD = do_GET  # noqa: N815  the name is http.server's

    class Back(Handler):
        place = "store"

        def do_GET(self) -> None:
            self.note()
            start = 0
            repo, rest = hub.repo(self.path[1:])
            data = hub.data if repo is None else repo.files[unquote(rest)]
            if hub.ranges and (asked := self.headers.get("range")):
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= len(data):
                    self.reply(416, {})
                    return
            body = data[start:]
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
    threads = [
        threading.Thread(target=one.serve_forever, args=(0.02,), daemon=True) for one in servers
    ]
    for thread in threads:
        thread.start()
    try:
        yield hub
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
