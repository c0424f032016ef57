"""What is measured of one trial: the model's own times, its speed, what it cost."""

import math

from llmctl.compare.figures import Metric
from llmctl.compare.shape import Trial
from llmctl.types import Latency

# What is less than this is what clocks and sums leave over, seconds: no model is that quick.
LEAST = 1e-6


def measure(trial: Trial, metric: Metric) -> float | None:
    """TTFT, TOTAL (seconds) or SPEED (tokens a second) of a trial that succeeded; None where that
    was not measured, as the first token of an answer in one piece was not."""
    if not trial.succeeded:
        return None
    latency = trial.receipt.latency
    match metric:
        case Metric.TTFT:
            value = model_time(latency, latency.ttft_s)
        case Metric.TOTAL:
            value = model_time(latency, latency.total_s)
        case Metric.SPEED:
            value = latency.output_tokens_per_s
        case _:
            value = None
    return value if value is not None and math.isfinite(value) else None


def model_time(latency: Latency, seconds: float | None) -> float | None:
    """Without opening a connection and without loading the model into memory. Servers say
    themselves how long they were loading, and clocks differ: where nothing is left of the time, it
    is not known, rather than the best of all."""
    if seconds is None or not math.isfinite(seconds):
        return None
    apart = (one for one in (latency.connect_s, latency.load_s) if one and math.isfinite(one))
    parts = sum(apart)
    return seconds - parts if not parts or seconds - parts >= LEAST else None
