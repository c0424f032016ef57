"""One `llmctl compare` from its flags to its verdict."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from llmctl import settings
from llmctl.cli.compare_asked import CompareAsked
from llmctl.cli.compare_cases import read_cases
from llmctl.cli.compare_checks import (
    refuse_endless,
    refuse_missing,
    refuse_wishes,
    to_pass,
    wanted_checks,
)
from llmctl.cli.compare_clearing import Clearing
from llmctl.cli.compare_entrants import Asking, Field, gathered, usable
from llmctl.cli.compare_session import Session
from llmctl.cli.loop import run_async, stopped
from llmctl.compare.checks import Check, marked, read_share
from llmctl.compare.outcome import all_failed, outcome
from llmctl.compare.plan import Planned, planned
from llmctl.compare.running import Running
from llmctl.compare.shape import Case, Comparison, Mark, Skipped
from llmctl.engine.clearance import Cleared
from llmctl.engine.meter import call_id, utc_now
from llmctl.engine.route import Route
from llmctl.errors import LlmctlError, PrivacyRefused, Stopped, UsageError
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.terminal import Terminal, detect
from llmctl.types import Notice, Receipt
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from llmctl.settings import Loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparing:
    """What is settled before anything is sent."""

    asked: CompareAsked
    loaded: "Loaded"
    terminal: Terminal
    cases: tuple[Case, ...]
    skipped: tuple[Skipped, ...]
    field: Field
    checks: tuple[Check, ...]
    min_pass: float | None
    judge: Route | None
    plan: tuple[Planned, ...]
    run: str


def compared(asked: CompareAsked) -> None:
    """Do what was asked; raises LlmctlError for whatever keeps it from being done, and for what the
    comparison amounts to."""
    try:
        error = _compared(asked)
    except (LlmctlError, Stopped) as early:
        if asked.shown_as == "json":
            from llmctl.cli.refused import show_refused

            show_refused(
                early.error if isinstance(early, Stopped) else early,
                json=True,
                events=False,
                output=asked.output,
                encoding=asked.encoding,
            )
        raise
    if error is not None:
        raise error


def _compared(asked: CompareAsked) -> LlmctlError | None:
    asked.check()
    terminal = detect(no_color=asked.no_color)
    if asked.list_ or asked.show is not None:
        from llmctl.cli.compare_saved import look

        look(asked, terminal)
        return None
    again = None
    if asked.rerun is not None:
        from llmctl.cli.compare_saved import found_again

        asked, again = found_again(asked)
    loaded = settings.load(asked.settings_flags(), asked.profile, asked.spelt())
    streams.use_encoding(loaded.settings.output.encoding)
    comparing = prepared(asked, loaded, terminal, again)
    if asked.dry_run:
        from llmctl.cli.compare_what_if import show_what_if

        show_what_if(comparing)
        return None
    from llmctl.cli.compare_shown import opened

    result = opened(asked, loaded, terminal)
    try:
        comparison, kept, stop = carried_out(comparing)
    except BaseException:
        result.abandon()
        raise
    result.show(comparison, kept)
    return stop or outcome(comparison)


def prepared(
    asked: CompareAsked, loaded: "Loaded", terminal: Terminal, again: Sequence[Case] | None
) -> Comparing:
    """Everything that can be refused before the first byte is sent is refused here."""
    checks = wanted_checks(asked, loaded)
    refuse_wishes(asked, checks, loaded)
    min_pass = read_share(asked.min_pass) if asked.min_pass is not None else None
    names = asked.models or []
    if not names and asked.variant and (default := loaded.settings.defaults.model):
        names = [default]
    if not names:
        raise UsageError(
            _("which models are to be compared?"),
            hint=_("name each with -m; what there is: llmctl models list"),
        )
    cases: tuple[Case, ...]
    skipped: tuple[Skipped, ...] = ()
    if again is not None:
        cases = tuple(again)
    else:
        cases, skipped = run_async(read_cases(asked, loaded))
    refuse_missing(checks, cases)
    field = gathered(_asking(asked, loaded), names, cases, terminal)
    _refuse_empty(field)
    cases, lacking = usable(field.entrants, cases)
    skipped = (*skipped, *lacking)
    warm_up = asked.warm_up
    if warm_up is None:
        warm_up = 1 if asked.times * len(cases) > 1 else 0
    refuse_endless(asked.times * len(cases) + warm_up, len(field.entrants))
    return Comparing(
        asked=asked,
        loaded=loaded,
        terminal=terminal,
        cases=cases,
        skipped=skipped,
        field=field,
        checks=checks,
        min_pass=min_pass,
        judge=_judge(asked, loaded, terminal),
        plan=planned(
            [one.candidate for one in field.entrants],
            len(cases),
            repeat=asked.times,
            warm_up=warm_up,
            seed=asked.order_seed or 0,
        ),
        run=call_id(),
    )


def _asking(asked: CompareAsked, loaded: "Loaded") -> Asking:
    from llmctl.cli.one import with_attached

    attached = with_attached(asked, loaded)
    if attached and asked.fetch:
        from llmctl.cli.fetched import with_fetched
        from llmctl.types import Chat, Media, Message, Role, Text

        call = with_fetched(Chat(model="", messages=(Message(Role.USER, attached),)), asked, loaded)
        attached = tuple(one for one in call.messages[0].parts if isinstance(one, Text | Media))
    schema = None
    if asked.schema is not None:
        from llmctl.engine.schema import read_schema

        schema = read_schema(asked.schema)
    return Asking(asked=asked, loaded=loaded, attached=attached, schema=schema)


def _refuse_empty(field: Field) -> None:
    """Raises the error that keeps every model out."""
    if field.entrants:
        return
    errors = [*field.errors.values()]
    if all(isinstance(one, PrivacyRefused) for one in errors) and len(errors) > 1:
        reasons = "; ".join(
            f"{field.candidates[place].name}: {one.message}" for place, one in field.errors.items()
        )
        raise PrivacyRefused(
            _("policy leaves no model to compare ({reasons})", reasons=reasons),
            hint=errors[0].hint,
        )
    failures = [one.failure() for one in errors]
    if len({one.code for one in failures}) == 1:
        raise errors[0]
    raise all_failed(failures)


def _judge(asked: CompareAsked, loaded: "Loaded", terminal: Terminal) -> Route | None:
    """The judge's route; it is under the same policy as everybody else."""
    if asked.judge is None:
        return None
    from llmctl.cli.one import with_weights
    from llmctl.engine.resolve import resolve

    route = resolve(asked.judge, loaded, shown=asked.dry_run)
    return route if asked.dry_run else with_weights(route, loaded, terminal, asked)


