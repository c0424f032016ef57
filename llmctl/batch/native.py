"""A job that a provider carries out: which sets its rows went in, and what they are called there.

`OUT.batch.json` says that, beside the output, and is on disk before a request that makes a set goes
out. What of each row is needed when its answer comes, and what stood behind its placeholders, is in
the folder `OUT.batch` until then. Both are for their owner alone. What became of the rows is in the
journal, as of any other job.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from llmctl import files
from llmctl.errors import ConfigError
from llmctl.messages import _
from llmctl.structure import build, packed
from llmctl.values import NOTHING, dataclass, replace

VERSION = 1


class Stage(StrEnum):
    """Where a set is on its way."""

    PREPARED = "prepared"  # nothing of it counts: no request that makes it has gone out
    INTENDED = "intended"  # the request that makes it may have gone out
    HANDED_IN = "handed-in"
    FETCHED = "fetched"  # its answers are in the output


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One set. `key` is its name with us, with which the ids of its rows begin; `requested` the
    model, `since` (Unix time) when it was to be made, `job` the provider's name for it, `phase`
    what the provider last said of it. `reserved` is the number of the money set aside for it,
    `spent` what its answers so far cost by currency, `unpriced` that this is not known of one.
    Where each row is an operation of its own there is no `job`."""

    key: str
    requested: str
    kind: str
    rows: int
    stage: Stage = Stage.INTENDED
    since: float = 0.0
    job: str | None = None
    phase: str | None = None
    reserved: int | None = None
    spent: Mapping[str, str] = NOTHING
    unpriced: bool = False

    def row_id(self, line: int) -> str:
        return f"{self.key}-{line}"

    def line_of(self, id: str) -> int | None:
        """The row that an id of ours is for; None for an id of anybody else's."""
        key, _mark, line = id.rpartition("-")
        return int(line) if key == self.key and line.isascii() and line.isdigit() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeJob:
    """A job by its sets. `settings` are those values of the provider's settings under which it
    takes them; `host` is where they are, and `run` the name by which they share a budget."""

    version: int = VERSION
    id: str = ""
    provider: str = ""
    host: str = ""
    model: str = ""
    input: str | None = None
    output: str = ""
    run: str = ""
    started_at: str = ""
    parts: tuple[Part, ...] = ()

    @property
    def open(self) -> tuple[Part, ...]:
        """Those whose answers are not here yet."""
        return tuple(one for one in self.parts if one.stage is not Stage.FETCHED)

    def with_part(self, part: Part) -> "NativeJob":
        """The job with a new part, or with what is new of one."""
        if any(one.key == part.key for one in self.parts):
            parts = tuple(part if one.key == part.key else one for one in self.parts)
        else:
            parts = (*self.parts, part)
        return replace(self, parts=parts)

    def without(self, key: str) -> "NativeJob":
        return replace(self, parts=tuple(one for one in self.parts if one.key != key))


class NativeFiles:
    """The files of a job beside its output."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.state = output.with_name(f"{output.name}.batch.json")
        self.folder = output.with_name(f"{output.name}.batch")

    def rows(self, key: str) -> Path:
        return self.folder / f"{key}.rows.jsonl"

    def requests(self, key: str) -> Path:
        return self.folder / f"{key}.requests"

    def operations(self, key: str) -> Path:
        return self.folder / f"{key}.operations.jsonl"

    def read(self) -> NativeJob | None:
        """None where there is none. Raises IoFailed, ConfigError for what is none of ours."""
        try:
            data = self.state.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise files.io_failed(error, self.state) from error
        try:
            document = json.loads(data)
            if document["version"] != VERSION:
                raise ValueError
            return build(NativeJob, document)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise ConfigError(
                _("{path} is not what this version of llmctl has written", path=self.state),
                hint=_("name another output; what was handed in, the provider's own pages show"),
            ) from None

    def write(self, job: NativeJob) -> None:
        """On disk when it returns. Raises IoFailed."""
        text = json.dumps(packed(job), ensure_ascii=False, indent=1)
        files.write_private(self.state, f"{text}\n".encode(), own_folder=False)

    def drop(self, key: str) -> None:
        """What was kept of a set that is through."""
        for path in (self.rows(key), self.requests(key), self.operations(key)):
            path.unlink(missing_ok=True)

    def forget(self, job: NativeJob) -> None:
        """Remove the files of a job that is through, for another to take its place."""
        for one in job.parts:
            self.drop(one.key)
        with suppress(OSError):  # there is none, or somebody keeps something in it
            self.folder.rmdir()
        self.state.unlink(missing_ok=True)
