"""The renderer of pictures: each goes into a file as soon as it is here, and its path is the
answer."""

import contextlib

from llmctl.dialects.pictures import dimensions
from llmctl.errors import IoFailed
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.aside import Aside
from llmctl.output.footer import Footer
from llmctl.output.picture_files import Album, Saved
from llmctl.output.terminal import safe_line
from llmctl.types import Event, Finished, Json, Media, Notice, Receipt, TextDelta
from llmctl.values import replace


class Pictures:
    """Prints one path a line, with `json` the envelope at the end instead. What the model says
    beside its pictures goes to standard error. `wanted` is the type of file that was asked for."""

    def __init__(
        self,
        album: Album,
        aside: Aside,
        footer: Footer,
        *,
        prompt: str,
        json: bool = False,
        to_terminal: bool = False,
        wanted: str | None = None,
    ) -> None:
        self.saved: list[Saved] = []
        self._shapes: list[tuple[int, int] | None] = []
        self._album = album
        self._aside = aside
        self._footer = footer
        self._prompt = prompt
        self._json = json
        self._to_terminal = to_terminal
        self._wanted = wanted
        self._said: set[str] = set()
        self._text = ""

    def event(self, event: Event) -> None:
        match event:
            case Media():
                self._text = _ended(self._text)
                self._keep(event)
            case Finished():
                self._text = _ended(self._text)
            case TextDelta(text):
                self._text += text
            case Notice(text=text):
                if text not in self._said:  # each of several requests would say it
                    self._said.add(text)
                    self._aside.event(event)
            case _:
                self._aside.event(event)

    def finish(self, receipt: Receipt) -> None:
        self._end(receipt)
        self._footer.show(receipt)

    def fail(self, receipt: Receipt) -> None:
        with contextlib.suppress(IoFailed):  # a full disk may be what failed
            self._end(receipt)
        self._footer.show_failed(receipt)

    def _keep(self, media: Media) -> None:
        if media.data is None:
            return
        self._aside.end()
        kind = media.media_type
        saved = self._album.save(media.data, kind, self._prompt)
        self.saved.append(saved)
        self._shapes.append(dimensions(media.data))
        if saved.renamed or self._wanted not in (None, kind):
            text = _("the provider sent {kind}, so the file is {path}", kind=kind, path=saved.path)
            self._aside.event(Notice("other-type", text, insists=True))
        if not self._json:
            path = safe_line(saved.path) if self._to_terminal else saved.path
            streams.out(path + "\n")

    def _end(self, receipt: Receipt) -> None:
        self._aside.end()
        if self._json:
            from llmctl.output.envelope import document, envelope

            document({**envelope(replace(receipt, media=())), "media": self._media()})
        elif (text := self._text.strip()) and receipt.error is None:
            self._aside.event(Notice("beside", _("the model says: {text}", text=text)))

    def _media(self) -> list[Json]:
        """What the envelope says of each picture; the bytes are in its file."""
        from llmctl.output.envelope import media_json

        shapes = [shape or (None, None) for shape in self._shapes]
        return [
            {**media_json(kept_as(one)), "width": width, "height": height}
            for one, (width, height) in zip(self.saved, shapes, strict=True)
        ]


def _ended(text: str) -> str:
    """With a space between it and what is said after a picture, or by the next answer."""
    return text if not text or text[-1].isspace() else text + " "


def kept_as(saved: Saved) -> Media:
    """A picture as records have it: where it is, without its bytes."""
    name = saved.path.replace("\\", "/").rpartition("/")[2]
    return Media(saved.media_type, path=saved.path, size=saved.size, name=name)
