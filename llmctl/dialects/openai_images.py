"""Pictures at OpenAI and hosts that copy it: `images/generations`, several of them in one answer,
each as base64."""

from collections.abc import Iterable, Mapping

from llmctl.dialects import Decoder, Drawing, Frame, HttpCall, failures
from llmctl.dialects.look import at, count_at, parse, text_at
from llmctl.dialects.naming import on_the_wire
from llmctl.dialects.pictures import (
    decoded,
    in_pixels,
    no_picture,
    refuse_format,
    size_of,
)
from llmctl.errors import ProviderFailed
from llmctl.messages import _
from llmctl.types import Event, Finished, FinishReason, Image, Json, Media, Quirks, Usage
from llmctl.types.amounts import plain, read_amount

# `output_format` by the type of the file.
FORMATS: Mapping[str, str] = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/svg+xml": "svg",
}
DRAWS = Drawing(at_once=10, formats=tuple(FORMATS))

# What an answer says beside its pictures, kept under its own name.
DETAILS = ("background", "output_format", "quality", "size")
USAGE_DETAILS = ("input_tokens_details", "output_tokens_details", "svg")


def encode(call: Image, quirks: Quirks) -> HttpCall:
    """Raises UsageError for a size that is none in pixels, and for types of files beyond these."""
    refuse_format(call, DRAWS.formats)
    body: dict[str, Json] = {"model": on_the_wire(call.model, quirks), "prompt": call.prompt}
    if call.count > 1:
        body["n"] = call.count
    if call.size is not None:
        pixels = in_pixels(call)
        body["size"] = size_of(call.size).step if pixels is None else f"{pixels[0]}x{pixels[1]}"
    if call.media_type is not None:
        body["output_format"] = FORMATS[call.media_type]
    if call.seed is not None and quirks.seed:
        body[quirks.seed_field] = call.seed
    if quirks.image_reply:
        body["response_format"] = quirks.image_reply
    return HttpCall("POST", f"{quirks.path_prefix}images/generations", {**body, **call.options})


class ImagesDecoder(Decoder):
    """One whole answer. A picture that is damaged counts as one that is missing, unless there is no
    other; raises ProviderFailed for an answer without any."""

    def __init__(self, cost_field: str = "") -> None:
        self.done = False
        self.settled = False
        self._cost_path = cost_field.split(".") if cost_field else []

    def feed(self, frame: Frame) -> Iterable[Event]:
        answer = parse(frame.data)
        if at(answer, "error"):
            raise failures.inside(answer)
        items = at(answer, "data")
        if not isinstance(items, list):
            raise no_picture()
        found = [_picture(item) for item in items]
        pictures = [one for one in found if one is not None]
        if not pictures:
            raise _elsewhere(items) or no_picture(damaged=bool(items))
        self.done = self.settled = True
        yield from pictures
        yield self._finished(answer, items)

    def end(self) -> Iterable[Event]:
        return ()

    def _finished(self, answer: Json, items: list[Json]) -> Finished:
        usage = at(answer, "usage")
        details = {name: value for name in DETAILS if (value := at(answer, name)) is not None}
        details |= {one: value for one in USAGE_DETAILS if (value := at(usage, one)) is not None}
        if any(revised := [text_at(item, "revised_prompt") for item in items]):
            details["revised_prompts"] = revised
        stated = read_amount(at(answer, *self._cost_path)) if self._cost_path else None
        return Finished(
            FinishReason.STOP,
            usage=_usage(usage) if isinstance(usage, dict) else None,
            model=text_at(answer, "model"),
            reported_cost=None if stated is None else (plain(stated), "USD"),
            details=details,
        )


def _picture(item: Json) -> Media | None:
    encoded = text_at(item, "b64_json")
    url = text_at(item, "url") or ""
    if not encoded and url.startswith("data:"):
        encoded = url
    return decoded(encoded) if encoded else None


def _elsewhere(items: list[Json]) -> ProviderFailed | None:
    """For pictures that are only named: whoever is asked for them is not the provider."""
    urls = [url for item in items if (url := text_at(item, "url"))]
    if not urls:
        return None
    return ProviderFailed(
        _("the provider only says where the picture is: {url}", url=urls[0]),
        hint=_("fetch it with another program: no host that an answer names is asked here"),
        reason="picture-elsewhere",
        retryable=False,
    )


def _usage(usage: Json) -> Usage:
    return Usage(
        input_tokens=count_at(usage, "input_tokens"),
        output_tokens=count_at(usage, "output_tokens"),
        cached_tokens=count_at(usage, "input_tokens_details", "cached_tokens"),
    )
