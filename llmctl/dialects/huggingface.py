"""Hugging Face: chats as at OpenAI, through the router or an endpoint of one's own; base models by
text generation, which the router leaves to the provider named behind the model.

The setting `text_generation` says who is asked to continue a text: `router`, or at an endpoint of
one's own `completions` (OpenAI's format, which TGI, vLLM and llama.cpp all speak there) or `tgi`
(the endpoint's own format, at its root).
"""

from collections.abc import Iterable, Iterator, Mapping

from llmctl.dialects import Decoder, Dialect, Drawing, Frame, Framing, HttpCall, Listed, failures
from llmctl.dialects.look import at, count_at, float_at, int_at, parse, text_at
from llmctl.dialects.nested import laid_over
from llmctl.dialects.openai_chat import OpenAIChat
from llmctl.errors import LlmctlError, Rejected, UsageError
from llmctl.messages import _
from llmctl.types import (
    Call,
    Complete,
    Embed,
    Event,
    Fill,
    Finished,
    FinishReason,
    Image,
    Json,
    Quirks,
    TextDelta,
    Usage,
)
from llmctl.values import replace

# Where the partners of the router continue texts, below the router's root. Their own formats are
# OpenAI's; hf-inference has the format of TGI.
COMPLETIONS: Mapping[str, str] = {
    "deepinfra": "v1/openai/completions",
    "featherless-ai": "v1/completions",
    "novita": "v3/openai/completions",
    "together": "v1/completions",
}
OWN = "hf-inference"
# Ways for the router to choose a partner for a chat; none of them says who continues a text.
CHOICES = frozenset({"fastest", "cheapest", "preferred"})

REASONS: Mapping[str, FinishReason] = {
    "length": FinishReason.LENGTH,
    "eos_token": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
}

# Request fields beside `parameters`; whatever else a user gives with -o is a parameter.
TOP_LEVEL = frozenset({"stream", "options"})


class HuggingFace(Dialect):
    """`chat/completions`, and text generation for base models."""

    def __init__(self) -> None:
        self._openai = OpenAIChat()

    def encode(self, call: Call, quirks: Quirks) -> HttpCall:
        if isinstance(call, Fill):
            from llmctl.dialects.huggingface_masks import request

            return request(call, _encoder_place(call, quirks), quirks)
        if isinstance(call, Embed):
            return self._embedding(call, quirks)
        if isinstance(call, Image):
            from llmctl.dialects import huggingface_images

            return huggingface_images.encode(call, quirks)
        if not isinstance(call, Complete):
            return self._openai.encode(call, quirks)
        place = _place(call, quirks)
        if place is None:
            model, _mark, partner = call.model.rpartition(":")
            if partner not in COMPLETIONS:
                return self._openai.encode(call, quirks)
            http = self._openai.encode(replace(call, model=model), quirks)
            return replace(http, path=f"../{partner}/{COMPLETIONS[partner]}")
        body = _generation(call, quirks)
        framing = Framing.SSE if body["stream"] else Framing.WHOLE
        return HttpCall("POST", place, body, framing=framing)

    def _embedding(self, call: Embed, quirks: Quirks) -> HttpCall:
        from llmctl.dialects import huggingface_embeddings as embeddings

        if (path := embeddings.place(call, quirks)) is not None:
            return embeddings.request(call, path, quirks)
        if (found := embeddings.partner(call, quirks)) is None:
            return self._openai.encode(call, quirks)
        model, path = found
        return replace(self._openai.encode(replace(call, model=model), quirks), path=path)

    def decoder(self, call: Call, quirks: Quirks) -> Decoder:
        if isinstance(call, Embed):
            from llmctl.dialects import huggingface_embeddings as embeddings
            from llmctl.dialects.vectors import VectorDecoder

            if embeddings.place(call, quirks) is not None:
                return VectorDecoder(len(call.texts), embeddings.vectors)
        if isinstance(call, Fill):
            from llmctl.dialects.huggingface_masks import GuessDecoder

            return GuessDecoder(call.model)
        if isinstance(call, Image):
            from llmctl.dialects import huggingface_images

            return huggingface_images.decoder(call, quirks)
        if isinstance(call, Complete) and _place(call, quirks) is not None:
            return GenerationDecoder(call.model)
        return self._openai.decoder(call, quirks)

    def failure(self, status: int, headers: Mapping[str, str], body: str) -> LlmctlError:
        error = failures.failure(status, headers, body)
        if error.retryable and error.retry_after_s is None:
            error.retry_after_s = float_at(failures.parsed(body), "estimated_time")
        if isinstance(error, Rejected) and "mask" in error.message.lower():
            from llmctl.dialects.huggingface_masks import with_sign

            return with_sign(error)
        return error

    def drawing(self) -> Drawing:
        from llmctl.dialects.huggingface_images import DRAWS

        return DRAWS

    def listing(self) -> HttpCall | None:
        return self._openai.listing()

    def listed(self, answer: Json) -> list[str]:
        return self._openai.listed(answer)

    def published(self, answer: Json) -> list[Listed]:
        from llmctl.dialects.price_lists import partners

        return list(partners(answer))

    def description(self, model: str) -> HttpCall:
        from llmctl.dialects.price_lists import resource

        return resource(model, slashes=True)

    def described(self, answer: Json) -> Listed | None:
        return next(iter(self.published([answer])), None)


