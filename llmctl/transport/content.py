"""Bodies of requests that have files in them: read while they are sent, and as often as they are
sent, so that no file is ever held whole."""

from __future__ import annotations

import json
import re
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx

from llmctl.dialects.media import FileText
from llmctl.errors import UsageError
from llmctl.files import unreadable
from llmctl.messages import _

if TYPE_CHECKING:
    from llmctl.dialects import FilePart
    from llmctl.types import Json, Media

# Divisible by 3, so that pieces of base64 can be joined.
BLOCK = 192 * 1024

_KIND = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)

Report = Callable[[int], None]


class Content(httpx.AsyncByteStream):
    """Pieces of bytes and files in a row. `size` is the length of all; `report` gets the bytes that
    have been read of it so far. Raises UsageError for a file that has gone or changed."""

    def __init__(
        self, pieces: list[bytes | Media | FileText], media_type: str, report: Report | None = None
    ) -> None:
        self.media_type = media_type
        self.size = sum(map(_length, pieces))
        self._pieces = pieces
        self._report = report

    async def __aiter__(self) -> AsyncIterator[bytes]:
        sent = 0
        for piece in self._pieces:
            for block in _blocks(piece):
                yield block
                sent += len(block)
                if self._report is not None:
                    self._report(sent)


def content_of_json(body: Mapping[str, Json], report: Report | None = None) -> Content | bytes:
    """A body as UTF-8 JSON, with the files that stand in it where there are any. Raises ValueError
    and UnicodeEncodeError as json does."""
    files: dict[str, FileText] = {}
    mark = secrets.token_hex(16)

    def held(value: object) -> str:
        if not isinstance(value, FileText):
            raise TypeError(f"{type(value).__name__} is not JSON")
        name = f"{mark}.{len(files)}."
        files[name] = value
        return name

    text = json.dumps(
        body, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=held
    )
    if not files:
        return text.encode("utf-8")
    pieces: list[bytes | Media | FileText] = []
    rest = text
    for name, file in files.items():
        before, _mark, rest = rest.partition(f'"{name}"')
        opening = json.dumps(file.prefix, ensure_ascii=False)[:-1]
        pieces += [(before + opening).encode("utf-8"), file]
        rest = f'"{rest}'
    pieces.append(rest.encode("utf-8"))
    return Content(pieces, "application/json", report)


def content_of_file(part: FilePart, report: Report | None = None) -> Content:
    """A file as a body of its own, or as the last part of a form."""
    kind = part.file.media_type
    if not _KIND.fullmatch(kind):  # it goes into headers
        kind = "application/octet-stream"
    if part.fields is None:
        return Content([part.file], kind, report)
    boundary = secrets.token_hex(16)
    head = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'
        for name, value in part.fields.items()
    )
    name = _quoted(part.file.name or "file").replace("/", "_")  # who takes a form drops folders
    head += (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(part.field)}";'
        f' filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
    )
    pieces: list[bytes | Media | FileText] = [
        head.encode("utf-8"), part.file, f"\r\n--{boundary}--\r\n".encode("ascii"),
    ]  # fmt: skip
    return Content(pieces, f"multipart/form-data; boundary={boundary}", report)


def _quoted(name: str) -> str:
    """As browsers write names in forms."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _length(piece: bytes | Media | FileText) -> int:
    if isinstance(piece, bytes):
        return len(piece)
    if isinstance(piece, FileText):
        return (_length(piece.file) + 2) // 3 * 4
    length = piece.length
    assert length is not None  # noqa: S101  only what is here can be sent
    return length


def _blocks(piece: bytes | Media | FileText) -> Iterator[bytes]:
    if isinstance(piece, bytes):
        yield piece
    elif isinstance(piece, FileText):
        yield from map(b64encode, _read(piece.file))
    else:
        yield from _read(piece)


def _read(file: Media) -> Iterator[bytes]:
    """A file in blocks, all but the last of the same size."""
    if file.data is not None:
        for start in range(0, len(file.data), BLOCK):
            yield file.data[start : start + BLOCK]
        return
    assert file.path is not None and file.size is not None  # noqa: S101, PT018  nothing else is here
    left = file.size
    with ExitStack() as held:
        try:
            opened = held.enter_context(open(file.path, "rb"))
            while left > BLOCK and (block := opened.read(BLOCK)):
                left -= len(block)
                yield block
            # Before the last block goes out: what has changed must not be whole at the server.
            rest = opened.read(left + 1)
            if len(rest) != left:
                raise UsageError(
                    _("{path} changed while it was sent", path=file.path),
                    hint=_("run it again when nothing writes to it"),
                )
            if rest:
                yield rest
        except OSError as error:
            hint = _("run it again when it can be read")
            raise unreadable(error, file.path, hint) from None
