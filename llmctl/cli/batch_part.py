"""One block of a job on a cluster: a small job by itself, with an output and a journal of its own,
done by a worker on any of the machines.

Whoever does it a second time, since the first worker was lost, finds what that one has finished in
the journal and the output, and asks only for the rest.
"""

import asyncio
import os
import platform
import time
import traceback
from collections.abc import AsyncGenerator, Container, Iterator, Mapping
from contextlib import ExitStack, aclosing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmctl import __version__, settings
from llmctl.batch.changes import differences
from llmctl.batch.limiter import Ask, Held, Seat, Till
from llmctl.batch.shape import JobSummary
from llmctl.batch.tally import Tally
from llmctl.cli.batch_asked import BatchAsked
from llmctl.cli.batch_end import finish, summed
from llmctl.cli.batch_files import described
from llmctl.cli.batch_job import Job
from llmctl.cli.batch_prepared import Prepared, prepare
from llmctl.cli.batch_session import Session
from llmctl.errors import ConfigError, IoFailed, LlmctlError, UsageError, internal
from llmctl.messages import _
from llmctl.output.terminal import detect
from llmctl.rows import BadRow, Row
from llmctl.rows.blocks import Block, block_rows
from llmctl.store.journal import Journal
from llmctl.types import Failure, Json
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmctl.cli.batch_keeper import Kept
    from llmctl.store.paces import Shared

# How long the worker before is waited for that still holds a block: a network file system learns
# of its end only when it has not been heard of for a while.
HELD_S, LOOK_S = 120.0, 1.0
DEBUG = "LLMCTL_DEBUG"
# How often a block is begun whose workers are lost in it, one after the other.
TRIES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What all workers are told; there is no key in it. `asked` are the flags, `what` the job as
    the machine describes it where it was begun, in the folder `where`; `run` is what its budget
    counts under, `source` the state of the input, `lanes` the requests under way at a time of all
    `workers` together."""

    asked: Mapping[str, Json]
    what: Mapping[str, Json]
    run: str
    folder: str
    source: Mapping[str, Json]
    lanes: int
    workers: int
    where: str
    command: str
    version: str = __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a worker says of a block. `error` is what kept it from being done, `hint` what to do
    about it; `stops` that the others would fare the same. Without a summary nothing of the block
    is known."""

    summary: JobSummary | None = None
    tally: Tally | None = None
    error: Failure | None = None
    hint: str | None = None
    stops: bool = False
    where: str = ""


class Workers:
    """The processes of all machines, seen from one of them."""

    def __init__(self, task: Task, ask: Ask, seat: Seat) -> None:
        self.run = task.run
        self.till = Till(ask, seat.worker)
        self._task, self._ask, self._place = task, ask, seat.place

    def share(self, most: int) -> int:
        """Of requests under way at a time, as evenly as can be."""
        each, left = divmod(most, self._task.workers)
        return max(1, each + (self._place < left))

    def shared(self, account: str) -> "Shared":
        return Held(self._ask, account)


class Part(Job):
    """A block as a job."""

    def __init__(self, prepared: Prepared, task: Task, block: Block) -> None:
        asked = prepared.asked
        self._block, self._task = block, task
        super().__init__(asked, prepared.loaded, prepared.maker, str(asked.output))

    def _state_of_input(self) -> Mapping[str, Json]:
        """Where another file stands in the place of the one that was, or it was only touched, the
        rows themselves are compared."""
        block, whole = self._block, self._task.source
        state = f"{whole['digest']} {block.line}+{block.count}"
        return {"path": whole["path"], "digest": state, "size": None}

    def _described(self) -> dict[str, Json]:
        more = {"command": self._task.command, "part": self._block.number}
        return {**super()._described(), **more}

    def _journal(self) -> Journal:
        return Journal(self.paths.journal, alone=True)

    async def look(self, kept: "Kept", tell: "Callable[[int], None]") -> None:
        """A block may have none but blank lines, or rows of other shards."""
        try:
            await super().look(kept, tell)
        except UsageError:
            if self.looked is None or self.looked.rows:
                raise
            self.journal.note("input", self.source)
            self.journal.note("registered", True)

    def _drop_journal(self) -> None:
        """That it has no rows is worth knowing."""
        if self.journal.job is None:
            super()._drop_journal()

    def _rows(self, skip: Container[int] = ()) -> AsyncGenerator[Row | BadRow, None]:
        return _without(
            block_rows(
                str(self.asked.source),
                self._block,
                encoding=self._loaded.settings.output.encoding,
            ),
            skip,
        )


