"""The files of a job, by the name of its output, and what the job is, by its flags."""

import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from llmctl.batch.identity import name_of
from llmctl.cli.batch_asked import BatchAsked
from llmctl.cli.flags import pairs, request_fields
from llmctl.files import unreadable
from llmctl.messages import _
from llmctl.output.batch_rows import line_json
from llmctl.store.journal import Journal
from llmctl.types import Json
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.cli.batch_calls import Maker
    from llmctl.settings import Loaded

BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Paths:
    """`working` says that rows are written to another file first, of which the output is made."""

    output: Path
    working: bool

    @property
    def errors(self) -> Path:
        """Of a table beside lines of the same name this is another file."""
        return self._beside(f"{self.output.name.removesuffix('.jsonl')}.errors.jsonl")

    @property
    def journal(self) -> Path:
        return self._beside(f"{self.output.name}.journal")

    @property
    def lock(self) -> Path:
        return self._beside(f"{self.output.name}.journal.lock")

    @property
    def rows(self) -> Path:
        """Where rows stand as lines of JSON."""
        return self._beside(f"{self.output.name}.part") if self.working else self.output

    @property
    def all(self) -> tuple[Path, ...]:
        """Every file that a job may write, as one or the other kind."""
        name = self.output.name
        more = ("part", "journal-wal", "journal-shm", "batch.json")
        beside = (self._beside(f"{name}.{one}") for one in more)
        return self.output, self.errors, self.journal, self.lock, *beside

    def _beside(self, name: str) -> Path:
        return self.output.with_name(name)


def paths_of(asked: BatchAsked, output: str) -> Paths:
    return Paths(place_of_output(output), asked.ordered or asked.shown_as != "jsonl")


def place_of_output(output: str) -> Path:
    """The file itself: a link to it is another name of the same job. What is no file is left as it
    was named, for whoever refuses it."""
    path = Path(output).absolute()
    if path.exists() and not path.is_file():
        return path
    return Path(os.path.realpath(path))


def adopts(journal: Journal) -> Callable[[bytes], int | None]:
    """Says which row of the job a line of its output belongs to: its line in the input; None for a
    line of another job, or of none."""

    def row_of(data: bytes) -> int | None:
        value = line_json(data)
        row = value["row"] if value else {}
        line, id = row.get("line"), row.get("id")
        if not (isinstance(line, int) and isinstance(id, str)):
            return None
        return line if journal.is_named(line, name_of(id)) else None

    return row_of


def input_of(source: str | None) -> dict[str, Json]:
    """What tells one state of the input from another: its path, size and a digest of its bytes.
    Nothing is known beforehand of what comes through a pipe or from a hub. Raises UsageError."""
    from llmctl.rows import HUB

    if source is None or source.startswith(HUB):
        return {"path": source, "digest": None, "size": None}
    hashed, size = blake2b(digest_size=16), 0
    try:
        path = Path(source)
        if not path.is_file() and path.exists() and not path.is_dir():
            return {"path": os.path.abspath(source), "digest": None, "size": None}
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                hashed.update(block)
                size += len(block)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError):
            hint = _("rows are read from a file, from standard input (-) or from hf://datasets/…")
            raise unreadable(error, source, hint) from None
        raise
    return {"path": os.path.abspath(source), "digest": hashed.hexdigest(), "size": size}


def described(asked: BatchAsked, maker: "Maker", loaded: "Loaded") -> Mapping[str, Json]:
    """What makes the answers of a job what they are: whoever carries it on has to ask the same.
    What is not set is left out."""
    own, template = loaded.settings.defaults, maker.template
    texts = None
    if template is not None:
        texts = "\n".join(
            part
            for part in (
                template.system, *(f"{one.role}: {one.text}" for one in template.messages),
                template.prompt,
            )
            if part
        )  # fmt: skip
    route = maker.route(maker.model) if maker.model else None
    found: dict[str, Json] = {
        "model": f"{route.provider}/{route.model}" if route else None,
        "host": route.host if route else None,
        "system": asked.system if asked.system is not None else own.system,
        "template": texts,
        "params": pairs(asked.param, "-p") or None,
        "options": {**own.options, **request_fields(asked.option)} or None,
        "schema": maker.schema,
        "max_tokens": asked.max_tokens or own.max_tokens,
        "temperature": first(asked.temperature, own.temperature),
        "seed": first(asked.seed, own.seed),
        "stop": asked.stop or None,
        "complete": asked.complete or None,
        "column": asked.column,
        "columns": list(asked.carried) or None,
        "files": _files(asked.attachment or ()) or None,
        "attachments": asked.attachments,
        "input format": asked.input_format,
        "shard": asked.shard,
        "form": "in order" if asked.ordered else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def first(*choices: Json) -> Json:
    return next((one for one in choices if one is not None), None)


def _files(given: Sequence[str]) -> list[str]:
    """Files by their names in the request and their states, wherever they lie; an address stands
    for itself."""
    from llmctl.cli.attached_names import names_of

    return [_file(path, name) for path, name in zip(given, names_of(given), strict=True)]


def _file(path: str, name: str) -> str:
    try:
        with open(path, "rb") as file:
            return f"{name} {blake2b(file.read(), digest_size=8).hexdigest()}"
    except OSError:
        return path


ANEW = frozenset({"--restart", "--only-new"})


def resume_command() -> str:
    """What to type to go on with the job: the same command, which does not begin anew."""
    given = [one for one in sys.argv[1:] if one not in ANEW]
    return shlex.join(["llmctl", *given])
