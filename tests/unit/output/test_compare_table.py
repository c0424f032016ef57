"""The result of a comparison for people: answers, table, verdicts, at several widths."""

import re
from decimal import Decimal

import pytest
from rich.cells import cell_len

from llmctl.compare.figures import Advice, Figure, Line, Metric, Pair, Summary
from llmctl.compare.shape import Candidate, Case, Comparison, Skipped, Trial
from llmctl.cost.money import Money
from llmctl.output.columns import cells
from llmctl.output.compare_table import print_result, result_text
from llmctl.output.compare_text import cost_text, figure_text, sums_text, times_text
from llmctl.output.compare_verdicts import (
    advice_lines,
    factor_text,
    note_lines,
    verdict_lines,
)
from llmctl.output.report import words
from llmctl.output.terminal import Terminal
from llmctl.types import Failure, Level, Receipt, Verdict
from llmctl.values import replace
from tests.comparisons import HOSTILE, REFUSED, hostile, sample, summary
from tests.unit.output.shared import PIPED, SCREEN


def terminal(columns: int, *, colour: bool = False) -> Terminal:
    screen = SCREEN._replace(width=columns, colour=colour)
    return Terminal(True, screen, screen)


def two(**kinds: object) -> Comparison:
    """A and B, asked once each unless `kinds` says otherwise."""
    names = ("A", "B")
    made = Comparison(
        id="1", started_at="2026-11-25T10:00:00Z", seed=1,
        candidates=tuple(Candidate(name=name, model=name) for name in names),
        cases=(Case(id="1", text="?"),),
        trials=tuple(Trial(candidate=at, case=0, repeat=1,
                           receipt=Receipt(id="", started_at="", requested=one, text=f"I am {one}"))
                     for at, one in enumerate(names)),
        planned=2,
    )  # fmt: skip
    return replace(made, **kinds)  # type: ignore[arg-type]


def summed(*pairs: Pair, lines: tuple[Line, ...] = (), **kinds: object) -> Summary:
    return Summary(lines=lines, pairs=pairs, **kinds)  # type: ignore[arg-type]


# ---- figures -----------------------------------------------------------------------------------


def test_a_figure_has_what_is_known_of_it() -> None:
    assert times_text(Figure()) is None
    assert times_text(Figure(count=1, median=0.41)) == "0.41 s"
    assert times_text(Figure(count=5, median=0.41, low=0.38, high=0.472)) == "0.41 s (0.38–0.47)"
    many = Figure(count=20, median=0.0412, low=0.04, high=12.34, p95=61.0)
    assert times_text(many) == "0.041 s (0.040–12.3, p95 1 min 1 s)"
    assert figure_text(replace(many, median=85.0), words.speed) == "85 (0.04–12.3, p95 61)"


def test_costs_are_in_their_own_currency() -> None:
    def cost(amount: str | None, converted: str | None = None) -> str | None:
        money = None if amount is None else Money(Decimal(amount), "RUB")
        known = None if converted is None else Decimal(converted)
        return cost_text(Line(candidate=0, cost=money, converted=known), "USD")

    assert cost(None) is None
    assert cost("0") == "0"
    assert cost("0.0059") == "0.0059 RUB"
    assert cost("0.0059", "0.000059") == "0.0059 RUB (≈ 0.000059 USD)"


def test_sums_are_a_figure_a_currency() -> None:
    dollars, roubles = Money(Decimal("0.0299"), "USD"), Money(Decimal("1.5"), "RUB")
    assert sums_text([]) == ""
    assert sums_text([Money(Decimal(0), "USD")]) == "0"
    assert sums_text([Money(Decimal(0), "USD")], unpriced=True) == ""
    assert sums_text([roubles, Money(Decimal(0), "USD")]) == "1.50 RUB"
    assert sums_text([roubles, dollars], unpriced=True) == "≥ 1.50 RUB + 0.029 USD"


# ---- the table ---------------------------------------------------------------------------------


def test_columns_that_are_empty_for_all_are_left_out_but_for_cost_and_privacy() -> None:
    line = Line(candidate=0, runs=1, succeeded=1, total=Figure(count=1, median=1.5))
    text = result_text(two(), summed(lines=(line, replace(line, candidate=1, total=Figure()))))

    assert text.splitlines()[:3] == [
        "model  total   cost     privacy",
        "A      1.50 s  unknown  unknown",
        "B      -       unknown  unknown",
    ]


