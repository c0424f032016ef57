"""Pictures drawn by each format: what is sent, by what their documents and official clients say,
and what comes of the answers."""

import json
from base64 import b64encode
from typing import Any

import pytest

from llmctl.dialects import DIALECTS, Decoder, Frame, Framing
from llmctl.errors import Filtered, LlmctlError, ProviderFailed, UsageError
from llmctl.types import (
    Event,
    Finished,
    FinishReason,
    Image,
    Media,
    Progress,
    Quirks,
    TextDelta,
    Usage,
)
from tests.simulator.pictures import jpeg, png

FOX = Image("m", "a red fox")
PNG, JPEG = b64encode(png()).decode(), b64encode(jpeg()).decode()
ROUTER = Quirks(settings={"text_generation": "router"})
YANDEX = Quirks(model_name="gpt://{folder}/{model}", settings={"folder": "f"})
DRAWING = ("openai_chat", "openai_responses", "gemini", "gigachat", "gigachat_v2", "yandexgpt",
           "huggingface")  # fmt: skip


def sent(dialect: str, call: Image, quirks: Quirks | None = None) -> tuple[str, Any]:
    http = DIALECTS[dialect]().encode(call, quirks or Quirks())
    assert http.method == "POST"
    return http.path, http.body


def decoder(dialect: str, call: Image = FOX, quirks: Quirks | None = None) -> Decoder:
    return DIALECTS[dialect]().decoder(call, quirks or Quirks())


def fed(made: Decoder, *frames: Any) -> list[Event]:
    """What comes of bodies, each to be the answer to one request; documents are JSON."""
    events: list[Event] = []
    for one in frames:
        frame = one if isinstance(one, Frame) else Frame(json.dumps(one))
        events += made.feed(frame)
        if not made.done:
            events += made.end()
    return events


def finished(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished)
    return events[-1]


def media(events: list[Event]) -> list[Media]:
    return [one for one in events if isinstance(one, Media)]


@pytest.mark.parametrize("dialect", DRAWING)
def test_formats_that_draw_say_so(dialect: str) -> None:
    assert DIALECTS[dialect]().drawing() is not None


@pytest.mark.parametrize("dialect", ["anthropic", "ollama"])
def test_formats_that_do_not_draw_refuse(dialect: str) -> None:
    assert DIALECTS[dialect]().drawing() is None
    with pytest.raises(UsageError, match="no image"):
        sent(dialect, FOX)


# ---- OpenAI and hosts like it


@pytest.mark.parametrize("dialect", ["openai_chat", "openai_responses"])
def test_openai_is_asked_without_a_response_format_where_the_card_says_so(dialect: str) -> None:
    call = Image("gpt-image-2.5-flare", "a fox", count=2, size="1536x1024", seed=7,
                 media_type="image/webp", options={"quality": "high"})  # fmt: skip

    assert sent(dialect, call, Quirks(image_reply="", seed=False)) == (
        "images/generations",
        {
            "model": "gpt-image-2.5-flare",
            "prompt": "a fox",
            "n": 2,
            "size": "1536x1024",
            "output_format": "webp",
            "quality": "high",
        },
    )


def test_other_hosts_are_asked_for_base64_and_take_a_seed() -> None:
    body = {"model": "m", "prompt": "a red fox", "response_format": "b64_json"}

    assert sent("openai_chat", FOX) == ("images/generations", body)
    assert sent("openai_chat", Image("m", "a", seed=7, size="auto"))[1]["seed"] == 7
    assert sent("openai_chat", Image("m", "a", size="auto"))[1]["size"] == "auto"


def test_a_size_that_is_none_in_pixels_is_refused() -> None:
    with pytest.raises(UsageError, match="in pixels"):
        sent("openai_chat", Image("m", "a", size="16:9"))


def test_an_answer_of_two_pictures_with_usage() -> None:
    usage = {
        "input_tokens": 10,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 0},
        "output_tokens": 2000,
        "output_tokens_details": {"text_tokens": 0, "image_tokens": 2000},
        "total_tokens": 2010,
    }
    data = [{"b64_json": PNG}, {"b64_json": JPEG, "revised_prompt": "a red fox, sitting"}]
    answer = {"created": 1, "data": data, "size": "64x64", "quality": "low", "usage": usage}

    events = fed(decoder("openai_chat"), answer)

    assert media(events) == [Media("image/png", png()), Media("image/jpeg", jpeg())]
    end = finished(events)
    assert end.usage == Usage(input_tokens=10, output_tokens=2000)
    assert end.details == {
        "size": "64x64",
        "quality": "low",
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 0},
        "output_tokens_details": {"text_tokens": 0, "image_tokens": 2000},
        "revised_prompts": [None, "a red fox, sitting"],
    }


