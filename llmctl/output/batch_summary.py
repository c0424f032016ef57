"""What a job has come to: for people at its end and for `batch status`, and as JSON."""

from collections.abc import Iterator

from llmctl import __version__
from llmctl.batch.shape import LASTING, PASSING, JobSummary, Spread, Total
from llmctl.messages import _
from llmctl.output import batch_words as said
from llmctl.output.envelope import seconds
from llmctl.output.estimates import money_json
from llmctl.output.numbers import grouped
from llmctl.output.report import words
from llmctl.types import Json

VERSION = 1
PACE_DIGITS = 2
MOST_MODELS, MOST_CAUSES = 10, 5
LABEL_COLUMNS = 14  # that labels take, and the gap beside them
LEAST_COLUMNS = 24  # of a reason that is cut


# ---- for people --------------------------------------------------------------------------------


def summary_text(summary: JobSummary, *, again: str | None = None, width: int = 80) -> str:
    """What is said at the end of a run, a labelled line for each thing that is known. `again` is
    the command that goes on with the job, for one that has rows left; to `width` columns reasons
    are cut, but no command."""
    return said.labelled([*_rows(summary, width), *_run(summary), *_next(summary, again)])


def status_text(
    summary: JobSummary,
    *,
    again: str | None = None,
    running: bool | None = None,
    width: int = 80,
) -> str:
    """What `batch status` says; `running` is whether a process is at work on the job."""
    begun = words.moment(summary.started_at)
    job = [
        (_("job"), _("{id}, begun {moment}", id=summary.job, moment=begun)),
        (_("input"), summary.input or _("standard input")),
        (_("output"), summary.output),
    ]
    if running is not None:
        text = _("a process is at work on it") if running else _("nobody works on it")
        job.append((_("now"), text))
    return said.labelled([*job, *_rows(summary, width), *_run(summary), *_next(summary, again)])


def _rows(summary: JobSummary, width: int) -> Iterator[said.Labelled]:
    counts = [
        _("answered {count}", count=grouped(summary.done)) if summary.rows is None else
        _("answered {count} of {all}", count=grouped(summary.done), all=grouped(summary.rows)),
        _("failed {count}", count=grouped(summary.failed)),
    ]  # fmt: skip
    if summary.waiting is None:
        counts.append(_("how many are left is not known: the input was not read to its end"))
    elif summary.waiting:
        counts.append(_("still to be sent {count}", count=grouped(summary.waiting)))
    yield _("rows"), " · ".join(counts)
    if summary.causes:
        named = [(said.cause_text(code), count) for code, count in said.by_count(summary.causes)]
        yield _("causes"), said.listed(named)
    room = max(LEAST_COLUMNS, width - LABEL_COLUMNS)
    for code, _count in said.by_count(summary.causes)[:MOST_CAUSES]:
        if reason := summary.reasons.get(code):
            yield "", said.fitting(f"{code}: {reason}", room)


def _run(summary: JobSummary) -> Iterator[said.Labelled]:
    if not summary.ended and not summary.total.requests:
        return
    parts = [_("rows {count}", count=grouped(summary.ended))]
    if summary.seconds:
        parts.append(_("in {time}", time=said.duration(summary.seconds)))
    pace = said.pace(summary.ended, summary.seconds)
    if pace is not None:
        parts.append(_("{pace} rows/s", pace=words.speed(pace)))
    if summary.most_at_once:
        parts.append(_("at most {count} at a time", count=grouped(summary.most_at_once)))
    yield _("this run"), " · ".join(parts)
    if summary.reused or summary.cached:
        yield "", " · ".join(_saved(summary))
    yield from _took(summary.total)
    if text := said.spread_text(summary.latency):
        yield _("latency"), text
    if summary.waited.most is not None and summary.waited.most >= 0.1:
        yield _("waited"), said.spread_text(summary.waited)
    if len(summary.models) > 1:
        yield from _models(summary)


def _saved(summary: JobSummary) -> Iterator[str]:
    if summary.reused:
        yield _("answered by an identical row: {count}", count=grouped(summary.reused))
    if summary.cached:
        yield _("answered from the cache: {count}", count=grouped(summary.cached))


