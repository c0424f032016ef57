"""The answers side by side, case by case, with what differs marked: as many as a page can bear.

All first repeats come before any second one, so that what has to be left out is what repeats.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from llmctl.compare.figures import Metric
from llmctl.compare.measures import measure
from llmctl.compare.shape import Trial
from llmctl.messages import _
from llmctl.output.receipt_line import amount_text
from llmctl.output.report import words
from llmctl.output.report.compare_view import View
from llmctl.output.report.differences import Difference, difference
from llmctl.output.report.elements import Child, Markup, said, tag
from llmctl.types import FinishReason

LONGEST_ANSWER = 12_000  # characters that are shown of one answer
LONGEST_PROMPT = 4_000
OPEN_CASES = 8  # the others are folded
THREE_ABREAST = (5, 6, 9)  # so many answers would leave one or two alone in a row of four


class Room:
    """Bytes that are left in the page."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.is_full = False

    def takes(self, piece: str) -> bool:
        size = len(piece.encode())
        if self.is_full or size > self.left:
            self.is_full = True
            return False
        self.left -= size
        return True


def answers(view: View, room: Room, base: int | None = None) -> Markup:
    """`base` is the candidate whose answers the others are compared with; by default the one that
    is recommended, else the first that answered."""
    if not view.comparison.texts:
        return tag("section", tag("h2", _("Answers")),
                   tag("p", _("Prompts and answers were not kept (--log meta): there are none to "
                              "show.")), _failed(view))  # fmt: skip
    heads, shown = _first_repeats(view, room, base)
    later, more = _later_repeats(view, room, base, heads)
    pieces = [_case(view, case, head, later.get(case, []), len(heads)) for case, head in heads]
    return tag(
        "section",
        tag("h2", _("Answers")),
        tag("p", _legend(), class_="note"),
        _left_out(view, shown + more),
        pieces,
    )


def _legend() -> Markup:
    return words.filled(
        _("{marked} are words that the answer marked “compared with” does not have."),
        marked=tag("mark", _("Marked")),
    )


def _left_out(view: View, shown: int) -> Markup | None:
    every = len(view.comparison.measured)
    if shown == every:
        return None
    text = _("Answers left out here to keep this file small: {count} of {all}. All of them: "
             "{command}")  # fmt: skip
    command = tag("code", f"llmctl compare --show {view.comparison.id} --format jsonl")
    return tag("p", words.filled(text, count=str(every - shown), all=str(every), command=command),
               class_="warning")  # fmt: skip


def _first_repeats(
    view: View, room: Room, base: int | None
) -> tuple[list[tuple[int, Markup]], int]:
    heads: list[tuple[int, Markup]] = []
    shown = 0
    for case in range(len(view.comparison.cases)):
        trials = view.trials.get((case, 1), [])
        if not trials:
            continue
        piece = _grid(view, trials, base)
        if not room.takes(piece + _prompt(view, case)):
            break
        heads.append((case, piece))
        shown += len(trials)
    return heads, shown


def _later_repeats(
    view: View, room: Room, base: int | None, heads: Sequence[tuple[int, Markup]]
) -> tuple[dict[int, list[Markup]], int]:
    found: dict[int, list[Markup]] = {}
    shown = 0
    for repeat in range(2, view.comparison.repeat + 1):
        for case, _head in heads:
            if room.is_full:
                return found, shown
            trials = view.trials.get((case, repeat), [])
            if not trials:
                continue
            summary = tag("summary", _("Repeat {number} of {all}", number=repeat,
                                       all=view.comparison.repeat))  # fmt: skip
            piece = tag("details", summary, _grid(view, trials, base), class_="repeat")
            if room.takes(piece):
                found.setdefault(case, []).append(piece)
                shown += len(trials)
    return found, shown


def _case(view: View, case: int, head: Markup, later: Sequence[Markup], every: int) -> Markup:
    prompt = _prompt(view, case)
    if every == 1:
        return tag("div", prompt, head, later, class_="case")
    one = view.comparison.cases[case]
    name = said(words.shortened(one.text.strip().replace("\n", " "), 90))
    summary = tag("summary", tag("b", said(one.id)), " ", name)
    is_open = len(view.comparison.cases) <= OPEN_CASES or case < OPEN_CASES // 2
    return tag("details", summary, prompt, head, later, class_="case", open=is_open)


