"""Yandex AI Studio's own embeddings: one text a request, and an answer without a wrapper."""

from collections.abc import Iterable

from llmctl.dialects import Frame, HttpCall
from llmctl.dialects.look import at, count_at, parse, text_at
from llmctl.dialects.naming import on_the_wire
from llmctl.dialects.vectors import VectorDecoder, Vectors, numbers, refuse_dimensions
from llmctl.dialects.yandexgpt_errors import failed_inside
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.types import Embed, Event, Json, Quirks

PATH = "foundationModels/v1/textEmbedding"


def request(call: Embed, quirks: Quirks) -> HttpCall:
    """Raises UsageError for several texts. Which of its models are for documents and which for
    questions is told by the model's name alone."""
    if len(call.texts) != 1:
        raise UsageError(_("{model} takes one text a request", model=call.model))
    refuse_dimensions(call, quirks)
    body: dict[str, Json] = {"modelUri": on_the_wire(call.model, quirks), "text": call.texts[0]}
    if call.dimensions is not None:
        body["dim"] = str(call.dimensions)  # of 64 bits, which go as strings
    return HttpCall("POST", PATH, {**body, **quirks.extra_body, **call.options})


class YandexVectorDecoder(VectorDecoder):
    """Raises the error that an answer is which came with a status of success, besides."""

    def __init__(self) -> None:
        super().__init__(1, _vectors)

    def feed(self, frame: Frame) -> Iterable[Event]:
        if (error := failed_inside(parse(frame.data))) is not None:
            raise error
        return super().feed(frame)


def _vectors(answer: Json) -> Vectors:
    version = text_at(answer, "modelVersion")
    return Vectors(
        [numbers(at(answer, "embedding"))],
        count_at(answer, "numTokens"),
        details={"modelVersion": version} if version else {},
    )