def test_a_damaged_picture_beside_a_good_one_is_only_missing() -> None:
    events = fed(decoder("openai_chat"), {"data": [{"b64_json": "bm8="}, {"b64_json": PNG}]})

    assert media(events) == [Media("image/png", png())]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"data": []}, "no-picture"),
        ({"data": None}, "no-picture"),
        ({"data": [{"b64_json": "bm8="}]}, "damaged-picture"),
        ({"data": [{"b64_json": "!"}]}, "damaged-picture"),
        ({"data": [{"url": "https://a.example/1.png"}]}, "picture-elsewhere"),
    ],
)
def test_an_answer_without_a_picture_is_never_a_success(answer: Any, reason: str) -> None:
    with pytest.raises(ProviderFailed) as failed:
        fed(decoder("openai_chat"), answer)
    assert failed.value.reason == reason
    assert not failed.value.retryable  # it would be paid once more


def test_what_a_host_states_of_the_cost_is_heard() -> None:
    made = decoder("openai_chat", quirks=Quirks(cost_field="usage.cost"))

    events = fed(made, {"data": [{"b64_json": PNG}], "usage": {"cost": 0.04}})

    assert finished(events).reported_cost == ("0.04", "USD")


@pytest.mark.parametrize("code", ["moderation_blocked", "content_policy_violation"])
def test_a_prompt_that_moderation_blocks_is_filtered(code: str) -> None:
    error = {"message": "no", "type": "image_generation_user_error", "param": None, "code": code}

    failure = DIALECTS["openai_chat"]().failure(400, {}, json.dumps({"error": error}))

    assert isinstance(failure, Filtered)


# ---- Gemini


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        (None, None),
        ("16:9", {"aspectRatio": "16:9"}),
        ("2K", {"imageSize": "2K"}),
        ("21:9 4K", {"aspectRatio": "21:9", "imageSize": "4K"}),
        ("1024x1024", {"aspectRatio": "1:1"}),
        ("1536x1024", {"aspectRatio": "3:2"}),
        ("2048x2048", {"aspectRatio": "1:1", "imageSize": "2K"}),
        ("5504x3072", {"aspectRatio": "16:9", "imageSize": "4K"}),
        ("1000x3000", {"aspectRatio": "1:3", "imageSize": "2K"}),
        ("auto", None),
    ],
)
def test_gemini_gets_ratio_and_step(size: str | None, shape: Any) -> None:
    path, body = sent("gemini", Image("gemini-3-pro-image", "a fox", size=size, seed=7))

    assert path == "v1beta/models/gemini-3-pro-image:generateContent"
    config = {"responseModalities": ["TEXT", "IMAGE"], "seed": 7}
    assert body == {
        "contents": [{"role": "user", "parts": [{"text": "a fox"}]}],
        "generationConfig": config if shape is None else config | {"imageConfig": shape},
    }


def test_gemini_takes_its_own_fields() -> None:
    options = {"temperature": 1, "safetySettings": [], "image_config": {"personGeneration": "x"}}
    _path, body = sent("gemini", Image("m", "a", options=options))

    assert body["safetySettings"] == []
    assert body["generationConfig"]["temperature"] == 1
    assert body["generationConfig"]["imageConfig"] == {"personGeneration": "x"}


def test_gemini_cannot_be_told_a_type() -> None:
    with pytest.raises(UsageError, match="does not make webp"):
        sent("gemini", Image("m", "a", media_type="image/webp"))


