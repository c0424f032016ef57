"""Files that are uploaded: GigaChat's store, and Gemini's resumable uploads. What is in `held` at
the end of a test is what somebody would find there.

Faults are asked for by `Simulator.files.script`, one for each request of an upload that brings
bytes, unless its name says something else.
"""

import asyncio
import json
import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import TYPE_CHECKING, Any

from tests.simulator.exchange import Exchange, Route
from tests.simulator.wire import Request, Wire

if TYPE_CHECKING:
    from tests.simulator.site import Simulator

UPLOAD = "/upload/v1beta/files"
GIGACHAT = "/gigachat/v1/files"
ONE = re.compile(r"/v1beta/(files/[a-z0-9-]+)")
STORED = re.compile(rf"{GIGACHAT}/([a-f0-9-]+)(/content|/delete)?")

# Before all of the body is here: the connection closes, an error comes, or nothing is read.
EARLY = frozenset({"cut", "too-large", "stall"})
# After it.
LATE = frozenset({"lost", "busy", "no-name", "fails", "never-ready", "no-address", "other-host"})


@dataclass
class Held:
    name: str
    file: str
    kind: str
    data: bytes
    owner: str | None = None  # GigaChat's X-Client-ID
    asked: int = 0


@dataclass
class Files:
    """`held` by name. `looks` is how often a file of Gemini is asked after before it is ready;
    `keeps` answers deletions with this status instead of deleting."""

    held: dict[str, Held] = field(default_factory=dict)
    looks: int = 0
    keeps: int | None = None
    most: int = 0  # files that were there at once
    numbers: int = 0
    _script: deque[str] = field(default_factory=deque)
    _begun: dict[str, Mapping[str, str]] = field(default_factory=dict)
    _odd: dict[str, str] = field(default_factory=dict)

    def script(self, names: Iterable[str]) -> None:
        names = tuple(names)
        if unknown := set(names) - EARLY - LATE - {"ok"}:
            raise KeyError(f"no fault is called {unknown}")
        self._script.extend(names)

    def next_fault(self, among: frozenset[str]) -> str | None:
        """The fault that is to come, if it is one of these or none at all."""
        if self._script and self._script[0] in among | {"ok"}:
            return self._script.popleft()
        return None

    def name(self) -> str:
        self.numbers += 1
        return f"{self.numbers:08x}-0000-4000-8000-000000000000"

    def keep(self, held: Held) -> None:
        self.held[held.name] = held
        self.most = max(self.most, len(self.held))


def brings_file(request: Request) -> bool:
    """Whether the body of a request is a file."""
    if request.method != "POST":
        return False
    return request.path == GIGACHAT or (
        request.path == UPLOAD and "upload" in request.headers.get("x-goog-upload-command", "")
    )