async def _without(
    rows: AsyncGenerator[Row | BadRow, None], skip: Container[int]
) -> AsyncGenerator[Row | BadRow, None]:
    async with aclosing(rows) as found:
        async for row in found:
            if row.line not in skip:
                yield row


def perform(task: Task, block: Block, ask: Ask, seat: Seat) -> Done:
    """Do a block, as far as it goes; never raises an error of ours."""
    where = platform.node()
    try:
        if ask("stopped") is not None:
            return Done(where=where)
        if ask("tries", block.number) > TRIES:
            raise _deadly()
        done = _performed(task, block, Workers(task, ask, seat))
    except LlmctlError as error:
        done = Done(error=error.failure(), hint=error.hint, stops=_concerns_all(error))
    except Exception as error:  # its text may hold a prompt
        if os.environ.get(DEBUG):
            traceback.print_exc()  # to Ray's log of this worker
        done = Done(error=internal(error).failure())
    if done.error is not None and done.stops:
        with suppress(Exception):  # whoever cannot hear it ends by itself
            ask("stop", done.error.code)
    return replace(done, where=where)


def _performed(task: Task, block: Block, workers: Workers) -> Done:
    prepared = _prepared(_Key(task))
    asked = replace(prepared.asked, output=str(part_path(Path(task.folder), block.number)))
    prepared = replace(prepared, asked=asked)
    begun = time.monotonic()
    with _held(Part(prepared, task, block)) as job:
        session = Session(prepared, job, to_stdout=False, together=workers)
        try:
            asyncio.run(session.run())
        finally:
            session.close()
        finish(job)
        running = session.running
        stopped = running.stopped
        return Done(
            summary=summed(job, running, time.monotonic() - begun),
            tally=running.tally,
            error=None if stopped is None else stopped.failure(),
            hint=None if stopped is None else stopped.hint,
            stops=stopped is not None,
        )


def part_path(folder: Path, number: int) -> Path:
    return folder / f"part-{number:06d}.jsonl"


def errors_glob(folder: Path) -> str:
    """Where the errors of all parts stand."""
    return str(folder / "part-*.errors.jsonl")


@contextmanager
def _held(part: Part) -> Iterator[Part]:
    """The block, once whoever had it before is gone."""
    given_up = time.monotonic() + HELD_S
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(part)
                break
            except IoFailed as error:
                if error.reason != "locked" or time.monotonic() > given_up:
                    raise
            time.sleep(LOOK_S)
        yield part


class _Key:
    """Lets one task, which is many values, be the key of what was made for it."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def __hash__(self) -> int:
        return hash(self.task.run)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.task == other.task


@cache
def _prepared(key: _Key) -> Prepared:
    """What every block of a job needs, made once a process. Raises what any run may, and
    ConfigError where this machine would ask something else than the one that began the job."""
    task = key.task
    if task.version != __version__:
        raise ConfigError(
            _("{host} has llmctl {version}, and the job was begun with {begun}",
              host=platform.node(), version=__version__, begun=task.version),
            hint=_("install the same version on every machine"),
        )  # fmt: skip
    with suppress(OSError):  # relative paths are meant from there, where there is such a folder
        os.chdir(task.where)
    given: dict[str, Any] = dict(task.asked)
    asked = BatchAsked(**given)
    loaded = settings.load(asked.settings_flags(), asked.profile, asked.spelt())
    prepared = prepare(asked, loaded, detect(no_color=True))
    if found := differences(task.what, described(asked, prepared.maker, loaded)):
        raise ConfigError(
            _("{host} would ask something else than the machine that began the job:\n"
              "{differences}", host=platform.node(),
              differences="\n".join(f"  {line}" for line in found)),
            hint=_("give every machine the same settings, templates and files"),
            reason="changed",
        )  # fmt: skip
    return replace(prepared, lanes=task.lanes)


def _concerns_all(error: LlmctlError) -> bool:
    """Whether other blocks would end in the same way: not where it is about the files of one."""
    return not isinstance(error, IoFailed)


def _deadly() -> IoFailed:
    return IoFailed(
        _("{count} workers were lost over this part, one after the other", count=TRIES),
        hint=_("see what Ray says of them (too little memory?), then run it again"),
        reason="lost",
    )
