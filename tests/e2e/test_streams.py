"""Answers that break, lie or dawdle: what the command makes of each, in every dialect."""

import json

import pytest

from tests.e2e.harness import Llmctl
from tests.e2e.table import BOTH, OLLAMA, OPENAI, QUICK, Row, ask, check, each
from tests.simulator import Simulator
from tests.simulator.answers import TEXT
from tests.simulator.faults import HALF, LONG_LINE, MANY_BYTES, SEPARATORS, TOKENS

pytestmark = pytest.mark.usefixtures("warm")

ONLY_OPENAI, ONLY_OLLAMA = (OPENAI,), (OLLAMA,)
MEMORY = "The model ran out of memory"

CUT = (
    Row("cut", 11, "cut-off", HALF, ("cut off", "without its end mark")),
    Row("cut-close", 11, "cut-off", HALF, ("without its end mark",)),
    Row("torn-frame", 11, "cut-off", HALF, ("without its end mark",)),
    Row("done-only", 11, "cut-off", HALF, ("without its end mark",), providers=ONLY_OPENAI),
    # What arrived of the torn chunk is a whole frame.
    Row("torn-chunk", 11, "cut-off", HALF + "red light.", ("closed the connection",)),
    Row("reset", 11, "cut-off", HALF, ("closed the connection",)),
    Row("reset-first", 9, "network", "", ("closed the connection without",), 5),
    Row("short-body", 9, "network", "", ("in the middle of its answer",), 5),
    Row("hang-up-once", 0, None, TEXT, ("Trying again",), 2),
)

ERRORS = (
    Row("error-in-stream", 10, "provider-error", HALF, (MEMORY,)),
    Row("error-first", 10, "provider-error", "", (MEMORY,), 5),
    Row("error-in-200", 10, "provider-error", "", (MEMORY,), 5),
    Row("error-event", 10, "provider-error", HALF, (MEMORY,), providers=ONLY_OPENAI),
    Row("old-error-frame", 10, "provider-error", HALF, ("CUDA out of memory",),
        providers=ONLY_OPENAI),
    Row("error-text", 10, "provider-error", HALF, ("Internal Server Error (ref: 0e41)",),
        providers=ONLY_OLLAMA),
    # A quota that is spent is spent wherever it is told.
    Row("quota-in-stream", 8, "rate-limited", "", ("exceeded your current quota",)),
    Row("load", 10, "provider-error", "", ("gave up on the answer",), providers=ONLY_OLLAMA),
)  # fmt: skip

SILENCE = (
    Row("silence", 11, "cut-off", HALF, ("silent for 0.4 s",), flags=QUICK),
    Row("silence-first", 9, "network", "", ("silent for 0.4 s", "--idle-timeout"), flags=QUICK),
    Row("no-head", 9, "network", "", ("silent for 0.4 s", "--idle-timeout"), flags=QUICK),
    Row("slow", 0, None, TEXT, flags=("--idle-timeout", "5")),
    Row("pings", 9, "network", "", ("silent for",), flags=("--idle-timeout", "0.1"),
        providers=ONLY_OPENAI),
    Row("pings-then-well", 0, None, TEXT, flags=QUICK, providers=ONLY_OPENAI),
    Row("finish-open", 0, None, TEXT, flags=QUICK, providers=ONLY_OPENAI),
)  # fmt: skip

FRAMING = (
    Row("unterminated", 0, None, TEXT),
    Row("no-done", 0, None, TEXT, providers=ONLY_OPENAI),
    Row("done-spaced", 0, None, TEXT, providers=ONLY_OPENAI),
    Row("one-byte", 0, None, MANY_BYTES),
    Row("seven-bytes", 0, None, MANY_BYTES * 3),
    Row("separators", 0, None, SEPARATORS),
    Row("crlf", 0, None, TEXT),
    Row("cr", 0, None, TEXT, providers=ONLY_OPENAI),
    Row("bom", 0, None, TEXT),
    Row("no-space", 0, None, TEXT, providers=ONLY_OPENAI),
    Row("comments", 0, None, TEXT, providers=ONLY_OPENAI),
    Row("no-data", 0, None, TEXT, providers=ONLY_OPENAI),
    Row("many-lines", 0, None, TEXT, providers=ONLY_OPENAI),
    Row("usage-everywhere", 0, None, TEXT, providers=ONLY_OPENAI),
    Row("long-line", 0, None, "x" * LONG_LINE),
    Row("many", 0, None, "".join(f" w{number}" for number in range(TOKENS))),
)

NO_ANSWER = (
    Row("html", 10, "provider-error", "", ("web page", "base_url")),
    Row("nothing", 10, "provider-error", "", ("ended before it began",), 5),
    Row("cut-first", 10, "provider-error", "", ("ended before it began",), 5),
    Row("no-answer", 10, "provider-error", "", ("not an answer of a model", "base_url"), 5),
    Row("no-json", 10, "provider-error", "", ("not JSON", "Bad gateway, sort of"), 5),
)

REASONS = (
    Row("length", 12, "incomplete", TEXT, ("length limit", "--max-tokens")),
    Row("length-first", 12, "incomplete", "", ("length limit",)),
    Row("filtered", 13, "filtered", HALF, ("content_filter",), providers=ONLY_OPENAI),
    Row("filtered-first", 13, "filtered", "", ("content_filter",), providers=ONLY_OPENAI),
    Row("refusal", 13, "filtered", "", ("I cannot help with that.",), providers=ONLY_OPENAI),
    Row("blocked", 13, "filtered", "", ("content policy",), providers=ONLY_OPENAI),
    Row("empty", 0, None, "", ("finished without an answer",)),
    Row("no-usage", 0, None, TEXT),
)


