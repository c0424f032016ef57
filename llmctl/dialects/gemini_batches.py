"""Gemini's batches: a file of lines goes to the Files API, an operation is made of it, and its
answers lie in a further file. They bear our names (`displayName`)."""

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from llmctl.dialects import Dialect, FollowUp, Frame, HttpCall, Upload, gemini_errors
from llmctl.dialects.batches import (
    Batches,
    Candidate,
    Gone,
    Handing,
    JobState,
    Phase,
    Result,
    alone,
    named,
    refuse_uploads,
    whole,
)
from llmctl.dialects.gemini_files import GeminiUpload
from llmctl.dialects.look import at, int_at, parse, text_at
from llmctl.dialects.yandexgpt_errors import STATUS_OF  # of gRPC, as everywhere
from llmctl.errors import LlmctlError
from llmctl.types import Call, Json, Media, Quirks
from llmctl.values import replace

JOB = re.compile(r"batches/[A-Za-z0-9._-]+")
FILE = re.compile(r"files/[A-Za-z0-9._-]+")
PHASES: Mapping[str, Phase] = {
    "PENDING": Phase.WAITING,
    "RUNNING": Phase.RUNNING,
    "SUCCEEDED": Phase.DONE,
    "FAILED": Phase.FAILED,
    "CANCELLED": Phase.CANCELLED,
    "EXPIRED": Phase.EXPIRED,
}
# The code of gRPC of a row that was not come to.
CANCELLED, DEADLINE = 1, 4


class GeminiBatches(Batches):
    """`models/…:batchGenerateContent` with a file."""

    has_keys = True

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def entry(self, id: str, call: Call, quirks: Quirks) -> Mapping[str, Json]:
        refuse_uploads(self._dialect.to_upload(call, quirks))
        return {"key": id, "request": whole(self._dialect.encode(alone(call), quirks))}

    def kind(self, call: Call, quirks: Quirks) -> str:
        """The path of the model, which a line does not name."""
        path, _mark, method = self._dialect.encode(alone(call), quirks).path.rpartition(":")
        return f"{path}:batch{method[:1].upper()}{method[1:]}"

    def hand_in(self, file: Media, key: str, kind: str) -> Handing:
        return _Handing(file, key, kind)

    def look(self, job: str) -> HttpCall:
        return HttpCall("GET", f"v1beta/{job}")

    def state(self, job: str, answer: Json) -> JobState:
        told = at(answer, "metadata")
        word = (text_at(told, "state") or "").rpartition("STATE_")[2]
        phase = PHASES.get(word, Phase.RUNNING)
        out = at(told, "output") or at(answer, "response")
        made = text_at(out, "responsesFile") or ""
        given = text_at(told, "inputConfig", "fileName") or ""
        stats = at(told, "batchStats")
        error = at(answer, "error")
        return JobState(
            phase=phase,
            answered=int_at(stats, "successfulRequestCount"),
            failed=int_at(stats, "failedRequestCount"),
            results=(HttpCall("GET", f"v1beta/{made}:download?alt=media"),)
            if FILE.fullmatch(made)
            else (),
            leftovers=tuple(
                HttpCall("DELETE", f"v1beta/{name}")
                for name, shape in ((job, JOB), (made, FILE), (given, FILE))
                if shape.fullmatch(name)
            ),
            error=_failed(error) if phase is Phase.FAILED else None,
        )

    def cancel(self, job: str) -> HttpCall:
        return HttpCall("POST", f"v1beta/{job}:cancel", {})

    def listing(self, page: str | None = None) -> HttpCall:
        more = f"&pageToken={quote(page, safe='')}" if page else ""
        return HttpCall("GET", f"v1beta/batches?pageSize=100{more}")

    def listed(self, answer: Json) -> tuple[list[Candidate], str | None]:
        rows = at(answer, "operations")
        found = [
            Candidate(
                job=name,
                key=text_at(row, "metadata", "displayName"),
                rows=int_at(row, "metadata", "batchStats", "requestCount"),
                created=moment(text_at(row, "metadata", "createTime")),
            )
            for row in (rows if isinstance(rows, list) else ())
            if JOB.fullmatch(name := text_at(row, "name") or "")
        ]
        return found, text_at(answer, "nextPageToken")

    def result(self, line: Json) -> Result | None:
        name = text_at(line, "key") or text_at(line, "metadata", "key")
        if name is None:
            return None
        if body := at(line, "response"):
            return Result(id=name, body=body, request_id=text_at(body, "responseId"))
        error = at(line, "error")
        code = int_at(error, "code")
        if code in (CANCELLED, DEADLINE):
            return Result(id=name, gone=Gone.CANCELLED if code == CANCELLED else Gone.EXPIRED)
        return Result(id=name, status=_status(code), body={"error": error or {}})


def _status(code: int | None) -> int:
    """The HTTP status of a code of gRPC; what is one already stays."""
    return STATUS_OF.get(code or 0, code if code and 400 <= code < 600 else 500)


def _failed(error: Json) -> LlmctlError:
    return gemini_errors.failure(_status(int_at(error, "code")), {}, _document(error))


def _document(error: Json) -> str:
    import json

    return json.dumps({"error": error or {}})


def moment(told: str | None) -> float | None:
    """A time by RFC 3339 as Unix time."""
    try:
        return datetime.fromisoformat(told).timestamp() if told else None
    except ValueError:
        return None


class _Handing(Handing):
    """The upload of the file, as of any other, then the operation."""

    def __init__(self, file: Media, key: str, kind: str) -> None:
        self.creates = False
        self.job = None
        self.leftover = None
        self._key, self._kind = key, kind
        self._upload: Upload = GeminiUpload(replace(file, name=key, media_type="application/jsonl"))
        self.then: FollowUp | None = self._upload.then

    def read(self, headers: Mapping[str, str], frame: Frame) -> None:
        if self.creates:
            name = text_at(parse(frame.data), "name") or ""
            self.job = named(name if JOB.fullmatch(name) else None, "batchGenerateContent")
            self.then = None
            return
        self._upload.read(headers, frame)
        self.then = self._upload.then
        given = self._upload.name
        if given is not None:
            self.leftover = HttpCall("DELETE", f"v1beta/{given}")
        if self.then is None:
            body = {"batch": {"displayName": self._key, "inputConfig": {"fileName": given}}}
            self.then = FollowUp(HttpCall("POST", self._kind, body, once=True), 0.0)
            self.creates = True
