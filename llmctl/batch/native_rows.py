"""What is kept of a row from the moment it is handed in until its answer comes."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from llmctl import files
from llmctl.privacy.placeholders import Placeholders
from llmctl.privacy.screening import Screened
from llmctl.structure import build, packed
from llmctl.types import Chat, Complete, Json, Media, Message, Role, Verdict
from llmctl.values import NOTHING, dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What rows have in common that matters to their answers: the call without its texts. `schema`
    is the one that was sent, `own_schema` the user's, where something in it was replaced; `media`
    are the types of files in it."""

    requested: str
    model: str
    max_tokens: int | None = None
    options: Mapping[str, Json] = NOTHING
    schema: Mapping[str, Json] | None = None
    own_schema: Mapping[str, Json] | None = None
    media: tuple[str, ...] = ()
    continues: bool = False
    verdict: Verdict | None = None

    def call(self) -> Chat | Complete:
        """A call by which an answer can be read, checked and priced."""
        if self.continues:
            return Complete(self.model, "", max_tokens=self.max_tokens, stream=False,
                            options=self.options)  # fmt: skip
        said = Message(Role.USER, tuple(Media(one) for one in self.media))
        return Chat(self.model, (said,), max_tokens=self.max_tokens, schema=self.schema,
                    stream=False, options=self.options)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A row that was handed in. `originals` is what its placeholders stand for, `numbers` those of
    them that stand for numbers of JSON, `redactions` counts them by type."""

    line: int
    id: str
    shape: int
    originals: Mapping[str, str] = NOTHING
    numbers: tuple[str, ...] = ()
    redactions: Mapping[str, int] = NOTHING
    columns: Mapping[str, Json] = NOTHING

    def screened(self, shape: Shape) -> Screened:
        """How the row was screened, as far as its answer needs it."""
        call = shape.call()
        before = call
        if isinstance(call, Chat) and shape.own_schema is not None:
            before = replace(call, schema=shape.own_schema)
        held = Placeholders.remembered(self.originals, self.numbers) if self.originals else None
        return Screened(call=call, before=before, redactions=self.redactions, placeholders=held)


def shape_of(requested: str, call: Chat | Complete, screened: Screened, verdict: Verdict) -> Shape:
    from llmctl.dialects.media import files_of

    before = screened.before
    own = before.schema if isinstance(before, Chat) else None
    schema = call.schema if isinstance(call, Chat) else None
    return Shape(
        requested=requested,
        model=call.model,
        max_tokens=call.max_tokens,
        options=call.options,
        schema=schema,
        own_schema=own if own != schema else None,
        media=tuple(one.media_type for one in files_of(call)),
        continues=isinstance(call, Complete),
        verdict=verdict,
    )


def sent_of(
    line: int, id: str, shape: int, screened: Screened, columns: Mapping[str, Json]
) -> Sent:
    held = screened.placeholders
    return Sent(
        line=line,
        id=id,
        shape=shape,
        originals=dict(held.originals) if held else NOTHING,
        numbers=tuple(held.numbers) if held else (),
        redactions=screened.redactions,
        columns=columns,
    )


class RowsFile:
    """The rows of one set, written one after the other, for their owner alone."""

    def __init__(self, path: Path) -> None:
        self.count = 0
        self._shapes: dict[str, int] = {}
        self._last: tuple[Shape, int] | None = None
        self._file = opened(path)

    def shape(self, shape: Shape) -> int:
        """The number of a shape, which is written when it is new."""
        if self._last is not None and self._last[0] == shape:  # as nearly all are
            return self._last[1]
        text = json.dumps({"shape": packed(shape)}, ensure_ascii=False, sort_keys=True)
        number = self._shapes.get(text)
        if number is None:
            number = self._shapes[text] = len(self._shapes)
            self._file.write(text.encode("utf-8", "surrogatepass") + b"\n")
        self._last = shape, number
        return number

    def add(self, sent: Sent) -> None:
        document = {name: value for name, value in packed(sent).items() if value}
        text = json.dumps(document, ensure_ascii=False)
        self._file.write(text.encode("utf-8", "surrogatepass") + b"\n")
        self.count += 1

    def sync(self) -> None:
        """Safe on disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def opened(path: Path, *, anew: bool = True) -> BinaryIO:
    """A file of ours to be written or, if not `anew`, to be added to. Raises IoFailed."""
    files.private_dir(path.parent)
    flags = os.O_CREAT | os.O_WRONLY | getattr(os, "O_BINARY", 0)
    flags |= os.O_TRUNC if anew else os.O_APPEND
    with files.saying(path):
        return open(os.open(path, flags, files.FILE), "wb")


class Rows:
    """The rows of one set, by their line. They are kept as they stand in the file, which takes a
    tenth of the room; a set may have a hundred thousand. Raises IoFailed."""

    def __init__(self, path: Path) -> None:
        self.shapes: list[Shape] = []
        self._rows: dict[int, bytes] = {}
        for data in _whole_lines(path):
            document = _read(data)
            if "line" in document:
                self._rows[document["line"]] = data
            else:
                self.shapes.append(build(Shape, document["shape"]))

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def __getitem__(self, line: int) -> Sent:
        return build(Sent, {"shape": 0, **_read(self._rows[line])})


def documents(path: Path) -> Iterator[Json]:
    """The lines of a file of ours; a torn last one is left out. Raises IoFailed."""
    return map(_read, _whole_lines(path))


def _whole_lines(path: Path) -> Iterator[bytes]:
    with files.saying(path), open(path, "rb") as file:
        yield from (line for line in file if line.endswith(b"\n"))


def _read(line: bytes) -> Json:
    return json.loads(line.decode("utf-8", "surrogatepass"))


def lines_of(path: Path) -> Iterator[int]:
    """The lines of the input that are in a file of rows."""
    for document in documents(path):
        if "line" in document:
            yield document["line"]
