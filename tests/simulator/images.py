"""Pictures drawn from words, as each provider does it: in one answer, among the parts of a chat, as
a file that is named in one, as an operation, as bare bytes.

A fault says what is wrong with them: `image-filtered` (each provider refuses in its own way),
`image-empty`, `image-broken` (its base64 or its bytes), `image-fewer` (the last is missing),
`image-other` (JPEG, whatever was asked for), `image-url`, `image-endless` (an operation).
"""

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from tests.simulator.answers import Answer, Asked
from tests.simulator.exchange import Dialect, Exchange, Route, fault
from tests.simulator.files import Held
from tests.simulator.gemini import PATH, GeminiSide
from tests.simulator.gigachat import V1, V2, GigaChatSide, GigaChatV2Side, _is_let_in
from tests.simulator.huggingface import INFERENCE, TOP, HuggingFaceSide
from tests.simulator.openai_chat import OpenAISide
from tests.simulator.pictures import OF, jpeg, png
from tests.simulator.wire import Request
from tests.simulator.yandexgpt import ROOT, YandexSide, tail

MODES = ("filtered", "empty", "broken", "fewer", "other", "url", "endless")
REFUSAL = "Не могу нарисовать такое."
BESIDE = "Here it is."
# Tokens of one picture, and of every prompt.
PICTURE_TOKENS, PROMPT_TOKENS = 1000, 10


@dataclass(frozen=True, slots=True)
class Wish(Asked):
    """What is asked of a picture, each of another width where several are asked for."""

    count: int = 1
    width: int = 64
    height: int = 64
    format: str = "png"

    def pictures(self, answer: Answer) -> list[str]:
        """In base64, as the answer's mode has them."""
        match mode_of(answer):
            case "empty":
                return []
            case "broken":
                return ["bm90IGEgcGljdHVyZQ=="] * self.count
            case "fewer":
                count, made = self.count - 1, OF[self.format]
            case "other":
                count, made = self.count, jpeg
            case _:
                count, made = self.count, OF[self.format]
        drawn = (made(self.width + one, self.height) for one in range(count))
        return [b64encode(one).decode() for one in drawn]


def mode_of(answer: Answer) -> str | None:
    return (answer.extra or {}).get("image")


def _sized(size: str | None) -> dict[str, int]:
    if not size or size == "auto":
        return {}
    width, height = size.split("x")
    return {"width": int(width), "height": int(height)}


class Drawing(Exchange):
    """An exchange whose answer, as it should be, is a picture, whatever a stream would be."""

    async def well(self, answer: Answer | None = None) -> None:
        await _answered(self, mode_of(answer or Answer()))


async def _play(exchange: Exchange) -> None:
    if isinstance(exchange.dialect, GigaChatSide) and not await _is_let_in(exchange):
        return
    drawing = Drawing(
        exchange.site, exchange.dialect, exchange.request, exchange.wire, exchange.asked
    )
    await exchange.site.play(drawing)


class OpenAIImages(OpenAISide):
    PATHS = ("/v1/images/generations", f"{TOP}/together/v1/images/generations",
             f"{TOP}/nscale/v1/images/generations")  # fmt: skip

    def route(self, request: Request) -> Route | None:
        return None if self.asked(request) is None else _play

    def asked(self, request: Request) -> Asked | None:
        if request.method != "POST" or request.path not in self.PATHS:
            return None
        body = request.json
        size = _sized(body.get("size")) or {
            name: body[name] for name in ("width", "height") if name in body
        }
        return Wish(
            model=body["model"],
            prompt=body["prompt"],
            kind="image",
            count=body.get("n", 1),
            format=body.get("output_format", "png"),
            width=size.get("width", 64),
            height=size.get("height", 64),
        )

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        assert isinstance(asked, Wish)
        if mode_of(answer) == "url":
            data: list[Any] = [{"url": "https://pictures.example/1.png?sig=abc"}]
        else:
            data = [{"b64_json": one} for one in asked.pictures(answer)]
        document: dict[str, Any] = {"created": 1_795_000_000, "data": data}
        document |= {"size": "1024x1024", "quality": "low", "output_format": asked.format}
        if answer.usage:
            written = PICTURE_TOKENS * len(data)
            document["usage"] = {
                "input_tokens": PROMPT_TOKENS,
                "input_tokens_details": {"text_tokens": PROMPT_TOKENS, "image_tokens": 0},
                "output_tokens": written,
                "output_tokens_details": {"image_tokens": written, "text_tokens": 0},
                "total_tokens": PROMPT_TOKENS + written,
            }
        return json.dumps(document).encode()


