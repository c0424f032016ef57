"""Lines that are handed in, states and results of batches, by what the providers document."""

import json
from typing import Any

import pytest

from llmctl.dialects import DIALECTS, Frame, HttpCall
from llmctl.dialects.batches import Batches, Gone, Handing, OneByOne, Phase, Result
from llmctl.errors import NotFound, ProviderFailed, RateLimited, Rejected, UsageError
from llmctl.types import Chat, Complete, Media, Message, Quirks, Role, Text, message

CALL = Chat("m", (message(Role.USER, "Why?"),), max_tokens=9)
FILE = Media("application/jsonl", data=b"x", name="rows")
QUIRKS = Quirks()


def batches(name: str) -> Any:
    found = DIALECTS[name]().batches()
    assert found is not None
    return found


def test_who_has_words_for_them() -> None:
    kinds = {name: DIALECTS[name]().batches() for name in DIALECTS}

    assert {name for name, one in kinds.items() if isinstance(one, OneByOne)} == {"yandexgpt"}
    assert {name for name, one in kinds.items() if isinstance(one, Batches)} == {
        "anthropic", "gemini", "gigachat", "openai_chat", "openai_responses", "vllm",
    }  # fmt: skip


# ---- lines


def test_a_line_is_the_body_of_the_request_alone() -> None:
    chat = {"model": "m", "messages": [{"role": "user", "content": "Why?"}], "max_tokens": 9}

    assert batches("openai_chat").entry("a-1", CALL, QUIRKS) == {
        "custom_id": "a-1", "method": "POST", "url": "/v1/chat/completions", "body": chat,
    }  # fmt: skip
    assert batches("gigachat").entry("a-1", CALL, QUIRKS) == {"id": "a-1", "request": chat}
    assert batches("anthropic").entry("a-1", CALL, QUIRKS) == {"custom_id": "a-1", "params": chat}
    assert batches("gemini").entry("a-1", CALL, QUIRKS) == {
        "key": "a-1",
        "request": {
            "contents": [{"role": "user", "parts": [{"text": "Why?"}]}],
            "generationConfig": {"maxOutputTokens": 9},
        },
    }


def test_kinds_that_may_not_share_a_batch() -> None:
    plain, warm = CALL, Chat("m", CALL.messages, temperature=0.5)
    base = Complete("m", "Why")

    assert batches("openai_chat").kind(plain, QUIRKS) == "/v1/chat/completions"
    assert batches("openai_chat").kind(base, QUIRKS) == "/v1/completions"
    assert batches("openai_responses").kind(plain, QUIRKS) == "/v1/responses"
    assert batches("gemini").kind(plain, QUIRKS) == "v1beta/models/m:batchGenerateContent"
    assert batches("gigachat").kind(plain, QUIRKS) == "chat_completions"
    # The version stands in a header that all requests of one batch share.
    assert batches("anthropic").kind(plain, QUIRKS) == "2026-10-21"
    assert batches("anthropic").kind(warm, QUIRKS) == "2023-06-01"


def test_what_cannot_stand_in_a_line() -> None:
    streamed = Chat("m", CALL.messages, options={"stream": True})
    with pytest.raises(UsageError, match="streamed"):
        batches("openai_chat").entry("a", streamed, QUIRKS)
    picture = Media("image/png", data=b"x", name="a.png")
    seen = Chat("m", (Message(Role.USER, (picture, Text("What?"))),))
    with pytest.raises(UsageError, match=r"a\.png would be uploaded"):
        batches("gigachat").entry("a", seen, QUIRKS)


# ---- handing in


def through(handing: Handing, *answers: Any) -> list[HttpCall]:
    """The requests, each answered in turn."""
    sent = []
    for answer in answers:
        assert handing.then is not None
        sent.append(handing.then.http)
        headers, document = answer if isinstance(answer, tuple) else ({}, answer)
        handing.read(headers, Frame(json.dumps(document)))
    return sent


