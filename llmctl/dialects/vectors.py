"""Vectors in answers to requests for embeddings, which come whole in every format."""

import math
import sys
from array import array
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping, Sequence

from llmctl.dialects import Decoder, Frame, failures
from llmctl.dialects.look import at, count_at, int_at, parse, text_at
from llmctl.errors import ProviderFailed, UsageError
from llmctl.messages import _
from llmctl.types import (
    NOTHING,
    Embed,
    Event,
    Finished,
    FinishReason,
    Json,
    Notice,
    Quirks,
    Usage,
    Vector,
)
from llmctl.values import dataclass

NUMBERS = frozenset({int, float})


@dataclass(frozen=True, slots=True)
class Vectors:
    """What an answer holds: `values` in the order of the texts, None where one is missing.
    `input_tokens` is None where the provider does not say, `cost` (amount, currency) where it
    states one, `notices` come before the vectors, the rest is as in `Finished`."""

    values: Sequence[Sequence[float] | None]
    input_tokens: int | None = None
    model: str | None = None
    request_id: str | None = None
    cost: tuple[str, str] | None = None
    load_s: float | None = None
    passed_on_to: str | None = None
    notices: tuple[Notice, ...] = ()
    details: Mapping[str, Json] = NOTHING


class VectorDecoder(Decoder):
    """`read` finds the vectors in an answer to `count` texts. Raises ProviderFailed for an answer
    that has not one vector of finite numbers for each of them, all of one length: whatever is
    wrong there was computed, and paid for, so it is not asked for again."""

    def __init__(self, count: int, read: Callable[[Json], Vectors]) -> None:
        self.done = False
        self.settled = False
        self._count = count
        self._read = read

    def feed(self, frame: Frame) -> Iterable[Event]:
        answer = parse(frame.data)
        if at(answer, "error"):
            raise failures.inside(answer)
        found = self._read(answer)
        whole = [one for one in found.values if one is not None and len(one)]
        if len(whole) != self._count or len(found.values) != self._count:
            raise damaged(
                _("{count} texts came back as {found} vectors", count=self._count,
                  found=len(whole)),
                "wrong-count",
            )  # fmt: skip
        _check(whole)
        self.done = self.settled = True
        yield from found.notices
        for index, values in enumerate(whole):
            yield Vector(index, values)
        usage = None
        if found.input_tokens is not None:
            usage = Usage(input_tokens=found.input_tokens, output_tokens=0)
        yield Finished(
            FinishReason.STOP,
            usage=usage,
            model=found.model,
            request_id=found.request_id,
            reported_cost=found.cost,
            load_s=found.load_s,
            passed_on_to=found.passed_on_to,
            details=found.details,
        )

    def end(self) -> Iterable[Event]:
        return ()


def _check(vectors: Sequence[Sequence[float]]) -> None:
    size = len(vectors[0]) if vectors else 0
    for values in vectors:
        if len(values) != size:
            raise damaged(
                _("the vectors of one answer have different lengths ({one} and {other})", one=size,
                  other=len(values)),
                "wrong-length",
            )  # fmt: skip
        if not is_finite(values):
            raise damaged(_("a vector holds what is no finite number"), "not-finite")


def damaged(said: str, reason: str) -> ProviderFailed:
    """An answer that is whole, and wrong."""
    return ProviderFailed(said, reason=reason, retryable=False)


def is_finite(values: Sequence[float]) -> bool:
    """Whether all numbers are; a sum tells it in a third of the time, unless it overflows."""
    try:
        return math.isfinite(sum(values)) or all(map(math.isfinite, values))
    except OverflowError:  # a whole number that no float can hold
        return False


def length(values: Sequence[float]) -> float:
    """The Euclidean length."""
    return math.hypot(*values)


def openai_vectors(answer: Json) -> Vectors:
    """OpenAI's list, whose items say which text they belong to, in numbers or in base64 of
    little-endian floats of 32 bits."""
    items = at(answer, "data")
    items = items if isinstance(items, list) else []
    values: list[Sequence[float] | None] = [None] * len(items)
    for position, item in enumerate(items):
        index = int_at(item, "index")
        index = position if index is None else index
        if not 0 <= index < len(values) or values[index] is not None:
            raise damaged(_("the provider numbers its vectors wrongly"), "wrong-count")
        values[index] = numbers(at(item, "embedding"))
    return Vectors(
        values,
        count_at(answer, "usage", "prompt_tokens"),
        text_at(answer, "model"),
        text_at(answer, "id"),
    )


def numbers(value: Json) -> Sequence[float] | None:
    """A vector in one of its forms: floats of 32 bits from base64, and from a list whose numbers
    are such; another list as it came. None for what is none."""
    if isinstance(value, str):
        try:
            packed = array("f", b64decode(value, validate=True))
        except ValueError:  # no base64, or no multiple of four bytes
            return None
        if sys.byteorder == "big":
            packed.byteswap()
        return packed
    if not isinstance(value, list) or not {*map(type, value)} <= NUMBERS:
        return None
    try:
        packed = array("f", value)
    except OverflowError:  # too large for any float, which is seen later
        return value
    return packed if packed.tolist() == value else value


def refuse_dimensions(call: Embed, quirks: Quirks | None = None) -> None:
    """Raises UsageError where vectors are asked for in a length and cannot be: by the quirks of the
    model, and without those by the format."""
    if call.dimensions is not None and not (quirks and quirks.dimensions):
        raise UsageError(
            _("the vectors of {model} have one length only", model=call.model),
            hint=_("leave --dimensions out"),
        )
