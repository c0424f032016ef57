"""Batches of four providers: what is handed in stands in `held`, and is answered after so many
looks, row by row, as the same side answers one request alone. (Yandex's operations are its own.)

Faults are asked for by `Simulator.batches.script`, one for each request that makes a batch:
`busy` refuses it with 429, `lost` makes it and breaks the connection, `held` makes it and does not
answer, `expires` and `fails` are how it ends, `unanswered` leaves the last row out of the results.
One that is cancelled has come to the first half of its rows. A row whose prompt has the word FAIL
in it is refused as a request would be.
"""

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.simulator.answers import answer_to
from tests.simulator.exchange import Exchange, Route
from tests.simulator.files import form
from tests.simulator.wire import Request

if TYPE_CHECKING:
    from tests.simulator.site import Simulator

CREATED = 4_000_000_000  # later than any clock of a test
FAULTS = frozenset({"busy", "lost", "expires", "fails", "unanswered", "held", "ok"})
EXPIRED, CANCELLED, FAILED, DONE = "expired", "cancelled", "failed", "completed"

FILE = re.compile(r"/v1/files/(file-\d+)(/content)?")
BATCH = re.compile(r"/v1/batches/(batch_\d+)(/cancel)?")
MADE = re.compile(r"/v1beta/models/([^/:]+):batchGenerateContent")
OPERATION = re.compile(r"/v1beta/(batches/\d+)(:cancel|:delete)?")
DOWNLOAD = re.compile(r"(?:/download)?/v1beta/(files/[a-z0-9-]+):download")
MESSAGES = re.compile(r"/anthropic/v1/messages/batches(?:/(msgbatch_\d+)(/results|/cancel)?)?")
SBER = "/gigachat/v1/batches"


