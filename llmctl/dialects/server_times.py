"""What the head of an answer says of the time it took the server, by its own clock."""

import re
from collections.abc import Iterator, Mapping

# Headers with one figure: our name for it, and how many there are to a second.
HEADERS: Mapping[str, tuple[str, float]] = {
    "openai-processing-ms": ("processing_s", 1e3),
    "x-envoy-upstream-service-time": ("upstream_s", 1e3),
    # Text Generation Inference, in whole answers.
    "x-total-time": ("total_s", 1e3),
    "x-queue-time": ("queue_s", 1e3),
    "x-inference-time": ("inference_s", 1e3),
    "x-compute-time": ("compute_s", 1.0),
}
LONGEST = 10  # metrics of one header


def stated_times(headers: Mapping[str, str]) -> dict[str, float]:
    """Seconds by name, of headers in lower case. In a stream they are what it took until the head
    was sent, not until the end; names from `server-timing` are the server's own, with `_s` behind
    them."""
    found = dict(_metrics(headers.get("server-timing", "")))
    for header, (name, unit) in HEADERS.items():
        if header in headers and (amount := _amount(headers[header])) is not None:
            found[name] = amount / unit
    return found


def _metrics(value: str) -> Iterator[tuple[str, float]]:
    """`db;dur=53, app;desc="x";dur=47.2`: milliseconds, by the W3C's Server Timing."""
    for metric in value.split(",")[:LONGEST] if value else ():
        name, *parameters = (part.strip() for part in metric.split(";"))
        if not re.fullmatch(r"[A-Za-z][\w-]{0,39}", name, re.ASCII):
            continue
        for parameter in parameters:
            key, _mark, amount = parameter.partition("=")
            if key.strip().lower() == "dur" and (figure := _amount(amount.strip('" '))) is not None:
                yield f"{name}_s", figure / 1e3


def _amount(text: str) -> float | None:
    """A plain number from zero on; None for anything else."""
    if not re.fullmatch(r"\d{1,12}(\.\d{1,12})?", text.strip(), re.ASCII):
        return None
    return float(text)
