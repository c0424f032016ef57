"""Files in GigaChat's store: a form by which one is uploaded, the id by which a message names it,
and its deletion. All of it is version 1 of the API, for requests of both."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from llmctl.dialects import FilePart, FollowUp, Frame, HttpCall, Upload
from llmctl.dialects.look import parse, text_at
from llmctl.dialects.media import not_by_url
from llmctl.errors import ProviderFailed
from llmctl.messages import _
from llmctl.types import Json, Media, Part, Text
from llmctl.values import replace

# What stands in the place of an id before there is one.
PENDING = "pending"

# What the store calls the kinds that others call otherwise.
KINDS: Mapping[str, str] = {
    "audio/mpeg": "audio/mp3",
    "application/epub+zip": "application/epub",
    "application/vnd.ms-powerpoint": "application/ppt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": (
        "application/pptx"
    ),
}
# Kinds that the model takes in by itself; a document is read by a function of the provider's own.
SEEN = ("image/", "audio/", "video/")

ID = re.compile(r"[A-Za-z0-9_-]+")


def to_store(files: Iterable[Media]) -> tuple[Media, ...]:
    """Those of the files, each once, that are not in the store yet; raises UsageError for one that
    is somewhere else."""
    files = tuple(files)
    ids(files)
    return tuple({id(one): one for one in files if one.ref is None}.values())


def ids(parts: Iterable[Part]) -> list[str]:
    """What the files among the parts of a message are called; raises UsageError for one that is
    somewhere else."""
    found = []
    for part in parts:
        if isinstance(part, Media):
            if part.url is not None:
                raise not_by_url(part)
            found.append(part.ref or PENDING)
    return found


def content(parts: Iterable[Part]) -> Iterator[Json]:
    """Texts and files in their order, neighbours of one kind as one part of a message of v2."""
    for kind, near in groupby(parts, type):
        if kind is Text:
            if text := "".join(part.text for part in near if isinstance(part, Text)):
                yield {"text": text}
        elif kind is Media:
            yield {"files": [{"id": name} for name in ids(near)]}


def are_seen(files: Iterable[Media]) -> bool:
    """Whether none of the files is one that only a function of the provider's own can read."""
    return all(one.media_type.startswith(SEEN) for one in files)


class GigaChatUpload(Upload):
    """One form, answered by the id of the file."""

    def __init__(self, file: Media) -> None:
        self.file = self.name = None
        self._given = file
        sent = replace(file, media_type=KINDS.get(file.media_type, file.media_type))
        part = FilePart(sent, {"purpose": "general"})
        self.then: FollowUp | None = FollowUp(HttpCall("POST", "files", file=part), 0.0)

    def read(self, headers: Mapping[str, str], frame: Frame) -> None:
        name = text_at(parse(frame.data), "id") or ""
        if not ID.fullmatch(name):
            raise ProviderFailed(
                _("the answer to an upload is not as it should be: {why}",
                  why=_("it names no file")),
                reason="upload",
                retryable=False,
            )  # fmt: skip
        self.name = name
        self.then = None
        self.file = replace(self._given, data=None, path=None, size=None, ref=name)
