"""Yandex AI Studio's own completion API.

A server-streaming call behind a gateway: each line of the answer is `{"result": …}` with the whole
text so far, numbers of 64 bits are strings, and what was asked for later (`completionAsync`) is an
operation that is asked after until it is done.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from llmctl.dialects import Decoder, Dialect, Drawing, FollowUp, Frame, Framing, HttpCall
from llmctl.dialects.look import at, count_at, parse, text_at, texts_at
from llmctl.dialects.naming import on_the_wire
from llmctl.dialects.nested import laid_over
from llmctl.dialects.yandexgpt_errors import failed, failed_inside
from llmctl.dialects.yandexgpt_messages import decode_calls, encode_messages
from llmctl.errors import LlmctlError, UsageError
from llmctl.messages import _
from llmctl.types import (
    Call,
    Chat,
    Count,
    Embed,
    Event,
    Finished,
    FinishReason,
    Image,
    Json,
    Notice,
    Progress,
    Quirks,
    Role,
    TextDelta,
    Usage,
    message,
)

if TYPE_CHECKING:
    from llmctl.dialects.batches import AnyBatches

STATUS = "ALTERNATIVE_STATUS_"
REASONS: Mapping[str, FinishReason] = {
    f"{STATUS}FINAL": FinishReason.STOP,
    f"{STATUS}TRUNCATED_FINAL": FinishReason.LENGTH,
    f"{STATUS}CONTENT_FILTER": FinishReason.FILTER,
    f"{STATUS}TOOL_CALLS": FinishReason.TOOL_CALLS,
}
UNDER_WAY = frozenset({f"{STATUS}PARTIAL", f"{STATUS}UNSPECIFIED"})

# Request fields that stand inside `completionOptions`; whatever else -o gives stands beside it.
OPTIONS = frozenset({"stream", "temperature", "maxTokens", "reasoningOptions"})

# Seconds between questions after an operation: answers take seconds as a rule, hours at worst.
FIRST_WAIT, LONGER, LONGEST_WAIT = 0.5, 1.5, 10.0


class YandexGpt(Dialect):
    """`foundationModels/v1/completion`, `completionAsync` where the setting `mode` says so, and
    `tokenizeCompletion`."""

    lacks = frozenset({"seed", "stop"})

    def encode(self, call: Call, quirks: Quirks) -> HttpCall:
        if isinstance(call, Count):
            from llmctl.dialects.counts import as_chat

            asked = self.encode(as_chat(call), quirks)
            return HttpCall("POST", "foundationModels/v1/tokenizeCompletion", asked.body)
        if isinstance(call, Embed):
            from llmctl.dialects import yandexgpt_embeddings

            return yandexgpt_embeddings.request(call, quirks)
        if isinstance(call, Image):
            from llmctl.dialects import yandexart

            return yandexart.encode(call, quirks)
        if not isinstance(call, Chat):
            raise UsageError(
                _("this provider's format has no {kind}", kind=type(call).__name__.lower())
            )
        later = quirks.settings.get("mode") == "async"
        messages = call.messages
        if call.schema is not None and quirks.schema != "json_schema":
            messages = (message(Role.SYSTEM, _in_words(call.schema)), *messages)
        body: dict[str, Json] = {
            "modelUri": on_the_wire(call.model, quirks),
            "completionOptions": {},
            "messages": list(encode_messages(messages)),
            **_extras(call, quirks),
        }
        # What the user says beats the card, and a field by its own name beats a flag.
        for name, value in {**quirks.extra_body, **_knobs(call, quirks), **call.options}.items():
            if name == "completionOptions":
                body[name] = laid_over(name, body[name], value)
            else:
                (body["completionOptions"] if name in OPTIONS else body)[name] = value
        if later:
            body["completionOptions"].pop("stream", None)
        streamed = bool(body["completionOptions"].get("stream"))
        return HttpCall(
            "POST",
            f"foundationModels/v1/completion{'Async' if later else ''}",
            body,
            framing=Framing.NDJSON if streamed else Framing.WHOLE,
        )

    def decoder(self, call: Call, quirks: Quirks) -> Decoder:
        if isinstance(call, Count):
            from llmctl.dialects.counts import CountDecoder

            return CountDecoder(_tokens)
        if isinstance(call, Embed):
            from llmctl.dialects.yandexgpt_embeddings import YandexVectorDecoder

            return YandexVectorDecoder()
        if isinstance(call, Image):
            from llmctl.dialects.yandexart import YandexArtDecoder

            return YandexArtDecoder()
        return YandexDecoder()

    def batches(self) -> "AnyBatches | None":
        from llmctl.dialects.yandexgpt_batches import YandexOperations

        return YandexOperations()

    def drawing(self) -> Drawing:
        from llmctl.dialects.yandexart import DRAWS

        return DRAWS

    def failure(self, status: int, headers: Mapping[str, str], body: str) -> LlmctlError:
        return failed(status, headers, body)

    def listing(self) -> HttpCall:
        """There is none in this API; the compatible one of the same host lists its models too."""
        return HttpCall("GET", "v1/models")

    def listed(self, answer: Json) -> list[str]:
        return [_short(name) for name in texts_at(answer, "data", "id")]


def _tokens(answer: Json) -> int | None:
    """The tokens come one by one, those of the chat's template among them."""
    tokens = at(answer, "tokens")
    return len(tokens) if isinstance(tokens, list) else None


