"""The stopwatch of one call, on a clock that the test turns by hand."""

import re

import pytest

from llmctl.engine.meter import Meter, call_id
from llmctl.types import (
    Finished,
    FinishReason,
    Media,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    Usage,
)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_times_of_a_streamed_answer(clock: Clock) -> None:
    meter = Meter("a/b", clock)
    clock.now = 103.0  # a failed attempt and its wait
    meter.attempt()
    clock.now = 103.5
    meter.answered(0.1, False, 0.5, None)
    clock.now = 104.0
    meter.event(TextDelta("He"))
    clock.now = 106.0
    meter.event(TextDelta("llo"))
    meter.event(Finished(FinishReason.STOP, Usage(10, 5)))

    latency = meter.latency(streamed=True)

    assert latency.waited_s == 3.0
    assert latency.ttft_s == 1.0
    assert latency.total_s == 3.0
    assert (latency.connect_s, latency.first_byte_s) == (0.1, 0.5)
    # Two of five letters came with the first piece, so two of the five tokens did.
    assert latency.output_tokens_per_s == (5 - 2) / 2.0


def test_an_answer_in_one_piece_has_no_first_token(clock: Clock) -> None:
    meter = Meter("a/b", clock)
    meter.attempt()
    clock.now += 2
    meter.event(TextDelta("Hello"))
    meter.event(Finished(FinishReason.STOP, Usage(1, 5)))

    latency = meter.latency(streamed=False)

    assert latency.ttft_s is None
    assert latency.output_tokens_per_s is None
    assert latency.total_s == 2.0


def test_the_servers_own_clock_gives_the_speed_of_an_answer_in_one_piece(clock: Clock) -> None:
    meter = Meter("a/b", clock)
    meter.attempt()
    meter.event(Finished(FinishReason.STOP, Usage(1, 50), server_timing={"output_s": 2.0}))

    assert meter.latency(streamed=False).output_tokens_per_s == 25.0


def pieces(meter: Meter, clock: Clock, *events: TextDelta | ReasoningDelta) -> None:
    """A piece a second."""
    for event in events:
        clock.now += 1
        meter.event(event)


def test_what_was_measured_stands_beside_what_the_server_says(clock: Clock) -> None:
    meter = Meter("a/b", clock)
    meter.attempt()
    pieces(meter, clock, *[TextDelta("word ")] * 5)
    meter.event(Finished(FinishReason.STOP, Usage(1, 5), server_timing={"output_s": 2.5}))

    latency = meter.latency(streamed=True)
    assert latency.output_tokens_per_s == 4 / 4  # the first of five is no interval
    assert latency.server == {"output_s": 2.5}


def test_tokens_of_thoughts_that_nobody_saw_are_no_speed(clock: Clock) -> None:
    """Ten tokens of text in two pieces of equal length, a second apart, after 500 unseen ones."""
    meter = Meter("a/b", clock)
    meter.attempt()
    clock.now += 20
    pieces(meter, clock, TextDelta("12345"), TextDelta("67890"))
    meter.event(Finished(FinishReason.STOP, Usage(1, 510, reasoning_tokens=500)))

    assert meter.latency(streamed=True).output_tokens_per_s == 5.0


def test_thoughts_that_are_only_summed_up_are_no_speed_either(clock: Clock) -> None:
    meter = Meter("a/b", clock)
    meter.attempt()
    pieces(meter, clock, ReasoningDelta("in short"), TextDelta("12345"), TextDelta("67890"))
    meter.event(Finished(FinishReason.STOP, Usage(1, 510, reasoning_tokens=500)))

    assert meter.latency(streamed=True).ttft_s == 1.0
    assert meter.latency(streamed=True).output_tokens_per_s == 5.0


def test_thoughts_that_are_counted_with_the_text_are_measured_with_it(clock: Clock) -> None:
    meter = Meter("a/b", clock)
    meter.attempt()
    pieces(meter, clock, ReasoningDelta("hm"), ReasoningDelta("so"), TextDelta("42"))
    meter.event(Finished(FinishReason.STOP, Usage(1, 3)))

    assert meter.latency(streamed=True).output_tokens_per_s == 1.0  # two tokens in two seconds


def test_pictures_have_no_speed_in_tokens(clock: Clock) -> None:
    meter = Meter("a/b", clock)
    meter.attempt()
    pieces(meter, clock, TextDelta("here: "), TextDelta("it is"))
    meter.event(Media("image/png", b"x"))
    meter.event(Finished(FinishReason.STOP, Usage(1, 1300)))

    assert meter.latency(streamed=True).output_tokens_per_s is None