def test_openai_uploads_and_makes() -> None:
    handing = batches("openai_chat").hand_in(FILE, "k1", "/v1/chat/completions")

    upload, made = through(handing, {"id": "file-1"}, {"id": "batch_1"})

    assert upload.file is not None
    assert (upload.path, upload.file.fields) == ("files", {"purpose": "batch"})
    assert upload.file.file.name == "k1.jsonl"
    assert made.once
    assert made.body == {
        "input_file_id": "file-1",
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {"llmctl": "k1"},
    }
    assert (handing.job, handing.then) == ("batch_1", None)
    assert handing.leftover == HttpCall("DELETE", "files/file-1")


def test_gemini_uploads_and_makes() -> None:
    handing = batches("gemini").hand_in(FILE, "k1", "v1beta/models/m:batchGenerateContent")
    address = {"x-goog-upload-url": "https://h/upload/v1beta/files?upload_id=1"}
    ready = {"file": {"name": "files/a", "uri": "https://h/files/a", "state": "ACTIVE"}}

    *_upload, made = through(handing, (address, {}), ready, {"name": "batches/7"})

    assert (made.path, made.once) == ("v1beta/models/m:batchGenerateContent", True)
    assert made.body == {"batch": {"displayName": "k1", "inputConfig": {"fileName": "files/a"}}}
    assert handing.job == "batches/7"


@pytest.mark.parametrize(
    ("name", "kind", "path", "media_type"),
    [
        ("anthropic", "2026-10-21", "v1/messages/batches", "application/json"),
        ("gigachat", "chat_completions", "batches?method=chat_completions",
         "application/octet-stream"),
    ],
)  # fmt: skip
def test_one_request_makes_it(name: str, kind: str, path: str, media_type: str) -> None:
    handing = batches(name).hand_in(FILE, "k1", kind)
    assert handing.creates

    [made] = through(handing, {"id": "b-1"})

    assert (made.method, made.path, made.once) == ("POST", path, True)
    assert made.file is not None
    assert (made.file.file.media_type, made.file.fields) == (media_type, None)
    assert handing.job == "b-1"


def test_an_answer_without_a_name() -> None:
    handing = batches("gigachat").hand_in(FILE, "k1", "chat_completions")
    with pytest.raises(ProviderFailed, match="names nothing"):
        through(handing, {"status": "created"})


# ---- states


OPENAI = {"id": "batch_1", "input_file_id": "file-1"}


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("validating", Phase.WAITING),
        ("in_progress", Phase.RUNNING),
        ("finalizing", Phase.RUNNING),
        ("cancelling", Phase.CANCELLING),
        ("completed", Phase.DONE),
        ("expired", Phase.EXPIRED),
        ("cancelled", Phase.CANCELLED),
        ("failed", Phase.FAILED),
        ("of tomorrow", Phase.RUNNING),
    ],
)
def test_states_of_openai(status: str, phase: Phase) -> None:
    assert batches("openai_chat").state("batch_1", {**OPENAI, "status": status}).phase is phase


def test_a_finished_batch_of_openai() -> None:
    counts = {"total": 3, "completed": 2, "failed": 1}
    answer = {**OPENAI, "status": "completed", "output_file_id": "file-2",
              "error_file_id": "file-3", "request_counts": counts}  # fmt: skip

    state = batches("openai_chat").state("batch_1", answer)

    assert (state.answered, state.failed) == (2, 1)
    assert [one.path for one in state.results] == ["files/file-2/content", "files/file-3/content"]
    assert sorted(one.path for one in state.leftovers) == [f"files/file-{n}" for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("code", "kind"), [("invalid_json_line", Rejected), ("token_limit_exceeded", RateLimited)]
)
def test_why_a_batch_of_openai_failed(code: str, kind: type[Exception]) -> None:
    errors = {"data": [{"code": code, "message": "So it is."}, {"code": "x", "message": "y"}]}

    error = (
        batches("openai_chat").state("b", {**OPENAI, "status": "failed", "errors": errors}).error
    )

    assert isinstance(error, kind)
    assert "So it is. (and 1 more errors)" in error.message  # type: ignore[attr-defined]