@dataclass
class Job:
    """A batch; `lines` are (id of the row, body, path) as they were handed in."""

    name: str
    lines: list[tuple[str, Any, str]]
    given: Mapping[str, Any]
    fault: str | None = None
    looks: int = 0
    cancelled: bool = False

    def end(self, most: int) -> str | None:
        """How it ended, None while it runs."""
        if self.cancelled:
            return CANCELLED
        if self.looks <= most:
            return None
        return {"expires": EXPIRED, "fails": FAILED}.get(self.fault or "", DONE)

    def answered(self, end: str) -> list[tuple[str, Any, str]]:
        """The rows it came to."""
        match end:
            case "completed":
                return self.lines[:-1] if self.fault == "unanswered" else self.lines
            case "failed":
                return []
            case _:
                return self.lines[: len(self.lines) // 2]

    def rest(self, end: str) -> list[tuple[str, Any, str]]:
        return self.lines[len(self.lines) // 2 :] if end in (EXPIRED, CANCELLED) else []


@dataclass
class Batches:
    """`held` by name; `looks` is how often one is asked after before it is over."""

    held: dict[str, Job] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    looks: int = 1
    numbers: int = 0
    _script: deque[str] = field(default_factory=deque)

    def script(self, names: Iterable[str]) -> None:
        names = tuple(names)
        if unknown := set(names) - FAULTS:
            raise KeyError(f"no fault is called {unknown}")
        self._script.extend(names)

    def next(self) -> str | None:
        return self._script.popleft() if self._script else None

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def keep(self, data: bytes) -> str:
        name = f"file-{self.number()}"
        self.files[name] = data
        return name


async def _made(exchange: Exchange, name: str, lines: list[Any], given: Any) -> Job | None:
    """A new batch, or None where that was answered with a fault already."""
    batches = exchange.site.batches
    fault = batches.next()
    if fault == "busy":
        await exchange.refuse(429, "Rate limit reached", "rate_limit_exceeded",
                              headers={"retry-after-ms": "10"})  # fmt: skip
        return None
    job = Job(name, lines, given, fault)
    batches.held[name] = job
    if fault == "lost":
        exchange.wire.close()
        return None
    if fault == "held":
        await exchange.wire.silence()
        return None
    return job


def _row(exchange: Exchange, path: str, body: Any) -> tuple[int, Any]:
    """The status and the document that the same request alone would get."""
    from tests.simulator.site import DIALECTS, wanted

    data = json.dumps(body).encode()
    request = replace(exchange.request, method="POST", path=path, query="", body=data)
    side = next((one for one in DIALECTS if wanted(request, one) is not None), None)
    if side is None:
        return 404, exchange.dialect.error(404, "Unknown request URL", "unknown_url", None)
    asked = wanted(request, side)
    assert asked is not None
    if "FAIL" in asked.prompt or not exchange.site.knows(asked.model):
        status = 400 if "FAIL" in asked.prompt else 404
        code = "model_not_found" if status == 404 else "unsupported_value"
        return side.status(status, code), side.error(status, "Invalid value", code, None)
    document = json.loads(side.whole(asked, answer_to(asked)))
    return 200, document


def _lines(data: bytes) -> list[Any]:
    return [json.loads(line) for line in data.splitlines() if line.strip()]


def _joined(documents: Iterable[Any]) -> bytes:
    """In another order than they were handed in."""
    return b"".join(json.dumps(one).encode() + b"\n" for one in reversed(list(documents)))


# ---- OpenAI


def of_openai(request: Request) -> Route | None:
    match request.method, request.path:
        case "POST", "/v1/files":
            return _upload
        case "POST", "/v1/batches":
            return _openai_new
        case "GET", "/v1/batches":
            return _openai_list
        case _, path if FILE.fullmatch(path) and request.method in ("GET", "DELETE"):
            return _openai_file
        case _, path if BATCH.fullmatch(path):
            return _openai_one
        case _:
            return None


async def _upload(exchange: Exchange) -> None:
    parts = {one["name"]: one for one in form(exchange.request)}
    if parts["purpose"]["data"] != b"batch" or not parts["file"]["filename"].endswith(".jsonl"):
        await exchange.refuse(400, "Invalid file format for Batch API. Must be .jsonl")
        return
    data = parts["file"]["data"]
    name = exchange.site.batches.keep(data)
    await exchange.json(
        {"id": name, "object": "file", "bytes": len(data), "created_at": CREATED,
         "filename": parts["file"]["filename"], "purpose": "batch", "status": "processed"}
    )  # fmt: skip


async def _openai_file(exchange: Exchange) -> None:
    found = FILE.fullmatch(exchange.request.path)
    assert found
    files = exchange.site.batches.files
    if found[1] not in files:
        await exchange.refuse(404, f"No such File object: {found[1]}")
    elif exchange.request.method == "DELETE":
        del files[found[1]]
        await exchange.json({"id": found[1], "object": "file", "deleted": True})
    else:
        await exchange.body(files[found[1]], kind="application/octet-stream")


async def _openai_new(exchange: Exchange) -> None:
    batches, given = exchange.site.batches, exchange.request.json
    data = batches.files.get(given["input_file_id"])
    if data is None or given.get("completion_window") != "24h":
        await exchange.refuse(400, "Invalid request")
        return
    lines = _lines(data)
    wrong = [one for one in lines if one["url"] != given["endpoint"] or one["method"] != "POST"]
    ids = {one["custom_id"] for one in lines}
    models = {one["body"]["model"] for one in lines}
    if wrong or len(ids) != len(lines) or len(models) != 1:
        await exchange.refuse(400, "Invalid batch file")
        return
    rows = [(one["custom_id"], one["body"], one["url"]) for one in lines]
    job = await _made(exchange, f"batch_{batches.number()}", rows, given)
    if job is not None:
        await exchange.json(_openai_job(exchange.site, job))


async def _openai_list(exchange: Exchange) -> None:
    jobs = [
        _openai_job(exchange.site, one)
        for one in reversed(exchange.site.batches.held.values())
        if one.name.startswith("batch_")
    ]
    first, last = (jobs[0]["id"], jobs[-1]["id"]) if jobs else (None, None)
    await exchange.json(
        {"object": "list", "data": jobs, "has_more": False, "first_id": first, "last_id": last}
    )


async def _openai_one(exchange: Exchange) -> None:
    found = BATCH.fullmatch(exchange.request.path)
    assert found
    batches = exchange.site.batches
    job = batches.held.get(found[1])
    if job is None:
        await exchange.refuse(404, f"No batch found with id '{found[1]}'.")
        return
    if found[2]:
        job.cancelled = job.end(batches.looks) is None or job.cancelled
    else:
        job.looks += 1
    end = job.end(batches.looks)
    if end is not None and "output" not in job.given:
        job.given = {**job.given, **_openai_results(exchange, job, end)}
    await exchange.json(_openai_job(exchange.site, job))


def _openai_results(exchange: Exchange, job: Job, end: str) -> dict[str, Any]:
    batches = exchange.site.batches
    good: list[Any] = []
    bad: list[Any] = []
    for number, (name, body, path) in enumerate(job.answered(end)):
        status, document = _row(exchange, path, body)
        line = {
            "id": f"batch_req_{number}",
            "custom_id": name,
            "response": {"status_code": status, "request_id": f"req-{number}", "body": document},
            "error": None,
        }
        (good if status == 200 else bad).append(line)
    for number, (name, _body, _path) in enumerate(job.rest(end)):
        error = {"code": f"batch_{end}", "message": f"This request could not be executed: {end}."}
        bad.append({"id": f"batch_req_x{number}", "custom_id": name, "response": None,
                    "error": error})  # fmt: skip
    return {
        "output": batches.keep(_joined(good)) if good else None,
        "errors": batches.keep(_joined(bad)) if bad else None,
        "counts": {"total": len(job.lines), "completed": len(good), "failed": len(bad)},
    }


def _openai_job(site: "Simulator", job: Job) -> dict[str, Any]:
    end = job.end(site.batches.looks)
    document: dict[str, Any] = {
        "id": job.name,
        "object": "batch",
        "endpoint": job.given["endpoint"],
        "errors": None,
        "input_file_id": job.given["input_file_id"],
        "completion_window": "24h",
        "status": end or ("in_progress" if job.looks else "validating"),
        "output_file_id": job.given.get("output"),
        "error_file_id": job.given.get("errors"),
        "created_at": CREATED,
        "request_counts": job.given.get("counts")
        or {"total": len(job.lines), "completed": 0, "failed": 0},
        "metadata": job.given.get("metadata"),
    }
    if end == FAILED:
        why = {"code": "invalid_json_line", "line": 1, "message": "This line is not JSON.",
               "param": None}  # fmt: skip
        document["errors"] = {"object": "list", "data": [why]}
    return document


# ---- Gemini


def of_gemini(request: Request) -> Route | None:
    if request.method == "POST" and MADE.fullmatch(request.path):
        return _gemini_new
    if request.method == "GET" and request.path == "/v1beta/batches":
        return _gemini_list
    if OPERATION.fullmatch(request.path):
        return _gemini_one
    return _gemini_file if DOWNLOAD.fullmatch(request.path) else None


async def _gemini_new(exchange: Exchange) -> None:
    found = MADE.fullmatch(exchange.request.path)
    assert found
    site, given = exchange.site, exchange.request.json["batch"]
    config = given["inputConfig"]
    path = f"/v1beta/models/{found[1]}:generateContent"
    if name := config.get("fileName"):
        held = site.files.held.get(name)
        if held is None:
            await exchange.refuse(404, "File not found")
            return
        rows = [(one["key"], one["request"], path) for one in _lines(held.data)]
    else:
        rows = [
            ((one.get("metadata") or {}).get("key", str(number)), one["request"], path)
            for number, one in enumerate(config["requests"]["requests"])
        ]
    job = await _made(exchange, f"batches/{site.batches.number()}", rows, given)
    if job is not None:
        await exchange.json(_gemini_job(exchange, job))


async def _gemini_list(exchange: Exchange) -> None:
    jobs = [one for one in exchange.site.batches.held.values() if one.name.startswith("batches/")]
    await exchange.json({"operations": [_gemini_job(exchange, one) for one in jobs]})


async def _gemini_one(exchange: Exchange) -> None:
    found = OPERATION.fullmatch(exchange.request.path)
    assert found
    batches = exchange.site.batches
    job = batches.held.get(found[1])
    if job is None:
        await exchange.refuse(404, "Requested entity was not found.")
    elif exchange.request.method == "DELETE":
        del batches.held[found[1]]
        await exchange.json({})
    elif found[2]:
        job.cancelled = job.end(batches.looks) is None or job.cancelled
        await exchange.json({})
    else:
        job.looks += 1
        await exchange.json(_gemini_job(exchange, job))


async def _gemini_file(exchange: Exchange) -> None:
    found = DOWNLOAD.fullmatch(exchange.request.path)
    assert found
    held = exchange.site.files.held.get(found[1])
    if held is None or "alt=media" not in exchange.request.query:
        await exchange.refuse(404, "File not found")
    else:
        await exchange.body(held.data, kind="application/jsonl")


def _gemini_job(exchange: Exchange, job: Job) -> dict[str, Any]:
    site = exchange.site
    end = job.end(site.batches.looks)
    word = {None: "RUNNING" if job.looks else "PENDING", DONE: "SUCCEEDED"}.get(end, "")
    metadata: dict[str, Any] = {
        "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
        "model": "models/mock",
        "displayName": job.given.get("displayName", ""),
        "inputConfig": {k: v for k, v in job.given["inputConfig"].items() if k == "fileName"},
        "createTime": "2096-10-02T07:06:40.123456789Z",
        "state": f"BATCH_STATE_{word or (end or '').upper()}",
        "batchStats": {"requestCount": str(len(job.lines))},
        "name": job.name,
    }
    document: dict[str, Any] = {"name": job.name, "metadata": metadata}
    if end is None:
        return document
    document["done"] = True
    if end == FAILED:
        document["error"] = {"code": 3, "message": "The input file is not valid"}
        return document
    if "output" not in job.given:
        job.given = {**job.given, "output": _gemini_output(exchange, job, end)}
    metadata["output"] = document["response"] = job.given["output"]
    return document


def _gemini_output(exchange: Exchange, job: Job, end: str) -> dict[str, Any]:
    from tests.simulator.files import Held

    lines: list[dict[str, Any]] = []
    for name, body, path in job.answered(end):
        status, document = _row(exchange, path, body)
        if status == 200:
            lines.append({"key": name, "response": document})
        else:
            error = {"code": 3, "message": document["error"]["message"]}
            lines.append({"key": name, "error": error})
    if "requests" in job.given["inputConfig"]:
        inline = [
            {"metadata": {"key": one["key"]}, **{k: v for k, v in one.items() if k != "key"}}
            for one in lines
        ]
        return {"inlinedResponses": {"inlinedResponses": inline}}
    files = exchange.site.files
    name = f"files/{files.name()}"
    files.held[name] = Held(name, "results", "application/jsonl", _joined(lines))
    return {"responsesFile": name}


# ---- Anthropic


def of_anthropic(request: Request) -> Route | None:
    return _anthropic if MESSAGES.fullmatch(request.path) else None


async def _anthropic(exchange: Exchange) -> None:
    found = MESSAGES.fullmatch(exchange.request.path)
    assert found
    batches, method = exchange.site.batches, exchange.request.method
    if exchange.request.headers.get("anthropic-version") is None:
        await exchange.refuse(400, "anthropic-version: header is required")
    elif found[1] is None and method == "POST":
        requests = exchange.request.json["requests"]
        ids = [one["custom_id"] for one in requests]
        fine = all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", one) for one in ids)
        if not fine or len(set(ids)) != len(ids) or any("stream" in r["params"] for r in requests):
            await exchange.refuse(400, "requests: invalid")
            return
        path = "/anthropic/v1/messages"
        rows = [(one["custom_id"], one["params"], path) for one in requests]
        job = await _made(exchange, f"msgbatch_{batches.number()}", rows, {})
        if job is not None:
            await exchange.json(_anthropic_job(exchange, job))
    elif found[1] is None:
        jobs = [one for one in batches.held.values() if one.name.startswith("msgbatch_")]
        data = [_anthropic_job(exchange, one) for one in reversed(jobs)]
        await exchange.json({"data": data, "has_more": False, "first_id": None, "last_id": None})
    else:
        await _anthropic_one(exchange, found[1], found[2])


async def _anthropic_one(exchange: Exchange, name: str, rest: str | None) -> None:
    batches = exchange.site.batches
    job = batches.held.get(name)
    if job is None:
        await exchange.refuse(404, "Not Found", kind="not_found_error")
        return
    end = job.end(batches.looks)
    if exchange.request.method == "DELETE":
        del batches.held[name]
        await exchange.json({"id": name, "type": "message_batch_deleted"})
    elif rest == "/results" and end is not None:
        await exchange.body(_joined(_anthropic_results(exchange, job, end)),
                            kind="application/x-jsonl")  # fmt: skip
    elif rest == "/results":
        await exchange.refuse(404, "results are not available yet", kind="not_found_error")
    else:
        if rest == "/cancel":
            job.cancelled = end is None or job.cancelled
        else:
            job.looks += 1
        await exchange.json(_anthropic_job(exchange, job))


def _anthropic_results(exchange: Exchange, job: Job, end: str) -> Iterator[dict[str, Any]]:
    for name, body, path in job.answered(end):
        status, document = _row(exchange, path, body)
        good = {"type": "succeeded", "message": document}
        result = good if status == 200 else {"type": "errored", "error": document}
        yield {"custom_id": name, "result": result}
    word = "canceled" if end == CANCELLED else "expired"
    for name, _body, _path in job.rest(end):
        yield {"custom_id": name, "result": {"type": word}}


def _anthropic_job(exchange: Exchange, job: Job) -> dict[str, Any]:
    end = job.end(exchange.site.batches.looks)
    counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
    if end is None:
        counts["processing"] = len(job.lines)
    else:
        for line in _anthropic_results(exchange, job, end):
            counts[line["result"]["type"]] += 1
    url = f"{exchange.site.url}/anthropic/v1/messages/batches/{job.name}/results"
    return {
        "id": job.name,
        "type": "message_batch",
        "processing_status": "in_progress" if end is None else "ended",
        "request_counts": counts,
        "ended_at": None if end is None else "2096-10-02T08:06:40Z",
        "created_at": "2096-10-02T07:06:40Z",
        "expires_at": "2096-10-03T07:06:40Z",
        "archived_at": None,
        "cancel_initiated_at": None,
        "results_url": None if end is None else url,
    }


# ---- GigaChat


def of_gigachat(request: Request) -> Route | None:
    if request.path != SBER:
        return None
    return {"POST": _sber_new, "GET": _sber_look}.get(request.method)


async def _sber_new(exchange: Exchange) -> None:
    request, batches = exchange.request, exchange.site.batches
    kind = request.headers.get("content-type")
    if request.query != "method=chat_completions" or kind != "application/octet-stream":
        await exchange.refuse(400, "Bad request")
        return
    path = "/gigachat/v1/chat/completions"
    rows = [(one["id"], one["request"], path) for one in _lines(request.body)]
    name = f"{batches.number():08x}-0000-4000-8000-00000000ba7c"
    job = await _made(exchange, name, rows, {"method": "chat_completions"})
    if job is not None:
        await exchange.json(_sber_job(exchange, job))


async def _sber_look(exchange: Exchange) -> None:
    batches = exchange.site.batches
    _name, _mark, wanted = exchange.request.query.partition("batch_id=")
    if not wanted:
        jobs = [one for one in batches.held.values() if one.name.endswith("ba7c")]
        await exchange.json({"batches": [_sber_job(exchange, one) for one in jobs]})
    elif (job := batches.held.get(wanted)) is None:
        await exchange.refuse(404, "Batch task not found")
    else:
        job.looks += 1
        await exchange.json({"batches": [_sber_job(exchange, job)]})


def _sber_job(exchange: Exchange, job: Job) -> dict[str, Any]:
    from tests.simulator.files import Held

    end = job.end(exchange.site.batches.looks)
    files = exchange.site.files
    if end is not None and "output" not in job.given:
        lines = []
        for name, body, path in job.answered(end):
            status, document = _row(exchange, path, body)
            lines.append({"id": name, "response": {"status_code": status, "body": document}})
        made = files.name()
        files.held[made] = Held(made, "batch.jsonl", "application/jsonl", _joined(lines))
        job.given = {**job.given, "output": made}
    done = len(job.lines) if end is not None else 0
    return {
        "id": job.name,
        "method": "chat_completions",
        "request_counts": {"total": len(job.lines), "completed": done, "failed": 0},
        "status": "created" if not job.looks else "in_progress" if end is None else "completed",
        "created_at": CREATED,
        "updated_at": CREATED,
        **({"output_file_id": job.given["output"]} if end is not None else {}),
    }