@pytest.mark.parametrize("row", each(CUT))
def test_an_answer_that_breaks_off(llmctl: Llmctl, sim: Simulator, row: Row) -> None:
    """What came stays on standard output, and nothing is asked again once text was shown."""
    check(llmctl, sim, row)


@pytest.mark.parametrize("row", each(ERRORS))
def test_an_error_inside_a_good_answer(llmctl: Llmctl, sim: Simulator, row: Row) -> None:
    check(llmctl, sim, row)


@pytest.mark.parametrize("row", each(SILENCE))
def test_silence(llmctl: Llmctl, sim: Simulator, row: Row) -> None:
    results = check(llmctl, sim, row)

    assert all(one.seconds < 4 for one in results.values())
    if row.code:
        assert all(one.disconnected.wait(2) for one in sim.calls)


@pytest.mark.parametrize("row", each(FRAMING))
def test_frames_however_they_are_cut(llmctl: Llmctl, sim: Simulator, row: Row) -> None:
    assert {one.err for one in check(llmctl, sim, row).values()} == {""}


@pytest.mark.parametrize("row", each(NO_ANSWER))
def test_what_is_no_answer_is_no_success(llmctl: Llmctl, sim: Simulator, row: Row) -> None:
    check(llmctl, sim, row)


@pytest.mark.parametrize("row", each(REASONS))
def test_why_an_answer_ended(llmctl: Llmctl, sim: Simulator, row: Row) -> None:
    check(llmctl, sim, row)


@pytest.mark.parametrize("provider", BOTH)
def test_the_final_event_is_the_end_though_the_server_stays(
    llmctl: Llmctl, sim: Simulator, provider: str
) -> None:
    result = ask(llmctl, provider, "end-open")

    assert (result.code, result.out) == (0, TEXT + "\n")
    assert sim.calls[0].disconnected.wait(2)
    assert result.seconds < 4, "the default patience is 120 s"


@pytest.mark.parametrize("provider", BOTH)
def test_the_whole_time_is_bounded(llmctl: Llmctl, sim: Simulator, provider: str) -> None:
    """A server that never stops talking is never silent."""
    result = ask(llmctl, provider, "endless", "--timeout", "0.6")

    assert result.code == 11
    assert result.out.startswith("red light.red light.")
    assert "within 0.6 s" in result.err
    assert sim.calls[0].disconnected.wait(2)
    assert result.seconds < 4


@pytest.mark.parametrize("provider", BOTH)
def test_a_length_that_was_asked_for_is_a_success_with_a_note(
    llmctl: Llmctl, sim: Simulator, provider: str
) -> None:
    result = llmctl.run("-m", f"{provider}/mock", "--max-tokens", "2", "Why?")

    assert (result.code, result.out) == (0, HALF + "\n")
    assert "--max-tokens" in result.err


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize(
    ("fault", "code", "error", "text", "finish"),
    [
        ("cut", 11, "cut-off", HALF, None),
        ("error-in-stream", 10, "provider-error", HALF, None),
        ("length", 12, "incomplete", TEXT, "length"),
    ],
)
def test_failures_as_json(
    llmctl: Llmctl,
    sim: Simulator,
    provider: str,
    fault: str,
    code: int,
    error: str,
    text: str,
    finish: str | None,
) -> None:
    """The envelope of a failure has the same keys, the text so far, and the error."""
    result = ask(llmctl, provider, fault, "--json")

    assert result.code == code
    document = result.json
    assert (document["text"], document["finish_reason"]) == (text, finish)
    assert document["error"]["code"] == error
    assert document["error"]["exit_code"] == code
    assert document["error"]["provider"] == provider
    assert (document["version"], document["attempts"]) == (1, 1)


@pytest.mark.parametrize("provider", BOTH)
def test_failures_as_events(llmctl: Llmctl, sim: Simulator, provider: str) -> None:
    result = ask(llmctl, provider, "cut", "--events")

    assert result.code == 11
    events = [json.loads(line) for line in result.out.splitlines()]
    assert [one["type"] for one in events] == ["start", "text", "text", "receipt"]
    assert "".join(one["text"] for one in events[1:3]) == HALF
    assert events[-1]["error"]["code"] == "cut-off"


@pytest.mark.parametrize(
    ("provider", "fault", "tokens"),
    [
        # Four pieces were written; Ollama's last line and OpenAI's last event lack their newline.
        (OPENAI, "unterminated", 4),
        (OLLAMA, "unterminated", 4),
        (OPENAI, "no-usage", None),
        (OLLAMA, "no-usage", None),
    ],
)
def test_usage_is_found_at_the_end_and_never_made_up(
    llmctl: Llmctl, sim: Simulator, provider: str, fault: str, tokens: int | None
) -> None:
    document = ask(llmctl, provider, fault, "--json").json

    assert document["text"] == TEXT
    assert document["usage"]["output_tokens"] == tokens
    assert document["cost"]["amount"] == {OPENAI: None, OLLAMA: "0"}[provider]


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize(
    ("fault", "code"), [("html", 10), ("nothing", 10), ("error-in-200", 10), ("short-body", 9)]
)
def test_broken_answers_in_one_piece(
    llmctl: Llmctl, sim: Simulator, provider: str, fault: str, code: int
) -> None:
    result = ask(llmctl, provider, fault, "--no-stream", LLMCTL_NETWORK__RETRIES="0")

    assert (result.code, result.out) == (code, "")
    assert len(sim.calls) == 1
    assert sim.calls[0].json["stream"] is False if provider == OLLAMA else True
