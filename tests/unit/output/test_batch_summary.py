"""What is said of a job at its end, by `batch status`, and in the document of `--summary`."""

import json

import pytest

from llmctl.batch.shape import JobSummary, Spread, Total
from llmctl.output.batch_summary import status_text, summary_json, summary_text
from llmctl.output.batch_words import duration, sums
from llmctl.output.envelope import json_text
from llmctl.values import replace
from tests.unit.output.batches import HOSTILE

TOTAL = Total(
    rows=1000,
    requests=1010,
    input_tokens=12_345,
    output_tokens=6_789,
    cached_tokens=1_000,
    costs={"USD": "1.25", "RUB": "40.1", "EUR": "0"},
)
SUMMARY = JobSummary(
    job="019a0c1d",
    output="my out.jsonl",
    errors="my out.errors.jsonl",
    input="in.jsonl",
    started_at="2026-11-25T12:03:04Z",
    rows=2000,
    done=1490,
    failed=10,
    waiting=500,
    causes={"filtered": 3, "rate-limited": 7},
    ended=1000,
    failed_now=10,
    reused=12,
    cached=4,
    total=TOTAL,
    models={"openai/gpt-6-luna": TOTAL},
    latency=Spread(p50=0.41, p90=0.9, p99=1.8, most=4.0),
    waited=Spread(p50=0.0, p90=0.2, p99=1.0, most=70.0),
    seconds=8.0,
    most_at_once=64,
)
AGAIN = "llmctl batch run in.jsonl --output 'my out.jsonl' -m openai/gpt-6-luna"