def test_a_token_is_fetched_before_the_watch_begins(clock: Clock) -> None:
    meter = Meter("a/b", clock)
    meter.attempt()
    clock.now += 3  # two for the token, one until the head of the answer
    meter.answered(0.1, False, 1.0, None, 2.0)
    clock.now += 1
    meter.event(TextDelta("a"))
    clock.now += 1
    meter.event(Finished(FinishReason.STOP))

    latency = meter.latency(streamed=True)
    assert (latency.auth_s, latency.first_byte_s, latency.ttft_s, latency.total_s) == (2, 1, 2, 3)
    assert latency.waited_s == 0.0


def test_leaving_in_the_middle_of_a_wait(clock: Clock) -> None:
    """Two seconds of a try that failed, ten of waiting for the next: then somebody gives up."""
    meter = Meter("a/b", clock)
    meter.attempt()
    clock.now += 2
    meter.pause()
    clock.now += 10
    meter.end()

    latency = meter.latency(streamed=True)
    assert (latency.total_s, latency.waited_s) == (2.0, 10.0)


def test_waiting_for_ones_turn_in_vain(clock: Clock) -> None:
    meter = Meter("a/b", clock)
    clock.now += 7
    meter.end()

    latency = meter.receipt().latency
    assert (latency.total_s, latency.waited_s) == (None, 7.0)


def test_a_question_before_the_call_is_no_part_of_it(clock: Clock) -> None:
    meter = Meter("a/b", clock)
    meter.attempt()
    clock.now += 4  # asking a local server where the model runs
    meter.restart()
    clock.now += 1
    meter.event(Finished(FinishReason.STOP))

    latency = meter.latency(streamed=False)
    assert (latency.total_s, latency.waited_s) == (1.0, 4.0)


def test_receipt_of_a_whole_answer(clock: Clock) -> None:
    meter = Meter("a/b", clock)
    meter.attempt()
    meter.event(ReasoningDelta("hm"))
    meter.event(TextDelta("4"))
    meter.event(ToolCall("c", "f", "{}"))
    meter.event(Finished(FinishReason.TOOL_CALLS, Usage(1, 2), model="b-1", request_id="r"))

    receipt = meter.receipt(provider="a")

    assert (
        receipt.text, receipt.reasoning, receipt.resolved, receipt.provider,
        receipt.request_id, receipt.attempts,
    ) == ("4", "hm", "b-1", "a", "r", 1)  # fmt: skip
    assert (ToolCall("c", "f", "{}"),) == receipt.tool_calls


def test_nothing_known_stays_unknown(clock: Clock) -> None:
    receipt = Meter("a/b", clock).receipt()

    assert receipt.usage.input_tokens is None
    assert receipt.cost.amount is None
    assert receipt.latency.total_s is None


def test_only_content_counts_as_shown(clock: Clock) -> None:
    meter = Meter("a/b", clock)
    meter.event(Finished(FinishReason.STOP))
    assert not meter.shown
    meter.event(ReasoningDelta("hm"))
    assert meter.shown


def test_ids_sort_by_time_and_differ() -> None:
    ids = [call_id() for _ in range(50)]

    assert len(set(ids)) == 50
    assert all(re.fullmatch(r"[0-9a-f]{20}", one) for one in ids)


def test_figures_of_an_earlier_try_do_not_stay(clock: Clock) -> None:
    meter = Meter("a/b", clock)
    meter.attempt()
    meter.answered(0.1, True, 0.5, 2.0)  # an answer, but "busy"
    clock.now += 4
    meter.attempt()
    clock.now += 1  # nobody there this time

    latency = meter.latency(streamed=True)

    assert (latency.connect_s, latency.reused, latency.first_byte_s, latency.load_s) == (
        None, False, None, None,
    )  # fmt: skip
    assert (latency.waited_s, latency.total_s) == (4.0, 1.0)


def test_loading_is_told_by_the_wire_or_by_the_answer(clock: Clock) -> None:
    meter = Meter("a/b", clock)
    meter.attempt()
    meter.answered(None, False, 0.5, None)
    meter.event(Finished(FinishReason.STOP, load_s=1.5))
    assert meter.latency(streamed=True).load_s == 1.5

    meter.answered(None, False, 0.5, 2.5)
    assert meter.latency(streamed=True).load_s == 2.5


def test_the_clock_is_one_that_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = Meter("a/b")
    meter.attempt()
    monkeypatch.setattr("time.time", lambda: 0.0)  # somebody sets the clock of the machine
    meter.event(TextDelta("a"))
    meter.event(Finished(FinishReason.STOP))

    latency = meter.latency(streamed=True)

    assert latency.total_s is not None
    assert latency.ttft_s is not None
    assert 0 <= latency.ttft_s <= latency.total_s < 5
