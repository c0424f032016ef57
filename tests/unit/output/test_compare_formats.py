"""A comparison as CSV, Markdown, JSON lines and JUnit: whole, and harmless whatever models say."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET

import pytest
from markdown_it import MarkdownIt

from llmctl.compare.figures import Summary
from llmctl.compare.shape import Candidate, Comparison
from llmctl.output import compare_formats as formats
from llmctl.output.cells import FORMULAS
from llmctl.output.compare_junit import legal
from llmctl.values import replace
from tests.comparisons import CHECK, PROMPT, Rates, hostile, sample, summary

NAMES = [
    "local/smollm2-135m", "ollama/qwen3:0.6b", "openai/gpt-6-luna", "gigachat/GigaChat-2",
    "yandexgpt/yandexgpt-5-lite", "deepseek/deepseek-chat",
]  # fmt: skip


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# ---- CSV ---------------------------------------------------------------------------------------


def test_csv_has_a_line_for_each_candidate() -> None:
    made = sample()
    rows = read(formats.csv_text(made, summary(made, rates=Rates())))

    assert [row["candidate"] for row in rows] == NAMES
    assert [row["recommended"] for row in rows] == ["0", "0", "0", "1", "0", "0"]
    openai, yandex, refused = rows[2], rows[4], rows[5]
    # Six runs, one of them to warm up, at 0.0000186 USD; a hundred roubles are a dollar.
    assert (openai["cost"], openai["currency"]) == ("0.0000186", "USD")
    assert (openai["converted_cost"], openai["converted_currency"]) == ("0.00186", "RUB")
    assert (openai["spent"], openai["spent_currency"]) == ("0.0001116", "USD")
    assert (openai["runs"], openai["succeeded"], openai["pass_rate"]) == ("5", "5", "1")
    assert (yandex["failures"], yandex["passed"], yandex["pass_rate"]) == ("cut-off: 1", "4", "0.8")
    assert (yandex["total_low_s"], yandex["total_p95_s"]) == ("", "")
    assert (yandex["privacy"], yandex["region"], yandex["retention_days"]) == (
        "zero-retention", "RU", "0",
    )  # fmt: skip
    assert refused["refused"].startswith("privacy-refused: deepseek/deepseek-chat")
    assert {refused[name] for name in ("runs", "cost", "total_s", "passed")} == {""}


def test_csv_figures_are_those_of_the_summary() -> None:
    made = sample()
    worked_out = summary(made)
    row = read(formats.csv_text(made, worked_out))[0]
    total = worked_out.lines[0].total

    assert total.median is not None
    assert float(row["total_s"]) == pytest.approx(total.median, abs=5e-7)
    assert re.fullmatch(r"\d\.\d{1,6}", row["total_s"])


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_cell_is_a_formula(name: str) -> None:
    made = sample()
    first = replace(made.candidates[0], name=name, model=name, licence=name)
    made = replace(made, candidates=(first, *made.candidates[1:]))
    row = read(formats.csv_text(made, summary(made)))[0]

    assert row["candidate"][0] == row["licence"][0] == "'"


def test_csv_of_hostile_names_can_be_read() -> None:
    made = hostile()
    text = formats.csv_text(made, summary(made))
    rows = read(text)

    assert len(rows) == len(made.candidates)
    assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\u202e\ud800]", text)
    for row in rows:
        assert not any(cell.startswith(FORMULAS) for cell in row.values())


# ---- JSON lines --------------------------------------------------------------------------------


def test_json_lines_hold_every_run() -> None:
    made = sample(2)
    runs = [json.loads(line) for line in formats.jsonl(made).splitlines()]

    assert len(runs) == 3 * 5
    assert [run["text"] for run in runs] == [trial.receipt.text for trial in made.trials]
    assert [run["compare"]["warm_up"] for run in runs] == [True] * 5 + [False] * 10
    assert {run["version"] for run in runs} == {1}


def test_json_lines_of_hostile_texts_are_single_and_harmless() -> None:
    made = hostile()
    text = formats.jsonl(made)

    assert len(text.splitlines()) == len(made.trials)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e\ud800]", text)
    assert formats.jsonl(made, ascii_only=True).isascii()


# ---- Markdown ----------------------------------------------------------------------------------


def parsed(text: str) -> list[tuple[str, str, str]]:
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    return [(token.type, token.info, token.content) for token in tokens]


def test_markdown_holds_table_verdicts_and_every_answer() -> None:
    made = sample()
    text = formats.markdown(made, summary(made))
    tokens = parsed(text)

    fences = [content for kind, _info, content in tokens if kind == "fence"]
    assert len(fences) == 1 + 5 * 5  # the prompt, and all runs that count
    assert fences[0] == PROMPT + "\n"
    inlines = [content for kind, _info, content in tokens if kind == "inline"]
    assert NAMES[4] in inlines
    assert "4/5, 1 cut off" in inlines
    assert f"not passed: {CHECK}: it is not in the answer" in inlines
    assert "cut off: the stream ended before its end mark" in inlines
    assert any(one.startswith("Recommended: gigachat") for one in inlines)


@pytest.mark.parametrize("answer", ["```\n# mine\n```", "`````\nx", "``````text", "~~~\nx\n~~~"])
def test_an_answer_cannot_leave_its_block(answer: str) -> None:
    made = sample(1)
    receipt = replace(made.trials[5].receipt, text=answer)
    made = replace(made, trials=(replace(made.trials[5], receipt=receipt),))
    fences = [content for kind, _info, content in parsed(formats.markdown(made, summary(made)))
              if kind == "fence"]  # fmt: skip

    assert fences == [PROMPT + "\n", answer + "\n"]


def test_markdown_of_hostile_texts_is_text() -> None:
    made = hostile()
    text = formats.markdown(made, summary(made))
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    kinds = {token.type for token in tokens}
    within = {child.type for token in tokens for child in token.children or ()}

    assert "html_block" not in kinds
    assert within <= {"text", "text_special", "softbreak"}
    text.encode()
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", text)


# ---- JUnit -------------------------------------------------------------------------------------


def test_junit_has_a_suite_for_each_candidate() -> None:
    root = ET.fromstring(formats.junit(sample()))

    assert root.tag == "testsuites"
    assert [suite.get("name") for suite in root] == NAMES
    counts = [
        [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] for suite in root
    ]
    # smollm is always wrong, qwen in 1 and 4 of five; yandexgpt was cut off once.
    assert counts == [
        ["5", "5", "0", "0"], ["5", "2", "0", "0"], ["5", "0", "0", "0"], ["5", "0", "0", "0"],
        ["5", "0", "1", "0"], ["1", "0", "0", "1"],
    ]  # fmt: skip
    assert [root.get(name) for name in ("tests", "failures", "errors", "skipped")] == [
        "26", "7", "1", "1",
    ]  # fmt: skip


def test_junit_says_what_was_missed_and_what_failed() -> None:
    made = sample()
    root = ET.fromstring(formats.junit(made))
    missed = root.find("testsuite/testcase/failure")
    error = root.find("testsuite/testcase/error")

    assert missed is not None
    assert missed.get("message") == CHECK
    assert (missed.text or "").startswith(f"{CHECK}: it is not in the answer\n\nСтолица Австралии")
    assert error is not None
    assert (error.get("type"), error.get("message")) == (
        "cut-off", "the stream ended before its end mark",
    )  # fmt: skip
    case = root.find("testsuite/testcase")
    assert case is not None
    assert (case.get("name"), case.get("classname")) == ("1 [1]", NAMES[0])
    total = next(one for one in made.measured if one.candidate == 0).receipt.latency.total_s
    assert total is not None
    assert float(case.get("time", "")) == pytest.approx(total, abs=0.0005)


def test_junit_of_one_run_names_only_the_case() -> None:
    case = ET.fromstring(formats.junit(sample(1))).find("testsuite/testcase")

    assert case is not None
    assert case.get("name") == "1"


def test_junit_of_hostile_texts_is_xml() -> None:
    made = hostile()
    root = ET.fromstring(formats.junit(made).encode())

    assert {element.tag for element in root.iter()} == {
        "testsuites", "testsuite", "testcase", "failure", "error", "skipped",
    }  # fmt: skip
    assert [suite.get("name") for suite in root] == [legal(one.name) for one in made.candidates]


def test_characters_that_xml_does_not_know_are_taken_out() -> None:
    assert legal("a\x00\x0b\x1b\ud800\ufffe\uffffb\t\n\U0001f44d") == "ab\t\n\U0001f44d"


# ---- nothing at all ----------------------------------------------------------------------------


def test_a_comparison_without_runs_has_every_format() -> None:
    made = Comparison(id="1", started_at="2026-11-25T10:00:00Z", seed=1,
                      candidates=(Candidate(name="a", model="a"),))  # fmt: skip
    nothing = Summary(lines=())

    assert read(formats.csv_text(made, nothing))[0]["candidate"] == "a"
    assert formats.markdown(made, nothing).startswith("# ")
    assert ET.fromstring(formats.junit(made)).get("tests") == "0"
    assert formats.jsonl(made) == ""