def lines(text: str) -> dict[str, str]:
    """By their labels."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        label, _gap, rest = line.partition("  ")
        found[label] = rest.strip()
    return found


def test_everything_that_is_known_is_said() -> None:
    """1,000 rows in 8 s are 125 a second; nothing in euros is nothing beside the others."""
    assert lines(summary_text(SUMMARY, again=AGAIN)) == {
        "rows": "answered 1,490 of 2,000 · failed 10 · still to be sent 500",
        "causes": "rate limited (rate-limited): 7 · filtered: 3",
        "this run": "rows 1,000 · in 8.00 s · 125 rows/s · at most 64 at a time",
        "": "answered by an identical row: 12 · answered from the cache: 4",
        "tokens": "12,345 in · 6,789 out · from the provider's cache: 1,000",
        "cost": "40.10 RUB + 1.25 USD",
        "latency": "median 0.41 s · p90 0.90 s · p99 1.80 s · most 4.00 s",
        "waited": "median 0 s · p90 0.20 s · p99 1.00 s · most 1 min 10 s",
        "errors": "my out.errors.jsonl",
        "go on": AGAIN,
        "retry": "llmctl batch retry 'my out.jsonl' --cause filtered",
    }


def test_a_job_that_is_through_has_nothing_to_type() -> None:
    through = replace(SUMMARY, done=2000, failed=0, waiting=0, causes={})

    assert not {"errors", "go on", "again", "retry"} & lines(summary_text(through)).keys()


def test_what_may_pass_is_tried_again_by_the_same_command() -> None:
    passing = replace(SUMMARY, waiting=0, causes={"network": 10})

    found = lines(summary_text(passing, again=AGAIN))
    assert found["again"] == AGAIN
    assert "retry" not in found
    only = replace(SUMMARY, waiting=0, causes={"filtered": 10})
    found = lines(summary_text(only, again=AGAIN))
    assert found["retry"] == "llmctl batch retry 'my out.jsonl'"
    assert "again" not in found


@pytest.mark.parametrize(
    ("causes", "chosen"),
    [
        ({"filtered": 3, "auth": 2}, ""),
        ({"filtered": 3, "auth": 2, "usage": 1}, " --cause filtered --cause auth"),
        ({"filtered": 3, "network": 2}, " --cause filtered"),
        ({"usage": 3, "incomplete": 2, "rejected": 1}, None),
        ({"usage": 3}, None),
    ],
)
def test_asking_again_is_proposed_for_all_that_it_may_help(
    causes: dict[str, int], chosen: str | None
) -> None:
    """A row that makes no call makes none the second time either."""
    found = lines(summary_text(replace(SUMMARY, waiting=0, causes=causes)))

    wanted = None if chosen is None else f"llmctl batch retry 'my out.jsonl'{chosen}"
    assert found.get("retry") == wanted
    assert found["errors"] == "my out.errors.jsonl"
    assert ("--max-tokens" in found.get("longer", "")) is ("incomplete" in causes)


def test_of_a_pipe_nothing_is_asked_again_and_of_standard_output_nothing_is_left() -> None:
    piped = lines(summary_text(replace(SUMMARY, input=None)))
    assert "retry" not in piped
    assert piped["errors"] == "my out.errors.jsonl"

    gone = lines(summary_text(replace(SUMMARY, output="-", causes={"incomplete": 1, "auth": 2})))
    assert not {"errors", "retry", "longer"} & gone.keys()


def test_the_first_reason_of_each_cause_stands_under_them() -> None:
    """Cut to the line: 14 of its columns are left for labels."""
    told = {"filtered": "no\nsuch word", "rate-limited": "slow down " * 20}
    some = replace(SUMMARY, reasons=told)
    at = summary_text(some, width=60).splitlines()

    assert at[1].startswith("causes ")
    assert at[2] == "          rate-limited: " + ("slow down " * 20)[:31] + "…"
    assert at[3] == "          filtered: no such word"
    wide = summary_text(some, width=300).splitlines()[2]
    assert wide == "          rate-limited: " + "slow down " * 20
    assert status_text(some, width=60).splitlines()[5].endswith("…")


@pytest.mark.parametrize(
    ("total", "cost", "tokens"),
    [
        (Total(requests=5, unpriced=5, uncounted=5), "unknown (requests of unknown cost: 5)",
         "not reported"),
        (Total(requests=5, unpriced=5, costs={"USD": "0"}, input_tokens=1, output_tokens=1),
         "unknown (requests of unknown cost: 5)", "1 in · 1 out"),
        (Total(requests=5, unpriced=2, costs={"USD": "0.019"}, input_tokens=9, output_tokens=8,
               uncounted=1), "at least 0.019 USD (requests of unknown cost: 2)",
         "9 in · 8 out · requests whose tokens nobody counted: 1"),
        (Total(requests=5, costs={"USD": "0"}, input_tokens=9, output_tokens=8), "0 USD",
         "9 in · 8 out"),
        (Total(), None, None),
    ],
)  # fmt: skip
def test_what_is_unknown_is_said_to_be_and_never_nothing(
    total: Total, cost: str | None, tokens: str | None
) -> None:
    found = lines(summary_text(replace(SUMMARY, total=total)))

    assert found.get("cost") == cost
    assert found.get("tokens") == tokens


def test_how_many_are_left_may_be_unknown() -> None:
    text = lines(summary_text(replace(SUMMARY, rows=None, waiting=None), again=AGAIN))

    assert text["rows"].startswith("answered 1,490 · failed 10 · how many are left is not known")
    assert text["go on"] == AGAIN


def test_many_models_are_listed_by_their_rows() -> None:
    models = {f"p/m{at:02}": Total(rows=at, costs={"USD": "1"}) for at in range(1, 13)}
    text = summary_text(replace(SUMMARY, models=models))

    assert "models    p/m12 · rows 12 · 1.00 USD\n          p/m11 · rows 11" in text
    assert "p/m02" not in text
    assert "          and 2 more\n" in text


def test_hostile_names_drive_no_terminal() -> None:
    bad = replace(SUMMARY, output=HOSTILE, errors=HOSTILE, input=HOSTILE, causes={HOSTILE: 1},
                  models={HOSTILE: TOTAL, "x": TOTAL})  # fmt: skip
    for text in (summary_text(bad, again=HOSTILE), status_text(bad, again=HOSTILE)):
        for line in text.splitlines():
            assert line.replace("\ud83d", "").isprintable()


def test_status_says_what_the_job_is() -> None:
    found = lines(status_text(SUMMARY, running=False))

    assert found["job"] == "019a0c1d, begun 2026-11-25 12:03 UTC"
    assert (found["input"], found["output"]) == ("in.jsonl", "my out.jsonl")
    assert found["now"] == "nobody works on it"
    assert "now" not in lines(status_text(SUMMARY))
    bare = replace(SUMMARY, input=None, ended=0, total=Total())
    found = lines(status_text(bare, running=True))
    assert found["input"] == "standard input"
    assert not {"this run", "tokens", "cost"} & found.keys()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.41, "0.41 s"), (59.0, "59.0 s"), (61.0, "1 min 1 s"), (725.0, "12 min"),
     (3599.0, "1 h 0 min"), (5400.0, "1 h 30 min"), (86_400.0, "1 d 0 h"), (200_000.0, "2 d 8 h")],
)  # fmt: skip
def test_the_longer_the_rounder(seconds: float, text: str) -> None:
    """200,000 s are 55.6 h."""
    assert duration(seconds) == text


def test_nothing_in_one_currency_is_left_out_beside_something_in_another() -> None:
    assert [str(one.amount) for one in sums({"USD": "0", "RUB": "0"})] == ["0"]
    assert [one.currency for one in sums({"USD": "0", "RUB": "3"})] == ["RUB"]
    assert sums({}) == []


# ---- the document ------------------------------------------------------------------------------


def test_the_document_is_what_is_documented() -> None:
    found = json.loads(json_text(summary_json(SUMMARY, exit_code=15)))

    assert found["version"] == 1
    assert found["rows"] == {"total": 2000, "done": 1490, "failed": 10, "waiting": 500}
    assert found["causes"] == {"rate-limited": 7, "filtered": 3}
    assert found["reasons"] == {}
    run = found["run"]
    assert (run["rows"], run["failed"], run["same_as"], run["cached"]) == (1000, 10, 12, 4)
    assert (run["seconds"], run["rows_per_s"], run["most_at_once"]) == (8.0, 125.0, 64)
    assert (run["requests"], run["input_tokens"], run["output_tokens"]) == (1010, 12_345, 6_789)
    assert run["cost"] == [
        {"amount": "40.1", "currency": "RUB"},
        {"amount": "1.25", "currency": "USD"},
    ]
    assert (run["unpriced"], run["uncounted"], run["exit_code"]) == (0, 0, 15)
    assert run["latency"] == {"p50_s": 0.41, "p90_s": 0.9, "p99_s": 1.8, "max_s": 4.0}
    assert run["models"]["openai/gpt-6-luna"]["rows"] == 1000


def test_unknown_is_null_in_the_document() -> None:
    total = Total(requests=5, unpriced=5, uncounted=5)
    found = summary_json(
        replace(SUMMARY, rows=None, waiting=None, seconds=0.0, total=total, latency=Spread())
    )

    assert found["rows"] == {"total": None, "done": 1490, "failed": 10, "waiting": None}
    run = found["run"]
    assert run["rows_per_s"] is run["input_tokens"] is run["output_tokens"] is None
    assert (run["cost"], run["unpriced"], run["uncounted"]) == ([], 5, 5)
    assert run["latency"] == dict.fromkeys(("p50_s", "p90_s", "p99_s", "max_s"))