def gemini(parts: list[Any], reason: str | None = "STOP", **more: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": reason, **more}
    return {"candidates": [candidate], "modelVersion": "m"}


def inline(data: str, **more: Any) -> dict[str, Any]:
    return {"inlineData": {"mimeType": "image/png", "data": data}, **more}


def test_gemini_says_something_and_draws() -> None:
    sketch = inline(JPEG, thought=True)
    events = fed(decoder("gemini"), gemini([sketch, {"text": "Here."}, inline(PNG)]))

    assert events[:-1] == [TextDelta("Here."), Media("image/png", png())]
    assert finished(events).reason is FinishReason.STOP


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        (gemini([], "IMAGE_SAFETY", finishMessage="unsafe"), "unsafe"),
        (gemini([], "NO_IMAGE", finishMessage="none"), "none"),
        (gemini([{"text": "I would rather not."}]), "I would rather not."),
        ({"promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "bad"}}, "bad"),
    ],
)
def test_gemini_refuses(answer: Any, refusal: str) -> None:
    end = finished(fed(decoder("gemini"), answer))

    assert end.reason is FinishReason.FILTER
    assert end.details["refusal"] == refusal


def test_an_answer_cut_by_length_is_no_refusal() -> None:
    end = finished(fed(decoder("gemini"), gemini([{"text": "Let me"}], "MAX_TOKENS")))

    assert end.reason is FinishReason.LENGTH


@pytest.mark.parametrize(
    ("parts", "reason"), [([], "no-picture"), ([inline("bm8=")], "damaged-picture")]
)
def test_gemini_without_a_picture(parts: list[Any], reason: str) -> None:
    with pytest.raises(ProviderFailed) as failed:
        fed(decoder("gemini"), gemini(parts))
    assert (failed.value.reason, failed.value.retryable) == (reason, False)


# ---- GigaChat


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("a red fox", "Draw: a red fox"),
        ("рыжая лиса", "Нарисуй: рыжая лиса"),
        ("Нарисуй лису", "Нарисуй лису"),
        ("please draw a fox", "please draw a fox"),
        ("drawer of a desk", "Draw: drawer of a desk"),
    ],
)
def test_gigachat_is_asked_to_draw(prompt: str, said: str) -> None:
    path, body = sent("gigachat", Image("GigaChat", prompt))

    assert path == "chat/completions"
    assert body == {
        "model": "GigaChat",
        "messages": [{"role": "user", "content": said}],
        "function_call": "auto",
    }


def test_the_second_version_is_told_which_tool() -> None:
    # As the official client sends it.
    assert sent("gigachat_v2", Image("GigaChat-3-Ultra", "a fox")) == (
        "../v2/chat/completions",
        {
            "model": "GigaChat-3-Ultra",
            "messages": [{"role": "user", "content": [{"text": "a fox"}]}],
            "tools": [{"image_generate": {}}],
            "tool_config": {"mode": "forced", "tool_name": "image_generate"},
        },
    )


@pytest.mark.parametrize("call", [Image("m", "a", size="16:9"),
                                  Image("m", "a", media_type="image/png")])  # fmt: skip
@pytest.mark.parametrize("dialect", ["gigachat", "gigachat_v2"])
def test_gigachat_takes_neither_size_nor_another_type(dialect: str, call: Image) -> None:
    with pytest.raises(UsageError):
        sent(dialect, call)


def v1(content: str, reason: str = "stop") -> dict[str, Any]:
    message = {"role": "assistant", "content": content, "functions_state_id": "s"}
    usage = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
    choice = {"message": message, "index": 0, "finish_reason": reason}
    return {"choices": [choice], "usage": usage, "model": "GigaChat:1", "object": "c"}


