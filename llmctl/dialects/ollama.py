"""Ollama's native API: NDJSON, durations in nanoseconds, and models that a local server only
passes on to a cloud."""

import json
from collections.abc import Iterable, Iterator, Mapping

from llmctl.dialects import Decoder, Dialect, Frame, Framing, HttpCall, Listed, PullStep, failures
from llmctl.dialects.arguments import as_object
from llmctl.dialects.logprobs import joined
from llmctl.dialects.look import at, count_at, int_at, parse, text_at
from llmctl.dialects.media import base64_of, not_by_url, not_taken
from llmctl.errors import LlmctlError, UsageError
from llmctl.messages import _
from llmctl.types import (
    Call,
    Chat,
    Complete,
    Embed,
    Event,
    Finished,
    FinishReason,
    Json,
    Media,
    Message,
    Notice,
    Quirks,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolResult,
    Usage,
)

REASONS: Mapping[str, FinishReason] = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "load": FinishReason.ERROR,
    "unload": FinishReason.ERROR,
}

# Request fields beside `options`; whatever else a user gives with -o is a model option.
TOP_LEVEL = frozenset(
    {
        *("think", "keep_alive", "format", "logprobs", "top_logprobs", "truncate"),
        *("suffix", "raw", "template"),
    }
)

# No tokenizer of a current model puts this many characters into one token of prose on average, so
# a prompt with more characters a counted token lost its beginning on the way (or was cached).
CHARACTERS_PER_TOKEN = 10
LONG_PROMPT = 4000


class Ollama(Dialect):
    """`/api/chat`, and `/api/generate` for base models."""

    def encode(self, call: Call, quirks: Quirks) -> HttpCall:
        match call:
            case Chat():
                path, body = "api/chat", _chat_body(call)
            case Embed():
                from llmctl.dialects import ollama_embeddings

                told = {**quirks.extra_body, **_context(quirks)}
                return ollama_embeddings.encode(call, quirks, told)
            case Complete():
                # What comes behind the gap is put there by the model's template, not in a raw text.
                raw = not call.options.get("suffix")
                body = {"model": call.model, "prompt": call.prompt, "raw": raw}
                path = "api/generate"
            case _:
                raise UsageError(
                    _("this provider's format has no {kind}", kind=type(call).__name__.lower())
                )
        body["stream"] = call.stream
        options: dict[str, Json] = {}
        # What the user says beats the card, and an option by its own name beats a flag.
        told = {**quirks.extra_body, **_context(quirks), **_options(call), **call.options}
        for name, value in told.items():
            (body if name in TOP_LEVEL else options)[name] = value
        if options:
            body["options"] = options
        framing = Framing.NDJSON if call.stream else Framing.WHOLE
        return HttpCall("POST", path, body, framing=framing)

    def decoder(self, call: Call, quirks: Quirks) -> Decoder:
        if isinstance(call, Embed):
            from llmctl.dialects import ollama_embeddings

            return ollama_embeddings.decoder(call)
        return OllamaDecoder(_prompt_characters(call))

    def listing(self) -> HttpCall:
        return HttpCall("GET", "api/tags")

    def listed(self, answer: Json) -> list[str]:
        return [one.name for one in self.published(answer)]

    def published(self, answer: Json) -> list[Listed]:
        from llmctl.dialects.model_lists import ollama

        return list(ollama(at(answer, "models")))

    def description(self, model: str) -> HttpCall:
        return self.whereabouts(model)

    def described(self, answer: Json) -> Listed | None:
        from llmctl.dialects.model_lists import ollama_shown

        return ollama_shown(answer)

    def pulling(self, model: str) -> HttpCall:
        body = {"model": model, "stream": True}
        return HttpCall("POST", "api/pull", body, framing=Framing.NDJSON)

    def pulled(self, frame: Frame) -> PullStep:
        from llmctl.dialects.model_lists import ollama_pulled

        return ollama_pulled(frame)

    def removal(self, model: str) -> HttpCall:
        return HttpCall("DELETE", "api/delete", {"model": model})

    def failure(self, status: int, headers: Mapping[str, str], body: str) -> LlmctlError:
        error = failures.failure(status, headers, body)
        if error.exit_code == 7:
            error.hint = _(
                "see the models it has: llmctl models list ollama --live; get one: llmctl models"
                " pull ollama/NAME"
            )
        return error

    def whereabouts(self, model: str) -> HttpCall:
        return HttpCall("POST", "api/show", {"model": model})

    def elsewhere(self, answer: Json) -> str | None:
        return text_at(answer, "remote_host") or text_at(answer, "remote_model")

    def taken(self, answer: Json) -> tuple[str, ...] | None:
        """Versions before 0.6.4 do not say it."""
        told = at(answer, "capabilities")
        if not isinstance(told, list):
            return None
        kinds = {"vision": "image", "audio": "audio"}
        return tuple(kind for name, kind in kinds.items() if name in told)


def _prompt_characters(call: Call) -> int:
    match call:
        case Chat():
            return sum(len(one.text) for one in call.messages)
        case Complete():
            return len(call.prompt)
        case _:
            return 0


def _chat_body(call: Chat) -> dict[str, Json]:
    body: dict[str, Json] = {
        "model": call.model,
        "messages": [shaped for one in call.messages for shaped in _encode_message(one)],
    }
    if call.schema is not None:
        body["format"] = dict(call.schema)
    if call.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": dict(tool.parameters),
                },
            }
            for tool in call.tools
        ]
    return body