async def early(site: "Simulator", request: Request, wire: Wire) -> bool:
    """What happens to a request with a file when its head is here; whether that was all."""
    if not brings_file(request):
        return False
    name = site.files.next_fault(EARLY)
    length = int(request.headers.get("content-length", "0"))
    match name:
        case "cut":
            await wire.received(length // 2)
            wire.reset()
        case "too-large":
            await wire.received(min(length, 64 * 1024))
            said = json.dumps({"status": 413, "message": "Request Entity Too Large"}).encode()
            await wire.head(413, {"content-type": "application/json"}, length=len(said))
            await wire.send(said)
            await asyncio.sleep(0.2)  # it goes on sending: a close would be a reset to it
        case "stall":
            wire.pause()
            await wire.silence()
        case _:
            return False
    return True


def of_gigachat(request: Request) -> Route | None:
    if request.path == GIGACHAT:
        return {"POST": _store, "GET": _list}.get(request.method)
    found = STORED.fullmatch(request.path)
    fits = found and request.method == ("POST" if found[2] == "/delete" else "GET")
    return _stored if fits else None


def of_gemini(request: Request) -> Route | None:
    if request.path == UPLOAD and request.method == "POST":
        return _upload
    fits = ONE.fullmatch(request.path) and request.method in ("GET", "DELETE")
    return _file if fits else None


# ---- GigaChat


async def _store(exchange: Exchange) -> None:
    if not await _let_in(exchange):
        return
    files, request = exchange.site.files, exchange.request
    fault = files.next_fault(LATE)
    if fault == "busy":
        await exchange.refuse(503, "Service is not available")
        return
    parts = form(request)
    [purpose] = [one for one in parts if one["name"] == "purpose"]
    [file] = [one for one in parts if one["name"] == "file"]
    if purpose["data"] not in (b"general", b"assistant") or not file["kind"]:
        await exchange.refuse(400, "Invalid params: purpose")
        return
    held = Held(
        files.name(), file["filename"], file["kind"], file["data"],
        request.headers.get("x-client-id"),
    )  # fmt: skip
    files.keep(held)
    if fault == "lost":
        exchange.wire.close()
    elif fault == "no-name":
        await exchange.json({"object": "file"})
    else:
        await exchange.json(_told(held))


async def _list(exchange: Exchange) -> None:
    if await _let_in(exchange):
        told = [_told(one) for one in exchange.site.files.held.values()]
        await exchange.json({"data": told})


async def _stored(exchange: Exchange) -> None:
    found = STORED.fullmatch(exchange.request.path)
    assert found
    if not await _let_in(exchange):
        return
    files, what = exchange.site.files, found[2]
    held = files.held.get(found[1])
    if held is None:
        await exchange.refuse(404, "No such file")
    elif held.owner != exchange.request.headers.get("x-client-id"):
        await exchange.refuse(403, f"Access to file '{held.name}' is denied")
    elif what == "/delete" and files.keeps is not None:
        await exchange.refuse(files.keeps, "Service is not available")
    elif what == "/delete":
        del files.held[held.name]
        await exchange.json({"id": held.name, "object": "file", "deleted": True})
    elif what == "/content":
        await exchange.body(held.data, kind=held.kind)
    else:
        await exchange.json(_told(held))


def _told(held: Held) -> dict[str, Any]:
    return {
        "id": held.name,
        "object": "file",
        "bytes": len(held.data),
        "access_policy": "private",
        "created_at": 1_795_000_000,
        "filename": held.file,
        "purpose": "general",
    }


def unknown(site: "Simulator", messages: list[Any]) -> str | None:
    """A file that a message names and that is not in the store, in either version."""
    for one in messages:
        content = one.get("content")
        parts = content if isinstance(content, list) else []
        inside = [file["id"] for part in parts for file in part.get("files", [])]
        for name in [*one.get("attachments", []), *inside]:
            if name not in site.files.held:
                return str(name)
    return None


async def _let_in(exchange: Exchange) -> bool:
    token = exchange.request.headers.get("authorization", "").removeprefix("Bearer ")
    if token in exchange.site.tokens:
        return True
    await exchange.json({"status": 401, "message": "Token has expired"}, 401)
    return False


def form(request: Request) -> list[dict[str, Any]]:
    """The parts of a form, read by the standard library's reader of mail."""
    head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
    parsed = BytesParser(policy=HTTP).parsebytes(head + request.body)
    return [
        {
            "name": part.get_param("name", header="content-disposition"),
            "filename": part.get_filename() or "",
            "kind": part["content-type"] and part.get_content_type(),
            "data": part.get_payload(decode=True),
        }
        for part in parsed.iter_parts()
    ]


# ---- Gemini


async def _upload(exchange: Exchange) -> None:
    command = exchange.request.headers.get("x-goog-upload-command")
    if command == "start":
        await _begin(exchange)
    elif command == "upload, finalize":
        await _finalize(exchange)
    else:
        await exchange.refuse(400, f"Invalid upload command: {command}")


async def _begin(exchange: Exchange) -> None:
    files, request = exchange.site.files, exchange.request
    headers = request.headers
    size = headers.get("x-goog-upload-header-content-length", "")
    kind = headers.get("x-goog-upload-header-content-type", "")
    if (
        headers.get("x-goog-upload-protocol") != "resumable"
        or not size.isdigit()
        or "/" not in kind
    ):
        await exchange.refuse(400, "Invalid upload")
        return
    told = request.json.get("file", {}) if request.body else {}
    name = files.name()
    title = told.get("displayName") or told.get("display_name") or ""
    files._begun[name] = {"size": size, "kind": kind, "title": title}
    address = f"{exchange.site.url}{UPLOAD}?upload_id={name}&upload_protocol=resumable"
    fault = files.next_fault(frozenset({"no-address", "other-host"}))
    if fault == "other-host":
        address = f"{exchange.site.away}{UPLOAD}?upload_id={name}"
    head = {"x-goog-upload-status": "active"}
    if fault != "no-address":
        head |= {"x-goog-upload-url": address, "x-goog-upload-control-url": address}
    await exchange.body(b"", 200, head)


async def _finalize(exchange: Exchange) -> None:
    files, request = exchange.site.files, exchange.request
    query = dict(pair.split("=") for pair in request.query.split("&"))
    begun = files._begun.get(query["upload_id"])
    fault = files.next_fault(LATE)
    if fault == "busy":
        await exchange.refuse(503, "The service is currently unavailable.")
        return
    if begun is None or int(begun["size"]) != len(request.body):
        await exchange.refuse(400, "Invalid upload")
        return
    if request.headers.get("x-goog-upload-offset") != "0":
        await exchange.refuse(400, "Invalid upload")
        return
    name = f"files/{files.name()}"
    held = Held(name, begun["title"], begun["kind"], request.body)
    files.keep(held)
    if fault:
        files._odd[name] = fault
    if fault == "lost":
        exchange.wire.close()
    elif fault == "no-name":
        await exchange.json({"file": {}})
    else:
        document = {"file": _described(exchange.site, held)}
        await exchange.json(document, headers={"x-goog-upload-status": "final"})


async def _file(exchange: Exchange) -> None:
    found = ONE.fullmatch(exchange.request.path)
    assert found
    files, method = exchange.site.files, exchange.request.method
    held = files.held.get(found[1])
    if held is None:
        await exchange.refuse(
            403, "You do not have permission to access the File or it may not exist"
        )
    elif method == "DELETE" and files.keeps is not None:
        await exchange.refuse(files.keeps, "The service is currently unavailable.")
    elif method == "DELETE":
        del files.held[held.name]
        await exchange.json({})
    else:
        held.asked += 1
        await exchange.json(_described(exchange.site, held))


def _described(site: "Simulator", held: Held) -> dict[str, Any]:
    files = site.files
    odd = files._odd.get(held.name)
    ready = held.asked >= files.looks and odd != "never-ready"
    state = "ACTIVE" if ready else "PROCESSING"
    told = {
        "name": held.name,
        "displayName": held.file,
        "mimeType": held.kind,
        "sizeBytes": str(len(held.data)),
        "createTime": "2026-11-23T10:00:00Z",
        "expirationTime": "2026-11-25T10:00:00Z",
        "uri": f"{site.url}/v1beta/{held.name}",
        "state": state,
        "source": "UPLOADED",
    }
    if ready and odd == "fails":
        return told | {
            "state": "FAILED",
            "error": {"code": 3, "message": "The video could not be decoded"},
        }
    return told
