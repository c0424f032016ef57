"""The upper half of a job's report: what came out, charts, and the models side by side."""

from collections.abc import Iterator

from llmctl.batch.shape import LASTING, PASSING, JobSummary
from llmctl.cost.money import Money
from llmctl.messages import _
from llmctl.output import batch_words as said
from llmctl.output.numbers import grouped
from llmctl.output.report import words
from llmctl.output.report.batch_gathered import (
    DRAWN,
    BatchReport,
    Group,
    Reservoir,
)
from llmctl.output.report.batch_models import Numbered, money_of, numbered
from llmctl.output.report.charts import Bar, Chart, Series, bars, box_plots
from llmctl.output.report.elements import Child, Markup, tag
from llmctl.output.report.elements import said as shown_text
from llmctl.output.report.tables import Cell, Column, table

MOST_DRAWN = 10  # models in a chart


def title(summary: JobSummary) -> str:
    name = summary.output.replace("\\", "/").rpartition("/")[2]
    return _("Job: {name}", name=name[:120]) + " · llmctl"


# ---- the head ----------------------------------------------------------------------------------


def head(summary: JobSummary, report: BatchReport) -> Markup:
    when = words.moment(summary.started_at)
    done = grouped(summary.done)
    if summary.rows is None:
        headline = _("Rows answered: {done}", done=done)
    else:
        headline = _("Rows answered: {done} of {all}", done=done, all=grouped(summary.rows))
    return tag(
        "header",
        tag("p", _("Batch job"), " · ", when, class_="kicker"),
        tag("h1", headline),
        tag("p", tag("code", shown_text(summary.output[:300])), class_="counts"),
        [tag("p", one, class_="warning") for one in _warnings(summary, report)],
        tag("div", list(_tiles(summary, report)), class_="tiles"),
    )


def _warnings(summary: JobSummary, report: BatchReport) -> Iterator[str]:
    if summary.failed:
        yield _("Rows that failed: {count}. Their causes are below.", count=grouped(summary.failed))
    if summary.waiting:
        yield _("Rows still to be sent: {count}. The same command goes on with them.",
                count=grouped(summary.waiting))  # fmt: skip
    elif summary.waiting is None:
        yield _("How many rows are left is not known: the input was not read to its end.")
    if report.answered != summary.done:
        yield _("The output has {count} rows, the journal {done}: somebody has changed it, or the "
                "job is still running.", count=grouped(report.answered),
                done=grouped(summary.done))  # fmt: skip
    if report.unreadable:
        yield _("Lines that are no rows, and are left out: {count}",
                count=grouped(report.unreadable))  # fmt: skip


def _tiles(summary: JobSummary, report: BatchReport) -> Iterator[Markup]:
    over = summary.done + summary.failed
    share = words.share(summary.done / over) if over else words.DASH
    yield _tile(_("Answered"), share, [
        _("of the rows that are through: {count}", count=grouped(over))])  # fmt: skip
    yield _tile(_("Cost"), *_spent(report))
    if (median := report.times.percentile(0.5)) is not None:
        tail = words.seconds(report.times.percentile(0.95) or median)
        details: list[Child] = [_("median"), _("p95 {value}", value=tail)]
        yield _tile(_("Time of an answer"), words.seconds(median), details)
    taken = sum(group.input for group in report.models.values())
    made = sum(group.output for group in report.models.values())
    uncounted = sum(group.uncounted for group in report.models.values())
    known = bool(taken or made) or not uncounted
    yield _tile(_("Tokens"), grouped(taken + made) if known else words.DASH, [
        _("{input} in, {output} out", input=grouped(taken), output=grouped(made)) if known else
        _("nobody has counted them"),
        _("answers without a count: {count}", count=grouped(uncounted)) if uncounted and known else
        None])  # fmt: skip
    if (pace := said.pace(summary.ended, summary.seconds)) is not None:
        yield _tile(_("Pace"), _("{pace} rows/s", pace=words.speed(pace)), [
            _("at most {count} at a time", count=grouped(summary.most_at_once))
            if summary.most_at_once else None,
            _("the last run took {time}", time=said.duration(summary.seconds))])  # fmt: skip


def _spent(report: BatchReport) -> tuple[str, list[Child]]:
    """The money of all models; one currency is the figure, of several each is one."""
    group = Group.money(report.models.values())
    text = money_of(group)
    notes: list[Child] = []
    if group.unpriced:
        notes.append(_("answers at an unknown price: {count}", count=grouped(group.unpriced)))
    if report.copied:
        notes.append(_("answers that cost nothing more, since they were there: {count}",
                       count=grouped(report.copied)))  # fmt: skip
    return text, notes


def _tile(label: str, value: str, details: list[Child]) -> Markup:
    return tag(
        "div",
        tag("p", label, class_="label"),
        tag("p", value, class_="figure"),
        [tag("p", one, class_="detail") for one in details if one is not None],
        class_="tile",
    )


# ---- outcomes ----------------------------------------------------------------------------------


