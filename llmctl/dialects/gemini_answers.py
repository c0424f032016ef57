"""Gemini's answers: every frame of a stream is a piece of a whole answer, and has its shape."""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping

from llmctl.dialects import Decoder, Frame, gemini_errors
from llmctl.dialects.look import at, count_at, int_at, parse, text_at, texts_at
from llmctl.errors import ProviderFailed
from llmctl.messages import _
from llmctl.types import (
    Event,
    Finished,
    FinishReason,
    Json,
    Media,
    Notice,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    Usage,
)

_FILTERS = (
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "ESCALATION",
    "PUP_LIMITED_DISABLED",
    "MODEL_ARMOR",
)
_GIVEN_UP = (
    "OTHER",
    "MALFORMED_FUNCTION_CALL",
    "MALFORMED_RESPONSE",
    "IMAGE_OTHER",
    "NO_IMAGE",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE",
)
# What is new and unknown is no success: of all the names there are, only STOP is one.
REASONS: Mapping[str, FinishReason] = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "CONTINUATION": FinishReason.LENGTH,
    **dict.fromkeys(_FILTERS, FinishReason.FILTER),
    **dict.fromkeys(_GIVEN_UP, FinishReason.ERROR),
}
STANDARD = str.maketrans("-_", "+/")
UNSAID = "FINISH_REASON_UNSPECIFIED"

# What an answer says beside text and usage, kept under its own name.
DETAILS = ("modelStatus",)
CANDIDATE_DETAILS = (
    "citationMetadata",
    "continuationToken",
    "groundingMetadata",
    "logprobsResult",
    "urlContextMetadata",
)
# Stages of a model on its way out.
LEAVING = frozenset({"LEGACY", "DEPRECATED", "RETIRED"})


class GeminiDecoder(Decoder):
    """Every frame is a piece of a whole answer; the last finish reason and the last counts hold.

    The end of the body is the end of the answer, once a finish reason or a block was seen: that
    reason may stand on several frames.
    """

    def __init__(self) -> None:
        self.done = False
        self.settled = False
        self._calls = 0
        self._reason: str | None = None
        self._blocked = False
        self._usage: dict[str, Json] = {}
        self._model: str | None = None
        self._id: str | None = None
        self._details: dict[str, Json] = {}

    def feed(self, frame: Frame) -> Iterable[Event]:
        data = frame.data
        if not data or data.isspace():
            return
        if data.startswith("[DONE]"):  # not Google's, but what gateways of many formats add
            self.done = True
            yield from self.end()
            return
        answer = parse(data)
        # Without `alt=sse` on its way the same comes as one array.
        for piece in answer if isinstance(answer, list) else [answer]:
            yield from self._read(piece)

    def end(self) -> Iterable[Event]:
        """`Finished`, or nothing without a finish reason."""
        if self._reason is None:
            return
        reason = REASONS.get(self._reason, FinishReason.ERROR)
        if self._blocked:
            reason = FinishReason.FILTER
        elif self._calls and reason is FinishReason.STOP:
            reason = FinishReason.TOOL_CALLS
        stage = text_at(self._details.get("modelStatus"), "modelStage")
        if stage in LEAVING:
            yield Notice("model-status", _("the provider calls this model {stage}", stage=stage))
        yield Finished(
            reason=reason,
            usage=decode_usage(self._usage) if self._usage else None,
            model=self._model,
            request_id=self._id,
            native_reason=self._reason,
            details={**self._details, **_by_kind(self._usage)},
        )

    def _read(self, answer: Json) -> Iterator[Event]:
        if at(answer, "error"):
            raise gemini_errors.inside(answer)
        self._model = text_at(answer, "modelVersion") or self._model
        self._id = text_at(answer, "responseId") or self._id
        if isinstance(usage := at(answer, "usageMetadata"), dict):
            self._usage |= usage
        self._keep(answer, DETAILS)
        candidates = at(answer, "candidates")
        for candidate in candidates if isinstance(candidates, list) else ():
            if not int_at(candidate, "index"):
                yield from self._candidate(candidate)
        feedback = at(answer, "promptFeedback")
        if blocked := text_at(feedback, "blockReason"):
            self._blocked = self.settled = True
            self._reason = blocked
            self._say("refusal", text_at(feedback, "blockReasonMessage"))

    def _candidate(self, candidate: Json) -> Iterator[Event]:
        parts = at(candidate, "content", "parts")
        for part in parts if isinstance(parts, list) else ():
            yield from self._part(part)
        self._keep(candidate, CANDIDATE_DETAILS)
        reason = text_at(candidate, "finishReason")
        if not reason or reason == UNSAID:
            return
        self._reason = reason
        self.settled = True
        said = text_at(candidate, "finishMessage")
        if REASONS.get(reason) is FinishReason.FILTER:
            self._keep(candidate, ("safetyRatings",))
            self._say("refusal", said)
        else:
            self._say("finishMessage", said)

    def _say(self, name: str, said: str | None) -> None:
        if said:
            self._details[name] = said

    def _keep(self, source: Json, names: Iterable[str]) -> None:
        for name in names:
            if (value := at(source, name)) is not None:
                self._details[name] = value

    def _part(self, part: Json) -> Iterator[Event]:
        text = text_at(part, "text")
        if at(part, "thought") is True:
            if text:
                yield ReasoningDelta(text)
        elif text is not None:
            if text:
                yield TextDelta(text)
        elif isinstance(call := at(part, "functionCall"), dict):
            yield self._call(call, text_at(part, "thoughtSignature"))
        elif isinstance(blob := at(part, "inlineData"), dict):
            yield _media(blob)
        elif isinstance(part, dict) and part.keys() - {"thoughtSignature"}:
            self._details.setdefault("parts", []).append(part)

    def _call(self, call: Json, signature: str | None) -> ToolCall:
        self._calls += 1
        made = ToolCall(
            id=text_at(call, "id") or f"call_{self._calls}",
            name=text_at(call, "name") or "",
            arguments=json.dumps(at(call, "args") or {}, ensure_ascii=False),
        )
        if signature:  # must go back with the call, should somebody continue from here
            self._details.setdefault("thoughtSignatures", {})[made.id] = signature
        return made