def _place(call: Complete, quirks: Quirks) -> str | None:
    """The path for a request in the format of TGI, None where it is OpenAI's."""
    match quirks.settings.get("text_generation"):
        case "tgi":
            return "../"
        case "router":
            model, _mark, partner = call.model.partition(":")
            if partner in COMPLETIONS:
                return None
            if partner not in ("", OWN):
                raise UsageError(
                    _("{partner} continues no texts through the router", partner=partner)
                    if partner not in CHOICES
                    else _("the router chooses by :{choice} for chats only", choice=partner),
                    hint=_("name one that does: {model}:{partner}", model=model,
                           partner=", :".join(sorted((*COMPLETIONS, OWN)))),
                )  # fmt: skip
            return f"../{OWN}/models/{model}"
        case _:
            return None


def _encoder_place(call: Fill, quirks: Quirks) -> str:
    """The path for a model that the router leaves to hf-inference alone, or of an endpoint of one's
    own, which answers at its root."""
    if quirks.settings.get("text_generation") != "router":
        return "../"
    model, _mark, partner = call.model.partition(":")
    if partner not in ("", OWN):
        raise UsageError(
            _("{partner} fills no gaps through the router", partner=partner),
            hint=_("leave it out: {model}", model=model),
        )
    return f"../{OWN}/models/{model}"


def _generation(call: Complete, quirks: Quirks) -> dict[str, Json]:
    parameters: dict[str, Json] = {"return_full_text": False, "details": True}
    if call.max_tokens is not None:
        parameters["max_new_tokens"] = call.max_tokens
    if call.temperature == 0:
        parameters["do_sample"] = False  # a temperature of 0 is refused
    elif call.temperature is not None:
        parameters["temperature"] = call.temperature
    if call.seed is not None:
        parameters["seed"] = call.seed
    if call.stop:
        parameters["stop"] = list(call.stop)
    body: dict[str, Json] = {"inputs": call.prompt, "stream": call.stream}
    # What the user says beats the card, and a parameter by its own name beats a flag.
    for name, value in {**quirks.extra_body, **call.options}.items():
        if name == "parameters":
            parameters = laid_over(name, parameters, value)
        else:
            (body if name in TOP_LEVEL else parameters)[name] = value
    body["parameters"] = parameters
    return body


class GenerationDecoder(Decoder):
    """Tokens until the one that comes with the details; a whole answer is a text with details."""

    def __init__(self, model: str) -> None:
        self.done = False
        self.settled = False
        self._model = model
        self._pieces = False

    def feed(self, frame: Frame) -> Iterable[Event]:
        data = frame.data
        if not data or data.isspace() or data.strip() == "[DONE]":
            return
        answer = parse(data)
        if isinstance(answer, list) and answer:
            answer = answer[0]
        if at(answer, "error"):
            raise failures.inside(answer)
        text = text_at(answer, "token", "text")
        if text and at(answer, "token", "special") is not True:
            self._pieces = True
            yield TextDelta(text)
        whole = text_at(answer, "generated_text")
        if whole is None:
            return
        if whole and not self._pieces:
            yield TextDelta(whole)
        yield from self._finish(at(answer, "details"))

    def end(self) -> Iterable[Event]:
        return ()

    def _finish(self, details: Json) -> Iterator[Event]:
        self.done = self.settled = True
        native = text_at(details, "finish_reason")
        prefill = at(details, "prefill")
        read = len(prefill) if isinstance(prefill, list) and prefill else None
        counted = count_at(details, "input_length")
        yield Finished(
            reason=REASONS.get(native or "", FinishReason.STOP),
            usage=Usage(
                input_tokens=read if counted is None else counted,
                output_tokens=count_at(details, "generated_tokens"),
            ),
            model=self._model,
            native_reason=native,
            details={} if (seed := int_at(details, "seed")) is None else {"seed": seed},
        )


DIALECT = HuggingFace