def _prompt(view: View, case: int) -> Markup:
    one = view.comparison.cases[case]
    text, more = words.cut(one.text, LONGEST_PROMPT)
    expected = one.expected and tag(
        "p", words.filled(_("Expected: {answer}"), answer=said(words.cut(one.expected, 300)[0])),
        class_="note")  # fmt: skip
    return tag("div", tag("blockquote", text, more, dir="auto"), expected)


def _grid(view: View, trials: Sequence[Trial], base: int | None) -> Markup:
    with_text = [one for one in trials if one.receipt.text.strip()]
    wanted = view.chosen if base is None else base
    first = next((one for one in with_text if one.candidate == wanted), None)
    first = first or (with_text[0] if with_text else None)
    kind = "answers three" if len(trials) in THREE_ABREAST else "answers"
    return tag("div", [_card(view, one, first) for one in trials], class_=kind)


def _card(view: View, trial: Trial, base: Trial | None) -> Markup:
    receipt = trial.receipt
    text, more = words.cut(receipt.text, LONGEST_ANSWER)
    told: Child = None
    body: Child = text
    if base is not None and trial is not base and text.strip():
        found = difference(text, base.receipt.text[:LONGEST_ANSWER])
        body, told = _marked(found), _told(found)
    elif trial is base and len(view.asked) > 1:
        told = _("compared with")
    kinds = ["answer"]
    kinds += ["base"] if trial is base and len(view.asked) > 1 else []
    kinds += [] if trial.succeeded else ["failed"]
    return tag(
        "article",
        tag("h4", view.named(trial.candidate), told and tag("span", told, class_="told")),
        _badges(trial),
        tag("div", body, more, class_="text", dir="auto") if text.strip() else _no_text(trial),
        tag("p", " · ".join(_facts(trial)), class_="facts"),
        class_=" ".join(kinds),
    )


def _marked(found: Difference) -> list[Child]:
    return [tag("mark", one.text) if one.differs else one.text for one in found.pieces]


def _told(found: Difference) -> str:
    if found.whole:
        return _("different throughout")
    if found.cut:
        return _("too long to be compared word by word")
    if found.missing:
        return _("words missing: {count}", count=found.missing)
    return _("the same") if not any(one.differs for one in found.pieces) else ""


def _no_text(trial: Trial) -> Markup | None:
    receipt = trial.receipt
    if receipt.media:
        text = _("Pictures or sound, not shown here: {count}", count=len(receipt.media))
    elif receipt.tool_calls:
        text = _("Functions called: {names}", names=", ".join(
            one.name for one in receipt.tool_calls))  # fmt: skip
    elif trial.succeeded:
        text = _("An answer without text.")
    else:
        return None
    return tag("p", text, class_="note")


def _badges(trial: Trial) -> Markup | None:
    shown: list[Markup] = []
    error = trial.receipt.error
    if error is not None:
        shown.append(tag("li", tag("b", words.failure(error.code)), " ",
                         said(words.cut(error.message, 400)[0]), class_="bad"))  # fmt: skip
    elif trial.receipt.finish_reason is FinishReason.LENGTH:
        shown.append(tag("li", _("stopped at the limit that was set"), class_="bad"))
    for mark in trial.marks:
        sign, kind = ("✓ ", "good") if mark.passed else ("✗ ", "bad")
        why = mark.why and [": ", said(words.cut(mark.why, 300)[0])]
        shown.append(tag("li", sign, said(words.cut(mark.check, 120)[0]), why or None, class_=kind))
    return tag("ul", shown, class_="badges") if shown else None


def _facts(trial: Trial) -> Iterator[str]:
    """Times as the table has them, without connecting and loading."""
    usage, cost = trial.receipt.usage, trial.receipt.cost
    first, whole = measure(trial, Metric.TTFT), measure(trial, Metric.TOTAL)
    if first is not None:
        yield _("first token {time}", time=words.seconds(first))
    if whole is not None:
        yield _("whole {time}", time=words.seconds(whole))
    if usage.output_tokens is not None:
        yield _("tokens {count}", count=usage.output_tokens)
    if cost.amount is None:
        yield _("price unknown")
    else:
        is_free = not Decimal(cost.amount)
        price = f"{amount_text(cost.amount)}\u00a0{cost.currency or ''}".rstrip()
        yield _("free") if is_free else price


def _failed(view: View) -> Markup | None:
    """What went wrong, where there are no answers to say it at."""
    failed = [one for one in view.comparison.measured if one.receipt.error is not None][:100]
    if not failed:
        return None
    items = [
        tag("li", view.named(one.candidate), ": ", words.failure(one.receipt.error.code))
        for one in failed
        if one.receipt.error is not None
    ]
    return tag("ul", items, class_="plain")
