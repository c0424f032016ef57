"""How the input of a job on a cluster is cut into blocks, kept in the folder of its parts so that
every run cuts alike."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmctl import files
from llmctl.batch.changes import differences
from llmctl.cli.batch_files import described
from llmctl.cost.budgets import new_run
from llmctl.engine.meter import utc_now
from llmctl.errors import UsageError
from llmctl.files import unreadable
from llmctl.messages import _
from llmctl.rows import Row
from llmctl.rows.blocks import Block, blocks_of, read_block
from llmctl.types import Json
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from llmctl.cli.batch_prepared import Prepared

PLAN = "job.json"
VERSION = 1
# Lines of a block: enough that what its beginning and its end cost does not count, few enough that
# every worker has several, and that a lost one leaves little to look through.
LARGEST, SMALLEST = 10_000, 100
SAMPLED, ROWS_OF_EACH = 20, 10  # blocks and rows that a job is estimated by
SHARES = 4  # blocks of a worker, where there are rows for so many


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What stands in the folder of a job beside its parts, and stays: how its input is cut. `size`
    is that of a block in lines, 0 before that is settled."""

    run: str
    started_at: str
    what: Mapping[str, Json]
    source: Mapping[str, Json]
    size: int
    blocks: Sequence[Block]

    @property
    def lines(self) -> int:
        return self.blocks[-1].end - 1


def plan_of(prepared: "Prepared", folder: Path, source: Path) -> Plan:
    """The plan of the job that the folder has, or a new one that is not written yet, with the
    smallest blocks. Raises UsageError where that job is another one."""
    asked = prepared.asked
    what = described(asked, prepared.maker, prepared.loaded)
    state = _state(source)
    if asked.restart:
        _clear(folder)
    found = read_plan(folder / PLAN)
    if found is None:
        return _new(folder, source, what, state)
    changed = differences(found.what, what)
    if found.source["path"] != state["path"] or found.source["size"] != state["size"]:
        changed += differences({"input": _told(found.source)}, {"input": _told(state)})
    if changed:
        raise UsageError(
            _("{path} belongs to a job that asks something else:\n{differences}", path=folder,
              differences="\n".join(f"  {line}" for line in changed)),
            hint=_("name another folder after --output, or do the job anew with --restart"),
            reason="changed",
        )  # fmt: skip
    return replace(found, source=state)


def _new(folder: Path, source: Path, what: Mapping[str, Json], state: Mapping[str, Json]) -> Plan:
    if any(folder.glob("part-*")):
        raise UsageError(
            _("{path} has parts of another job", path=folder),
            hint=_("name another folder after --output, or do the job anew with --restart"),
            reason="not-ours",
        )
    blocks = blocks_of(str(source), SMALLEST)
    if not blocks:
        raise UsageError(_("{source} has no rows", source=source))
    return Plan(
        run=f"batch-{new_run()}", started_at=utc_now(), what=what, source=state, size=0,
        blocks=blocks,
    )  # fmt: skip


def fitted(plan: Plan, folder: Path, processors: int) -> Plan:
    """A new plan with blocks that fit a cluster, as it stands in the folder from now on."""
    size = max(SMALLEST, min(LARGEST, plan.lines // (processors * SHARES)))
    size -= size % SMALLEST  # so that they begin where those do
    plan = replace(plan, size=size, blocks=together(plan.blocks, size))
    _write(folder / PLAN, plan)
    return plan


def sample(plan: Plan, encoding: str | None) -> list[Row]:
    """Some rows from all over the input, by which the others are estimated."""
    step = max(1, len(plan.blocks) // SAMPLED)
    return [
        row
        for block in plan.blocks[::step][:SAMPLED]
        for row in islice(read_block(plan.source["path"], block, encoding=encoding), ROWS_OF_EACH)
        if isinstance(row, Row)
    ]


def together(blocks: Sequence[Block], size: int) -> list[Block]:
    """Larger blocks of small ones, all of which but the last have SMALLEST lines."""
    step = size // SMALLEST
    return [
        replace(blocks[at], number=at // step + 1,
                count=sum(one.count for one in blocks[at : at + step]))
        for at in range(0, len(blocks), step)
    ]  # fmt: skip


def _state(source: Path) -> dict[str, Json]:
    """What tells one state of the input from another without reading it."""
    try:
        found = source.stat()
    except OSError as error:
        hint = _("every machine must see the file under this name, on storage that they share")
        raise unreadable(error, source, hint) from None
    return {"path": str(source), "size": found.st_size,
            "digest": f"{found.st_size} {found.st_mtime_ns}"}  # fmt: skip


def _told(state: Mapping[str, Json]) -> str:
    return _("{path}, {size} bytes", path=state["path"], size=state["size"])


def read_plan(path: Path) -> Plan | None:
    """The plan of a folder, None where there is none. Raises UsageError for what is no plan."""
    try:
        found = json.loads(path.read_bytes())
        blocks = [Block(number=n, line=line, count=count, start=start)
                  for n, (line, count, start) in enumerate(found.pop("blocks"), 1)]  # fmt: skip
        if found.pop("version") != VERSION:
            raise ValueError
        return Plan(**found, blocks=blocks)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise files.io_failed(error, path) from error
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UsageError(
            _("{path} is damaged, or of another llmctl", path=path),
            hint=_("name another folder after --output, or do the job anew with --restart"),
        ) from None


def _write(path: Path, plan: Plan) -> None:
    """Whole, or not at all."""
    document: dict[str, Any] = {
        name: getattr(plan, name) for name in ("run", "started_at", "what", "source", "size")
    }
    document |= {
        "version": VERSION,
        "blocks": [[one.line, one.count, one.start] for one in plan.blocks],
    }
    fresh = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(document, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        raise files.io_failed(error, path) from error


def _clear(folder: Path) -> None:
    """Take away what an earlier job left, the plan last."""
    try:
        for path in folder.glob("part-*"):
            path.unlink()
        (folder / PLAN).unlink(missing_ok=True)
    except OSError as error:
        raise files.io_failed(error, folder) from error