def _took(total: Total) -> Iterator[said.Labelled]:
    if text := said.tokens_text(total):
        yield _("tokens"), text
    if text := said.cost_text(total):
        yield _("cost"), text


def _models(summary: JobSummary) -> Iterator[said.Labelled]:
    order = sorted(summary.models.items(), key=lambda one: (-one[1].rows, one[0]))
    for at, (name, total) in enumerate(order[:MOST_MODELS]):
        parts = [name, _("rows {count}", count=grouped(total.rows)), said.cost_text(total)]
        yield "" if at else _("models"), " · ".join(part for part in parts if part)
    if len(order) > MOST_MODELS:
        yield "", _("and {count} more", count=len(order) - MOST_MODELS)


def _next(summary: JobSummary, again: str | None) -> Iterator[said.Labelled]:
    """Where the failures are, and what to type. Of rows that went to standard output nothing is
    left."""
    is_kept = summary.output != "-"
    if summary.failed and is_kept:
        yield _("errors"), summary.errors
    causes = [code for code, _count in said.by_count(summary.causes)]
    passing = [code for code in causes if code in PASSING]
    if again is not None and (summary.waiting or summary.waiting is None):
        yield _("go on"), again
    elif again is not None and passing:
        yield _("again"), again
    others = [code for code in causes if code not in (*PASSING, *LASTING)]
    if others and is_kept and summary.input is not None:
        chosen = [part for code in others for part in ("--cause", code)]
        every = len(others) == len(causes)
        yield _("retry"), said.command("retry", summary.output, *(() if every else chosen))
    if "incomplete" in summary.causes and is_kept:
        yield _("longer"), _("answers that were cut: allow more with --max-tokens N and --restart")


# ---- for programs ------------------------------------------------------------------------------


def summary_json(
    summary: JobSummary, *, exit_code: int | None = None, running: bool | None = None
) -> dict[str, Json]:
    """The document of `--summary FILE` and of `batch status --json`. Every key is always there;
    unknown is None, money is a decimal string, times are seconds."""
    pace = said.pace(summary.ended, summary.seconds)
    return {
        "version": VERSION,
        "llmctl": __version__,
        "job": summary.job,
        "started_at": summary.started_at,
        "input": summary.input,
        "output": summary.output,
        "errors": summary.errors,
        "running": running,
        "rows": {
            "total": summary.rows,
            "done": summary.done,
            "failed": summary.failed,
            "waiting": summary.waiting,
        },
        "causes": dict(said.by_count(summary.causes)),
        "reasons": dict(summary.reasons),
        "run": {
            "stopped": summary.stopped,
            "exit_code": exit_code,
            "rows": summary.ended,
            "failed": summary.failed_now,
            "same_as": summary.reused,
            "cached": summary.cached,
            "seconds": seconds(summary.seconds),
            "rows_per_s": None if pace is None else round(pace, PACE_DIGITS),
            "most_at_once": summary.most_at_once,
            **_total(summary.total),
            "latency": _spread(summary.latency),
            "waited": _spread(summary.waited),
            "models": {name: _total(one, rows=True) for name, one in summary.models.items()},
        },
    }


def _total(total: Total, *, rows: bool = False) -> dict[str, Json]:
    # Where nobody has counted a single answer, the sums are no figures.
    told = bool(total.input_tokens or total.output_tokens) or not total.uncounted
    counted = {
        "input_tokens": total.input_tokens,
        "output_tokens": total.output_tokens,
        "cached_tokens": total.cached_tokens,
        "reasoning_tokens": total.reasoning_tokens,
    }
    return {
        **({"rows": total.rows} if rows else {}),
        "requests": total.requests,
        **(counted if told else dict.fromkeys(counted)),
        "uncounted": total.uncounted,
        "cost": [money_json(one) for one in said.sums(total.costs)],
        "unpriced": total.unpriced,
    }


def _spread(spread: Spread) -> dict[str, Json]:
    return {
        "p50_s": seconds(spread.p50),
        "p90_s": seconds(spread.p90),
        "p99_s": seconds(spread.p99),
        "max_s": seconds(spread.most),
    }
