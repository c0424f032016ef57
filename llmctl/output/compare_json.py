"""A comparison as JSON, version 1: every run in the envelope of `--json`, the figures of every
candidate, and the verdicts."""

from collections.abc import Sequence

from llmctl import __version__
from llmctl.compare.figures import Advice, Figure, Line, Pair, Summary
from llmctl.compare.shape import Candidate, Comparison, Ruling, Trial
from llmctl.cost.money import Money
from llmctl.output.envelope import VERSION, envelope, failure_json, privacy_json, seconds
from llmctl.output.estimates import money_json
from llmctl.types import Json
from llmctl.types.amounts import plain

DIGITS = 6  # of ratios and shares


def document(comparison: Comparison, summary: Summary) -> dict[str, Json]:
    """Every key is always there; unknown is None, money is a decimal string, times are seconds.
    Candidates are named; `runs` has warm-ups, too."""
    return {
        "version": VERSION,
        "llmctl": __version__,
        "id": comparison.id,
        "started_at": comparison.started_at,
        "seconds": seconds(comparison.seconds),
        "complete": comparison.complete,
        "seed": comparison.seed,
        "repeat": comparison.repeat,
        "prompt": comparison.asked.get("prompt"),
        "planned": comparison.planned,
        "warm_ups": len(comparison.trials) - len(comparison.measured),
        "texts": comparison.texts,
        "redacted": comparison.redacted,
        "checks": comparison.checks,
        "min_pass": comparison.min_pass,
        "judge": comparison.judge,
        "cases": [
            {"id": one.id, "line": one.line, "text": one.text, "expected": one.expected}
            for one in comparison.cases
        ],
        "skipped": [{"line": one.line, "why": one.why} for one in comparison.skipped],
        "runs": [run_json(comparison, trial) for trial in comparison.trials],
        "rulings": [_ruling(comparison, one) for one in comparison.rulings],
        "summary": [
            _line(candidate, _line_of(summary, place))
            for place, candidate in enumerate(comparison.candidates)
        ],
        "verdict": _verdict(comparison, summary),
    }


def run_json(comparison: Comparison, trial: Trial) -> dict[str, Json]:
    """One run: its envelope, and under `compare` whose it was."""
    candidate = comparison.candidates[trial.candidate]
    return {
        **envelope(trial.receipt),
        "compare": {
            "id": comparison.id,
            "candidate": candidate.name,
            "model": candidate.model,
            "variant": candidate.variant,
            "case": comparison.cases[trial.case].id,
            "repeat": trial.repeat,
            "warm_up": trial.is_warm_up,
            "began_s": seconds(trial.began_s),
            "checks": [
                {"check": one.check, "passed": one.passed, "why": one.why} for one in trial.marks
            ],
        },
    }


def _line_of(summary: Summary, place: int) -> Line:
    found = (one for one in summary.lines if one.candidate == place)
    return next(found, Line(candidate=place))


def _line(candidate: Candidate, line: Line) -> dict[str, Json]:
    return {
        "name": candidate.name,
        "model": candidate.model,
        "provider": candidate.provider,
        "variant": candidate.variant,
        "refused": None if candidate.refused is None else failure_json(candidate.refused),
        "runs": line.runs,
        "succeeded": line.succeeded,
        "failures": line.failures,
        "passed": line.passed,
        "pass_rate": _rounded(line.pass_rate),
        "judged": _rounded(line.judged),
        "ttft_s": _figure(line.ttft),
        "total_s": _figure(line.total),
        "output_tokens_per_s": _figure(line.speed),
        "connect_s": seconds(line.connect_s),
        "load_s": seconds(line.load_s),
        "waited_s": seconds(line.waited_s),
        "input_tokens": line.input_tokens,
        "output_tokens": line.output_tokens,
        "cached_runs": line.cached,
        "cached_share": _rounded(line.cached_share),
        "cost": money_json(line.cost),
        "cost_converted": None if line.converted is None else plain(line.converted),
        "spent": money_json(line.spent),
        "privacy": privacy_json(candidate.verdict, {}),
        "weights": candidate.weights,
        "licence": candidate.licence,
        "memory_bytes": candidate.memory,
    }


def _figure(figure: Figure) -> dict[str, Json]:
    return {
        "count": figure.count,
        "median": seconds(figure.median),
        "low": seconds(figure.low),
        "high": seconds(figure.high),
        "p95": seconds(figure.p95),
    }


def _verdict(comparison: Comparison, summary: Summary) -> dict[str, Json]:
    names = [one.name for one in comparison.candidates]
    return {
        "pairs": [_pair(names, one) for one in summary.pairs],
        "front": [names[one] for one in summary.front],
        "advice": None if summary.advice is None else _advice(names, summary.advice),
        "spent": _sums(summary.spent),
        "judge_spent": _sums(summary.judge_spent),
        "unpriced_runs": summary.unpriced,
        "currency": summary.currency,
        "rates": summary.exchanged,
    }


def _pair(names: Sequence[str], pair: Pair) -> dict[str, Json]:
    return {
        "metric": pair.metric.value,
        "first": names[pair.first],
        "second": names[pair.second],
        "pairs": pair.count,
        "ratio": _rounded(pair.ratio),
        "low": _rounded(pair.low),
        "high": _rounded(pair.high),
        "p": _rounded(pair.p),
        "clear": pair.clear,
        "better": None if pair.better is None else names[pair.better],
        "smallest": _rounded(pair.smallest),
    }


def _advice(names: Sequence[str], advice: Advice) -> dict[str, Json]:
    return {
        "wanted": advice.wanted,
        "chosen": None if advice.chosen is None else names[advice.chosen],
        "reasons": advice.reasons,
        "nearest": None if advice.nearest is None else names[advice.nearest],
        "misses": advice.misses,
        "excluded": {names[place]: why for place, why in advice.excluded.items()},
    }


def _ruling(comparison: Comparison, ruling: Ruling) -> dict[str, Json]:
    names = [one.name for one in comparison.candidates]
    return {
        "case": comparison.cases[ruling.case].id,
        "repeat": ruling.repeat,
        "first": names[ruling.first],
        "second": names[ruling.second],
        "winner": None if ruling.winner is None else names[ruling.winner],
        "why": ruling.why,
        "error": None if ruling.error is None else failure_json(ruling.error),
        "runs": [one.id for one in ruling.receipts],
    }


def _sums(amounts: Sequence[Money]) -> list[Json]:
    return [money_json(one) for one in amounts]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