def v2(*parts: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": list(parts)}
    return {"model": "G:1", "messages": [message], "finish_reason": "stop"}


def file_part(name: str, target: str = "image") -> dict[str, Any]:
    return {"files": [{"id": name, "mime": "image/jpeg", "target": target}]}


@pytest.mark.parametrize(
    ("dialect", "answer"),
    [
        ("gigachat", v1('<img src="ab-1" fuse="true"/> A fox.')),
        ("gigachat_v2", v2(file_part("ab-1"), {"text": "A fox."})),
    ],
)
def test_the_file_that_gigachat_names_is_fetched(dialect: str, answer: Any) -> None:
    made = decoder(dialect)

    before = fed(made, answer)

    assert [type(one) for one in before] == [Progress]
    assert made.then is not None
    http = made.then.http
    assert (http.method, http.path, http.framing) == ("GET", "files/ab-1/content", Framing.BYTES)
    assert http.headers == {"Accept": "application/jpg"}
    events = fed(made, Frame("", raw=jpeg(), media_type="image/jpg"))
    assert events[:2] == [Media("image/jpeg", jpeg(), ref="ab-1"), TextDelta("A fox.")]
    assert finished(events).reason is FinishReason.STOP
    assert made.done
    assert made.then is None


def test_two_files_are_fetched_one_after_the_other() -> None:
    made = decoder("gigachat")
    fed(made, v1('<img src="a" fuse="true"/><img src="b" fuse="true"/>'))

    first = fed(made, Frame("", raw=jpeg(8, 8)))
    assert made.then is not None
    assert made.then.http.path == "files/b/content"
    last = fed(made, Frame("", raw=jpeg(9, 9)))

    assert media([*first, *last]) == [
        Media("image/jpeg", jpeg(8, 8), ref="a"),
        Media("image/jpeg", jpeg(9, 9), ref="b"),
    ]
    assert made.done


def test_a_name_cannot_lead_to_another_address() -> None:
    made = decoder("gigachat")
    fed(made, v1('<img src="../../v1/models?x=1" fuse="true"/>'))

    assert made.then is not None
    assert made.then.http.path == "files/..%2F..%2Fv1%2Fmodels%3Fx%3D1/content"


@pytest.mark.parametrize(
    ("dialect", "answer", "reason"),
    [
        ("gigachat", v1("Не буду."), "no picture"),
        ("gigachat", v1("Не буду.", "blacklist"), "blacklist"),
        ("gigachat_v2", v2({"text": "Не буду."}), "no picture"),
        ("gigachat_v2", v2(file_part("a", "sound"), {"text": "Не буду."}), "no picture"),
    ],
)
def test_an_answer_without_a_file_is_a_refusal(dialect: str, answer: Any, reason: str) -> None:
    end = finished(fed(decoder(dialect), answer))

    assert end.reason is FinishReason.FILTER
    assert end.native_reason == reason
    assert end.details["refusal"] == "Не буду."


def test_a_file_that_is_no_picture() -> None:
    made = decoder("gigachat")
    fed(made, v1('<img src="a" fuse="true"/>'))

    with pytest.raises(ProviderFailed) as failed:
        fed(made, Frame("", raw=b"nothing of the kind"))
    assert (failed.value.reason, failed.value.retryable) == ("damaged-picture", False)


# ---- YandexART


def test_yandexart_gets_what_its_own_package_sends() -> None:
    call = Image("yandex-art/latest", "кот", size="2:1", seed=7, options={"x": 1})
    quirks = Quirks(model_name="art://{folder}/{model}", settings={"folder": "f"})

    assert sent("yandexgpt", call, quirks) == (
        "foundationModels/v1/imageGenerationAsync",
        {
            "modelUri": "art://f/yandex-art/latest",
            "messages": [{"text": "кот"}],
            "generationOptions": {
                "mimeType": "image/jpeg",
                "seed": "7",
                "aspectRatio": {"widthRatio": "2", "heightRatio": "1"},
            },
            "x": 1,
        },
    )


def test_an_unlisted_model_is_asked_for_pictures_all_the_same() -> None:
    assert sent("yandexgpt", Image("new-art", "кот"), YANDEX)[1]["modelUri"] == "art://f/new-art"


def test_a_prompt_of_500_characters_is_the_longest() -> None:
    sent("yandexgpt", Image("m", "я" * 500), YANDEX)
    with pytest.raises(UsageError, match="up to 500 characters; this one has 501"):
        sent("yandexgpt", Image("m", "я" * 501), YANDEX)


@pytest.mark.parametrize(
    "call", [Image("m", "a", size="2K"), Image("m", "a", media_type="image/png")]
)
def test_yandexart_makes_neither_steps_nor_other_types(call: Image) -> None:
    with pytest.raises(UsageError):
        sent("yandexgpt", call, YANDEX)


def test_an_operation_is_asked_after_until_the_picture_is_there() -> None:
    made = decoder("yandexgpt")

    events = fed(made, {"id": "fbv1", "done": False})
    assert made.then is not None
    assert (made.then.http.path, made.then.http.base) == ("operations/fbv1", "operations_url")
    events += fed(made, {"id": "fbv1"})
    events += fed(made, {"id": "fbv1", "done": True, "response": {"image": JPEG}})

    assert [type(one) for one in events] == [Progress, Progress, Media, Finished]
    assert media(events) == [Media("image/jpeg", jpeg())]
    assert finished(events).request_id == "fbv1"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"error": {"code": 3, "message": "may violate the terms of use"}}, "filtered"),
        (
            {
                "error": {
                    "code": 3,
                    "message": "it is not possible to generate an image from this"
                    " request because it may violate the terms of use",
                }
            },
            "filtered",
        ),
        ({"error": {"code": 3, "message": "aspectRatio is out of range"}}, "rejected"),
        ({"error": {"code": 3, "message": "text length is 600, outside the range"}}, "rejected"),
        ({"error": {"code": 13, "message": "internal"}}, "provider-error"),
        ({"error": {"code": 7, "message": "Access to model art://f/m denied"}}, "auth"),
        ({"response": {}}, "provider-error"),
        ({"response": {"image": "bm8="}}, "provider-error"),
    ],
)
def test_an_operation_that_fails_is_not_begun_again(state: Any, code: str) -> None:
    made = decoder("yandexgpt")
    fed(made, {"id": "fbv1", "done": False})

    with pytest.raises(LlmctlError) as failed:
        fed(made, {"id": "fbv1", "done": True, **state})
    assert (failed.value.code, failed.value.retryable) == (code, False)
    assert made.then is None