def test_names_of_files_that_are_none() -> None:
    """They go into paths of requests with a key."""
    answer = {"status": "completed", "output_file_id": "../x", "input_file_id": "a/b"}
    state = batches("openai_chat").state("b", answer)
    assert (state.results, state.leftovers) == ((), ())

    told = {"metadata": {"state": "BATCH_STATE_SUCCEEDED", "output": {"responsesFile": "x/../y"}}}
    assert batches("gemini").state("batches/1", told).results == ()


@pytest.mark.parametrize(
    ("word", "phase"),
    [("PENDING", Phase.WAITING), ("RUNNING", Phase.RUNNING), ("SUCCEEDED", Phase.DONE),
     ("CANCELLED", Phase.CANCELLED), ("EXPIRED", Phase.EXPIRED)],
)  # fmt: skip
def test_states_of_gemini(word: str, phase: Phase) -> None:
    for prefix in ("BATCH_STATE_", "JOB_STATE_"):
        answer = {"name": "batches/1", "metadata": {"state": prefix + word}}
        assert batches("gemini").state("batches/1", answer).phase is phase


def test_a_finished_batch_of_gemini() -> None:
    answer = {
        "name": "batches/1",
        "done": True,
        "metadata": {"state": "BATCH_STATE_SUCCEEDED", "inputConfig": {"fileName": "files/in"},
                     "batchStats": {"successfulRequestCount": "2"}},
        "response": {"responsesFile": "files/out"},
    }  # fmt: skip

    state = batches("gemini").state("batches/1", answer)

    assert state.answered == 2
    assert [one.path for one in state.results] == ["v1beta/files/out:download?alt=media"]
    assert {one.path for one in state.leftovers} == {
        "v1beta/batches/1", "v1beta/files/out", "v1beta/files/in",
    }  # fmt: skip


def test_a_batch_of_gemini_that_failed() -> None:
    answer = {"metadata": {"state": "BATCH_STATE_FAILED"}, "error": {"code": 5, "message": "gone"}}
    assert isinstance(batches("gemini").state("batches/1", answer).error, NotFound)


def test_a_finished_batch_of_anthropic() -> None:
    counts = {"processing": 0, "succeeded": 2, "errored": 1, "canceled": 0, "expired": 4}
    answer = {"id": "m", "processing_status": "ended", "request_counts": counts,
              "results_url": "https://elsewhere.example/steals-keys"}  # fmt: skip

    state = batches("anthropic").state("m", answer)

    assert (state.phase, state.answered, state.failed) == (Phase.DONE, 2, 5)
    assert [one.path for one in state.results] == ["v1/messages/batches/m/results"]


@pytest.mark.parametrize("wrapped", [lambda one: {"batches": [one]}, lambda one: one,
                                     lambda one: [{"id": "other"}, one]])  # fmt: skip
def test_a_batch_of_gigachat_however_it_is_wrapped(wrapped: Any) -> None:
    told = {"id": "b-1", "status": "completed", "output_file_id": "f-1",
            "request_counts": {"total": 2, "completed": 2, "failed": 0}}  # fmt: skip

    state = batches("gigachat").state("b-1", wrapped(told))

    assert (state.phase, state.answered) == (Phase.DONE, 2)
    assert [one.path for one in state.results] == ["files/f-1/content"]


# ---- lists


def test_lists_and_the_names_in_them() -> None:
    openai = batches("openai_chat")
    row = {"id": "batch_1", "created_at": 1700000000, "metadata": {"llmctl": "k1"},
           "request_counts": {"total": 3}}  # fmt: skip
    [found], page = openai.listed({"data": [row], "has_more": True})
    assert (found.job, found.key, found.rows, found.created, page) == (
        "batch_1", "k1", 3, 1700000000.0, "batch_1",
    )  # fmt: skip
    assert openai.listing(page).path == "batches?limit=100&after=batch_1"

    gemini = batches("gemini")
    told = {"displayName": "k1", "createTime": "1970-01-01T00:01:00.123456789Z"}
    [found], page = gemini.listed({"operations": [{"name": "batches/1", "metadata": told}]})
    assert (found.job, found.key, round(found.created or 0), page) == ("batches/1", "k1", 60, None)

    counts = {"processing": 1, "succeeded": 1, "errored": 0, "canceled": 0, "expired": 0}
    row = {"id": "m", "created_at": "1970-01-01T00:01:00Z", "request_counts": counts}
    [found], page = batches("anthropic").listed({"data": [row], "has_more": False})
    assert (found.job, found.key, found.rows, found.created) == ("m", None, 2, 60.0)

    [found], page = batches("gigachat").listed({"batches": [{"id": "b", "created_at": 60}]})
    assert (found.job, found.created) == ("b", 60.0)


