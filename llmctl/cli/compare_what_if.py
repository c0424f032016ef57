"""`llmctl compare --dry-run`: what each model would cost, how long it has taken before, and what
would become of the data. Nothing is sent."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from llmctl.compare.running import Entrant
from llmctl.cost.money import Money
from llmctl.errors import LlmctlError, UsageError
from llmctl.messages import _
from llmctl.types import Json
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from llmctl.cli.comparing import Comparing
    from llmctl.compare.shape import Candidate
    from llmctl.cost.estimate import Estimate
    from llmctl.output.compare_text import Column
    from llmctl.store.figures import Sums


SHOWN = ("table", "json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """One candidate before anything is sent. `estimate` is of all its `runs`, warm-ups included,
    None where it is not asked; `before` is what the ledger knows of the model; `refused` says why
    it is not asked, or not for every case."""

    candidate: "Candidate"
    runs: int
    estimate: "Estimate | None" = None
    before: "Sums | None" = None
    refused: str | None = None


def show_what_if(comparing: "Comparing") -> None:
    """Print it as a table, or as JSON with --json."""
    found = [*prospects(comparing)]
    if comparing.asked.output not in (None, "-") or comparing.asked.shown_as not in SHOWN:
        raise UsageError(
            _("--dry-run is a table or JSON on standard output"),
            hint=_("leave --output and --format out, or say --json"),
        )
    if comparing.asked.shown_as == "json":
        from llmctl.output.envelope import document

        document(as_json(comparing, found))
    else:
        as_text(comparing, found)


def prospects(comparing: "Comparing") -> Iterable[Prospect]:
    entrants = {one.candidate: one for one in comparing.field.entrants}
    known = ledger_sums(comparing)
    for place, candidate in enumerate(comparing.field.candidates):
        if place not in entrants:
            refused = candidate.refused
            yield Prospect(
                candidate=candidate, runs=0, refused=refused.message if refused else None
            )
            continue
        runs = sum(one.candidate == place for one in comparing.plan)
        estimate, refused_text = _estimated(comparing, entrants[place], place)
        before = _before(known, candidate)
        yield Prospect(candidate=candidate, runs=runs, estimate=estimate, before=before,
                       refused=refused_text)  # fmt: skip


def _estimated(
    comparing: "Comparing", entrant: Entrant, place: int
) -> tuple["Estimate | None", str | None]:
    """The cost of all its runs, and why some of them would not be sent."""
    from llmctl.cli.dry_run import estimate_of
    from llmctl.cost.estimate import summed
    from llmctl.engine.attempt import given_back
    from llmctl.engine.clearance import cleared

    whole: Estimate | None = None
    refused = None
    planned = Counter(one.case for one in comparing.plan if one.candidate == place)
    for number, case in enumerate(comparing.cases):
        times = planned[number]
        try:
            ready = cleared(entrant.route, entrant.call(case), comparing.loaded)
        except LlmctlError as error:
            refused = refused or error.message
            continue
        given_back(ready)
        one = estimate_of(ready)
        for _time in range(times):
            whole = one if whole is None else summed(whole, one)
    return whole, refused


def ledger_sums(comparing: "Comparing") -> list["Sums"]:
    """What the ledger knows of every model; nothing where there is none to read."""
    from llmctl import settings
    from llmctl.cli.kept import open_ledger
    from llmctl.store.figures import By

    if not (settings.paths().data / "ledger.db").exists():
        return []
    try:
        with open_ledger(comparing.loaded) as ledger:
            return [*ledger.stats(By.MODEL)]
    except LlmctlError:
        return []


def _before(known: list["Sums"], candidate: "Candidate") -> "Sums | None":
    """The line of the model, or of the version of it that was asked most often."""
    from llmctl.engine.route import is_version

    fits = [one for one in known if one.key == candidate.model
            or is_version(one.key, candidate.model)]  # fmt: skip
    return max(fits, key=lambda one: one.total_s.count, default=None)


def as_text(comparing: "Comparing", found: list[Prospect]) -> None:
    from llmctl.output.compare_text import facts
    from llmctl.output.streams import err
    from llmctl.output.table import table_or_blocks
    from llmctl.output.terminal import safe_line

    columns = facts()
    heads = [_("model"), _("runs"), _("cost of all"), _("TTFT so far"), _("total so far")]
    heads += [one.header for one in columns]
    rows = [_row(one, columns) for one in found]
    table_or_blocks(heads, rows, terminal=comparing.terminal, right=(1,))
    if comparing.asked.quiet:
        return
    for one in found:
        if one.refused is not None:
            err(f"llmctl: {safe_line(one.candidate.name)}: {safe_line(one.refused)}\n")
    if comparing.judge is not None:
        verdict = comparing.judge.verdict
        err(_("llmctl: the judge {model} (privacy: {level}) would see every prompt and answer, in"
              " up to {count} questions; what they cost depends on the answers",
              model=comparing.judge.requested, level=verdict.level,
              count=calls_of_judge(comparing)) + "\n")  # fmt: skip
    for line in foreseen(comparing, found):
        err(f"{safe_line(line)}\n")
    err(_("Nothing was sent. To do it, leave --dry-run out.") + "\n")


def foreseen(comparing: "Comparing", found: list[Prospect]) -> list[str]:
    """What would be recommended by what is known by now: costs as estimated, times as they were."""
    from llmctl.cli.compare_shown import opened
    from llmctl.compare.figures import Figure, Line
    from llmctl.compare.shape import Comparison
    from llmctl.output.compare_verdicts import advice_lines

    lines = []
    for place, one in enumerate(found):
        before = one.before
        lines.append(Line(
            candidate=place,
            runs=one.runs,
            succeeded=one.runs if one.refused is None else 0,
            cost=_a_run(one),
            ttft=Figure(median=None if before is None else before.ttft_ready_s.p50),
            total=Figure(median=None if before is None else before.total_s.p50),
        ))  # fmt: skip
    comparison = Comparison(
        id="", started_at="", seed=0, candidates=tuple(one.candidate for one in found)
    )
    result = opened(replace(comparing.asked, output=None), comparing.loaded, comparing.terminal)
    return advice_lines(comparison, result.foreseen(comparison, lines))


def _a_run(one: Prospect) -> Money | None:
    """What a run has cost so far, where the ledger knows it, else as estimated."""
    before = one.before
    if before is not None and len(before.cost) == 1 and before.runs > before.failed:
        ((code, amount),) = before.cost.items()
        return Money(amount / before.runs, code)
    usual = one.estimate and (one.estimate.usual or one.estimate.low)
    return Money(usual.amount / one.runs, usual.currency) if usual and one.runs else None


def calls_of_judge(comparing: "Comparing") -> int:
    from llmctl.compare.judge import judge_calls

    return judge_calls(len(comparing.field.entrants), len(comparing.cases), comparing.asked.times)


def _row(one: Prospect, columns: "Sequence[Column]") -> tuple[object, ...]:
    from llmctl.compare.figures import Line
    from llmctl.output.estimates import cost_text

    candidate, before = one.candidate, one.before
    return (
        candidate.name,
        one.runs,
        None if one.estimate is None else cost_text(one.estimate),
        None if before is None else _spread(before.ttft_ready_s.p50, before.ttft_ready_s.count),
        None if before is None else _spread(before.total_s.p50, before.total_s.count),
        *(column.cell(candidate, Line(candidate=0)) for column in columns),
    )


def _spread(seconds: float | None, count: int) -> str | None:
    return None if seconds is None else _("{seconds:.2f} s ({count} runs)", seconds=seconds,
                                          count=count)  # fmt: skip


def as_json(comparing: "Comparing", found: list[Prospect]) -> Json:
    from llmctl.output.envelope import privacy_json, seconds
    from llmctl.output.estimates import estimate_json

    return {
        "version": 1,
        "candidates": [
            {
                "name": one.candidate.name,
                "model": one.candidate.model,
                "variant": one.candidate.variant,
                "runs": one.runs,
                "estimate": None if one.estimate is None else estimate_json(one.estimate),
                "ledger": None
                if one.before is None
                else {
                    "runs": one.before.total_s.count,
                    "ttft_s": seconds(one.before.ttft_ready_s.p50),
                    "total_s": seconds(one.before.total_s.p50),
                    "output_tokens_per_s": one.before.output_tokens_per_s.p50,
                },
                "privacy": privacy_json(one.candidate.verdict, {}),
                "weights": one.candidate.weights,
                "licence": one.candidate.licence,
                "memory_bytes": one.candidate.memory,
                "refused": one.refused,
            }
            for one in found
        ],
        "judge": None
        if comparing.judge is None
        else {
            "model": comparing.judge.requested,
            "calls": calls_of_judge(comparing),
            "privacy": privacy_json(comparing.judge.verdict, {}),
        },
    }
