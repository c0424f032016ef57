"""`llmctl batch jobs` and `cancel`: what is under way at providers."""

from pathlib import Path
from typing import TYPE_CHECKING

from llmctl import settings
from llmctl.batch.native import NativeFiles, NativeJob, Part, Stage
from llmctl.batch.native_fetching import recovered
from llmctl.batch.native_handing import Store
from llmctl.batch.native_operations import begun_in
from llmctl.cli.batch_native_fetch import HeldJob
from llmctl.cli.batch_native_place import Place, Teller, known_outputs, place_of, state_of
from llmctl.cli.loop import run_async
from llmctl.dialects.batches import OneByOne
from llmctl.engine.operations import Operations
from llmctl.errors import LlmctlError, NotFound, UsageError
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.terminal import detect
from llmctl.types import Json
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.settings import Loaded


# Where it is not known whether a set was made.
UNCLEAR = (Stage.PREPARED, Stage.INTENDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A job and what its provider says of it now; `phases` by the name of a set, `answered` and
    `failed` None where it does not say; `error` is why it could not be asked."""

    job: NativeJob
    phases: dict[str, str]
    answered: int | None = None
    failed: int | None = None
    error: LlmctlError | None = None


def show_jobs(*, json: bool, profile: str | None, no_color: bool) -> None:
    """Print every job that is known here; trouble with one is said beside it."""
    terminal = detect(no_color=no_color)
    loaded = settings.load(None, profile)
    found = run_async(_every(loaded))
    if json:
        from llmctl.output.envelope import document

        document({"version": 1, "jobs": [_json(one) for one in found]})
        return
    if not found:
        streams.out(_("No jobs were handed in from here: llmctl batch submit --help") + "\n")
        return
    from llmctl.output.table import table_or_blocks

    heads = (_("Output"), _("Model"), _("Handed in"), _("Rows"), _("State"))
    rows = [
        (_near(one.job.output), one.job.model, one.job.started_at,
         sum(part.rows for part in one.job.parts), _said(one))
        for one in found
    ]  # fmt: skip
    table_or_blocks(heads, rows, terminal=terminal, right={3})


async def _every(loaded: "Loaded") -> list[Seen]:
    found: list[Seen] = []
    for output in known_outputs():
        try:
            job = NativeFiles(output).read()
        except LlmctlError as error:
            found.append(Seen(job=NativeJob(output=str(output)), phases={}, error=error))
            continue
        if job is not None:
            found.append(await _seen(job, loaded))
    return found


async def _seen(job: NativeJob, loaded: "Loaded") -> Seen:
    phases: dict[str, str] = {one.key: _phase(one) for one in job.parts}
    answered: int | None = 0
    failed: int | None = 0
    try:
        place = place_of(job, loaded)
        store = Store(NativeFiles(Path(job.output)), job)
        async with place.exchanging() as exchanging:
            batching = place.batching(store, exchanging)
            if any(one.stage in UNCLEAR for one in job.parts):
                with HeldJob(store.files, job) as held:
                    await recovered(held.store, batching)
                    job = held.store.job
                phases = {one.key: _phase(one) for one in job.parts}
            for part in job.open:
                if batching is None or part.job is None:
                    answered = failed = None
                    continue
                state = await batching.state(part.job)
                phases[part.key] = state.phase
                answered = _plus(answered, state.answered)
                failed = _plus(failed, state.failed)
    except LlmctlError as error:
        return Seen(job=job, phases=phases, error=error)
    return Seen(job=job, phases=phases, answered=answered, failed=failed)


def _plus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _phase(part: Part) -> str:
    match part.stage:
        case Stage.FETCHED:
            return "fetched"
        case Stage.HANDED_IN:
            return part.phase or "waiting"
        case Stage.PREPARED | Stage.INTENDED:
            return "in-doubt"


def _said(seen: Seen) -> str:
    counts: dict[str, int] = {}
    for phase in seen.phases.values():
        counts[phase] = counts.get(phase, 0) + 1
    parts = [f"{count} × {phase}" if count > 1 else phase for phase, count in counts.items()]
    if seen.error is not None:
        parts.append(seen.error.message)
    elif seen.answered:
        parts.append(_("{count} answered", count=seen.answered))
    return ", ".join(parts)


def job_json(job: NativeJob) -> dict[str, Json]:
    return {
        "job": job.id,
        "output": job.output,
        "provider": job.provider,
        "host": job.host,
        "model": job.model,
        "started_at": job.started_at,
        "parts": [
            {"key": one.key, "job": one.job, "rows": one.rows, "model": one.requested,
             "stage": one.stage, "phase": one.phase}
            for one in job.parts
        ],
    }  # fmt: skip


def _json(seen: Seen) -> dict[str, Json]:
    from llmctl.output.envelope import failure_json

    document = job_json(seen.job)
    for part in document["parts"]:
        part["phase"] = seen.phases.get(part["key"])
    error = None if seen.error is None else failure_json(seen.error.failure())
    return {**document, "answered": seen.answered, "failed": seen.failed, "error": error}


def _near(path: str) -> str:
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return path


def cancelled(output: str, *, profile: str | None, quiet: bool, no_color: bool) -> None:
    """Cancel all sets of a job that are not over. Raises UsageError where there is nothing to be
    cancelled, or no way to."""
    detect(no_color=no_color)
    loaded = settings.load(None, profile)
    held, state = state_of(output)
    place = place_of(state, loaded)
    with HeldJob(held, state) as job:
        if not job.store.job.open:
            raise UsageError(_("nothing of {path} is under way any more", path=output))
        count = run_async(_cancel(place, job.store))
    if not count:
        raise UsageError(
            _("{provider} has no way to cancel a batch", provider=place.route.card.name),
            hint=_("let it end: llmctl batch fetch {path} --wait", path=output),
            reason="unsupported",
        )
    if not quiet:
        Teller(quiet=False).say(
            _("cancelling; what was answered comes with: llmctl batch fetch {path} --wait",
              path=output)
        )  # fmt: skip


async def _cancel(place: Place, store: Store) -> int:
    """How many cancellations were asked for."""
    count = 0
    async with place.exchanging() as exchanging:
        batching = place.batching(store, exchanging)
        await recovered(store, batching)
        for part in store.job.open:
            if batching is not None:
                assert part.job is not None  # noqa: S101  it was handed in
                count += await batching.cancel(part.job)
                continue
            assert isinstance(place.batches, OneByOne)  # noqa: S101  there are two kinds
            operations = Operations(place.batches, exchanging)
            for one in begun_in(store.files.operations(part.key)):
                if one.job is None:
                    continue
                try:
                    count += await operations.cancel(one.job)
                except NotFound:
                    count += 1  # it is over, which is what was wanted
    return count
