"""`batch run --engine ray`: one job, its input cut into blocks, on the machines of a cluster."""

import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from llmctl import files, settings
from llmctl.batch.shape import JobSummary
from llmctl.batch.tally import Tally
from llmctl.cli.batch_apart import check_apart
from llmctl.cli.batch_blocks import PLAN, Plan, fitted, plan_of, sample
from llmctl.cli.batch_end import outcome, record, show
from llmctl.cli.batch_files import Paths, resume_command
from llmctl.cli.batch_part import Done, Task, errors_glob, perform
from llmctl.engine.turns import concurrency
from llmctl.errors import IoFailed, LlmctlError, Stopped, UsageError
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.terminal import safe_line
from llmctl.rows import HUB
from llmctl.settings import ProviderSettings
from llmctl.types import Failure, Json

if TYPE_CHECKING:
    from llmctl.cli.batch_asked import BatchAsked
    from llmctl.cli.batch_prepared import Prepared


def ran_on_ray(prepared: "Prepared") -> None:
    """Do the job, or what is left of it; raises what it amounts to."""
    from llmctl.batch.on_ray import Cluster, check_installed

    check_installed()
    asked, begun = prepared.asked, time.monotonic()
    source, folder = _checked(asked)
    with ExitStack() as held:
        held.enter_context(files.lock(folder / f"{PLAN}.lock", 0, own_folder=False))
        plan = plan_of(prepared, folder, source)
        cluster = held.enter_context(Cluster())
        if not plan.size:
            _estimate(prepared, plan)
            plan = fitted(plan, folder, cluster.processors)
        lanes = _lanes(prepared)
        workers = max(1, min(cluster.processors, len(plan.blocks), lanes))
        task = Task(
            asked=_asked(asked, source), what=plan.what, run=plan.run, folder=str(folder),
            source=plan.source, lanes=lanes, workers=workers, where=os.getcwd(),
            command=resume_command(),
        )  # fmt: skip
        joined = Joined(plan, quiet=asked.quiet)
        state = settings.paths().data / "state.db"
        found = cluster.run(perform, task, plan.blocks, workers=workers, state=state)
        try:
            for number, done in found:
                joined.take(number, done)
        except Stopped as signalled:
            signalled.error.hint = _("go on with: {command}", command=resume_command())
            raise
    summary = joined.summary(asked, folder, time.monotonic() - begun)
    error = joined.stopped() or outcome(summary, None)
    show(asked, summary, error, resume_command())
    record(asked, prepared.loaded, joined.tally, summary.seconds, job=plan.run, output=folder)
    if error is not None:
        raise error


def _checked(asked: "BatchAsked") -> tuple[Path, Path]:
    """The input and the folder of the parts, which is made. Raises UsageError for what blocks and
    machines do not allow."""
    if asked.source is None or asked.source.startswith(HUB) or asked.output in (None, "-"):
        raise UsageError(
            _("--engine ray takes a file and a folder, on storage that all machines share"),
            hint=_("such as: llmctl batch run in.parquet --output out/ --engine ray -m MODEL"),
        )
    refused = {"--only-new": asked.only_new, "--limit": asked.limit is not None}
    if (flag := next((one for one in refused if refused[one]), None)) is not None:
        raise UsageError(
            _("{flag} does not go with --engine ray", flag=flag),
            hint=_("put those rows in a file of their own"),
        )
    folder = Path(str(asked.output)).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise files.io_failed(error, folder) from error
    check_apart(asked, Paths(folder / PLAN, working=False))
    return Path(asked.source).absolute(), folder


def _estimate(prepared: "Prepared", plan: Plan) -> None:
    """Say what is going to be asked, and what it may cost."""
    if prepared.asked.quiet:
        return
    from llmctl.cli.batch_what_if import estimated
    from llmctl.output.batch_estimate import estimate_text

    rows = sample(plan, prepared.loaded.settings.output.encoding)
    streams.err(estimate_text(estimated(prepared, rows, plan.lines)))


def _asked(asked: "BatchAsked", source: Path) -> dict[str, Json]:
    """The flags as workers take them: each part goes on where it is, and says nothing."""
    plain = {name: getattr(asked, name) for name in asked.__dataclass_fields__}
    own = {"input": str(source), "output": None, "engine": None, "restart": False, "quiet": True,
           "summary": None, "dry_run": False}  # fmt: skip
    return {**plain, **own}


