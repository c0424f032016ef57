"""OpenAI's batches: a file of lines is uploaded, a batch made of it, and its answers lie in two
further files, one of them for errors. They bear our names (`metadata`)."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from llmctl.dialects import Dialect, FilePart, FollowUp, Frame, HttpCall, failures
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
from llmctl.dialects.look import at, float_at, int_at, parse, text_at
from llmctl.errors import LlmctlError, RateLimited
from llmctl.messages import _
from llmctl.types import Call, Json, Media, Quirks
from llmctl.values import replace

KEY = "llmctl"  # under which our name stands in the metadata
FILE = re.compile(r"[A-Za-z0-9_-]+")
PHASES: Mapping[str, Phase] = {
    "validating": Phase.WAITING,
    "in_progress": Phase.RUNNING,
    "finalizing": Phase.RUNNING,
    "cancelling": Phase.CANCELLING,
    "completed": Phase.DONE,
    "failed": Phase.FAILED,
    "expired": Phase.EXPIRED,
    "cancelled": Phase.CANCELLED,
}
GONE: Mapping[str, Gone] = {
    "batch_expired": Gone.EXPIRED,
    "batch_cancelled": Gone.CANCELLED,
}
# A batch that is refused because too much is waiting already.
CROWDED = frozenset({"token_limit_exceeded"})


class OpenAIBatches(Batches):
    """For both of OpenAI's formats: a line names the endpoint it is for."""

    has_keys = True

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def entry(self, id: str, call: Call, quirks: Quirks) -> Mapping[str, Json]:
        refuse_uploads(self._dialect.to_upload(call, quirks))
        http = self._dialect.encode(alone(call), quirks)
        return {"custom_id": id, "method": "POST", "url": _endpoint(http), "body": whole(http)}

    def kind(self, call: Call, quirks: Quirks) -> str:
        """The endpoint: all lines of a file are for one, and for one model."""
        return _endpoint(self._dialect.encode(alone(call), quirks))

    def hand_in(self, file: Media, key: str, kind: str) -> Handing:
        return _Handing(file, key, kind)

    def look(self, job: str) -> HttpCall:
        return HttpCall("GET", f"batches/{quote(job, safe='')}")

    def state(self, job: str, answer: Json) -> JobState:
        phase = PHASES.get(text_at(answer, "status") or "", Phase.RUNNING)
        files = [
            name
            for key in ("output_file_id", "error_file_id")
            if (name := text_at(answer, key)) and FILE.fullmatch(name)
        ]
        given = text_at(answer, "input_file_id") or ""
        every = [*files, given] if FILE.fullmatch(given) else files
        return JobState(
            phase=phase,
            answered=int_at(answer, "request_counts", "completed"),
            failed=int_at(answer, "request_counts", "failed"),
            results=tuple(HttpCall("GET", f"files/{name}/content") for name in files),
            leftovers=tuple(HttpCall("DELETE", f"files/{name}") for name in every),
            error=_why(answer) if phase is Phase.FAILED else None,
        )

    def cancel(self, job: str) -> HttpCall:
        return HttpCall("POST", f"batches/{quote(job, safe='')}/cancel")

    def listing(self, page: str | None = None) -> HttpCall:
        after = f"&after={quote(page, safe='')}" if page else ""
        return HttpCall("GET", f"batches?limit=100{after}")

    def listed(self, answer: Json) -> tuple[list[Candidate], str | None]:
        rows = at(answer, "data")
        found = [
            Candidate(
                job=name,
                key=text_at(row, "metadata", KEY),
                rows=int_at(row, "request_counts", "total"),
                created=float_at(row, "created_at"),
            )
            for row in (rows if isinstance(rows, list) else ())
            if (name := text_at(row, "id"))
        ]
        more = at(answer, "has_more") is True and bool(found)
        return found, (text_at(answer, "last_id") or found[-1].job) if more else None

    def result(self, line: Json) -> Result | None:
        name = text_at(line, "custom_id")
        if name is None:
            return None
        response = at(line, "response")
        if response:
            return Result(
                id=name,
                status=int_at(response, "status_code") or 200,
                body=at(response, "body"),
                request_id=text_at(response, "request_id"),
            )
        error = at(line, "error")
        gone = GONE.get(text_at(error, "code") or "")
        if gone is not None:
            return Result(id=name, gone=gone)
        return Result(id=name, status=500, body={"error": error or {}})


def _endpoint(http: HttpCall) -> str:
    return f"/v1/{http.path}"


def _why(answer: Json) -> LlmctlError:
    """Why a batch was refused as a whole: the first of the errors in its file, and how many."""
    listed = at(answer, "errors", "data")
    errors = listed if isinstance(listed, list) else []
    first = errors[0] if errors else None
    code = (text_at(first, "code") or "").lower()
    said = text_at(first, "message") or _("it does not say why")
    if len(errors) > 1:
        said = _("{said} (and {count} more errors)", said=said, count=len(errors) - 1)
    if code in CROWDED:
        return RateLimited(said, reason="rate", retryable=True)
    return failures.classify(400, {}, said=said, signs=[code] if code else [])


class _Handing(Handing):
    """A form with the file, then the batch."""

    def __init__(self, file: Media, key: str, kind: str) -> None:
        self.creates = False
        self.job = None
        self.leftover = None
        self._key, self._kind = key, kind
        sent = replace(file, name=f"{key}.jsonl", media_type="application/jsonl")
        form = HttpCall("POST", "files", file=FilePart(sent, {"purpose": "batch"}))
        self.then: FollowUp | None = FollowUp(form, 0.0)

    def read(self, headers: Mapping[str, str], frame: Frame) -> None:
        name = text_at(parse(frame.data), "id") or ""
        if self.creates:
            self.job = named(name, "POST batches")
            self.then = None
            return
        given = named(name if FILE.fullmatch(name) else None, "POST files")
        self.leftover = HttpCall("DELETE", f"files/{given}")
        body = dict(_body(given, self._kind, self._key))
        self.then = FollowUp(HttpCall("POST", "batches", body, once=True), 0.0)
        self.creates = True


def _body(file: str, endpoint: str, key: str) -> Iterator[tuple[str, Json]]:
    yield "input_file_id", file
    yield "endpoint", endpoint
    yield "completion_window", "24h"
    yield "metadata", {KEY: key}
