"""GigaChat's batches, for companies that pay as they go: lines as the body of one request, and
answers in a file of the store. They bear no names of ours, and nothing cancels one."""

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from llmctl.dialects import Dialect, FilePart, FollowUp, Frame, HttpCall
from llmctl.dialects.batches import (
    Batches,
    Candidate,
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
from llmctl.dialects.gigachat_files import ID
from llmctl.dialects.look import at, float_at, int_at, parse, text_at
from llmctl.types import Call, Json, Media, Quirks
from llmctl.values import replace

PHASES: Mapping[str, Phase] = {
    "created": Phase.WAITING,
    "in_progress": Phase.RUNNING,
    "completed": Phase.DONE,
    # No document names these; an end all the same, should they come.
    "failed": Phase.FAILED,
    "expired": Phase.EXPIRED,
    "cancelled": Phase.CANCELLED,
}


class GigaChatBatches(Batches):
    """`batches?method=chat_completions` of v1."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def entry(self, id: str, call: Call, quirks: Quirks) -> Mapping[str, Json]:
        refuse_uploads(self._dialect.to_upload(call, quirks))
        return {"id": id, "request": whole(self._dialect.encode(alone(call), quirks))}

    def kind(self, call: Call, quirks: Quirks) -> str:
        """What is asked for: `chat_completions`."""
        return self._dialect.encode(alone(call), quirks).path.replace("/", "_")

    def hand_in(self, file: Media, key: str, kind: str) -> Handing:
        return _Handing(file, kind)

    def look(self, job: str) -> HttpCall:
        return HttpCall("GET", f"batches?batch_id={quote(job, safe='')}")

    def state(self, job: str, answer: Json) -> JobState:
        told = next((one for one in _rows(answer) if text_at(one, "id") == job), None)
        phase = PHASES.get(text_at(told, "status") or "", Phase.RUNNING)
        made = text_at(told, "output_file_id") or ""
        known = bool(ID.fullmatch(made))
        return JobState(
            phase=phase,
            answered=int_at(told, "request_counts", "completed"),
            failed=int_at(told, "request_counts", "failed"),
            results=(HttpCall("GET", f"files/{made}/content"),) if known else (),
            leftovers=(HttpCall("POST", f"files/{made}/delete"),) if known else (),
        )

    def cancel(self, job: str) -> None:
        return None

    def listing(self, page: str | None = None) -> HttpCall:
        return HttpCall("GET", "batches")

    def listed(self, answer: Json) -> tuple[list[Candidate], str | None]:
        found = [
            Candidate(
                job=name,
                rows=int_at(row, "request_counts", "total"),
                created=float_at(row, "created_at") or moment(text_at(row, "created_at")),
            )
            for row in _rows(answer)
            if (name := text_at(row, "id"))
        ]
        return found, None

    def result(self, line: Json) -> Result | None:
        """No document shows such a line. It has the id of its request; the answer stands under a
        name of its own, with its status where it has one, or beside the id."""
        name = text_at(line, "id") or text_at(line, "custom_id")
        if name is None:
            return None
        told = next((one for key in ("response", "result") if (one := at(line, key))), None)
        if told is None:
            told = at(line, "error") or line
        body = at(told, "body") or told
        status = int_at(told, "status_code") or int_at(body, "status")
        failed = at(line, "error") is not None and status is None
        return Result(id=name, status=500 if failed else status or 200, body=body)


def _rows(answer: Json) -> Iterator[Json]:
    """The batches in an answer: a list of them, one alone, or either under `batches`."""
    found = at(answer, "batches") or answer
    yield from found if isinstance(found, list) else [found]


class _Handing(Handing):
    """One request."""

    def __init__(self, file: Media, kind: str) -> None:
        self.creates = True
        self.job = None
        self.leftover = None
        sent = replace(file, media_type="application/octet-stream")
        self.then: FollowUp | None = FollowUp(
            HttpCall("POST", f"batches?method={kind}", file=FilePart(sent), once=True), 0.0
        )

    def read(self, headers: Mapping[str, str], frame: Frame) -> None:
        self.job = named(text_at(parse(frame.data), "id"), "POST batches")
        self.then = None