def test_the_whole_table_in_a_pipe() -> None:
    made = sample()
    text = result_text(made, summary(made), PIPED)

    head, *rows = text.splitlines()[:6]
    assert head.split() == [
        "model", "checks", "TTFT", "total", "tokens/s", "in", "out", "cost", "privacy", "region",
        "retention", "weights", "licence", "memory",
    ]  # fmt: skip
    yandex = re.split(r" {2,}", rows[4])
    assert yandex[:2] == ["yandexgpt/yandexgpt-5-lite", "4/5, 1 cut off"]
    assert yandex[7:] == ["0.0066 RUB", "zero-retention", "RU", "none", "closed", "-", "-"]
    assert re.split(r" {2,}", rows[0])[8:] == [
        "device",
        "own machine",
        "none",
        "open",
        "Apache-2.0",
        "210 MB",
    ]
    assert "Канберра" not in text  # answers are for terminals


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 120, 200])
def test_nothing_is_wider_than_the_terminal_and_no_figure_is_cut(columns: int) -> None:
    made = sample()
    text = result_text(made, summary(made), terminal(columns))

    assert max(map(cells, text.splitlines())) <= columns
    for figure in ("0.0059 RUB", "0.000019 USD", "4/5, 1 cut off", "zero-retention", "210 MB"):
        assert figure in text
    blocks = "  checks     5/5" in text
    assert blocks == (columns <= 80)


def test_a_narrow_terminal_has_a_block_for_each_model() -> None:
    made = two()
    line = Line(candidate=0, runs=3, succeeded=2, failures={"cut-off": 1},
                total=Figure(count=2, median=1.5), input_tokens=14.0)  # fmt: skip
    verdict = Verdict(True, Level.NO_TRAINING, "RU", 30, attested=("dpa",))
    long = replace(made.candidates[0], name="provider/" + "x" * 40, verdict=verdict)
    made = replace(made, candidates=(long, made.candidates[1]), trials=())
    text = result_text(made, summed(lines=(line,)), terminal(40))

    assert text.split("\n\n")[0].splitlines() == [
        "provider/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "xxxxxxxxx",
        "  runs       2/3, 1 cut off",
        "  total      1.50 s",
        "  in         14",
        "  cost       unknown",
        "  privacy    no-training (attested by",
        "             you)",
        "  region     RU",
        "  retention  30 days",
    ]


# ---- answers -----------------------------------------------------------------------------------


def test_one_prompt_and_one_run_show_each_answer_in_full() -> None:
    long = "\n\n".join(f"Paragraph {number}." for number in range(30))
    made = two()
    receipt = replace(made.trials[0].receipt, text=long)
    made = replace(made, trials=(replace(made.trials[0], receipt=receipt), made.trials[1]))
    lines = result_text(made, summed(), terminal(80)).splitlines()

    assert [line for line in lines if line.startswith("Para")] == long.split("\n\n")
    assert lines.index("A") < lines.index("Paragraph 0.") < lines.index("B")
    assert lines[lines.index("B") + 1] == "I am B"


def test_of_repeats_the_first_is_shown_shortened() -> None:
    made = two()
    texts = {2: "second", 1: "1\n2\n3\n4\n5\n6"}
    trials = [replace(made.trials[0], repeat=repeat,
                      receipt=replace(made.trials[0].receipt, text=text))
              for repeat, text in texts.items()]  # fmt: skip
    shown = replace(made, trials=tuple(trials), repeat=2)
    text = result_text(shown, summed(), terminal(80))

    assert text.startswith("A\n1\n2\n3\n…\n")
    assert "second" not in text


def test_many_prompts_show_no_answers() -> None:
    made = replace(two(), cases=(Case(id="1", text="?"), Case(id="2", text="??")))

    assert "I am A" not in result_text(made, summed(), terminal(80))


def test_an_answer_says_what_is_wrong_with_it() -> None:
    made = sample(1)
    text = result_text(made, summary(made), terminal(80))

    assert (
        "local/smollm2-135m\nСтолица Австралии — город Сидней.\n"
        "not passed: contains=Канберра: it is not in the answer\n"
    ) in text
    assert "yandexgpt/yandexgpt-5-lite\nКанбер\ncut off: the stream ended before its" in text