class GeminiImages(GeminiSide):
    def route(self, request: Request) -> Route | None:
        return None if self.asked(request) is None else _play

    def asked(self, request: Request) -> Asked | None:
        if request.method != "POST" or not (found := PATH.fullmatch(request.path)):
            return None
        body = request.json
        config = body.get("generationConfig") or {}
        if "IMAGE" not in config.get("responseModalities", ()):
            return None
        prompt = body["contents"][-1]["parts"][0]["text"]
        return Wish(model=found[1], prompt=prompt, kind="image")

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        assert isinstance(asked, Wish)
        mode = mode_of(answer)
        filtered = mode == "filtered"
        pictures = [] if filtered else asked.pictures(answer)
        parts: list[Any] = [{"text": BESIDE}] if pictures else []
        parts += [
            {"inlineData": {"mimeType": "image/png", "data": one}, "thoughtSignature": "c2ln"}
            for one in pictures
        ]
        candidate: dict[str, Any] = {"index": 0, "finishReason": "STOP"}
        if parts:
            candidate["content"] = {"role": "model", "parts": parts}
        if filtered or mode == "empty":
            reason = "IMAGE_SAFETY" if filtered else "NO_IMAGE"
            candidate |= {"finishReason": reason, "finishMessage": "Unable to show the image."}
        written = PICTURE_TOKENS * len(pictures)
        usage = {
            "promptTokenCount": PROMPT_TOKENS,
            "candidatesTokenCount": written + 5,
            "totalTokenCount": PROMPT_TOKENS + written + 5,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": PROMPT_TOKENS}],
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": written}],
        }
        return json.dumps(
            {
                "candidates": [candidate],
                "usageMetadata": usage,
                "modelVersion": asked.model,
                "responseId": "resp-sim-1",
            }
        ).encode()


def _keep(exchange: Exchange, mode: str | None) -> str:
    """The picture as a file of the account, for whoever has asked for it."""
    files = exchange.site.files
    data = b"not a picture" if mode == "broken" else jpeg(1024, 1024)
    owner = exchange.request.headers.get("x-client-id")
    held = Held(files.name(), "picture.jpg", "image/jpeg", data, owner)
    files.keep(held)
    return held.name


class GigaChatImages(GigaChatSide):
    def route(self, request: Request) -> Route | None:
        return None if self.asked(request) is None else _play

    def asked(self, request: Request) -> Asked | None:
        if request.method != "POST" or request.path != V1:
            return None
        body = request.json
        if body.get("function_call") != "auto" or body.get("functions"):
            return None
        return Wish(model=body["model"], prompt=body["messages"][-1]["content"], kind="image")

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        return self.named(asked, "f1")

    def named(self, asked: Asked, name: str) -> bytes:
        said = f'<img src="{name}" fuse="true"/> {BESIDE}' if name else REFUSAL
        message = {"role": "assistant", "content": said, "functions_state_id": "s1"}
        choice = {"message": message, "index": 0, "finish_reason": "stop"}
        usage = {
            "prompt_tokens": PROMPT_TOKENS,
            "completion_tokens": 20,
            "total_tokens": PROMPT_TOKENS + 20,
            "precached_prompt_tokens": 0,
        }
        document = {"choices": [choice], "created": 1_795_000_000, "usage": usage}
        document |= {"model": f"{asked.model}:2.0.28.2", "object": "chat.completion"}
        return json.dumps(document, ensure_ascii=False).encode()


class GigaChatV2Images(GigaChatV2Side):
    def route(self, request: Request) -> Route | None:
        return None if self.asked(request) is None else _play

    def asked(self, request: Request) -> Asked | None:
        if request.method != "POST" or request.path != V2:
            return None
        body = request.json
        if not any("image_generate" in tool for tool in body.get("tools", ())):
            return None
        prompt = body["messages"][-1]["content"][0]["text"]
        return Wish(model=body["model"], prompt=prompt, kind="image")

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        return self.named(asked, "f1")

    def named(self, asked: Asked, name: str) -> bytes:
        part = {"files": [{"id": name, "mime": "image/jpeg", "target": "image"}]}
        content = [part, {"text": BESIDE}] if name else [{"text": REFUSAL}]
        message = {"role": "assistant", "tool_state_id": "s1", "content": content}
        usage = {
            "input_tokens": 999,
            "input_tokens_details": {"prompt_tokens": 999, "cached_tokens": 830},
            "output_tokens": 42,
            "total_tokens": 1041,
        }
        document = {"model": f"{asked.model}:32.3.18.5", "created_at": 1_795_000_000}
        return json.dumps(
            {**document, "messages": [message], "finish_reason": "stop", "usage": usage}
        ).encode()


