"""What we hand in against OpenAI's own description, and what the simulator says of batches against
schemas derived from the types of the official packages."""

import json
import os
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from llmctl.dialects import DIALECTS, Frame
from llmctl.dialects.batches import Batches
from llmctl.types import Chat, Media, Quirks, Role, message
from tests.simulator import Simulator
from tests.unit.dialects.documented import SCHEMA, _validator, needs_documents

pytestmark = needs_documents

CALL = Chat("gpt-6-luna", (message(Role.USER, "Why?"),), max_tokens=99, schema=SCHEMA)
QUIRKS = Quirks(max_tokens_field="max_completion_tokens")


@cache
def derived(name: str) -> jsonschema.Draft202012Validator:
    path = Path(os.environ["LLMCTL_CONFORMANCE_DIR"]) / "schemas" / f"derived.{name}.schema.json"
    return jsonschema.Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


def batches(name: str) -> Batches:
    found = DIALECTS[name]().batches()
    assert isinstance(found, Batches)
    return found


@pytest.mark.parametrize(
    ("dialect", "schema"),
    [("openai_chat", "CreateChatCompletionRequest"), ("openai_responses", "CreateResponse")],
)
def test_a_line_is_a_request_of_its_endpoint(dialect: str, schema: str) -> None:
    entry = batches(dialect).entry("a-1", CALL, QUIRKS)
    _validator("openai", schema).validate(entry["body"])


@pytest.mark.parametrize("dialect", ["openai_chat", "openai_responses"])
def test_the_request_that_makes_a_batch(dialect: str) -> None:
    handing = batches(dialect).hand_in(
        Media("application/jsonl", data=b"x"), "k1", batches(dialect).kind(CALL, QUIRKS)
    )
    handing.read({}, Frame('{"id": "file-1"}'))
    assert handing.then is not None
    _validator("openai", "CreateBatchRequest").validate(handing.then.http.body)


def posted(url: str, body: Any, **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.loads(reply.read())


def got(url: str, **headers: str) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, None, headers), timeout=10) as reply:
        said: bytes = reply.read()
        return said


@pytest.mark.parametrize("fault", ["ok", "expires", "fails"])
def test_batches_of_the_simulator_are_openais(sim: Simulator, fault: str) -> None:
    line = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions",
            "body": {"model": "mock", "messages": [{"role": "user", "content": "x"}]}}  # fmt: skip
    name = sim.batches.keep(json.dumps(line).encode())
    sim.batches.script([fault])
    given = {"input_file_id": name, "endpoint": line["url"], "completion_window": "24h"}

    documents = [posted(f"{sim.openai_url}/batches", given)]
    for _look in range(2):
        documents.append(json.loads(got(f"{sim.openai_url}/batches/{documents[0]['id']}")))

    for one in documents:
        derived("openai-3.54.0.Batch").validate(one)


@pytest.mark.parametrize("fault", ["ok", "expires"])
def test_batches_of_the_simulator_are_anthropics(sim: Simulator, fault: str) -> None:
    def asked(name: str, prompt: str) -> Any:
        said = [{"role": "user", "content": prompt}]
        return {"custom_id": name, "params": {"model": "mock", "max_tokens": 9, "messages": said}}

    version = {"anthropic-version": "2023-06-01"}
    url = f"{sim.anthropic_url}/v1/messages/batches"
    sim.batches.script([fault])
    requests = [asked("a", "x"), asked("b", "FAIL")]
    documents = [posted(url, {"requests": requests}, **version)]
    for _look in range(2):
        documents.append(json.loads(got(f"{url}/{documents[0]['id']}", **version)))

    for one in documents:
        derived("anthropic-2.12.0.MessageBatch").validate(one)
    results = got(f"{url}/{documents[0]['id']}/results", **version).splitlines()
    assert len(results) == 2
    for line in results:
        derived("anthropic-2.12.0.MessageBatchIndividualResponse").validate(json.loads(line))
