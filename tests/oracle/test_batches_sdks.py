"""Batches by the official packages against the simulator, which shows that it takes them as the
providers do; and what we hand in is what they hand in. (GigaChat's package has no batches.)"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import types

from llmctl import settings
from llmctl.dialects.batches import Batches
from llmctl.engine.batches import Batching, Exchanging
from llmctl.engine.offered import offered
from llmctl.engine.resolve import resolve
from llmctl.transport.exchange import Lane
from llmctl.types import Chat, Media, Role, message
from tests.e2e.harness import KEY
from tests.simulator import Request, Simulator
from tests.simulator.answers import TEXT
from tests.simulator.files import form

SAY: Any = [{"role": "user", "content": "Why is the sky blue?"}]
BODY: Any = {"model": "mock", "messages": SAY, "max_completion_tokens": 99}


@pytest.fixture
def open_ai(sim: Simulator) -> Iterator[openai.OpenAI]:
    """A strict client takes nothing that does not fit the package's own types."""
    with openai.OpenAI(
        base_url=sim.openai_url, api_key=KEY, max_retries=0, _strict_response_validation=True
    ) as made:
        yield made


@pytest.fixture
def claude(sim: Simulator) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(
        base_url=sim.anthropic_url, api_key=KEY, max_retries=0, _strict_response_validation=True
    ) as made:
        yield made


@pytest.fixture
def google(sim: Simulator) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=sim.url, api_version="v1beta")
    with genai.Client(api_key=KEY, vertexai=False, http_options=options) as made:
        yield made


# ---- OpenAI


def lines(*prompts: str) -> bytes:
    rows = [
        {
            "custom_id": f"r{number}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {**BODY, "messages": [{"role": "user", "content": prompt}]},
        }
        for number, prompt in enumerate(prompts)
    ]
    return "\n".join(map(json.dumps, rows)).encode()


def handed_in(client: openai.OpenAI, *prompts: str) -> Any:
    file = client.files.create(file=("rows.jsonl", lines(*prompts)), purpose="batch")
    return client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"llmctl": "k1"},
    )


def test_openai_from_file_to_results(open_ai: openai.OpenAI) -> None:
    batch = handed_in(open_ai, "one", "FAIL")
    assert batch.status == "validating"
    assert open_ai.batches.retrieve(batch.id).status == "in_progress"

    done = open_ai.batches.retrieve(batch.id)

    assert done.status == "completed"
    assert (done.metadata, done.request_counts and done.request_counts.failed) == (
        {"llmctl": "k1"}, 1,
    )  # fmt: skip
    assert done.output_file_id
    assert done.error_file_id
    [good] = map(json.loads, open_ai.files.content(done.output_file_id).text.splitlines())
    answer = openai.types.chat.ChatCompletion.model_validate(good["response"]["body"])
    assert (good["custom_id"], answer.choices[0].message.content) == ("r0", TEXT)
    [bad] = map(json.loads, open_ai.files.content(done.error_file_id).text.splitlines())
    assert (bad["custom_id"], bad["response"]["status_code"]) == ("r1", 400)
    assert open_ai.files.delete(done.output_file_id).deleted


def test_openai_lists_and_cancels(open_ai: openai.OpenAI) -> None:
    batch = handed_in(open_ai, "one", "two")

    assert [one.id for one in open_ai.batches.list()] == [batch.id]
    assert open_ai.batches.cancel(batch.id).status == "cancelled"
    assert open_ai.batches.retrieve(batch.id).status == "cancelled"


def test_openai_expires_and_fails(open_ai: openai.OpenAI, sim: Simulator) -> None:
    sim.batches.script(["expires", "fails"])
    one, other = handed_in(open_ai, "one", "two"), handed_in(open_ai, "one")
    for _number in range(2):
        expired, failed = open_ai.batches.retrieve(one.id), open_ai.batches.retrieve(other.id)

    assert (expired.status, failed.status) == ("expired", "failed")
    assert expired.error_file_id
    [gone] = map(json.loads, open_ai.files.content(expired.error_file_id).text.splitlines())
    assert (gone["response"], gone["error"]["code"]) == (None, "batch_expired")
    assert failed.errors
    assert failed.errors.data


# ---- Anthropic


def test_anthropic_from_requests_to_results(claude: anthropic.Anthropic) -> None:
    def asked(id: str, prompt: str) -> Any:
        said = [{"role": "user", "content": prompt}]
        return {"custom_id": id, "params": {"model": "mock", "max_tokens": 9, "messages": said}}

    batch = claude.messages.batches.create(requests=[asked("a", "one"), asked("b", "FAIL")])
    assert batch.processing_status == "in_progress"
    assert [one.id for one in claude.messages.batches.list()] == [batch.id]
    for _number in range(2):
        batch = claude.messages.batches.retrieve(batch.id)

    found = {one.custom_id: one.result for one in claude.messages.batches.results(batch.id)}

    assert batch.processing_status == "ended"
    assert (batch.request_counts.succeeded, batch.request_counts.errored) == (1, 1)
    good, bad = found["a"], found["b"]
    assert good.type == "succeeded"
    assert good.message.stop_reason in ("end_turn", "max_tokens")
    assert bad.type == "errored"
    assert bad.error.error.type == "invalid_request_error"
    assert claude.messages.batches.delete(batch.id).id == batch.id


