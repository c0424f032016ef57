"""Anthropic's batches: all requests in one body, and results that name the request each is for.
They bear no names of ours; the ids of their rows do."""

from collections.abc import Mapping
from urllib.parse import quote

from llmctl.dialects import Dialect, FilePart, FollowUp, Frame, HttpCall
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
from llmctl.dialects.gemini_batches import moment
from llmctl.dialects.look import at, int_at, parse, text_at
from llmctl.types import Call, Json, Media, Quirks
from llmctl.values import replace

VERSION = "anthropic-version"
PATH = "v1/messages/batches"
PHASES: Mapping[str, Phase] = {
    "in_progress": Phase.RUNNING,
    "canceling": Phase.CANCELLING,
    "ended": Phase.DONE,
}
COUNTS = ("processing", "succeeded", "errored", "canceled", "expired")
GONE: Mapping[str, Gone] = {"canceled": Gone.CANCELLED, "expired": Gone.EXPIRED}
# The status with which an error comes where it is the whole answer.
STATUSES: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class AnthropicBatches(Batches):
    head, joint, tail = b'{"requests":[', b",", b"]}"

    def __init__(self, dialect: Dialect, version: str) -> None:
        self._dialect = dialect
        self._headers = {VERSION: version}

    def entry(self, id: str, call: Call, quirks: Quirks) -> Mapping[str, Json]:
        refuse_uploads(self._dialect.to_upload(call, quirks))
        return {"custom_id": id, "params": whole(self._dialect.encode(alone(call), quirks))}

    def kind(self, call: Call, quirks: Quirks) -> str:
        """The version of the API: it stands in the head of the one request that all share."""
        return self._dialect.encode(alone(call), quirks).headers[VERSION]

    def hand_in(self, file: Media, key: str, kind: str) -> Handing:
        return _Handing(file, {VERSION: kind})

    def look(self, job: str) -> HttpCall:
        return self._at(job)

    def state(self, job: str, answer: Json) -> JobState:
        phase = PHASES.get(text_at(answer, "processing_status") or "", Phase.RUNNING)
        over = phase is Phase.DONE
        return JobState(
            phase=phase,
            answered=int_at(answer, "request_counts", "succeeded"),
            failed=_sum(answer, "errored", "canceled", "expired"),
            results=(self._at(job, "/results"),) if over else (),
            leftovers=(self._at(job, method="DELETE"),) if over else (),
        )

    def cancel(self, job: str) -> HttpCall:
        return self._at(job, "/cancel", "POST")

    def listing(self, page: str | None = None) -> HttpCall:
        after = f"&after_id={quote(page, safe='')}" if page else ""
        return HttpCall("GET", f"{PATH}?limit=100{after}", headers=self._headers)

    def listed(self, answer: Json) -> tuple[list[Candidate], str | None]:
        rows = at(answer, "data")
        found = [
            Candidate(
                job=name,
                rows=_sum(row, *COUNTS),
                created=moment(text_at(row, "created_at")),
            )
            for row in (rows if isinstance(rows, list) else ())
            if (name := text_at(row, "id"))
        ]
        more = at(answer, "has_more") is True
        return found, text_at(answer, "last_id") if more else None

    def result(self, line: Json) -> Result | None:
        name, told = text_at(line, "custom_id"), at(line, "result")
        if name is None:
            return None
        kind = text_at(told, "type") or ""
        if (gone := GONE.get(kind)) is not None:
            return Result(id=name, gone=gone)
        if kind == "succeeded":
            message = at(told, "message")
            return Result(id=name, body=message, request_id=text_at(message, "id"))
        error = at(told, "error")
        document = error if at(error, "error") else {"type": "error", "error": error or {}}
        status = STATUSES.get(text_at(document, "error", "type") or "", 500)
        return Result(
            id=name, status=status, body=document, request_id=text_at(error, "request_id")
        )

    def _at(self, job: str, rest: str = "", method: str = "GET") -> HttpCall:
        return HttpCall(method, f"{PATH}/{quote(job, safe='')}{rest}", headers=self._headers)


def _sum(answer: Json, *names: str) -> int | None:
    """How many requests a batch has of these kinds; None where one is not told."""
    counts = [int_at(answer, "request_counts", name) for name in names]
    return None if None in counts else sum(filter(None, counts))


class _Handing(Handing):
    """One request."""

    def __init__(self, file: Media, headers: Mapping[str, str]) -> None:
        self.creates = True
        self.job = None
        self.leftover = None
        sent = replace(file, media_type="application/json")
        self.then: FollowUp | None = FollowUp(
            HttpCall("POST", PATH, headers=headers, file=FilePart(sent), once=True), 0.0
        )

    def read(self, headers: Mapping[str, str], frame: Frame) -> None:
        self.job = named(text_at(parse(frame.data), "id"), "POST messages/batches")
        self.then = None
