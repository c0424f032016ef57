"""Pictures that GigaChat draws: a chat in which it calls its own tool, says in the answer what the
picture is called, and gives it away under that name."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from llmctl.dialects import (
    Decoder,
    Drawing,
    FollowUp,
    Frame,
    Framing,
    HttpCall,
    failures,
)
from llmctl.dialects.gigachat_files import ID
from llmctl.dialects.look import at, text_at
from llmctl.dialects.pictures import no_picture, picture, refuse_format
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.types import (
    Event,
    Finished,
    FinishReason,
    Image,
    Json,
    Progress,
    TextDelta,
)
from llmctl.values import replace

FORMATS = ("image/jpeg",)
DRAWS = Drawing(formats=FORMATS, seed=False, by_chat=True, stores=True)

# The tag for a picture in a text, whose `src` is the name of a file.
TAG = re.compile(r"""<img\s[^>]*?src=["']([^"']+)["'][^>]*>""")
# What asks for a picture. Without such a word the answer is a text about the thing.
DRAW = re.compile(
    r"\b(?:(?:нарис|изобраз|сгенерир)\w*|создай"
    r"|draw|paint|picture|image|sketch|generate|illustrate|illustration)\b",
    re.IGNORECASE,
)
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


def wish(call: Image) -> str:
    """The prompt as a request to draw."""
    if DRAW.search(call.prompt):
        return call.prompt
    return f"{'Нарисуй' if CYRILLIC.search(call.prompt) else 'Draw'}: {call.prompt}"


def check(call: Image) -> None:
    """Raises UsageError for what cannot be asked for."""
    refuse_format(call, FORMATS)
    if call.size is not None:
        raise UsageError(
            _("{model} takes no size for its pictures", model=call.model),
            hint=_("leave out --size, or say it in the prompt"),
        )


def body_of(call: Image) -> dict[str, Json]:
    """The request of v1, which leaves to the model whether to draw."""
    check(call)
    said = {"role": "user", "content": wish(call)}
    body = {"model": call.model, "messages": [said], "function_call": "auto"}
    return {**body, **call.options}


def v2_body_of(call: Image) -> dict[str, Json]:
    """The request of v2, which tells it to."""
    check(call)
    return {
        "model": call.model,
        "messages": [{"role": "user", "content": [{"text": call.prompt}]}],
        "tools": [{"image_generate": {}}],
        "tool_config": {"mode": "forced", "tool_name": "image_generate"},
        **call.options,
    }


class DrawnDecoder(Decoder):
    """Reads the chat by the decoder of its version, then asks for each file that is named in it.
    An answer that names none is a refusal in its own words."""

    def __init__(self, chat: Decoder) -> None:
        self.done = False
        self.settled = False
        self.then: FollowUp | None = None
        self._chat = chat
        self._text = ""
        self._finished: Finished | None = None
        self._files: list[str] = []
        self._fetched = 0

    def feed(self, frame: Frame) -> Iterable[Event]:
        if self.then is None:
            self._read(self._chat.feed(frame))
        else:
            yield from self._file(frame)

    def end(self) -> Iterable[Event]:
        if self.then is not None or self.done:
            return
        if not self._chat.done:
            self._read(self._chat.end())
        finished = self._finished
        if finished is None:
            return
        self._files = [*dict.fromkeys((*TAG.findall(self._text), *_parts(finished)))]
        self._text = TAG.sub("", self._text).strip()
        if self._files:
            yield from self._ask()
        else:
            yield from self._refused(finished)

    def _read(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, TextDelta):
                self._text += event.text
            elif isinstance(event, Finished):
                self._finished = event

    def _ask(self) -> Iterator[Event]:
        name = quote(self._files[self._fetched], safe="")
        headers = {"Accept": "application/jpg"}
        http = HttpCall("GET", f"files/{name}/content", headers=headers, framing=Framing.BYTES)
        self.then = FollowUp(http, 0.0)
        yield Progress(_("fetching the picture"), self._fetched)

    def _file(self, frame: Frame) -> Iterator[Event]:
        if not frame.raw and frame.data.lstrip()[:1] == "{":
            raise failures.inside(failures.parsed(frame.data))
        found = picture(frame.raw)
        if found is None:
            self.then = None
            raise no_picture(damaged=True)
        name = self._files[self._fetched]
        yield replace(found, ref=name) if ID.fullmatch(name) else found
        self._fetched += 1
        if self._fetched < len(self._files):
            yield from self._ask()
            return
        self.then = None
        self.done = self.settled = True
        if self._text:  # after the picture, for which it may have to be asked again
            yield TextDelta(self._text)
        assert self._finished is not None  # noqa: S101  files are only named by an answer
        yield replace(self._finished, reason=FinishReason.STOP)

    def _refused(self, finished: Finished) -> Iterator[Event]:
        self.done = self.settled = True
        said = {"refusal": self._text} if self._text else {}
        if self._text:
            yield TextDelta(self._text)
        filtered = finished.reason in (FinishReason.STOP, FinishReason.FILTER)
        stopped = finished.reason is FinishReason.STOP
        yield replace(
            finished,
            reason=FinishReason.FILTER if filtered else finished.reason,
            native_reason="no picture" if stopped else finished.native_reason,
            details={**finished.details, **said},
        )


def _parts(finished: Finished) -> Iterator[str]:
    """The pictures among the parts of an answer of v2."""
    for part in finished.details.get("parts") or ():
        files = at(part, "files")
        for one in files if isinstance(files, list) else ():
            name = text_at(one, "id")
            if name and text_at(one, "target") in (None, "image"):
                yield name
