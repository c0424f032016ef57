"""Comparisons that are kept: `--list`, `--show ID`, `--rerun ID`, and the keeping itself."""

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from llmctl import settings
from llmctl.cli.compare_asked import CompareAsked, repeated
from llmctl.cli.compare_cases import of_row, prompt_of
from llmctl.cli.kept import kept_mode, open_ledger
from llmctl.compare.kept import unpacked, without_texts
from llmctl.compare.shape import Case, Comparison
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.terminal import Terminal
from llmctl.store.compares import Kept
from llmctl.store.shape import Mode
from llmctl.structure import packed
from llmctl.types import Json, Receipt
from llmctl.types.amounts import plain
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.settings import Loaded

LISTED = 20  # where --limit says nothing


def save(comparison: Comparison, asked: CompareAsked, loaded: "Loaded") -> None:
    """Keep it, as much of it as the settings say; trouble costs one line on stderr."""
    mode = Mode(kept_mode(loaded))
    if mode is Mode.OFF:
        return
    held = comparison if mode is Mode.FULL else without_texts(comparison)
    kept = Kept(
        id=held.id,
        started_at=held.started_at,
        mode=mode,
        figures=figures(held),
        document=packed(held),
        runs=[one.id for one in _receipts(held)],
    )
    with open_ledger(loaded) as ledger:
        warning = ledger.record_comparison(kept)
    if warning and not asked.quiet:
        streams.err(f"llmctl: {warning}\n")


def _receipts(comparison: Comparison) -> list[Receipt]:
    """Of all runs, the judge's included."""
    judged = chain.from_iterable(one.receipts for one in comparison.rulings)
    return [*(one.receipt for one in comparison.trials), *judged]


def figures(comparison: Comparison) -> Json:
    """What a list shows of it. `passed` is null without checks, `exit_code` where it was
    interrupted: by which signal is not kept."""
    from llmctl.compare.outcome import outcome
    from llmctl.compare.spending import total

    runs = comparison.measured
    error = outcome(comparison)
    return {
        "models": [one.name for one in comparison.candidates],
        "cases": len(comparison.cases),
        "repeat": comparison.repeat,
        "runs": len(runs),
        "failed": sum(not one.succeeded for one in runs),
        "passed": sum(one.passed for one in runs) if comparison.checks else None,
        "complete": comparison.complete,
        "exit_code": None if not comparison.complete else error.exit_code if error else 0,
        "spent": [{"amount": plain(one.amount), "currency": one.currency}
                  for one in total(_receipts(comparison))],
    }  # fmt: skip


def look(asked: CompareAsked, terminal: Terminal) -> None:
    """`--list` and `--show ID`."""
    if asked.list_ and asked.shown_as not in ("table", "json"):
        raise UsageError(
            _("--list is a table or JSON, and not {name}", name=asked.shown_as),
            hint=_("one comparison in it: llmctl compare --show ID"),
        )
    loaded = settings.load(asked.settings_flags(), asked.profile, asked.spelt())
    streams.use_encoding(loaded.settings.output.encoding)
    if asked.list_:
        with open_ledger(loaded) as ledger:
            found = ledger.comparisons(asked.limit or LISTED)
        _list(found, asked, terminal)
        return
    from llmctl.cli.compare_shown import opened

    with open_ledger(loaded) as ledger:
        comparison = unpacked(ledger.comparison(asked.show or "").document)
    opened(as_wished(asked, comparison), loaded, terminal).show(comparison, None)


def as_wished(asked: CompareAsked, comparison: Comparison) -> CompareAsked:
    """What is recommended is what was wished for then, unless something is wished for now."""
    if asked.prefer or asked.where:
        return asked
    then = comparison.asked
    return replace(
        asked,
        prefer=then.get("prefer"),
        where=then.get("where"),
        currency=asked.currency or then.get("currency"),
    )


def found_again(asked: CompareAsked) -> tuple[CompareAsked, Sequence[Case] | None]:
    """The flags of the comparison that is to be done again, those given now in their place, and
    its cases; None for these where other prompts are given. Raises UsageError where its texts were
    not kept, and for flags that do not go together."""
    loaded = settings.load(asked.settings_flags(), asked.profile, asked.spelt())
    with open_ledger(loaded) as ledger:
        comparison = unpacked(ledger.comparison(asked.rerun or "").document)
    if not comparison.texts or comparison.redacted:
        raise UsageError(
            _("the prompts of {id} were redacted before they were kept", id=comparison.id)
            if comparison.redacted
            else _("the prompts of {id} were not kept (--log meta)", id=comparison.id),
            hint=_("compare anew, with the prompts"),
        )
    again = repeated(comparison.asked, asked)
    if asked.variant:
        again = replace(again, template=asked.template)
    elif asked.template:
        again = replace(again, variant=None)
    if asked.prompts is not None:
        if comparison.asked.get("prompts") is None:  # what was asked then is no word on rows
            again = replace(again, prompt=asked.prompt)
        again.check()
        return again, None
    again.check()
    return again, tuple(_again(one, asked, again) for one in comparison.cases[: asked.limit])


def _again(case: Case, asked: CompareAsked, again: CompareAsked) -> Case:
    """The case with the PROMPT, --column or --expected of now."""
    if case.line is None:
        if asked.prompt is None:
            return case
        columns = {**case.columns, "prompt": asked.prompt}
        text = prompt_of(replace(case, columns=columns), again).text()
        return replace(case, text=text, columns=columns)
    if asked.column is None and asked.expected is None:
        return case
    from llmctl.rows import BadText, Row

    try:
        return of_row(Row(case.line, case.columns, case.id), again)
    except BadText as bad:
        raise UsageError(_("line {line}: {said}", line=case.line, said=bad)) from None


def _list(found: Sequence[Kept], asked: CompareAsked, terminal: Terminal) -> None:
    from llmctl.output.sink import sink_to
    from llmctl.output.table import table_or_blocks, table_text

    sink = sink_to(asked.output, asked.encoding)
    if asked.shown_as == "json":
        from llmctl.output.envelope import json_text

        rows = [{"id": one.id, "started_at": one.started_at, "mode": one.mode.value,
                 "exit_code": None, **one.figures} for one in found]  # fmt: skip
        document = {"version": 1, "comparisons": rows}
        sink.write(json_text(document, ascii_only=not sink.unicode) + "\n")
        sink.keep()
        return
    if not found:
        streams.err(_("No comparison is kept yet.") + "\n")
    heads = [_("id"), _("when (UTC)"), _("prompts"), _("runs"), _("passed"), _("paid"),
             _("models")]  # fmt: skip
    told, right = [_row(one) for one in found], (2, 3, 4)
    if asked.output not in (None, "-"):
        sink.write(table_text(heads, told, right=right))
        sink.keep()
    elif told:
        table_or_blocks(heads, told, terminal=terminal, right=right)


def _row(kept: Kept) -> tuple[object, ...]:
    of = kept.figures
    runs = f"{of['runs'] - of['failed']}/{of['runs']}"
    if not of["complete"]:
        runs += _(" (interrupted)")
    passed = None if of["passed"] is None else f"{of['passed']}/{of['runs']}"
    paid = " + ".join(f"{one['amount']} {one['currency']}" for one in of["spent"])
    when = kept.started_at[:16].replace("T", " ")
    return kept.id, when, of["cases"], runs, passed, paid or None, ", ".join(of["models"])
