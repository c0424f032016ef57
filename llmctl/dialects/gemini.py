"""Google's Gemini API (AI Studio): generateContent, and the same streamed as server-sent events
that have no end mark of their own: the finish reason comes, and then the body ends."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from llmctl.dialects import Decoder, Dialect, Framing, HttpCall, gemini_errors
from llmctl.dialects.gemini_answers import CountDecoder, GeminiDecoder
from llmctl.dialects.gemini_contents import encode_messages
from llmctl.dialects.look import texts_at
from llmctl.errors import LlmctlError, UsageError
from llmctl.messages import _
from llmctl.types import Call, Chat, Count, Json, Quirks

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
THINKING = frozenset({"includeThoughts", "thinkingBudget", "thinkingLevel"})


class Gemini(Dialect):
    """`models/…:generateContent`, its streamed twin, and `:countTokens`."""

    def encode(self, call: Call, quirks: Quirks) -> HttpCall:
        match call:
            case Chat(stream=True):
                path = _path(call.model, "streamGenerateContent") + "?alt=sse"
                return HttpCall("POST", path, _chat_body(call, quirks), framing=Framing.SSE)
            case Chat():
                path = _path(call.model, "generateContent")
                return HttpCall("POST", path, _chat_body(call, quirks))
            case Count():
                return HttpCall("POST", _path(call.model, "countTokens"), _count_body(call, quirks))
            case _:
                raise UsageError(
                    _("this provider's format has no {kind}", kind=type(call).__name__.lower())
                )

    def decoder(self, call: Call, quirks: Quirks) -> Decoder:
        return CountDecoder() if isinstance(call, Count) else GeminiDecoder()

    def listing(self) -> HttpCall:
        return HttpCall("GET", "v1beta/models?pageSize=1000")

    def listed(self, answer: Json) -> list[str]:
        return [name.removeprefix("models/") for name in texts_at(answer, "models", "name")]

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


def _chat_body(call: Chat, quirks: Quirks) -> dict[str, Json]:
    body = encode_messages(call.messages)
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
