"""Gemini's Files API: what is too large for a request is uploaded before it, asked after until the
service has read it, and deleted again.

The upload is resumable: a first request says what is to come and is answered by an address, to
which the bytes go. Files are kept for 48 hours where nobody deletes them.
"""

import re
from collections.abc import Iterable, Mapping

from llmctl.dialects import FilePart, FollowUp, Frame, HttpCall, Upload
from llmctl.dialects.look import at, parse, text_at
from llmctl.errors import ProviderFailed, Rejected
from llmctl.messages import _
from llmctl.types import Json, Media, Quirks
from llmctl.values import replace

# Seconds between questions after a file: pictures take none, an hour of video takes minutes.
FIRST_WAIT, LONGER, LONGEST_WAIT = 0.5, 1.5, 10.0

_NAME = re.compile(r"files/[A-Za-z0-9._-]*[A-Za-z0-9][A-Za-z0-9._-]*")
_BEGUN = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}
_BYTES = {"X-Goog-Upload-Offset": "0", "X-Goog-Upload-Command": "upload, finalize"}


def too_large(files: Iterable[Media], quirks: Quirks) -> tuple[Media, ...]:
    """Those of the files that do not fit into a request: the largest, until the rest does."""
    if quirks.inline_bytes is None:
        return ()
    inside = {id(one): one for one in files if one.length is not None and one.ref is None}
    left = sum(map(_taken, inside.values()))
    going: set[int] = set()
    for one in sorted(inside.values(), key=_taken, reverse=True):
        if left <= quirks.inline_bytes:
            break
        going.add(id(one))
        left -= _taken(one)
    return tuple(one for key, one in inside.items() if key in going)


def _taken(file: Media) -> int:
    """Bytes of base64."""
    return ((file.length or 0) + 2) // 3 * 4


class GeminiUpload(Upload):
    """The address for the bytes, the bytes, and the state of the file until it is ready."""

    def __init__(self, file: Media) -> None:
        self.file = self.name = None
        self._given = file
        self._wait = FIRST_WAIT
        self._sending = False
        told: dict[str, Json] = {"displayName": file.name} if file.name else {}
        headers = {
            **_BEGUN,
            "X-Goog-Upload-Header-Content-Length": str(file.length),
            "X-Goog-Upload-Header-Content-Type": file.media_type,
        }
        self.then: FollowUp | None = FollowUp(
            HttpCall("POST", "upload/v1beta/files", {"file": told}, headers), 0.0
        )

    def read(self, headers: Mapping[str, str], frame: Frame) -> None:
        if not self._sending:
            self._sending = True
            address = headers.get("x-goog-upload-url")
            if not address:
                raise _odd(_("it names no address for the bytes"))
            http = HttpCall("POST", address, None, _BYTES, file=FilePart(self._given))
            self.then = FollowUp(http, 0.0)
            return
        answer = parse(frame.data)
        self._described(at(answer, "file") or answer)

    def _described(self, file: Json) -> None:
        name = text_at(file, "name") or ""
        if self.name is None:
            if not _NAME.fullmatch(name):
                raise _odd(_("it names no file"))
            self.name = name
        match text_at(file, "state"):
            case "PROCESSING":
                self.then = FollowUp(HttpCall("GET", f"v1beta/{self.name}"), self._wait)
                self._wait = min(self._wait * LONGER, LONGEST_WAIT)
            case "FAILED":
                why = text_at(file, "error", "message") or _("it does not say why")
                raise Rejected(
                    _("the provider could not make use of {name}: {why}",
                      name=self._given.name or self._given.media_type, why=why),
                    reason="file",
                    hint=_("is the file whole, and of a kind that the model takes?"),
                )  # fmt: skip
            case _:
                uri = text_at(file, "uri")
                if not uri:
                    raise _odd(_("it gives the file no address"))
                media_type = text_at(file, "mimeType") or self._given.media_type
                self.then = None
                self.file = replace(
                    self._given, media_type=media_type, data=None, path=None, size=None, ref=uri
                )


def _odd(why: str) -> ProviderFailed:
    return ProviderFailed(
        _("the answer to an upload is not as it should be: {why}", why=why),
        reason="upload",
        retryable=False,
    )
