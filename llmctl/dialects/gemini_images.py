"""Pictures of Gemini's image models: a chat whose answer may hold pictures among its parts."""

from collections.abc import Iterable, Iterator

from llmctl.dialects import Drawing
from llmctl.dialects.gemini_answers import GeminiDecoder
from llmctl.dialects.look import at, text_at
from llmctl.dialects.pictures import decoded, in_ratio, no_picture, refuse_format, size_of
from llmctl.types import (
    Event,
    Finished,
    FinishReason,
    Image,
    Json,
    Quirks,
    TextDelta,
)
from llmctl.values import replace

DRAWS = Drawing()

# The ratios there are, and how near to one the sides of a picture in pixels must come.
RATIOS = ((1, 1), (2, 3), (3, 2), (3, 4), (4, 3), (9, 16), (16, 9), (21, 9))
NEAR = 0.03
# What pixels on the longer side of a square each step stands for; other sizes go to the nearest.
STEPS = {"1K": 1024, "2K": 2048, "4K": 4096}
# Why there is no picture where one was asked for: nothing that asking again would mend.
REFUSALS = frozenset({"NO_IMAGE", "IMAGE_OTHER"})


def body_of(call: Image, quirks: Quirks) -> dict[str, Json]:
    """Contents and `generationConfig`, before the user's own fields; raises UsageError for a type
    of file, which cannot be told here."""
    refuse_format(call, DRAWS.formats)
    config: dict[str, Json] = {"responseModalities": ["TEXT", "IMAGE"]}
    if shape := _shape(call):
        config["imageConfig"] = shape
    if call.seed is not None and quirks.seed:
        config["seed"] = call.seed
    contents = [{"role": "user", "parts": [{"text": call.prompt}]}]
    return {"contents": contents, "generationConfig": config}


def _shape(call: Image) -> dict[str, Json]:
    """The ratio of the sides, and the step where one is meant that is not the usual one."""
    shape: dict[str, Json] = {}
    size, ratio = size_of(call.size), in_ratio(call)
    if ratio is not None and size.pixels is not None:
        ratio = _nearest(ratio)
    if ratio is not None:
        shape["aspectRatio"] = f"{ratio[0]}:{ratio[1]}"
    if size.pixels is not None:
        side = (size.pixels[0] * size.pixels[1]) ** 0.5
        step = min(STEPS, key=lambda name: abs(STEPS[name] - side))
        if step != "1K":
            shape["imageSize"] = step
    elif size.step not in (None, "auto"):
        shape["imageSize"] = size.step
    return shape


def _nearest(ratio: tuple[int, int]) -> tuple[int, int]:
    """The ratio that is meant by pixels; the provider is left to refuse what is near none."""
    exact = ratio[0] / ratio[1]
    near = min(RATIOS, key=lambda one: abs(one[0] / one[1] / exact - 1))
    return near if abs(near[0] / near[1] / exact - 1) <= NEAR else ratio


class GeminiImageDecoder(GeminiDecoder):
    """A chat's answer, in which something is missing unless a picture is there: what the model says
    instead is its refusal."""

    def __init__(self) -> None:
        super().__init__()
        self._pictures = 0
        self._damaged = False
        self._said = ""

    def end(self) -> Iterable[Event]:
        for event in super().end():
            yield self._judged(event) if isinstance(event, Finished) else event

    def _part(self, part: Json) -> Iterator[Event]:
        blob = at(part, "inlineData")
        if not isinstance(blob, dict):
            for event in super()._part(part):
                if isinstance(event, TextDelta):
                    self._said += event.text
                yield event
        elif at(part, "thought") is not True:  # sketches of its thoughts are no answer
            found = decoded(text_at(blob, "data") or "")
            self._damaged = self._damaged or found is None
            if found is not None:
                self._pictures += 1
                yield found

    def _judged(self, finished: Finished) -> Finished:
        if finished.reason is FinishReason.FILTER:
            return finished
        if self._pictures:
            return replace(finished, reason=FinishReason.STOP)
        if self._damaged:
            raise no_picture(damaged=True)
        said = self._said.strip() or str(finished.details.get("finishMessage") or "")
        refused = finished.native_reason in REFUSALS
        if finished.reason is FinishReason.STOP:
            if not said:
                raise no_picture()
            refused = True
        if not refused:
            return finished
        details = {**finished.details, **({"refusal": said} if said else {})}
        return replace(finished, reason=FinishReason.FILTER, details=details)
