"""Pictures that servers have drawn, and requests and shapes that their owners publish, which are
not part of this project: LLMCTL_CONFORMANCE_DIR names a folder with `traffic/` and `schemas/`."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from llmctl.dialects import DIALECTS, Frame
from llmctl.dialects.pictures import dimensions
from llmctl.types import Event, Finished, FinishReason, Image, Media, Quirks, TextDelta
from tests.simulator.answers import Answer
from tests.simulator.images import OpenAIImages, Wish
from tests.simulator.pictures import jpeg

FOLDER = os.environ.get("LLMCTL_CONFORMANCE_DIR")
pytestmark = pytest.mark.skipif(not FOLDER, reason="LLMCTL_CONFORMANCE_DIR is not set")
SPECS = Path(FOLDER or ".")
ART = Quirks(model_name="art://{folder}/{model}/latest", settings={"folder": "b1gdummyfolder"})


@cache
def schema(name: str) -> Any:
    return json.loads((SPECS / "schemas" / name).read_text())


def test_a_picture_that_yandexart_has_drawn() -> None:
    """Recorded over gRPC, whose messages are those of REST."""
    path = SPECS / "traffic" / "yandex-native" / "test_image_generation-test_run.gprc.json"
    begun, waiting, done = json.loads(path.read_text())["interactions"][1:]
    decoder = DIALECTS["yandexgpt"]().decoder(Image("m", "hello"), Quirks())

    events: list[Event] = []
    for one in (begun, waiting):
        events += decoder.feed(Frame(json.dumps(one["response"]["message"])))
        assert decoder.then is not None
        assert decoder.then.http.path.endswith(one["response"]["message"]["id"])
    events += decoder.feed(Frame(json.dumps(done["response"]["message"])))

    (drawn,) = [one for one in events if isinstance(one, Media)]
    assert drawn.media_type == "image/jpeg"
    assert dimensions(drawn.data or b"") == (1024, 1024)
    assert isinstance(events[-1], Finished)


def test_what_yandexs_own_package_asks_for() -> None:
    path = SPECS / "traffic" / "sdk-requests" / "yandex-ai-studio-sdk-0.22.1.json"
    steps = json.loads(path.read_text())["steps"]["grpc_image"]["grpc"]
    (asked,) = [one["message"] for one in steps if one["grpc_method"].endswith("/Generate")]

    http = DIALECTS["yandexgpt"]().encode(Image("yandex-art", "кот", size="2:1", seed=7), ART)

    assert http.body == asked


def test_a_picture_that_gigachat_has_drawn() -> None:
    path = SPECS / "traffic" / "gigachat" / "test_primary_chat_builtin_tools.yaml"
    recorded = [
        one
        for one in yaml.safe_load(path.read_text())["interactions"]
        if "image_generate" in (one["request"]["body"] or "")
    ]
    (one,) = recorded
    sent = json.loads(one["request"]["body"])
    said = sent["messages"][0]["content"][0]["text"]
    dialect, call = DIALECTS["gigachat_v2"](), Image(sent["model"], said)
    decoder = dialect.decoder(call, Quirks())

    assert dialect.encode(call, Quirks()).body == sent
    events = [*decoder.feed(Frame(one["response"]["body"]["string"])), *decoder.end()]
    assert decoder.then is not None
    assert decoder.then.http.path == "files/f4b17167-3fa4-40aa-80c6-c737ee40d961/content"
    events += decoder.feed(Frame("", raw=jpeg()))
    assert TextDelta("A simple square icon concept for a Python SDK release has been created.") in (
        events
    )
    end = events[-1]
    assert isinstance(end, Finished)
    assert end.reason is FinishReason.STOP
    assert end.usage is not None
    assert (end.usage.input_tokens, end.usage.output_tokens) == (999, 42)


def test_how_gigachats_own_package_fetches_a_picture() -> None:
    path = SPECS / "traffic" / "sdk-requests" / "gigachat-python-0.2.3.json"
    sent = json.loads(path.read_text())["steps"]["get_image_content"]
    (theirs,) = [one for one in sent["requests"] if one["method"] == "GET"]
    dialect = DIALECTS["gigachat"]()
    decoder = dialect.decoder(Image("m", "a"), Quirks())
    message = {"role": "assistant", "content": '<img src="f1" fuse="true"/>'}
    answer = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}

    for _event in (*decoder.feed(Frame(json.dumps(answer))), *decoder.end()):
        pass

    assert decoder.then is not None
    http = decoder.then.http
    assert theirs["path"].endswith(f"/{http.path}")
    assert dict(theirs["headers"])["Accept"] == http.headers["Accept"]


@pytest.mark.parametrize("count", [1, 3])
def test_openais_answers_here_have_the_shape_of_its_package(count: int) -> None:
    wish = Wish("mock", "a fox", "image", count=count)
    answer = json.loads(OpenAIImages().whole(wish, Answer()))

    jsonschema.validate(answer, schema("derived.openai-3.54.0.ImagesResponse.schema.json"))
    decoder = DIALECTS["openai_chat"]().decoder(Image("mock", "a fox"), Quirks())
    events = list(decoder.feed(Frame(json.dumps(answer))))
    assert sum(isinstance(one, Media) for one in events) == count


def test_openais_requests_have_the_shape_of_its_specification() -> None:
    text = (SPECS / "openapi" / "openai.openapi.yaml").read_text()
    document = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    wanted = document["components"]["schemas"]["CreateImageRequest"]
    call = Image("gpt-image-2", "a fox", count=2, size="1536x1024", media_type="image/webp",
                 options={"quality": "high", "background": "opaque"})  # fmt: skip

    body = DIALECTS["openai_chat"]().encode(call, Quirks(image_reply="", seed=False)).body

    assert body is not None
    assert body.keys() <= wanted["properties"].keys()
    for name in ("quality", "output_format", "background"):
        assert body[name] in wanted["properties"][name]["enum"]
    assert wanted["properties"]["n"]["minimum"] <= body["n"] <= wanted["properties"]["n"]["maximum"]


def test_hugging_faces_task_takes_our_parameters() -> None:
    call = Image("org/m", "a fox", size="512x256", seed=7, options={"guidance_scale": 3.5})
    quirks = Quirks(settings={"text_generation": "router"})

    body = DIALECTS["huggingface"]().encode(call, quirks).body

    assert body is not None
    task = schema("hf-task.text-to-image.input.schema.json")
    known = task["$defs"]["TextToImageParameters"]["properties"]
    assert body["parameters"].keys() <= known.keys()
    jsonschema.Draft6Validator(task).validate(body)
