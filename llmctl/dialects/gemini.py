"""Google's Gemini API (AI Studio): generateContent, and the same streamed as server-sent events
that have no end mark of their own: the finish reason comes, and then the body ends."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from llmctl.dialects import (
    Decoder,
    Dialect,
    Drawing,
    Framing,
    HttpCall,
    Listed,
    Upload,
    gemini_errors,
)
from llmctl.dialects.gemini_answers import CountDecoder, GeminiDecoder
from llmctl.dialects.gemini_contents import encode_messages
from llmctl.dialects.look import at, text_at
from llmctl.dialects.media import files_of
from llmctl.errors import LlmctlError, UsageError
from llmctl.messages import _
from llmctl.types import Call, Chat, Count, Embed, Image, Json, Media, Quirks

if TYPE_CHECKING:
    from llmctl.dialects.batches import AnyBatches

# Fields of a request beside `generationConfig`; whatever else is given with -o belongs in there.
TOP_LEVEL = frozenset(
    {
        "cachedContent",
        "contents",
        "continuationToken",
        "labels",
        "safetySettings",
        "serviceTier",
        "store",
        "systemInstruction",
        "toolConfig",
        "tools",
    }
)
LISTING = "v1beta/models?pageSize=1000"
THINKING = frozenset({"includeThoughts", "thinkingBudget", "thinkingLevel"})


class Gemini(Dialect):
    """`models/…:generateContent`, its streamed twin, and `:countTokens`."""

    def encode(self, call: Call, quirks: Quirks) -> HttpCall:
        match call:
            case Chat(stream=True):
                path = _path(call.model, "streamGenerateContent") + "?alt=sse"
                body = _chat_body(call, quirks, self.to_upload(call, quirks))
                return HttpCall("POST", path, body, framing=Framing.SSE)
            case Chat():
                path = _path(call.model, "generateContent")
                body = _chat_body(call, quirks, self.to_upload(call, quirks))
                return HttpCall("POST", path, body)
            case Count():
                return HttpCall("POST", _path(call.model, "countTokens"), _count_body(call, quirks))
            case Image():
                return HttpCall("POST", _path(call.model, "generateContent"), _drawn(call, quirks))
            case Embed():
                from llmctl.dialects import gemini_embeddings

                path = _path(call.model, "batchEmbedContents")
                return gemini_embeddings.encode(call, quirks, path, _resource(call.model))
            case _:
                raise UsageError(
                    _("this provider's format has no {kind}", kind=type(call).__name__.lower())
                )

    def decoder(self, call: Call, quirks: Quirks) -> Decoder:
        if isinstance(call, Embed):
            from llmctl.dialects import gemini_embeddings

            return gemini_embeddings.decoder(call)
        if isinstance(call, Image):
            from llmctl.dialects.gemini_images import GeminiImageDecoder

            return GeminiImageDecoder()
        return CountDecoder() if isinstance(call, Count) else GeminiDecoder()

    def batches(self) -> "AnyBatches | None":
        from llmctl.dialects.gemini_batches import GeminiBatches

        return GeminiBatches(self)

    def drawing(self) -> Drawing:
        from llmctl.dialects.gemini_images import DRAWS

        return DRAWS

    def to_upload(self, call: Call, quirks: Quirks) -> tuple[Media, ...]:
        files = files_of(call) if isinstance(call, Chat) else ()
        if not files:
            return ()
        from llmctl.dialects.gemini_files import too_large

        return too_large(files, quirks)

    def upload(self, file: Media, quirks: Quirks) -> Upload:
        from llmctl.dialects.gemini_files import GeminiUpload

        return GeminiUpload(file)

    def deletion(self, name: str) -> HttpCall:
        return HttpCall("DELETE", f"v1beta/{name}")

    def listing(self) -> HttpCall:
        return HttpCall("GET", LISTING)

    def listed(self, answer: Json) -> list[str]:
        return [one.name for one in self.published(answer)]

    def published(self, answer: Json) -> list[Listed]:
        from llmctl.dialects.model_lists import gemini

        return list(gemini(at(answer, "models")))

    def more(self, answer: Json) -> HttpCall | None:
        page = text_at(answer, "nextPageToken")
        return HttpCall("GET", f"{LISTING}&pageToken={quote(page, safe='')}") if page else None

    def description(self, model: str) -> HttpCall:
        return HttpCall("GET", f"v1beta/{quote(_resource(model))}")

    def described(self, answer: Json) -> Listed | None:
        from llmctl.dialects.model_lists import gemini

        return next(gemini([answer]), None)

    def failure(self, status: int, headers: Mapping[str, str], body: str) -> LlmctlError:
        return gemini_errors.failure(status, headers, body)


def _resource(model: str) -> str:
    """A tuned model is named with its collection, the rest may be."""
    return model if model.startswith(("models/", "tunedModels/")) else f"models/{model}"


def _path(model: str, method: str) -> str:
    return f"v1beta/{quote(_resource(model))}:{method}"


def _count_body(call: Count, quirks: Quirks) -> dict[str, Json]:
    """In the longer of two forms, which alone has a place for instructions and functions."""
    from llmctl.dialects.counts import as_chat

    request = {"model": _resource(call.model), **_chat_body(as_chat(call), quirks)}
    return {"generateContentRequest": request}


def _drawn(call: Image, quirks: Quirks) -> dict[str, Json]:
    from llmctl.dialects.gemini_images import body_of

    body = body_of(call, quirks)
    config: dict[str, Json] = body["generationConfig"]
    for name, value in call.options.items():
        _put(_camel(name), value, body, config)
    return body


def _chat_body(call: Chat, quirks: Quirks, apart: tuple[Media, ...] = ()) -> dict[str, Json]:
    """`apart` are the files that are uploaded before this is sent."""
    body = encode_messages(call.messages, apart)
    if call.tools:
        if not quirks.tools:
            raise UsageError(_("{model} cannot call functions", model=call.model))
        declared = [
            {
                "name": tool.name,
                "description": tool.description,
                "parametersJsonSchema": dict(tool.parameters),
            }
            for tool in call.tools
        ]
        body["tools"] = [{"functionDeclarations": declared}]
    config: dict[str, Json] = {}
    # What the user says beats the card, and an option by its own name beats a flag.
    for name, value in {**quirks.extra_body, **_knobs(call, quirks), **call.options}.items():
        _put(_camel(name), value, body, config)
    if config:
        body["generationConfig"] = config
    return body


def _put(name: str, value: Json, body: dict[str, Json], config: dict[str, Json]) -> None:
    """Set a field where it belongs: in the request, its `generationConfig` or the thinking part of
    that."""
    if name == "generationConfig" and isinstance(value, dict):
        config |= {_camel(key): one for key, one in value.items()}
    elif name in THINKING:
        thinking = config.get("thinkingConfig")
        config["thinkingConfig"] = {**(thinking if isinstance(thinking, dict) else {}), name: value}
    elif name in TOP_LEVEL:
        body[name] = value
    else:
        config[name] = value


def _camel(name: str) -> str:
    """`top_k` as `topK`: the service takes both, and twice the same field would be an error."""
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def _knobs(call: Chat, quirks: Quirks) -> dict[str, Json]:
    """The tuning that the model's card says it takes; the engine notes what is dropped here."""
    knobs: dict[str, Json] = {}
    if call.schema is not None and quirks.schema != "none":
        knobs["responseMimeType"] = "application/json"
        if quirks.schema == "json_schema":
            knobs["responseJsonSchema"] = dict(call.schema)
    if call.max_tokens is not None:
        knobs["maxOutputTokens"] = call.max_tokens
    if call.temperature is not None and quirks.sampling:
        knobs["temperature"] = call.temperature
    if call.seed is not None and quirks.seed:
        knobs["seed"] = call.seed
    if call.stop and quirks.stop:
        knobs["stopSequences"] = list(call.stop)
    return knobs


DIALECT = Gemini