# ---- results


def test_results_of_openai() -> None:
    read = batches("openai_chat").result
    good = {"custom_id": "a", "response": {"status_code": 200, "request_id": "q", "body": {"x": 1}}}
    assert read(good) == Result(id="a", body={"x": 1}, request_id="q")
    late = {"custom_id": "a", "response": None, "error": {"code": "batch_expired", "message": "."}}
    assert read(late) == Result(id="a", gone=Gone.EXPIRED)
    odd = {"custom_id": "a", "response": None, "error": {"code": "x", "message": "y"}}
    assert read(odd) == Result(id="a", status=500, body={"error": {"code": "x", "message": "y"}})
    assert read({"id": "batch_req_1"}) is None
    assert read(None) is None


def test_results_of_gemini() -> None:
    read = batches("gemini").result
    answer = {"candidates": [], "responseId": "q"}
    assert read({"key": "a", "response": answer}) == Result(id="a", body=answer, request_id="q")
    bad = {"code": 3, "message": "no"}
    assert read({"key": "a", "error": bad}) == Result(id="a", status=400, body={"error": bad})
    assert read({"key": "a", "error": {"code": 1}}) == Result(id="a", gone=Gone.CANCELLED)


def test_results_of_anthropic() -> None:
    read = batches("anthropic").result
    said = {"id": "msg_1", "content": []}
    succeeded = {"custom_id": "a", "result": {"type": "succeeded", "message": said}}
    assert read(succeeded) == Result(id="a", body=said, request_id="msg_1")
    inner = {"type": "error", "error": {"type": "overloaded_error", "message": "m"},
             "request_id": "q"}  # fmt: skip
    errored = {"custom_id": "a", "result": {"type": "errored", "error": inner}}
    assert read(errored) == Result(id="a", status=529, body=inner, request_id="q")
    for word, gone in (("canceled", Gone.CANCELLED), ("expired", Gone.EXPIRED)):
        assert read({"custom_id": "a", "result": {"type": word}}) == Result(id="a", gone=gone)


@pytest.mark.parametrize(
    "line",
    [
        {"id": "a", "response": {"status_code": 200, "body": {"choices": []}}},
        {"id": "a", "response": {"choices": []}},
        {"id": "a", "result": {"choices": []}},
        {"custom_id": "a", "response": {"body": {"choices": []}}},
    ],
)
def test_results_of_gigachat_in_whatever_form(line: Any) -> None:
    assert batches("gigachat").result(line) == Result(id="a", body={"choices": []})


def test_failures_of_gigachat() -> None:
    read = batches("gigachat").result
    told = {"status": 422, "message": "Invalid params"}
    assert read({"id": "a", "response": told}) == Result(id="a", status=422, body=told)
    assert read({"id": "a", "error": {"message": "x"}}).status == 500


def test_operations_of_yandex() -> None:
    operations = batches("yandexgpt")
    assert operations.begun({"id": "d7q", "done": False}) == "d7q"
    for odd in ({}, {"id": "../x"}):
        with pytest.raises(ProviderFailed):
            operations.begun(odd)
    assert operations.look("d7q") == HttpCall("GET", "operations/d7q", base="operations_url")
    assert operations.result("a", {"id": "d7q"}) is None  # done may be left out
    done = {"id": "d7q", "done": True, "response": {}}
    assert operations.result("a", done) == Result(id="a", body=done, request_id="d7q")
    stopped = {"id": "d7q", "done": True, "error": {"code": 1, "message": "cancelled"}}
    assert operations.result("a", stopped) == Result(id="a", gone=Gone.CANCELLED)