def test_anthropic_cancels(claude: anthropic.Anthropic) -> None:
    params: Any = {"model": "mock", "max_tokens": 9, "messages": SAY}
    requests: Any = [{"custom_id": name, "params": params} for name in ("a", "b")]
    batch = claude.messages.batches.create(requests=requests)

    claude.messages.batches.cancel(batch.id)

    kinds = sorted(one.result.type for one in claude.messages.batches.results(batch.id))
    assert kinds == ["canceled", "succeeded"]


# ---- Gemini


def looked(google: genai.Client, name: str) -> types.BatchJob:
    job = google.batches.get(name=name)
    return job if job.done else google.batches.get(name=name)


def test_gemini_from_file_to_results(google: genai.Client, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    content = {"contents": [{"role": "user", "parts": [{"text": "one"}]}]}
    path.write_text(json.dumps({"key": "a", "request": content}) + "\n")
    file = google.files.upload(
        file=path, config=types.UploadFileConfig(display_name="k1", mime_type="application/jsonl")
    )
    assert file.name
    job = google.batches.create(
        model="mock", src=file.name, config=types.CreateBatchJobConfig(display_name="k1")
    )
    assert job.name

    done = looked(google, job.name)

    assert done.state is types.JobState.JOB_STATE_SUCCEEDED
    assert [one.display_name for one in google.batches.list()] == ["k1"]
    assert done.dest
    assert done.dest.file_name
    [line] = map(json.loads, google.files.download(file=done.dest.file_name).splitlines())
    answer = types.GenerateContentResponse.model_validate(line["response"])
    assert (line["key"], answer.text) == ("a", TEXT)


def test_gemini_inline_and_cancelled(google: genai.Client) -> None:
    source = [types.InlinedRequest(contents="one"), types.InlinedRequest(contents="two")]
    first = google.batches.create(model="mock", src=source)
    second = google.batches.create(model="mock", src=source)
    assert first.name
    assert second.name

    google.batches.cancel(name=second.name)

    done = looked(google, first.name)
    assert done.dest
    assert done.dest.inlined_responses
    assert [one.response and one.response.text for one in done.dest.inlined_responses] == [TEXT] * 2
    assert looked(google, second.name).state is types.JobState.JOB_STATE_CANCELLED
    google.batches.delete(name=first.name)


# ---- ours beside theirs


def ours(name: str, sim: Simulator, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What our own engine sends to hand one row in."""
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(folder))
    monkeypatch.setenv("LLMCTL_PROVIDERS__OPENAI__BASE_URL", sim.openai_url)
    monkeypatch.setenv("LLMCTL_PROVIDERS__GEMINI__BASE_URL", sim.url)
    monkeypatch.setenv("LLMCTL_PROVIDERS__ANTHROPIC__BASE_URL", sim.anthropic_url)
    for variable in ("OPENAI_API_KEY", "GEMINI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(variable, KEY)
    route = resolve(f"{name}/mock", settings.load())
    batches = offered(route)
    assert isinstance(batches, Batches)
    call = Chat("mock", (message(Role.USER, "Why is the sky blue?"),), max_tokens=99, stream=False)
    data = json.dumps(batches.entry("r0", call, route.quirks)).encode()
    path = folder / "rows"
    path.write_bytes(batches.head + data + batches.tail)
    file = Media("application/jsonl", path=str(path), size=path.stat().st_size, name="rows")

    async def hand_in() -> None:
        async with Lane(route.target) as lane:
            batching = Batching(batches, Exchanging(route, lane))
            kind = batches.kind(call, route.quirks)
            await batching.handed_in(file, kind, "k1", 1, lambda _intent: None)

    sim.requests.clear()
    asyncio.run(hand_in())
    return list(sim.requests)


def test_we_hand_in_what_the_openai_package_does(
    open_ai: openai.OpenAI, sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_in(open_ai, "Why is the sky blue?")
    theirs = list(sim.requests)

    upload, made = ours("openai", sim, tmp_path, monkeypatch)

    assert [one.path for one in theirs] == [upload.path, made.path]
    fields, own = ({one["name"]: one["data"] for one in form(r)} for r in (theirs[0], upload))
    assert fields.keys() == own.keys()
    assert fields["purpose"] == own["purpose"]
    assert json.loads(own["file"]) == json.loads(fields["file"])
    assert {**made.json, "input_file_id": ""} == {**theirs[1].json, "input_file_id": ""}


def test_we_hand_in_what_the_anthropic_package_does(
    claude: anthropic.Anthropic, sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params: Any = {"model": "mock", "max_tokens": 99, "messages": SAY}
    claude.messages.batches.create(requests=[{"custom_id": "r0", "params": params}])
    [theirs] = sim.requests

    [made] = ours("anthropic", sim, tmp_path, monkeypatch)

    assert (made.path, made.json) == (theirs.path, theirs.json)
    assert made.headers["content-type"] == theirs.headers["content-type"]


def test_we_hand_in_what_the_google_package_does(
    google: genai.Client, sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "theirs.jsonl"
    path.write_text('{"key": "r0", "request": {}}\n')
    file = google.files.upload(
        file=path, config=types.UploadFileConfig(mime_type="application/jsonl")
    )
    assert file.name
    google.batches.create(
        model="mock", src=file.name, config=types.CreateBatchJobConfig(display_name="k1")
    )
    theirs = sim.requests[-1]

    *_upload, made = ours("gemini", sim, tmp_path, monkeypatch)

    assert made.path == theirs.path
    batch, other = made.json["batch"], theirs.json["batch"]
    assert batch.keys() == other.keys()
    assert batch["displayName"] == other["displayName"] == "k1"
    assert batch["inputConfig"].keys() == other["inputConfig"].keys()
