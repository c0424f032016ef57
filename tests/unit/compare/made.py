"""Comparisons as tests need them: figures given, everything else of no importance."""

from collections.abc import Sequence
from typing import Any

from llmctl.compare.shape import Candidate, Case, Comparison, Mark, Trial
from llmctl.types import Cost, CostKind, Failure, Latency, Receipt, Usage

FAILED = Failure("network", 9, "no such host")


def comparison(
    trials: Sequence[Trial], *, candidates: int = 2, cases: int = 1, **more: Any
) -> Comparison:
    known: dict[str, Any] = {
        "candidates": tuple(Candidate(name=f"m{one}", model="m") for one in range(candidates)),
        "cases": tuple(Case(id=str(one), text="?") for one in range(1, cases + 1)),
        **more,
    }
    return Comparison(
        id="c1", started_at="2026-11-25T10:00:00Z", seed=1, trials=tuple(trials), **known
    )


def trial(
    candidate: int = 0,
    repeat: int = 1,
    *,
    case: int = 0,
    cost: str | None = None,
    currency: str = "USD",
    passed: bool | None = None,
    usage: Usage | None = None,
    error: Failure | None = None,
    **times: Any,
) -> Trial:
    """`times` are those of a `Latency`."""
    priced = Cost() if cost is None else Cost(cost, currency, CostKind.COMPUTED)
    return Trial(
        candidate=candidate,
        case=case,
        repeat=repeat,
        receipt=Receipt(
            id="r",
            started_at="2026-11-25T10:00:00Z",
            requested="m",
            text="" if error else "answer",
            usage=usage or Usage(),
            cost=priced,
            latency=Latency(**times),
            error=error,
        ),
        marks=() if passed is None else (Mark(check="contains=x", passed=passed),),
    )


def series(candidate: int, values: Sequence[float], **more: Any) -> list[Trial]:
    """Runs of one case with these times to the first token."""
    return [trial(candidate, n, ttft_s=one, **more) for n, one in enumerate(values, 1)]