class CountDecoder(Decoder):
    """The answer to `countTokens`."""

    def __init__(self) -> None:
        self.done = False
        self.settled = False

    def feed(self, frame: Frame) -> Iterable[Event]:
        answer = parse(frame.data)
        total = count_at(answer, "totalTokens")
        if total is not None:
            self.done = self.settled = True
            cached = count_at(answer, "cachedContentTokenCount")
            usage = Usage(input_tokens=total, cached_tokens=cached)
            yield Finished(FinishReason.STOP, usage=usage)

    def end(self) -> Iterable[Event]:
        return ()


def _media(blob: Json) -> Media:
    """Bytes are Base64 in either of its alphabets, padded or not."""
    encoded = (text_at(blob, "data") or "").translate(STANDARD).rstrip("=")
    try:
        data = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ProviderFailed(_("the answer holds a file that is damaged")) from None
    return Media(text_at(blob, "mimeType") or "application/octet-stream", data)


def _by_kind(usage: Mapping[str, Json]) -> dict[str, Json]:
    """The tokens by kind of content, where there is any beside text: they have other prices."""
    return {
        name: usage[name]
        for name in ("promptTokensDetails", "candidatesTokensDetails")
        if {*texts_at(usage, name, "modality")} - {"TEXT"}
    }


def decode_usage(usage: Json) -> Usage:
    """Prompts of the service's own tools are apart from `promptTokenCount`, thoughts apart from
    `candidatesTokenCount`; cached tokens are within the first. Counts of nothing are left out on
    the wire, so that of input and total the output can be told."""
    counted = [count_at(usage, name) for name in ("promptTokenCount", "toolUsePromptTokenCount")]
    written = [count_at(usage, name) for name in ("candidatesTokenCount", "thoughtsTokenCount")]
    total = count_at(usage, "totalTokenCount")
    given = _sum(counted)
    output = _sum(written)
    if output is None and total is not None and given is not None and total >= given:
        output = total - given
    return Usage(
        input_tokens=given,
        output_tokens=output,
        cached_tokens=count_at(usage, "cachedContentTokenCount"),
        reasoning_tokens=written[1],
    )


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
