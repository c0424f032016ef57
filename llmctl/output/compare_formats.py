"""A comparison for other programs and documents: CSV, Markdown, JSON lines; JUnit stands in
`compare_junit.py`. What a model wrote is data in all of them."""

import csv
import io
import re
from collections.abc import Iterator

from llmctl.compare.figures import Figure, Line, Summary
from llmctl.compare.shape import Candidate, Case, Comparison, Trial
from llmctl.messages import _
from llmctl.output.cells import no_formula
from llmctl.output.compare_junit import junit as junit
from llmctl.output.compare_text import columns_of, encodable, rows_of
from llmctl.output.compare_verdicts import advice_lines, note_lines, verdict_lines
from llmctl.output.report import words
from llmctl.output.terminal import safe, safe_line
from llmctl.types import Json
from llmctl.types.amounts import plain

# What means something in a line of Markdown. A dot or a hyphen within a name does not.
_MARKUP = re.compile(r"[\\`*_\[\]<>|&~#!]")
_FENCES = re.compile(r"`{3,}")


# ---- CSV ---------------------------------------------------------------------------------------


def csv_text(comparison: Comparison, summary: Summary) -> str:
    """RFC 4180, a line for each candidate, the refused ones included. Headers never change with the
    language; unknown is empty; decimal points, seconds, money a run in the candidate's own
    currency, shares from 0 to 1."""
    text = io.StringIO()
    writer = csv.writer(text)
    lines = {line.candidate: line for line in summary.lines}
    chosen = None if summary.advice is None else summary.advice.chosen
    for at, candidate in enumerate(comparison.candidates):
        line = lines.get(at, Line(candidate=at))
        cells: dict[str, Json] = {
            **_who(candidate),
            **(_measured(line) if candidate.refused is None else dict.fromkeys(_measured(line))),
            "converted_currency": None if line.converted is None else summary.currency,
            **_facts(candidate),
            "front": int(at in summary.front),
            "recommended": int(at == chosen),
        }
        if not at:
            writer.writerow(cells)
        writer.writerow([_cell(value) for value in cells.values()])
    return text.getvalue()


def _who(candidate: Candidate) -> dict[str, Json]:
    refused = candidate.refused
    return {
        "candidate": candidate.name,
        "model": candidate.model,
        "provider": candidate.provider,
        "variant": candidate.variant,
        "refused": None if refused is None else f"{refused.code}: {refused.message}",
    }


def _measured(line: Line) -> dict[str, Json]:
    cost, spent = line.cost, line.spent
    return {
        "runs": line.runs,
        "succeeded": line.succeeded,
        "failures": "; ".join(f"{code}: {count}" for code, count in line.failures.items()),
        "passed": line.passed,
        "pass_rate": line.pass_rate,
        "judged": line.judged,
        **_figure("ttft", "_s", line.ttft),
        **_figure("total", "_s", line.total),
        **_figure("tokens_per_s", "", line.speed),
        "connect_s": line.connect_s,
        "load_s": line.load_s,
        "waited_s": line.waited_s,
        "input_tokens": line.input_tokens,
        "output_tokens": line.output_tokens,
        "cached_runs": line.cached,
        "cached_share": line.cached_share,
        "cost": None if cost is None else plain(cost.amount),
        "currency": None if cost is None else cost.currency,
        "spent": None if spent is None else plain(spent.amount),
        "spent_currency": None if spent is None else spent.currency,
        "converted_cost": None if line.converted is None else plain(line.converted),
    }


def _figure(name: str, unit: str, figure: Figure) -> dict[str, Json]:
    return {
        f"{name}{unit}": figure.median,
        f"{name}_low{unit}": figure.low,
        f"{name}_high{unit}": figure.high,
        f"{name}_p95{unit}": figure.p95,
    }


def _facts(candidate: Candidate) -> dict[str, Json]:
    verdict = candidate.verdict
    return {
        "privacy": None if verdict is None else str(verdict.level),
        "region": None if verdict is None else verdict.region or "/".join(verdict.regions),
        "retention_days": None if verdict is None else verdict.retention_days,
        "weights": candidate.weights,
        "licence": candidate.licence,
        "memory_bytes": candidate.memory,
    }


