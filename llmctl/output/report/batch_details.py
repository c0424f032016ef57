"""The lower half of a job's report: failures with examples, extremes, a sample of the answers, and
where the figures come from."""

from collections.abc import Iterator, Sequence

from llmctl import __version__
from llmctl.batch.shape import JobSummary
from llmctl.cost.money import Money
from llmctl.messages import _
from llmctl.output import batch_words as words_of
from llmctl.output.numbers import grouped
from llmctl.output.report import words
from llmctl.output.report.batch_gathered import SEED, BatchReport, Shown
from llmctl.output.report.elements import Child, Markup, said, tag
from llmctl.output.report.tables import Column, table

LONGEST_ANSWER = 1_500  # characters of an answer in the sample
LONGEST_MESSAGE = 400
LONGEST_START = 160  # of an answer in a table


# ---- failures ----------------------------------------------------------------------------------


def failures(summary: JobSummary, report: BatchReport) -> Markup | None:
    if not report.failed:
        return None
    parts = [_cause(report, code, count) for code, count in report.causes.most_common()]
    errors = tag("code", said(summary.errors[:300]))
    return tag(
        "section",
        tag("h2", _("Failures, with examples")),
        tag("p", words.filled(_("All of them: {errors}"), errors=errors), class_="note"),
        parts,
    )


def _cause(report: BatchReport, code: str, count: int) -> Markup:
    name = words_of.cause_text(code) if code else _("others")
    summary = tag("summary", tag("b", said(name)), ": ", grouped(count))
    columns = [Column(label=_("Row")), Column(label=_("Model")), Column(label=_("Status")),
               Column(label=_("Message"))]  # fmt: skip
    rows = [
        (_row(one), said(one.model), words.unknown() if one.status is None else str(one.status),
         _message(one))
        for one in report.examples[code].kept
    ]  # fmt: skip
    first = code == report.causes.most_common(1)[0][0]
    return tag("details", summary, table(name, columns, rows), class_="case", open=first)


def _message(one: Shown) -> list[Child]:
    text, more = words.cut(one.message or words.DASH, LONGEST_MESSAGE)
    return [said(text), more]


# ---- extremes ----------------------------------------------------------------------------------


def extremes(report: BatchReport) -> Markup | None:
    parts = []
    if rows := report.slowest.rows:
        parts.append(_listing(_("Slowest answers"), rows))
    for currency in sorted(report.dearest):
        if rows := report.dearest[currency].rows:
            name = _("Dearest rows, {currency}", currency=currency)
            parts.append(_listing(name, rows))
    if not parts:
        return None
    return tag("section", tag("h2", _("What stands out")), parts)


def _listing(name: str, rows: Sequence[Shown]) -> Markup:
    columns = [
        Column(label=_("Row")),
        Column(label=_("Model")),
        Column(label=_("Time"), numeric=True),
        Column(label=_("Tokens out"), numeric=True),
        Column(label=_("Cost"), numeric=True),
        Column(label=_("Answer begins")),
    ]
    cells = [
        (
            _row(one),
            said(one.model),
            words.known(one.seconds, words.seconds),
            words.unknown() if one.tokens is None else grouped(one.tokens),
            _money(one) or words.unknown(),
            said(_start(one)),
        )
        for one in rows
    ]
    return tag("div", tag("h3", name), table(name, columns, cells, class_="sources"))


def _start(one: Shown) -> str:
    text = " ".join(one.text[: 2 * LONGEST_START].split())
    text, more = words.cut(text, LONGEST_START)
    return text + "…" if more or one.length > len(one.text[: 2 * LONGEST_START]) else text


def _money(one: Shown) -> str | None:
    if one.amount is None or one.currency is None:
        return None
    return words.price(Money(one.amount, one.currency))


def _row(one: Shown) -> Markup:
    name = said(words.cut(one.id or words.DASH, 80)[0])
    if one.line is None or one.id == str(one.line):
        return name
    return tag("span", name, tag("span", _("line {line}", line=one.line), class_="sub"))


# ---- a sample ----------------------------------------------------------------------------------


def answers(summary: JobSummary, report: BatchReport) -> Markup | None:
    kept = sorted(report.sample.kept, key=lambda one: (one.line is None, one.line or 0))
    if not kept:
        return None
    note = _("Answers chosen at random: {count} of {all}. All of them: {output}")
    if len(kept) == report.answered:
        note = _("All {count} answers of {output}, cut where they are long.")
    filled = words.filled(note, count=grouped(len(kept)), all=grouped(report.answered),
                          output=tag("code", said(summary.output[:300])))  # fmt: skip
    return tag(
        "section",
        tag("h2", _("A look at the answers")),
        tag("p", filled, class_="note"),
        tag("div", map(_card, kept), class_="answers"),
    )


def _card(one: Shown) -> Markup:
    text, more = words.cut(one.text, LONGEST_ANSWER)
    if more is not None or one.length > len(one.text):
        rest = _(" … and {count} more characters", count=grouped(one.length - len(text)))
        more = tag("span", rest, class_="more")
    body: Child = tag("div", text, more, class_="text", dir="auto")
    if not one.text.strip():
        body = tag("p", _("Pictures or sound, not shown here: {count}", count=one.media)
                   if one.media else _("An answer without text."), class_="note")  # fmt: skip
    return tag(
        "article",
        tag("h4", _row(one)),
        body,
        tag("p", words.listed(said(fact) for fact in _facts(one)), class_="facts"),
        class_="answer",
    )


def _facts(one: Shown) -> Iterator[str]:
    yield one.model
    if one.copied:
        yield _("there already: nothing was sent")
        return
    if one.seconds is not None:
        yield words.seconds(one.seconds)
    if one.tokens is not None:
        yield _("tokens {count}", count=one.tokens)
    yield _money(one) or _("price unknown")


# ---- where it comes from -----------------------------------------------------------------------


def measured(summary: JobSummary, report: BatchReport) -> Markup:
    facts: list[tuple[str, Child]] = [
        (_("Job"), tag("code", said(summary.job[:80]))),
        (_("Input"), said((summary.input or _("standard input"))[:300])),
        (_("Begun"), words.moment(summary.started_at)),
        (_("Counted"), _("all rows of the output and of the errors beside it, each once")),
        (_("Cost"), _("of what was sent: an answer that was there already costs nothing again")),
        (_("Chosen at random"), _("examples, the sample and the values of box plots, with the "
                                  "seed {seed}: the same files make the same page",
                                  seed=SEED)),
        (_("Percentiles"), _("of all answers, each within one per cent")),
    ]  # fmt: skip
    if report.levels:
        levels = [_level(name, count) for name, count in report.levels.most_common(8)]
        facts.insert(3, (_("Privacy"), words.listed(levels)))
    facts.append((_("Written by"), f"llmctl {__version__}"))
    pairs = [[tag("dt", name), tag("dd", value)] for name, value in facts]
    return tag("section", tag("h2", _("Where the figures come from")),
               tag("dl", pairs, class_="facts-list"))  # fmt: skip


def _level(name: str, count: int) -> str:
    return f"{name or _('unknown')}: {grouped(count)}"
