"""What of a job is settled before a row is read: models, lanes, who answers instead."""

import shlex
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from llmctl.cli.batch_asked import BatchAsked
from llmctl.cli.batch_calls import Maker
from llmctl.engine.route import Route
from llmctl.errors import IoFailed, UsageError
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.terminal import Terminal
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.settings import Loaded

OTHER_FILES = 100  # beside connections: databases, libraries, standard streams
LANES = 8  # where -j says nothing and the provider states no limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What is settled before the output is touched."""

    asked: BatchAsked
    loaded: "Loaded"
    terminal: Terminal
    maker: Maker
    fallbacks: tuple[Route, ...]
    private: Route | None
    lanes: int


def prepare(asked: BatchAsked, loaded: "Loaded", terminal: Terminal) -> Prepared:
    """Everything that can be refused before a row is read is refused here."""
    if asked.source is None and not asked.dry_run:
        from llmctl.cli.stdin import piped

        if not piped():
            raise UsageError(
                _("there are no rows"),
                hint=_("name their file: llmctl batch run in.jsonl --output out.jsonl"),
            )
    maker = Maker(asked, loaded, terminal)
    route = maker.route(maker.model) if maker.model else None
    lanes = asked.concurrency or LANES
    if route is not None and route.target.weights is not None:
        from llmctl.engine.parallel import lanes_of, too_little

        if asked.concurrency and (said := too_little(route, lanes)) and not asked.quiet:
            streams.err(f"llmctl: {said}\n")
        lanes = lanes_of(route)
    refuse_summary(asked.summary)
    if not asked.dry_run and asked.engine is None:
        refuse_output(asked.output)
    lanes = with_room(lanes, quiet=asked.quiet)
    return Prepared(
        asked=asked,
        loaded=loaded,
        terminal=terminal,
        maker=maker,
        fallbacks=tuple(maker.route(name) for name in asked.fallback or ()),
        private=_private(asked, maker, loaded),
        lanes=lanes,
    )


def _private(asked: BatchAsked, maker: Maker, loaded: "Loaded") -> Route | None:
    """Where rows go that policy lets go nowhere else."""
    if asked.on_pii is None:
        return None
    from llmctl.cli.default_model import embedded
    from llmctl.privacy.levels import HERE

    name, default = asked.on_pii, embedded(loaded)
    if name == default.partition("/")[0]:
        name = default
    route = maker.route(name)
    if route.verdict.level not in HERE:
        raise UsageError(
            _("{model} is on no hardware of yours; --on-pii is for what must not leave it",
              model=name),
            hint=_("the model inside llmctl: --on-pii {name}", name=default.partition("/")[0]),
        )  # fmt: skip
    return route


def refuse_output(path: str | None) -> None:
    """Raises IoFailed for a file in a folder that is not there: it is not made, since it is likely
    mistyped."""
    if path in (None, "-"):
        return
    folder = Path(path).absolute().parent
    if not folder.exists():
        raise IoFailed(
            _("{path} cannot be written: there is no folder {folder}", path=path, folder=folder),
            hint=_("make it first: {command}", command=shlex.join(["mkdir", "-p", str(folder)])),
            reason="not-usable",
        )


def refuse_summary(path: str | None) -> None:
    """Raises UsageError for a file that cannot be written after hours of work."""
    if path is None:
        return
    goal = Path(path)
    if goal.is_dir() or not goal.absolute().parent.is_dir():
        raise UsageError(
            _("--summary {path} cannot be written", path=path),
            hint=_("name a file in a folder that there is"),
        )


def with_room(lanes: int, *, quiet: bool) -> int:
    """As many lanes as the system has open files for, each being one; its limit is raised as far
    as it may be."""
    if sys.platform == "win32":
        return lanes
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = lanes + OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return lanes
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    if soft >= wanted:
        return lanes
    fitting = max(1, soft - OTHER_FILES)
    if not quiet:
        streams.err(
            _("llmctl: at most {count} requests at a time, since this system lets a process open"
              " {files} files (ulimit -n)", count=fitting, files=soft) + "\n"
        )  # fmt: skip
    return fitting