def test_names_are_bold_only_where_colour_is_wanted() -> None:
    made = two()

    assert "\x1b" not in result_text(made, summed(), terminal(80))
    assert result_text(made, summed(), terminal(80, colour=True)).startswith("\x1b[1mA\x1b[0m\n")


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_hostile_text_drives_no_terminal(columns: int) -> None:
    made = hostile()
    text = result_text(made, summary(made), terminal(columns))

    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert HOSTILE[0] in text.replace("\n", "")
    assert max(map(cell_len, text.splitlines())) <= columns


def test_it_is_printed_on_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    made = sample()
    print_result(made, summary(made), PIPED)

    assert capfd.readouterr() == (result_text(made, summary(made)), "")


# ---- verdicts ----------------------------------------------------------------------------------


def pair(metric: Metric, **kinds: object) -> Pair:
    return replace(Pair(first=0, second=1, metric=metric, count=5, p=0.5), **kinds)  # type: ignore[arg-type]


CLEAR = {"clear": True, "p": 0.012}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (pair(Metric.TOTAL, ratio=2.13, better=0, **CLEAR),
         "A is 2.1 × faster than B (total, p = 0.01)"),
        (pair(Metric.TTFT, ratio=0.5, better=1, **CLEAR),
         "B is 2 × faster than A (TTFT, p = 0.01)"),
        (pair(Metric.SPEED, ratio=1.04, better=1, clear=True, p=0.0001),
         "B is 1.04 × faster than A (tokens/s, p < 0.001)"),
        (pair(Metric.COST, ratio=150.2, better=0, clear=True, p=0.0),
         "A is 150 × cheaper than B"),
        (pair(Metric.COST, better=1, clear=True, p=0.0), "B is free, A is not"),
        (pair(Metric.QUALITY, ratio=-0.4, better=0, **CLEAR),
         "A passes more often than B, by 40 points (p = 0.01)"),
        (pair(Metric.JUDGED, ratio=0.5, better=1, **CLEAR),
         "B is preferred to A by the judge, by 50 points (p = 0.01)"),
        (pair(Metric.TOTAL, ratio=1.1, smallest=1.4),
         "no clear difference in total between A and B (5 runs would have shown 40 %)"),
        (pair(Metric.QUALITY, ratio=0.1, smallest=0.3),
         "no clear difference in checks between A and B (5 runs would have shown 30 points)"),
        (pair(Metric.QUALITY, ratio=0.1),
         "no clear difference in checks between A and B (5 runs are too few to tell)"),
    ],
)  # fmt: skip
def test_a_verdict_in_words(found: Pair, said: str) -> None:
    assert verdict_lines(two(), summed(found)) == [said]


def test_with_many_prompts_these_are_what_counts() -> None:
    made = replace(two(), cases=tuple(Case(id=str(n), text="?") for n in range(5)))
    found = pair(Metric.TOTAL, ratio=1.1, smallest=1.4)

    assert "5 prompts would have shown 40 %" in verdict_lines(made, summed(found))[0]


def test_clear_ones_come_first() -> None:
    found = verdict_lines(
        two(),
        summed(pair(Metric.TTFT, smallest=1.5), pair(Metric.COST, ratio=2.0, better=0, **CLEAR)),
    )

    assert [line.split(" (")[0] for line in found] == [
        "A is 2 × cheaper than B", "no clear difference in TTFT between A and B",
    ]  # fmt: skip


def test_single_runs_prove_nothing() -> None:
    found = verdict_lines(two(), summed(*(pair(metric, count=1, p=None) for metric in Metric)))

    assert len(found) == 1
    assert found[0].startswith("Too few runs")
    assert verdict_lines(two(), summed()) == []