def test_a_model_that_is_denied_needs_a_role() -> None:
    said = "Access to model art://b1g/yandex-art/latest denied"
    body = json.dumps({"error": {"grpcCode": 7, "httpCode": 403, "message": said}})

    error = DIALECTS["yandexgpt"]().failure(403, {}, body)

    assert error.code == "auth"
    assert "ai.imageGeneration.user" in str(error.hint)


# ---- Hugging Face


@pytest.mark.parametrize("name", ["org/sd", "org/sd:hf-inference"])
def test_hf_inference_answers_with_bytes(name: str) -> None:
    call = Image(name, "a fox", size="512x256", seed=7, media_type="image/jpeg",
                 options={"guidance_scale": 3, "parameters": {"scheduler": "s"}})  # fmt: skip
    http = DIALECTS["huggingface"]().encode(call, ROUTER)

    assert (http.path, http.framing) == ("../hf-inference/models/org/sd", Framing.BYTES)
    assert http.headers == {"Accept": "image/jpeg"}
    parameters = {"width": 512, "height": 256, "seed": 7, "guidance_scale": 3, "scheduler": "s"}
    assert http.body == {"inputs": "a fox", "parameters": parameters}


def test_an_endpoint_of_ones_own_has_the_model_at_its_root() -> None:
    assert sent("huggingface", FOX, Quirks(settings={"text_generation": "completions"})) == (
        "../",
        {"inputs": "a red fox"},
    )


@pytest.mark.parametrize(
    ("partner", "more"),
    [
        ("together", {"response_format": "base64", "width": 512, "height": 256}),
        ("nscale", {"response_format": "b64_json", "size": "512x256"}),
    ],
)
def test_partners_of_the_router(partner: str, more: dict[str, Any]) -> None:
    call = Image(f"org/flux:{partner}", "a fox", size="512x256", seed=7, options={"steps": 4})

    assert sent("huggingface", call, ROUTER) == (
        f"../{partner}/v1/images/generations",
        {"model": "org/flux", "prompt": "a fox", "seed": 7, "steps": 4, **more},
    )
    events = fed(decoder("huggingface", call, ROUTER), {"data": [{"b64_json": PNG}]})
    assert media(events) == [Media("image/png", png())]


def test_other_partners_are_refused_with_those_that_draw() -> None:
    with pytest.raises(UsageError, match="replicate draws nothing") as refused:
        sent("huggingface", Image("org/flux:replicate", "a"), ROUTER)
    assert refused.value.hint == "name one that does: org/flux:hf-inference, :nscale, :together"


def test_bytes_are_the_picture() -> None:
    frame = Frame("", raw=png(), media_type="image/jpeg")  # the header is wrong

    events = fed(decoder("huggingface", quirks=ROUTER), frame)

    assert media(events) == [Media("image/png", png())]
    assert finished(events).reason is FinishReason.STOP


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (Frame("", raw=b"", media_type="image/png"), "no-picture"),
        (Frame("", raw=b"\x00\x01", media_type="image/png"), "damaged-picture"),
        (Frame("plain text"), "no-picture"),
        (Frame('{"error": "out of memory"}'), None),
    ],
)
def test_bodies_that_are_no_picture(frame: Frame, reason: str | None) -> None:
    with pytest.raises(ProviderFailed) as failed:
        fed(decoder("huggingface", quirks=ROUTER), frame)
    assert failed.value.reason == reason