def outcomes(summary: JobSummary, report: BatchReport) -> Markup:
    """How many rows became what, by the files themselves."""
    every = report.answered + report.failed
    columns = [
        Column(label=_("Outcome")),
        Column(label=_("Rows"), numeric=True),
        Column(label=_("Share"), numeric=True),
        Column(label=_("What becomes of it")),
    ]
    rows: list[list[Cell | Child]] = []
    for reason, count in report.finished.most_common():
        name = _("answered") if reason == "stop" else _("answered ({reason})", reason=reason)
        rows.append([shown_text(name or _("others")), grouped(count), _share(count, every), ""])
    for code, count in report.causes.most_common():
        again = _again(code, summary.output)
        name = said.cause_text(code) if code else _("others")
        rows.append([tag("span", shown_text(name), class_="bad"), grouped(count),
                     _share(count, every), again if code else ""])  # fmt: skip
    section = _("What became of the rows")
    return tag("section", tag("h2", section), table(section, columns, rows, class_="sources"),
               _hops(report))  # fmt: skip


def _again(code: str, output: str) -> Child:
    """What can be done about rows that failed with this."""
    if code in PASSING:
        return _("the same command tries it again")
    if code == "incomplete":
        return _("allow more with --max-tokens N and --restart")
    if code in LASTING:
        return _("would fail again as it is")
    return tag("code", said.command("retry", output, "--cause", code))


def _share(count: int, every: int) -> str:
    return words.share(count / every) if every else words.DASH


def _hops(report: BatchReport) -> Markup | None:
    if not report.hops:
        return None
    columns = [Column(label=_("Asked before, in vain")), Column(label=_("Because")),
               Column(label=_("Rows"), numeric=True)]  # fmt: skip
    rows = [(shown_text(model), shown_text(said.cause_text(cause)), grouped(count))
            for (model, cause), count in report.hops.most_common(20)]  # fmt: skip
    name = _("Rows that another model answered")
    return tag("div", tag("h3", name), table(name, columns, rows))


# ---- charts ------------------------------------------------------------------------------------


def charts(report: BatchReport) -> Markup | None:
    if not report.answered and not report.failed:
        return None
    every = numbered(report)
    shown = every[:MOST_DRAWN]
    left = [_("Not drawn here, models: {count}", count=len(every) - len(shown))] if (
        len(every) > len(shown)) else []  # fmt: skip
    drawn = [
        _boxes("total", _("Time to the whole answer"), _("seconds"), left, [
            (number, name, group.total) for number, name, group in shown]),
        _boxes("ttft", _("Time to the first token"), _("seconds"), left, [
            (number, name, group.first) for number, name, group in shown]),
        _boxes("out", _("Length of the answers"), _("tokens"), left, [
            (number, name, group.outputs) for number, name, group in shown]),
        _boxes("in", _("Length of the prompts"), _("tokens"), left, [
            (number, name, group.inputs) for number, name, group in shown]),
        *_costs(shown, left),
        _causes(report),
    ]  # fmt: skip
    return tag("section", tag("h2", _("At a glance")), tag("div", drawn, class_="charts"))


def _boxes(
    key: str, name: str, unit: str, left: list[str], values: list[tuple[int, str, Reservoir[float]]]
) -> Markup:
    notes: list[Child] = [
        _("The box holds the middle half of all rows, the line in it is the median.")
    ]
    if any(kept.seen > len(kept.kept) for _number, _name, kept in values):
        notes.append(_("Drawn from {count} rows of each model, chosen at random.", count=DRAWN))
    series = [Series(number=number, name=name, values=tuple(kept.kept))
              for number, name, kept in values]  # fmt: skip
    written = words.seconds if unit == _("seconds") else words.plain
    known = any(one.values for one in series)
    chart = Chart(key=key, title=name, unit=unit, notes=(*(notes if known else ()), *left),
                  written=written)  # fmt: skip
    return box_plots(chart, series)


def _costs(shown: list[Numbered], left: list[str]) -> Iterator[Markup]:
    """A chart for each currency: there is no rate of exchange between them."""
    currencies = sorted({code for _number, _name, group in shown for code in group.costs
                         if group.costs[code]})  # fmt: skip
    for place, currency in enumerate(currencies):
        given = [
            Bar(number=number, name=name, value=float(group.costs[currency]),
                text=words.money(Money(group.costs[currency], currency)))
            for number, name, group in shown
            if group.costs.get(currency)
        ]  # fmt: skip
        missing = [name for _number, name, group in shown if group.unpriced]
        notes: list[Child] = [*left]
        if missing:
            names = ", ".join(words.shortened(one, 40) for one in missing)
            notes.append(_("A part of the cost is unknown: {names}", names=names))
        yield bars(Chart(key=f"cost{place}", title=_("Cost, {currency}", currency=currency),
                         unit=currency, notes=tuple(notes)), given)  # fmt: skip


def _causes(report: BatchReport) -> Markup | None:
    if not report.causes:
        return None
    given = [
        Bar(number=0, name=said.cause_text(code) if code else _("others"), value=float(count),
            text=grouped(count))
        for code, count in report.causes.most_common(12)
    ]  # fmt: skip
    chart = Chart(key="causes", title=_("Failures by cause"), unit=_("rows"), subject=_("Cause"))
    return bars(chart, given)