def _lanes(prepared: "Prepared") -> int:
    """Requests under way at a time, of all workers: no more than the account allows."""
    maker, loaded = prepared.maker, prepared.loaded
    if not maker.model:
        return prepared.lanes
    route = maker.route(maker.model)
    own = loaded.settings.providers.get(route.provider, ProviderSettings())
    allowed = concurrency(route.card, own, route.quirks.settings)
    return prepared.lanes if allowed is None else min(prepared.lanes, allowed)


# ---- what it came to


class Joined:
    """What the parts add up to."""

    def __init__(self, plan: Plan, *, quiet: bool) -> None:
        self._plan = plan
        self._quiet = quiet
        self.tally = Tally()
        self._parts: dict[int, JobSummary] = {}
        self._failed: list[tuple[int, Done, Failure]] = []

    def take(self, number: int, done: Done) -> None:
        if done.summary is not None:
            self._parts[number] = done.summary
        if done.tally is not None:
            self.tally.join(done.tally)
        if done.error is not None:
            self._failed.append((number, done, done.error))
            self._say(
                _("part {number}, on {host}: {error}", number=number, host=done.where,
                  error=done.error.message)
            )  # fmt: skip
        elif done.summary is not None:
            self._say(
                _("part {number} of {all}, on {host}: answered {done}, failed {failed}",
                  number=number, all=len(self._plan.blocks), host=done.where,
                  done=done.summary.done, failed=done.summary.failed)
            )  # fmt: skip

    def _say(self, text: str) -> None:
        if not self._quiet:
            streams.err(f"llmctl: {safe_line(text)}\n")

    def summary(self, asked: "BatchAsked", folder: Path, seconds: float) -> JobSummary:
        parts = self._parts.values()
        whole = len(self._parts) == len(self._plan.blocks)
        counted = all(one.rows is not None for one in parts)
        causes: dict[str, int] = {}
        for one in parts:
            for code, count in one.causes.items():
                causes[code] = causes.get(code, 0) + count
        tally, stopped = self.tally, self.stopped()
        return JobSummary(
            job=self._plan.run,
            output=str(asked.output),
            errors=errors_glob(folder),
            input=asked.source,
            started_at=self._plan.started_at,
            rows=sum(one.rows or 0 for one in parts) if whole and counted else None,
            done=sum(one.done for one in parts),
            failed=sum(one.failed for one in parts),
            waiting=sum(one.waiting or 0 for one in parts) if whole and counted else None,
            causes=causes,
            reasons={code: why for one in reversed(parts) for code, why in one.reasons.items()},
            ended=tally.ended,
            failed_now=tally.failed,
            reused=tally.reused,
            cached=tally.cached,
            total=tally.all.total(),
            models={name: one.total() for name, one in tally.models.items()},
            latency=tally.latency.spread(),
            waited=tally.waited.spread(),
            seconds=seconds,
            most_at_once=tally.most_at_once,
            stopped=None if stopped is None else stopped.code,
        )

    def stopped(self) -> LlmctlError | None:
        """What kept the job from coming to its end: what all blocks would have fared first, then
        what befell one, and then that some were never heard of again."""
        for _number, done, failure in sorted(self._failed, key=lambda one: not one[1].stops):
            return _raised(failure, done)
        lost = [one.number for one in self._plan.blocks if one.number not in self._parts]
        if lost:
            return IoFailed(
                _("Ray could not do {count} of the parts: {numbers}", count=len(lost),
                  numbers=", ".join(map(str, lost[:5]))),
                hint=_("see what its logs say of them, then run it again"),
                reason="lost",
            )  # fmt: skip
        return None


def _raised(failure: Failure, done: Done) -> LlmctlError:
    """The error again that a worker told of."""
    kinds = {kind.code: kind for kind in LlmctlError.__subclasses__()}
    return kinds.get(failure.code, LlmctlError)(
        _("on {host}: {error}", host=done.where, error=failure.message),
        hint=done.hint,
        reason=failure.reason,
        provider=failure.provider,
        status=failure.status,
        retryable=failure.retryable,
    )