def _cell(value: Json) -> str:
    """Numbers as they are, at most six digits after the point; text on one line, and such that no
    spreadsheet takes it for a formula: an apostrophe before it makes it a text."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return encodable(safe_line(no_formula(str(value))))


# ---- JSON lines --------------------------------------------------------------------------------


def jsonl(comparison: Comparison, *, ascii_only: bool = False) -> str:
    """A line for each run, warm-ups included: the envelope of `--json` with `compare` beside it."""
    from llmctl.output.compare_json import run_json
    from llmctl.output.envelope import json_text

    return "".join(
        json_text(run_json(comparison, trial), ascii_only=ascii_only) + "\n"
        for trial in comparison.trials
    )


# ---- Markdown ----------------------------------------------------------------------------------


def markdown(comparison: Comparison, summary: Summary) -> str:
    """Table, verdicts and all answers, as a document."""
    parts = [
        "# " + _("Comparison of models"),
        _table(comparison, summary),
        *(_listed(lines) for lines in (
            verdict_lines(comparison, summary),
            note_lines(comparison, summary),
            advice_lines(comparison, summary),
        ) if lines),
        *(["## " + _("Answers"), *_asked(comparison), *_answers(comparison)]
          if comparison.texts else [_("Only numbers were kept of this comparison.")]),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _asked(comparison: Comparison) -> Iterator[str]:
    """What stands beside every row."""
    prompt = comparison.asked.get("prompt")
    if prompt and any(case.line is not None for case in comparison.cases):
        yield _("To each prompt was added:")
        yield fenced(str(prompt))


def inline(text: str) -> str:
    """Text within a line that means nothing but itself."""
    return _MARKUP.sub(r"\\\g<0>", encodable(safe_line(text)))


def fenced(text: str) -> str:
    """A block whose fence is longer than any inside."""
    longest = max((len(one) for one in _FENCES.findall(text)), default=2)
    fence = "`" * (longest + 1)
    body = encodable(safe(text.replace("\r\n", "\n"))).strip("\n")
    return f"{fence}text\n{body}\n{fence}"


def _table(comparison: Comparison, summary: Summary) -> str:
    columns = columns_of(comparison, summary)
    heads = [_("model"), *(one.header for one in columns)]
    rules = ["---", *("---:" if one.right else "---" for one in columns)]
    rows = [
        [row.candidate.name, *(one.cell(row.candidate, row.line) or "–" for one in columns)]
        for row in rows_of(comparison, summary)
    ]
    lines = [
        [inline(head) for head in heads],
        rules,
        *([inline(one) for one in row] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _listed(lines: list[str]) -> str:
    """Lines that are set in belong to the one above them."""
    return "\n".join(
        ("  - " if line.startswith(" ") else "- ") + inline(line.strip()) for line in lines
    )


def _answers(comparison: Comparison) -> Iterator[str]:
    trials: dict[int, list[Trial]] = {}
    for one in comparison.measured:
        trials.setdefault(one.case, []).append(one)
    for at, case in enumerate(comparison.cases):
        if at in trials:
            yield from _case(comparison, case, trials[at])


def _case(comparison: Comparison, case: Case, trials: list[Trial]) -> Iterator[str]:
    yield "### " + _("Prompt {id}", id=inline(case.id))
    yield fenced(case.text)
    if case.expected is not None:
        yield _("Expected: {text}", text=inline(case.expected))
    for trial in sorted(trials, key=lambda one: (one.candidate, one.repeat)):
        name = inline(comparison.candidates[trial.candidate].name)
        number = f" · {trial.repeat}" if comparison.repeat > 1 else ""
        yield f"#### {name}{number}"
        if trial.receipt.text.strip():
            yield fenced(trial.receipt.text)
        if faults := list(faults_of(trial)):
            yield "\n".join(f"- {inline(fault)}" for fault in faults)


def faults_of(trial: Trial) -> Iterator[str]:
    """Why a run failed or did not pass."""
    error = trial.receipt.error
    if error is not None:
        yield f"{words.failure(error.code)}: {error.message}"
    for mark in trial.marks:
        if not mark.passed:
            why = f": {mark.why}" if mark.why else ""
            yield _("not passed: {check}", check=mark.check) + why
