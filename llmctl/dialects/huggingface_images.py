"""Text to image at Hugging Face: hf-inference and endpoints of one's own answer with the picture's
bytes, two partners of the router as OpenAI does."""

from collections.abc import Iterable, Mapping

from llmctl.dialects import Decoder, Drawing, Frame, Framing, HttpCall, failures
from llmctl.dialects.nested import laid_over
from llmctl.dialects.openai_images import ImagesDecoder
from llmctl.dialects.pictures import in_pixels, no_picture, picture, refuse_format
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.types import Event, Finished, FinishReason, Image, Json, Quirks

FORMATS = ("image/png", "image/jpeg", "image/webp")
DRAWS = Drawing(formats=FORMATS)

# The partners whose answers hold the picture, by what they call base64. Others give an address,
# or work on jobs of a kind of their own.
PARTNERS: Mapping[str, str] = {"nscale": "b64_json", "together": "base64"}
OWN = "hf-inference"


def encode(call: Image, quirks: Quirks) -> HttpCall:
    """Raises UsageError for a partner that this way does not lead to."""
    pixels = in_pixels(call)
    if quirks.settings.get("text_generation") != "router":
        return _bytes("../", call, pixels)
    model, _mark, partner = call.model.partition(":")
    if partner in ("", OWN):
        return _bytes(f"../{OWN}/models/{model}", call, pixels)
    if partner not in PARTNERS:
        names = ", :".join(sorted((*PARTNERS, OWN)))
        raise UsageError(
            _("{partner} draws nothing for llmctl through the router", partner=partner),
            hint=_("name one that does: {model}:{partner}", model=model, partner=names),
        )
    refuse_format(call, ())
    body: dict[str, Json] = {"model": model, "prompt": call.prompt}
    body["response_format"] = PARTNERS[partner]
    if pixels is not None and partner == "nscale":
        body["size"] = f"{pixels[0]}x{pixels[1]}"
    elif pixels is not None:
        body |= {"width": pixels[0], "height": pixels[1]}
    if call.seed is not None:
        body["seed"] = call.seed
    path = f"../{partner}/v1/images/generations"
    return HttpCall("POST", path, {**body, **call.options})


def decoder(call: Image, quirks: Quirks) -> Decoder:
    routed = quirks.settings.get("text_generation") == "router"
    is_partner = routed and call.model.partition(":")[2] in PARTNERS
    return ImagesDecoder() if is_partner else BytesDecoder()


def _bytes(path: str, call: Image, pixels: tuple[int, int] | None) -> HttpCall:
    refuse_format(call, FORMATS)
    parameters: dict[str, Json] = {}
    if pixels is not None:
        parameters |= {"width": pixels[0], "height": pixels[1]}
    if call.seed is not None:
        parameters["seed"] = call.seed
    for name, value in call.options.items():
        if name == "parameters":
            parameters = laid_over(name, parameters, value)
        else:
            parameters[name] = value
    body: dict[str, Json] = {"inputs": call.prompt}
    if parameters:
        body["parameters"] = parameters
    accepted = {"Accept": call.media_type or FORMATS[0]}
    return HttpCall("POST", path, body, accepted, Framing.BYTES)


class BytesDecoder(Decoder):
    """A body that is the picture."""

    def __init__(self) -> None:
        self.done = False
        self.settled = False

    def feed(self, frame: Frame) -> Iterable[Event]:
        if not frame.raw and frame.data.lstrip()[:1] == "{":
            raise failures.inside(failures.parsed(frame.data))
        found = picture(frame.raw)
        if found is None:
            raise no_picture(damaged=bool(frame.raw))
        self.done = self.settled = True
        yield found
        yield Finished(FinishReason.STOP)

    def end(self) -> Iterable[Event]:
        return ()
