"""YandexART: an operation that is asked after until the picture is done."""

import re
from collections.abc import Iterable, Iterator

from llmctl.dialects import Drawing, Frame, HttpCall
from llmctl.dialects.look import int_at, parse, text_at
from llmctl.dialects.naming import on_the_wire
from llmctl.dialects.nested import laid_over
from llmctl.dialects.pictures import decoded, in_ratio, no_picture, refuse_format, size_of
from llmctl.dialects.yandexgpt import YandexDecoder
from llmctl.dialects.yandexgpt_errors import failed_inside
from llmctl.errors import Filtered, LlmctlError, UsageError
from llmctl.messages import _
from llmctl.types import Event, Finished, FinishReason, Image, Json, Quirks

FORMATS = ("image/jpeg",)
DRAWS = Drawing(formats=FORMATS, seed=True)
LONGEST = 500  # characters of a prompt
INVALID = 3  # the code of gRPC for an argument that does not fit
# Of what the same code says otherwise, too: that the request is about something it does not draw.
ABOUT = re.compile(
    r"not possible to generate|terms of (use|service)|violat|ethic|moderat|polic(y|ies)"
    r"|content filter|unsafe|inappropriate|offensive"
    r"|невозможно сгенерировать|наруша|этич|недопустим|запрещ",
    re.IGNORECASE,
)
OPTIONS = frozenset({"mimeType", "seed", "aspectRatio"})


def encode(call: Image, quirks: Quirks) -> HttpCall:
    """Raises UsageError for a prompt that is too long, a size that is no ratio, another type."""
    refuse_format(call, FORMATS)
    if len(call.prompt) > LONGEST:
        raise UsageError(
            _("{model} takes prompts of up to {most} characters; this one has {count}",
              model=call.model, most=LONGEST, count=len(call.prompt)),
            hint=_("shorten it, or ask another model with -m"),
        )  # fmt: skip
    if size_of(call.size).step not in (None, "auto"):
        raise UsageError(
            _("{model} takes the ratio of the sides, not {size}", model=call.model, size=call.size),
            hint=_("such as --size 16:9"),
        )
    options: dict[str, Json] = {"mimeType": FORMATS[0]}
    if call.seed is not None:
        options["seed"] = str(call.seed)  # numbers of 64 bits go as strings
    if (ratio := in_ratio(call)) is not None:
        width, height = map(str, ratio)
        options["aspectRatio"] = {"widthRatio": width, "heightRatio": height}
    uri = on_the_wire(call.model, quirks)
    if uri.startswith("gpt://"):  # of a model that the card does not list
        uri = uri.replace("gpt://", "art://", 1)
    body: dict[str, Json] = {
        "modelUri": uri,
        "messages": [{"text": call.prompt}],
        "generationOptions": options,
    }
    for name, value in call.options.items():
        if name == "generationOptions":
            options = body[name] = laid_over(name, options, value)
        else:
            (options if name in OPTIONS else body)[name] = value
    return HttpCall("POST", "foundationModels/v1/imageGenerationAsync", body)


class YandexArtDecoder(YandexDecoder):
    """The same operations as those of texts, whose answer is a picture."""

    def feed(self, frame: Frame) -> Iterable[Event]:
        if frame.data and not frame.data.isspace():
            answer = parse(frame.data)
            if (error := failed_inside(answer)) is not None:
                self.then = None
                raise _final(error, answer)
        return super().feed(frame)

    def _read(self, answer: Json) -> Iterator[Event]:
        encoded = text_at(answer, "image")
        found = decoded(encoded) if encoded else None
        if found is None:
            raise no_picture(damaged=bool(encoded))
        self.done = self.settled = True
        yield found
        version = text_at(answer, "modelVersion")
        yield Finished(
            FinishReason.STOP,
            request_id=self._operation,
            details={"modelVersion": version} if version else {},
        )


def _final(error: LlmctlError, answer: Json) -> LlmctlError:
    """An operation that failed is not begun again, since each is paid."""
    error.retryable = False
    said = text_at(answer, "error", "message") or ""
    if int_at(answer, "error", "code") == INVALID and ABOUT.search(said):
        return Filtered(
            _("the picture was refused: {said}", said=said),
            hint=_("say it in other words, or ask another model with -m"),
        )
    return error