def test_of_many_candidates_only_the_best_is_set_against_the_others() -> None:
    names = "ABCDE"
    made = replace(two(), candidates=tuple(Candidate(name=one, model=one) for one in names))
    lines = tuple(Line(candidate=at, total=Figure(count=5, median=median))
                  for at, median in enumerate((3.0, 1.0, 2.0, 4.0, 5.0)))  # fmt: skip
    found = [Pair(first=one, second=other, metric=Metric.TOTAL, count=5, p=0.01, clear=True,
                  ratio=2.0, better=one)
             for one in range(5) for other in range(one + 1, 5)]  # fmt: skip
    four = replace(made, candidates=made.candidates[:4])

    assert len(found) == 10
    with_five = verdict_lines(made, summed(*found, lines=lines))
    assert len(with_five) == 4
    assert all("B" in line for line in with_five)
    assert len(verdict_lines(four, summed(*found[:3], lines=lines[:4]))) == 3


def test_a_factor_never_reads_one() -> None:
    assert [factor_text(one) for one in (1.004, 1.04, 1.26, 2.13, 12.3, 150.2)] == [
        "1.004", "1.04", "1.3", "2.1", "12", "150",
    ]  # fmt: skip


# ---- what else is said -------------------------------------------------------------------------


def test_times_that_are_no_models_stand_apart() -> None:
    line = Line(candidate=0, runs=5, connect_s=0.031, load_s=1.5, waited_s=20.04, cached=3,
                cached_share=0.8)  # fmt: skip
    found = note_lines(two(), summed(lines=(line, Line(candidate=1))))

    assert found[0] == ("Not in these times: A: loading 1.50 s, waiting 20.0 s in all")
    assert found[1].startswith("A read the prompt from its cache in 3 of 5 runs (80\u00a0% of")


def test_what_was_paid_has_the_judges_share() -> None:
    dollars = Money(Decimal("0.02"), "USD")
    found = note_lines(two(), summed(
        spent=(Money(Decimal("1.5"), "RUB"), dollars), judge_spent=(dollars,), unpriced=2,
        exchanged=("Costs are compared at 1 USD = 80 RUB.",),
    ))  # fmt: skip

    assert found == [
        "Paid in all, warm-ups included: ≥ 1.50 RUB + 0.02 USD (of that the judge: 0.02 USD,"
        " runs at an unknown price: 2)",
        "Costs are compared at 1 USD = 80 RUB.",
    ]


def test_what_was_left_out_is_named() -> None:
    rows = tuple(Skipped(line=line, why="no prompt") for line in (9, 3, 4, 5, 6, 7, 8))
    made = replace(two(), skipped=rows, complete=False, planned=10)
    refused = replace(REFUSED, name="C", refused=Failure("auth", 6, "there is no key"))
    made = replace(made, candidates=(*made.candidates, REFUSED, refused))
    found = note_lines(made, summed(front=(0,)))

    assert found[0] == "Interrupted: 2 of 10 runs were made."
    assert found[2] == "No other beats these in cost, time, quality and privacy at once: A"
    assert found[3] == "Not asked: deepseek/deepseek-chat processes prompts in CN"
    assert found[4] == "Not asked: C: there is no key"
    assert found[5:] == [
        *(f"Left out: line {line}: no prompt" for line in (3, 4, 5, 6, 7)),
        "Left out besides, rows: 2",
    ]


def test_what_is_recommended_has_its_reasons() -> None:
    chosen = Advice(chosen=1, wanted="cheapest", reasons=("It costs nothing.",),
                    excluded={0: "it failed every time"})  # fmt: skip
    nearest = Advice(wanted="cost<1", nearest=0, misses=("cost 2 USD, not below 1",))

    assert advice_lines(two(), summed(advice=chosen)) == [
        "Recommended (cheapest): B", "  It costs nothing.", "  not A: it failed every time",
    ]  # fmt: skip
    assert advice_lines(two(), summed(advice=nearest)) == [
        "Nothing fits (cost<1); nearest is A", "  cost 2 USD, not below 1",
    ]  # fmt: skip
    assert advice_lines(two(), summed(advice=Advice())) == ["Nothing fits"]
    assert advice_lines(two(), summed()) == []


def test_long_sentences_are_set_in_where_they_go_on() -> None:
    made = replace(two(), skipped=(Skipped(line=7, why="слово " * 12),), trials=())
    text = result_text(made, summed(), terminal(40))

    said = text.splitlines()[-3:]
    assert said[0] == "Left out: line 7: слово слово слово"
    assert said[1].startswith("  слово")
    assert " ".join(said).split().count("слово") == 12