class YandexArt(YandexSide):
    def route(self, request: Request) -> Route | None:
        if request.path.startswith("/operations/art"):
            return super().routes().get((request.method, request.path))
        return None if self.asked(request) is None else _play

    def asked(self, request: Request) -> Asked | None:
        if request.method != "POST" or request.path != f"{ROOT}imageGenerationAsync":
            return None
        body = request.json
        assert body["modelUri"].startswith("art://")
        return Wish(
            model=tail(body["modelUri"]),
            prompt=body["messages"][0]["text"],
            kind="image",
            format="jpeg",
        )

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        assert isinstance(asked, Wish)
        kind = "type.googleapis.com/yandex.cloud.ai.foundation_models.v1.image_generation"
        result: dict[str, Any] = {"@type": f"{kind}.ImageGenerationResponse"}
        if found := asked.pictures(answer):
            result["image"] = found[0]
        begun = self.begun({})
        states = self.operations[begun["id"]]
        match mode_of(answer):
            case "filtered":
                said = "it is not possible to generate an image from this request"
                states[1:] = [{"done": True, "error": {"code": 3, "message": said}}]
            case "endless":
                states[1:] = [{}]
            case _:
                states[1:] = [{"done": True, "response": result}]
        return json.dumps(begun).encode()

    def begun(self, result: Any) -> Any:
        """Names of its own, beside those of the operations for texts."""
        document = super().begun(result)
        states = self.operations.pop(document["id"])
        document["id"] = f"art{len(self.operations) + 1}"
        self.operations[document["id"]] = states
        return document


class HuggingFaceImages(HuggingFaceSide):
    def route(self, request: Request) -> Route | None:
        return None if self.asked(request) is None else _play

    def asked(self, request: Request) -> Asked | None:
        accepted = request.headers.get("accept", "")
        routed = request.path.startswith(INFERENCE)
        if request.method != "POST" or not accepted.startswith("image/"):
            return None
        if not (routed or request.path == f"{TOP}/"):
            return None
        parameters = request.json.get("parameters") or {}
        size = {name: parameters[name] for name in ("width", "height") if name in parameters}
        return Wish(
            model=request.path.removeprefix(INFERENCE) if routed else "mock",
            prompt=request.json["inputs"],
            kind="image",
            format=accepted.partition("/")[2],
            width=size.get("width", 64),
            height=size.get("height", 64),
        )

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        assert isinstance(asked, Wish)
        return OF[asked.format](asked.width, asked.height)


async def _answered(exchange: Exchange, mode: str | None) -> None:
    """An answer of one mode, in the dialect of the request."""
    side, asked = exchange.dialect, exchange.asked
    assert isinstance(asked, Wish)
    answer = Answer(extra={"image": mode})
    if isinstance(side, GigaChatImages | GigaChatV2Images):
        name = "" if mode in ("filtered", "empty") else _keep(exchange, mode)
        await exchange.body(side.named(asked, name), kind="application/json")
    elif isinstance(side, HuggingFaceImages):
        data = b"" if mode == "empty" else b"not a picture" if mode == "broken" else None
        made = jpeg if mode == "other" else OF.get(asked.format, png)
        data = made(asked.width, asked.height) if data is None else data
        await exchange.body(data, kind=f"image/{asked.format}")
    elif isinstance(side, OpenAIImages) and mode == "filtered":
        said = "Your request was rejected by the safety system."
        await exchange.refuse(400, said, "moderation_blocked", "image_generation_user_error")
    else:
        await exchange.body(side.whole(asked, answer), kind="application/json")


SIDES: tuple[Dialect, ...] = (
    OpenAIImages(),
    GeminiImages(),
    GigaChatImages(),
    GigaChatV2Images(),
    YandexArt(),
    HuggingFaceImages(),
)


@fault
async def image_filtered(exchange: Exchange) -> None:
    await _answered(exchange, "filtered")


@fault
async def image_empty(exchange: Exchange) -> None:
    await _answered(exchange, "empty")


@fault
async def image_broken(exchange: Exchange) -> None:
    await _answered(exchange, "broken")


@fault
async def image_fewer(exchange: Exchange) -> None:
    await _answered(exchange, "fewer")


@fault
async def image_other(exchange: Exchange) -> None:
    await _answered(exchange, "other")


@fault
async def image_url(exchange: Exchange) -> None:
    await _answered(exchange, "url")


@fault
async def image_endless(exchange: Exchange) -> None:
    await _answered(exchange, "endless")
