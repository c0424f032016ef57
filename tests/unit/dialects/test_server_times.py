"""Times in the heads of answers: values as the headers' documents give them."""

import pytest

from llmctl.dialects import Frame
from llmctl.dialects.openai_chat import OpenAIDecoder
from llmctl.dialects.server_times import stated_times
from llmctl.types import Finished


@pytest.mark.parametrize(
    ("headers", "times"),
    [
        ({}, {}),
        ({"openai-processing-ms": "412"}, {"processing_s": 0.412}),
        ({"x-envoy-upstream-service-time": "95"}, {"upstream_s": 0.095}),
        ({"x-compute-time": "0.125"}, {"compute_s": 0.125}),
        (
            {"x-queue-time": "3", "x-inference-time": "250", "x-total-time": "260"},
            {"queue_s": 0.003, "inference_s": 0.25, "total_s": 0.26},
        ),
        ({"server-timing": "gfet4t7; dur=843"}, {"gfet4t7_s": 0.843}),
        # Two of the examples of the W3C's document: a name alone, and one with a description.
        ({"server-timing": "miss, db;dur=53, app;dur=47.2"}, {"db_s": 0.053, "app_s": 0.0472}),
        ({"server-timing": 'cache;desc="Cache Read";dur="23.2"'}, {"cache_s": 0.0232}),
    ],
)
def test_times_by_the_servers_clock(headers: dict[str, str], times: dict[str, float]) -> None:
    assert stated_times(headers) == pytest.approx(times)


@pytest.mark.parametrize(
    "headers",
    [
        {"openai-processing-ms": value}
        for value in ("", "soon", "-5", "nan", "inf", "1e9", "9" * 40, "٣")
    ]
    + [
        {"server-timing": value} for value in ("x;dur=", "x;dur=a", ";dur=1", "\x1b[2J;dur=1", ",,")
    ],
)
def test_what_is_no_time_is_left_out(headers: dict[str, str]) -> None:
    assert stated_times(headers) == {}


def test_a_head_full_of_metrics_is_not_kept_whole() -> None:
    many = ", ".join(f"m{number};dur=1" for number in range(1000))
    assert len(stated_times({"server-timing": many})) == 10


@pytest.mark.parametrize("beside_usage", [False, True])
def test_times_in_the_body_of_openais_format(beside_usage: bool) -> None:
    """Groq has them in `usage`, Cerebras beside it."""
    times = '"queue_time": 0.01, "prompt_time": 0.002, "completion_time": 0.05, "total_time": 0.062'
    usage = '"prompt_tokens": 3, "completion_tokens": 2'
    said = f'"usage": {{{usage}, {times}}}'
    if beside_usage:
        said = f'"usage": {{{usage}}}, "time_info": {{{times}}}'
    choice = '"choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}]'
    decoder = OpenAIDecoder(())
    list(decoder.feed(Frame(f"{{{choice}, {said}}}")))

    [end] = [one for one in decoder.end() if isinstance(one, Finished)]
    assert end.server_timing == {
        "queue_s": 0.01,
        "prompt_s": 0.002,
        "output_s": 0.05,
        "total_s": 0.062,
    }