def _short(uri: str) -> str:
    """A model's address without scheme and folder, which are put before it again when it is asked;
    of what is no model for text the whole address."""
    scheme, _mark, rest = uri.partition("://")
    return rest.partition("/")[2] if scheme == "gpt" else uri


def _extras(call: Chat, quirks: Quirks) -> dict[str, Json]:
    extras: dict[str, Json] = {}
    if call.tools:
        if not quirks.tools:
            raise UsageError(_("{model} cannot call functions", model=call.model))
        extras["tools"] = [
            {
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": dict(tool.parameters),
                }
            }
            for tool in call.tools
        ]
    if call.schema is not None:
        match quirks.schema:
            case "json_schema":
                extras["jsonSchema"] = {"schema": dict(call.schema)}
            case "json_object":
                extras["jsonObject"] = True
    return extras


def _in_words(schema: Json) -> str:
    """Where only `jsonObject` is set and no word says why, the model answers with blanks."""
    from llmctl.dialects.in_words import in_words

    return in_words(schema)


def _knobs(call: Chat, quirks: Quirks) -> dict[str, Json]:
    """There is neither a seed nor a stop text in this API; numbers of 64 bits go as strings."""
    knobs: dict[str, Json] = {"stream": True} if call.stream else {}
    if call.temperature is not None and quirks.sampling:
        knobs["temperature"] = call.temperature
    if call.max_tokens is not None:
        knobs["maxTokens"] = str(call.max_tokens)
    return knobs


class YandexDecoder(Decoder):
    """Turns the whole text so far, which each line repeats, into what is new in it."""

    def __init__(self) -> None:
        self.done = False
        self.settled = False
        self.then: FollowUp | None = None
        self._seen = ""
        self._rewritten = False
        self._odd_status: str | None = None
        self._answer: Json = None
        self._operation: str | None = None
        self._asked = 0

    def feed(self, frame: Frame) -> Iterable[Event]:
        if not frame.data or frame.data.isspace():
            return ()
        answer = parse(frame.data)
        self.then = None
        if (error := failed_inside(answer)) is not None:
            raise error
        if (operation := text_at(answer, "id")) and "alternatives" not in answer:
            self._operation = operation
            if at(answer, "done") is not True:
                return self._wait(operation)
        return self._read(at(answer, "result") or at(answer, "response") or answer)

    def end(self) -> Iterable[Event]:
        """`Finished` for a status that is not known, which ends an answer if nothing follows it."""
        if self._odd_status is None:
            return ()
        return self._finish(FinishReason.STOP, self._odd_status)

    def _wait(self, operation: str) -> Iterator[Event]:
        self._asked += 1
        after_s = min(LONGEST_WAIT, FIRST_WAIT * LONGER ** (self._asked - 1))
        question = HttpCall("GET", f"operations/{operation}", base="operations_url")
        self.then = FollowUp(question, after_s)
        yield Progress(_("waiting for the answer"), self._asked)

    def _read(self, answer: Json) -> Iterator[Event]:
        alternative = at(answer, "alternatives", 0)
        if alternative is None:
            return
        self._answer = answer
        said = at(alternative, "message")
        text = text_at(said, "text")
        if text is not None and (text or self._seen):  # empty: all of it was taken back
            yield from self._text(text)
        status = text_at(alternative, "status")
        self._odd_status = None
        if status is None or status in UNDER_WAY:
            return
        yield from decode_calls(said)
        if (reason := REASONS.get(status)) is None:
            self._odd_status = status
            return
        self.done = self.settled = True
        yield from self._finish(reason, status)

    def _text(self, text: str) -> Iterator[Event]:
        seen, self._seen = self._seen, text
        if text.startswith(seen):
            if len(text) > len(seen):
                yield TextDelta(text[len(seen) :])
            return
        same = _common(seen, text)
        if not self._rewritten:
            self._rewritten = True
            yield Notice(
                "rewritten",
                _(
                    "the provider has rewritten what it had already sent ({count} characters were"
                    " taken back); --json has its last version under details.text",
                    count=len(seen) - same,
                ),
            )
        if tail := text[same:]:
            yield TextDelta(tail)

    def _finish(self, reason: FinishReason, status: str) -> Iterator[Event]:
        details: dict[str, Json] = {}
        if version := text_at(self._answer, "modelVersion"):
            details["modelVersion"] = version
        if self._rewritten:
            details["text"] = self._seen
        yield Finished(
            reason=reason,
            usage=decode_usage(at(self._answer, "usage")),
            request_id=self._operation,
            native_reason=status,
            details=details,
        )


def _common(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def decode_usage(usage: Json) -> Usage | None:
    """Usage of the answer so far; reasoning counts among the tokens of the answer."""
    if not isinstance(usage, dict):
        return None
    return Usage(
        input_tokens=count_at(usage, "inputTextTokens"),
        output_tokens=count_at(usage, "completionTokens"),
        reasoning_tokens=count_at(usage, "completionTokensDetails", "reasoningTokens"),
    )


DIALECT = YandexGpt