def carried_out(comparing: Comparing) -> tuple[Comparison, Comparison, LlmctlError | None]:
    """The comparison as it is shown, the same as it may be kept, and the signal that ended it
    early, if one did."""
    from llmctl.output.compare_live import view_for

    asked, loaded = comparing.asked, comparing.loaded
    started, begun = utc_now(), time.monotonic()
    comparison = Comparison(
        id=comparing.run,
        started_at=started,
        seed=asked.order_seed or 0,
        candidates=comparing.field.candidates,
        cases=comparing.cases,
        repeat=asked.times,
        planned=len(comparing.plan),
        checks=to_pass(
            comparing.checks, (one.call(comparing.cases[0]) for one in comparing.field.entrants)
        ),
        min_pass=comparing.min_pass,
        judge=asked.judge,
        skipped=comparing.skipped,
        asked=asked.again(),
    )
    view = view_for(comparison, comparing.terminal, quiet=asked.quiet)
    session = Session(asked, loaded, view)
    with view:
        stop = run_async(_run(comparing, comparison, session))
    comparison = replace(
        comparison,
        trials=tuple(session.trials),
        rulings=tuple(session.rulings),
        seconds=time.monotonic() - begun,
        complete=stop is None,
    )
    return comparison, session.as_kept(comparison), stop


def _notes(ready: Cleared) -> Iterable[Notice]:
    """What is said of a call; of every run the same, and so once."""
    from llmctl.cli.attempt import dropped, warned

    return (*warned(ready.route), *dropped(ready.call, ready.route), *ready.notes)


async def _run(
    comparing: Comparing, comparison: Comparison, session: Session
) -> LlmctlError | None:
    """All trials, and the judge's rulings on them; the signal that ended it early, if one did."""
    stop: LlmctlError | None = None
    keeping = asyncio.create_task(session.keeping())
    try:
        await _trials_and_rulings(comparing, comparison, session)
    except asyncio.CancelledError:
        stop = stopped()
    finally:
        session.kept()
    try:
        await asyncio.shield(keeping)
    except asyncio.CancelledError:  # what was paid for is kept and shown all the same
        stop = stop or stopped()
        await keeping
    return stop


async def _trials_and_rulings(
    comparing: Comparing, comparison: Comparison, session: Session
) -> None:
    loaded, entrants, cases = comparing.loaded, comparing.field.entrants, comparing.cases
    clearing = Clearing(loaded, f"compare-{comparing.run}")
    session.clearing = clearing
    clearing.look(entrants, cases, quiet=comparing.asked.quiet)

    async def mark(case: Case, receipt: Receipt) -> tuple[Mark, ...]:
        return await marked(comparing.checks, receipt.text, case)

    running = Running(
        entrants,
        cases,
        loaded,
        clear=clearing,
        mark=mark,
        watcher=session,
        notes=_notes,
        lanes=comparing.asked.lanes,
    )
    await running.run(comparing.plan)
    if comparing.judge is not None:
        from llmctl.cli.compare_judge import rulings

        so_far = replace(comparison, trials=tuple(session.trials))
        await rulings(so_far, comparing.judge, loaded, session, f"compare-{comparing.run}")