def _encode_message(one: Message) -> Iterator[Json]:
    results = [part for part in one.parts if isinstance(part, ToolResult)]
    for result in results:
        yield {"role": "tool", "tool_name": result.name, "content": result.text}
    if results:
        if len(results) < len(one.parts):
            raise UsageError(_("a message may not mix text with results of functions"))
        return
    shaped: dict[str, Json] = {"role": one.role.value, "content": one.text}
    if images := [_image(part) for part in one.parts if isinstance(part, Media)]:
        shaped["images"] = images
    if calls := [part for part in one.parts if isinstance(part, ToolCall)]:
        shaped["tool_calls"] = [
            {"function": {"name": call.name, "arguments": as_object(call)}} for call in calls
        ]
    yield shaped


def _image(part: Media) -> Json:
    if not part.media_type.startswith("image/"):
        raise not_taken(part)
    if part.url is not None:
        raise not_by_url(part)
    return base64_of(part)


def _context(quirks: Quirks) -> dict[str, Json]:
    """The tokens of context that the setting asks for."""
    stated = quirks.settings.get("context")
    if stated is None:
        return {}
    if not (stated.isascii() and stated.isdigit() and int(stated) > 0):
        raise UsageError(
            _("the setting context is {value}, not a number of tokens", value=stated),
            hint=_("such as: llmctl config set providers.ollama.context 32768"),
        )
    return {"num_ctx": int(stated)}


def _options(call: Chat | Complete) -> dict[str, Json]:
    options: dict[str, Json] = {}
    if call.max_tokens is not None:
        options["num_predict"] = call.max_tokens
    if call.temperature is not None:
        options["temperature"] = call.temperature
    if call.seed is not None:
        options["seed"] = call.seed
    if call.stop:
        options["stop"] = list(call.stop)
    return options


class OllamaDecoder(Decoder):
    """One JSON object a line until the one with `"done": true`."""

    def __init__(self, prompt_characters: int) -> None:
        self.done = False
        self.settled = False
        self._prompt_characters = prompt_characters
        self._tool_calls = 0
        self._logprobs: Json = None

    def feed(self, frame: Frame) -> Iterable[Event]:
        if not frame.data or frame.data.isspace():
            return
        answer = parse(frame.data)
        if at(answer, "error"):
            raise failures.inside(answer)
        message = at(answer, "message")
        if thinking := text_at(message, "thinking") or text_at(answer, "thinking"):
            yield ReasoningDelta(thinking)
        if text := text_at(message, "content") or text_at(answer, "response"):
            yield TextDelta(text)
        if found := at(answer, "logprobs"):
            self._logprobs = joined(self._logprobs, found)
        calls = at(message, "tool_calls")
        for call in calls if isinstance(calls, list) else ():
            yield self._tool_call(call)
        if at(answer, "done") is True:
            self.done = self.settled = True
            yield from self._finish(answer)

    def end(self) -> Iterable[Event]:
        return ()

    def _tool_call(self, call: Json) -> ToolCall:
        self._tool_calls += 1
        arguments = at(call, "function", "arguments")
        return ToolCall(
            id=text_at(call, "id") or f"call_{self._tool_calls}",
            name=text_at(call, "function", "name") or "",
            arguments=arguments
            if isinstance(arguments, str)
            else json.dumps(arguments or {}, ensure_ascii=False),
        )

    def _finish(self, answer: Json) -> Iterator[Event]:
        counted = count_at(answer, "prompt_eval_count")
        if self._was_cut(counted):
            yield Notice(
                "prompt-cut",
                _(
                    "the server counted only {counted} tokens in a prompt of {characters}"
                    " characters: it seems to have cut the beginning to its context;"
                    " give it more with -o num_ctx=32768",
                    counted=counted,
                    characters=self._prompt_characters,
                ),
            )
        host = text_at(answer, "remote_host")
        if host:
            yield Notice(
                "runs-elsewhere",
                _("this model did not run here: the server passed it to {host}", host=host),
            )
        native = text_at(answer, "done_reason")
        reason = REASONS.get(native or "stop", FinishReason.STOP)
        yield Finished(
            reason=FinishReason.TOOL_CALLS
            if self._tool_calls and reason is FinishReason.STOP
            else reason,
            usage=Usage(input_tokens=counted, output_tokens=count_at(answer, "eval_count")),
            model=text_at(answer, "model"),
            native_reason=native,
            server_timing=_seconds(
                answer,
                prompt_eval_duration="prompt_s",
                eval_duration="output_s",
                total_duration="total_s",
            ),
            load_s=_nanoseconds(answer, "load_duration"),
            passed_on_to=host,
            details={
                **({"remote_host": host} if host else {}),
                **({"logprobs": self._logprobs} if self._logprobs else {}),
            },
        )

    def _was_cut(self, counted: int | None) -> bool:
        return (
            counted is not None
            and self._prompt_characters > LONG_PROMPT
            and counted * CHARACTERS_PER_TOKEN < self._prompt_characters
        )


def _nanoseconds(answer: Json, key: str) -> float | None:
    value = int_at(answer, key)
    return None if value is None else value / 1e9


def _seconds(answer: Json, **names: str) -> Mapping[str, float] | None:
    measured = {
        name: seconds
        for key, name in names.items()
        if (seconds := _nanoseconds(answer, key)) is not None
    }
    return measured or None


DIALECT = Ollama
